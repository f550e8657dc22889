/* SPDX-License-Identifier: ISC */
/* Where the service that a target names can be reached: addresses, to be tried in turn. */
#include "config.h"

#include "ctl/places.h"

#include <errno.h>
#include <netdb.h>
#include <string.h>

#include "base/addr.h"
#include "base/intern.h"
#include "config/lookup.h"
#include "ctl/places_conf.h"
#include "ctl/resolve.h"

/* Room for a name of others in a message. */
#define NAME_TEXT_MAX 300

static int add(struct places *places, const struct endpoint *place)
{
	int r = array_grow(&places->v, places->n, sizeof(*places->v));

	if (r == 0)
		places->v[places->n++] = endpoint_copy(place);
	return r;
}

static int add_addr(struct places *places, int socktype, int protocol, const struct addr *addr)
{
	struct endpoint place = {
		.addr = *addr,
		.socktype = (uint8_t)socktype,
		.protocol = (uint16_t)protocol,
	};

	return add(places, &place);
}

/* The loopback addresses that a socket on a wildcard address of @family hears; AF_UNSPEC is both. */
static int add_loopback(struct places *places, int socktype, int protocol, sa_family_t family,
			uint16_t port)
{
	static const char *const texts[] = { "::1", "127.0.0.1" };
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(texts) && r == 0; i++) {
		struct addr addr;

		(void)addr_parse(texts[i], &addr);
		addr.port = port;
		if (family == AF_UNSPEC || family == addr.family)
			r = add_addr(places, socktype, protocol, &addr);
	}
	return r;
}

int places_add_endpoint(struct places *places, const struct endpoint *endpoint)
{
	const struct addr *addr = &endpoint->addr;
	bool both = addr->family == AF_INET6 && !endpoint->v6only;

	if (!endpoint_is_wildcard(endpoint))
		return add(places, endpoint);
	return add_loopback(places, endpoint->socktype, endpoint->protocol,
			    both ? AF_UNSPEC : addr->family, addr->port);
}

static enum status out_of_memory(struct failure *failure)
{
	return failure_set(failure, STATUS_UNREADABLE, "there is not enough memory");
}

static enum status find_unix(const struct target *target, struct places *places,
			     struct failure *failure)
{
	struct endpoint place = {
		.addr = { .family = AF_UNIX },
		.socktype = (uint8_t)target->socktype,
		.path = intern_text(NULL, target->service),
	};
	int r = place.path ? add(places, &place) : -ENOMEM;

	endpoint_done(&place);
	return r < 0 ? out_of_memory(failure) : STATUS_CLEAN;
}

/* The port that the target's service means, by number or the services database; sets the type that was not said. */
static enum status find_port(const struct target *target, struct places *places, int *socktype,
			     uint16_t *ret_port, struct failure *failure)
{
	static const struct {
		int socktype;
		const char *protocol;
	} tries[] = { { SOCK_STREAM, "tcp" }, { SOCK_DGRAM, "udp" } };
	char name[NAME_TEXT_MAX];
	struct lookup *lookup;
	long long number;
	int r = -ENOENT, port = 0;

	(void)escape_text(name, sizeof(name), target->service);
	if (strspn(target->service, "0123456789") == strlen(target->service)) {
		if (parse_number(target->service, 10, 1, UINT16_MAX, &number) < 0)
			return failure_set(failure, STATUS_ADDRESS,
					   "%s is no port: write a number from 1 to 65535", name);
		*ret_port = (uint16_t)number;
		*socktype = *socktype ? *socktype : SOCK_STREAM;
		return STATUS_CLEAN;
	}
	lookup = lookup_new();
	if (!lookup)
		return out_of_memory(failure);
	for (size_t i = 0; i < ARRAY_SIZE(tries) && r == -ENOENT; i++) {
		if (*socktype && *socktype != tries[i].socktype)
			continue;
		r = lookup_port(lookup, target->service, tries[i].protocol, &port);
		if (r == 0) {
			size_t said = strlen(places->origin);

			*socktype = tries[i].socktype;
			(void)snprintf(places->origin + said, sizeof(places->origin) - said,
				       "%s is port %d of %s in the services database", name, port,
				       tries[i].protocol);
		}
	}
	lookup_free(lookup);
	if (r == -ENOMEM)
		return out_of_memory(failure);
	if (r < 0)
		return failure_set(failure, STATUS_NAME, "there is no service \"%s\"%s", name,
				   *socktype == SOCK_DGRAM    ? " for UDP"
				   : *socktype == SOCK_STREAM ? " for TCP"
							      : "");
	*ret_port = (uint16_t)port;
	return STATUS_CLEAN;
}

static enum status find_host(const struct target *target, int socktype, uint16_t port,
			     uint64_t deadline_usec, struct places *places, struct failure *failure)
{
	bool numeric = strchr(target->host, ':');
	struct addrinfo *list = NULL;
	char host[NAME_TEXT_MAX], text[8];
	int error, r = 0;

	(void)escape_text(host, sizeof(host), target->host);
	(void)snprintf(text, sizeof(text), "%u", port);
	error = resolve(target->host, text, socktype, numeric ? AI_NUMERICHOST : 0, deadline_usec,
			&list);
	if (error == ETIMEDOUT)
		return failure_set(failure, STATUS_TIME,
				   "the name %s was not resolved within the time", host);
	if (error && numeric)
		return failure_set(failure, STATUS_ADDRESS, "%s is no address", host);
	if (error)
		return failure_set(failure, STATUS_NAME, "the name %s cannot be resolved: %s", host,
				   error > 0 ? failure_words(error) : gai_strerror(error));
	for (const struct addrinfo *ai = list; ai && r == 0; ai = ai->ai_next) {
		struct addr addr;

		addr_from_sockaddr(&addr, ai->ai_addr, ai->ai_addrlen);
		if (addr.family != AF_UNSPEC)
			r = add_addr(places, socktype,
				     socktype == SOCK_DGRAM ? IPPROTO_UDP : IPPROTO_TCP, &addr);
	}
	freeaddrinfo(list);
	return r < 0 ? out_of_memory(failure) : STATUS_CLEAN;
}

static enum status find_inet(const struct target *target, const struct places_source *source,
			     struct places *places, struct failure *failure)
{
	int socktype = target->socktype;
	enum status status;
	uint16_t port = 0;

	if (!target->host) {
		status = places_find_in_conf(target, source, places, failure);
		if (status != STATUS_CLEAN || places->n > 0)
			return status;
	}
	status = find_port(target, places, &socktype, &port, failure);
	if (status != STATUS_CLEAN)
		return status;
	if (target->host)
		return find_host(target, socktype, port, source->deadline_usec, places, failure);
	if (add_loopback(places, socktype, socktype == SOCK_DGRAM ? IPPROTO_UDP : IPPROTO_TCP,
			 AF_UNSPEC, port) < 0)
		return out_of_memory(failure);
	return STATUS_CLEAN;
}

enum status places_find(const struct target *target, const struct places_source *source,
			struct places *ret, struct failure *failure)
{
	struct places places = { 0 };
	enum status status = target->family == AF_UNIX
				     ? find_unix(target, &places, failure)
				     : find_inet(target, source, &places, failure);

	if (status == STATUS_CLEAN)
		*ret = places;
	else
		places_done(&places);
	return status;
}

void places_done(struct places *places)
{
	for (size_t i = 0; i < places->n; i++)
		endpoint_done(&places->v[i]);
	free(places->v);
	*places = (struct places){ 0 };
}
