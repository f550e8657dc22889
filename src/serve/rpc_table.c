/* SPDX-License-Identifier: ISC */
/* A table of what is to be registered with rpcbind, by program, version and transport. */
#include "config.h"

#include "serve/rpc_table.h"

#include <errno.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/un.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "base/log.h"

/* One service's wish for one entry. */
struct claim {
	struct rpc_door *door;
	struct entry *entry;
	char address[RPC_ADDRESS_MAX];
	TAILQ_ENTRY(claim) of_entry;
};

struct rpc_door {
	const struct service *service;
	size_t n;
	struct claim claims[];
};

struct key {
	uint32_t program;
	uint32_t version;
	char netid[8];
};

/* What rpcbind has one address for. */
struct entry {
	struct key key;
	TAILQ_HEAD(, claim) claims;  /* the first one has it */
	char known[RPC_ADDRESS_MAX]; /* what rpcbind may have of us; "" = nothing */
	bool sure;                   /* it has */
	bool complained;             /* that it failed was said */
	UT_hash_handle hh;
};

struct rpc_table {
	struct entry *entries;
};

/* A transport by its name in netconfig(5), and the address there. */
struct transport {
	char netid[8];
	char address[RPC_ADDRESS_MAX];
};

struct rpc_table *rpc_table_new(void)
{
	return calloc(1, sizeof(struct rpc_table));
}

static void entry_free(struct rpc_table *table, struct entry *entry)
{
	HASH_DEL(table->entries, entry);
	free(entry);
}

void rpc_table_free(struct rpc_table *table)
{
	struct entry *entry, *next;

	if (!table)
		return;
	HASH_ITER(hh, table->entries, entry, next)
	{
		entry_free(table, entry);
	}
	free(table);
}

bool rpc_table_is_empty(const struct rpc_table *table)
{
	return !table->entries;
}

/* --- doors --------------------------------------------------------------------- */

static void put_inet(struct transport *to, const char *name, bool v6, in_port_t net_port)
{
	unsigned port = ntohs(net_port);

	(void)snprintf(to->netid, sizeof(to->netid), "%s%s", name, v6 ? "6" : "");
	(void)snprintf(to->address, sizeof(to->address), "%s.%u.%u", v6 ? "::" : "0.0.0.0",
		       port >> 8, port & 0xff);
}

static size_t put_unix(struct transport *to, const struct sockaddr_un *un, int socktype)
{
	if (socktype != SOCK_STREAM || !un->sun_path[0])
		return 0;
	(void)snprintf(to->netid, sizeof(to->netid), "local");
	(void)snprintf(to->address, sizeof(to->address), "%s", un->sun_path);
	return 1;
}

/* The transports that the socket serves; none where rpcbind knows no such thing. Returns their number or -errno. */
static int transports_of(int fd, struct transport to[static 2])
{
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_un un;
	} bound = { 0 };
	socklen_t length = sizeof(bound), size = sizeof(int);
	int socktype = 0, v6only = 0;
	const char *name;

	if (getsockname(fd, &bound.sa, &length) < 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_TYPE, &socktype, &size) < 0)
		return -errno;
	name = socktype == SOCK_STREAM ? "tcp" : "udp";
	switch (bound.sa.sa_family) {
	case AF_UNIX:
		return (int)put_unix(&to[0], &bound.un, socktype);
	case AF_INET:
		put_inet(&to[0], name, false, bound.in.sin_port);
		return 1;
	case AF_INET6:
		if (IN6_IS_ADDR_V4MAPPED(&bound.in6.sin6_addr)) {
			put_inet(&to[0], name, false, bound.in6.sin6_port);
			return 1;
		}
		put_inet(&to[0], name, true, bound.in6.sin6_port);
		size = sizeof(v6only);
		if (!IN6_IS_ADDR_UNSPECIFIED(&bound.in6.sin6_addr) ||
		    getsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only, &size) < 0 || v6only)
			return 1;
		put_inet(&to[1], name, false, bound.in6.sin6_port);
		return 2;
	default:
		return 0;
	}
}

static struct entry *find_entry(const struct rpc_table *table, uint32_t program, uint32_t version,
				const char *netid)
{
	struct entry *entry;
	struct key key;

	memset(&key, 0, sizeof(key));
	key.program = program;
	key.version = version;
	(void)snprintf(key.netid, sizeof(key.netid), "%s", netid);
	HASH_FIND(hh, table->entries, &key, sizeof(key), entry);
	return entry;
}

static struct entry *want_entry(struct rpc_table *table, uint32_t program, uint32_t version,
				const char *netid)
{
	struct entry *entry = find_entry(table, program, version, netid);

	if (entry)
		return entry;
	entry = calloc(1, sizeof(*entry));
	if (!entry)
		return NULL;
	TAILQ_INIT(&entry->claims);
	entry->key.program = program;
	entry->key.version = version;
	(void)snprintf(entry->key.netid, sizeof(entry->key.netid), "%s", netid);
	HASH_ADD(hh, table->entries, key, sizeof(entry->key), entry);
	if (!entry->hh.tbl) {
		free(entry);
		return NULL;
	}
	return entry;
}

int rpc_door_open(struct rpc_table *table, const struct service *service, int fd,
		  struct rpc_door **ret)
{
	struct transport transports[2];
	int n = transports_of(fd, transports);
	size_t versions = service->rpc_max_version - service->rpc_min_version + 1;
	struct rpc_door *door;

	if (n < 0)
		return n;
	door = calloc(1, sizeof(*door) + (size_t)n * versions * sizeof(*door->claims));
	if (!door)
		return -ENOMEM;
	door->service = service_ref(service);
	for (size_t i = 0; i < (size_t)n * versions; i++) {
		const struct transport *transport = &transports[i / versions];
		struct claim *claim = &door->claims[i];

		claim->door = door;
		claim->entry = want_entry(table, (uint32_t)service->rpc_number,
					  service->rpc_min_version + (uint32_t)(i % versions),
					  transport->netid);
		if (!claim->entry) {
			rpc_door_close(door);
			return -ENOMEM;
		}
		memcpy(claim->address, transport->address, sizeof(claim->address));
		TAILQ_INSERT_TAIL(&claim->entry->claims, claim, of_entry);
		door->n++;
	}
	*ret = door;
	return 0;
}

void rpc_door_close(struct rpc_door *door)
{
	if (!door)
		return;
	for (size_t i = 0; i < door->n; i++)
		TAILQ_REMOVE(&door->claims[i].entry->claims, &door->claims[i], of_entry);
	service_unref(door->service);
	free(door);
}

void rpc_door_dump(const struct rpc_door *door, FILE *out)
{
	for (size_t i = 0; i < door->n; i++) {
		const struct claim *claim = &door->claims[i];
		const struct entry *entry = claim->entry;

		(void)fprintf(
			out, "\trpc = program %u version %u on %s %s, %sregistered\n",
			entry->key.program, entry->key.version, entry->key.netid, claim->address,
			entry->sure && strcmp(entry->known, claim->address) == 0 ? "" : "not ");
	}
}

/* --- orders -------------------------------------------------------------------- */

static void put_order(struct rpc_order *order, struct entry *entry, const char *wanted)
{
	memset(order, 0, sizeof(*order));
	order->program = entry->key.program;
	order->version = entry->key.version;
	memcpy(order->netid, entry->key.netid, sizeof(order->netid));
	memcpy(order->old, entry->known, sizeof(order->old));
	(void)snprintf(order->address, sizeof(order->address), "%s", wanted);
	if (strcmp(wanted, entry->known) == 0)
		return;
	entry->sure = false;
	/* From now on it may be there, whatever we hear of it. */
	if (*wanted)
		memcpy(entry->known, order->address, sizeof(entry->known));
}

int rpc_table_orders(struct rpc_table *table, bool all, struct rpc_order **ret, size_t *ret_n)
{
	struct entry *entry, *next;
	struct rpc_order *orders = NULL;
	size_t n = 0;

	HASH_ITER(hh, table->entries, entry, next)
	{
		const struct claim *claim = TAILQ_FIRST(&entry->claims);
		const char *wanted = claim ? claim->address : "";

		if (!claim && !entry->known[0]) {
			entry_free(table, entry);
			continue;
		}
		if (!all && entry->sure && strcmp(wanted, entry->known) == 0)
			continue;
		if (array_grow(&orders, n, sizeof(*orders)) < 0) {
			free(orders);
			return -ENOMEM;
		}
		put_order(&orders[n++], entry, wanted);
	}
	*ret = orders;
	*ret_n = n;
	return 0;
}

/* Why, in words that say what to do. */
static const char *advice(int error)
{
	switch (error) {
	case -ENOENT:
	case -ECONNREFUSED:
		return "; does rpcbind run?";
	case -ETIMEDOUT:
		return "; rpcbind does not answer";
	case -EADDRINUSE:
		return "; somebody else is registered and listens there (rpcinfo shows where)";
	case -EPERM:
		return "; rpcbind refuses it, as it does where another user has registered the program";
	default:
		return "";
	}
}

static void tell_failure(struct entry *entry, const struct service *service, int error)
{
	if (service)
		log_write_errno(
			LOG_LEVEL_ERROR, error,
			"pmap_set failed. service=%s program=%u version=%u (%s: %m)%s [file=%s] [line=%u]; "
			"it is tried again until it works",
			service->id, entry->key.program, entry->key.version, entry->key.netid,
			advice(error), service->file, service->line);
	else if (error != -ENOENT && error != -ECONNREFUSED)
		log_write_errno(LOG_LEVEL_WARNING, error,
				"program %u version %u cannot be unregistered (%s: %m)%s",
				entry->key.program, entry->key.version, entry->key.netid,
				advice(error));
}

/* Notes that rpcbind has what the order says. @told is the service that was spoken of last. */
static void take_success(struct entry *entry, const struct rpc_order *order,
			 const struct service **told)
{
	const struct claim *claim = TAILQ_FIRST(&entry->claims);
	const struct service *service = claim ? claim->door->service : NULL;
	bool lost = entry->sure && order->result == RPC_RESULT_CHANGED;

	entry->sure = strcmp(entry->known, order->address) == 0;
	if ((entry->complained || lost) && service && service != *told) {
		*told = service;
		log_notice(lost ? "service %s: rpcbind had lost program %u; it is registered anew"
				: "service %s: program %u is registered with rpcbind at last",
			   service->id, entry->key.program);
	}
	entry->complained = false;
}

static void take_failure(struct entry *entry, int error, const struct service **told)
{
	const struct claim *claim = TAILQ_FIRST(&entry->claims);
	const struct service *service = claim ? claim->door->service : NULL;

	entry->sure = false;
	if (!entry->complained && (!service || service != *told))
		tell_failure(entry, service, error);
	entry->complained = true;
	*told = service;
}

size_t rpc_table_take(struct rpc_table *table, const struct rpc_order *orders, size_t n, int error)
{
	const struct service *told_good = NULL, *told_bad = NULL;
	size_t failed = 0;

	for (size_t i = 0; i < n; i++) {
		const struct rpc_order *order = &orders[i];
		int r = order->result == RPC_RESULT_NONE ? error : order->result;
		struct entry *entry =
			find_entry(table, order->program, order->version, order->netid);

		if (!entry)
			continue;
		if (r < 0) {
			failed++;
			take_failure(entry, r, &told_bad);
		} else if (order->address[0]) {
			take_success(entry, order, &told_good);
		} else if (TAILQ_EMPTY(&entry->claims)) {
			entry_free(table, entry);
		} else {
			/* Somebody wants it again meanwhile. */
			entry->known[0] = '\0';
		}
	}
	return failed;
}
