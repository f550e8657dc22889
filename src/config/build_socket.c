/* SPDX-License-Identifier: ISC */
/* The share of a service that says where it listens: socket type, protocol, port, addresses. */
#include "config.h"

#include <errno.h>
#include <netdb.h>
#include <string.h>
#include <strings.h>

#include "base/addr.h"
#include "base/intern.h"
#include "config/build.h"
#include "config/rpc.h"

static bool is_unix_bind(const char *word)
{
	return word[0] == '/' || word[0] == '@';
}

/* Whether every address is a Unix socket, so that there is neither protocol nor port. */
static bool only_unix(const struct service *s)
{
	for (size_t i = 0; i < s->bind->n; i++)
		if (!is_unix_bind(s->bind->v[i]))
			return false;
	return s->bind->n > 0;
}

/* Protocol and socket type, each from the other where only one is given (xinetd.conf(5) "protocol"). */
static int build_protocol(struct build *build)
{
	struct service *s = &build->service;
	const char *name = NULL;
	int protocol;

	s->socktype = (uint8_t)build_number(build, ATTR_SOCKET_TYPE, 0);
	if (schema_count(build->schema, ATTR_PROTOCOL))
		name = schema_text(build->schema, ATTR_PROTOCOL, 0);
	if (!s->socktype && name && strcasecmp(name, "tcp") == 0)
		s->socktype = SOCK_STREAM;
	if (!s->socktype && name && strcasecmp(name, "udp") == 0)
		s->socktype = SOCK_DGRAM;
	if (!s->socktype && !schema_failed(build->schema))
		build_error(
			build, ATTR_SOCKET_TYPE,
			"attribute \"socket_type\" is missing: write stream, dgram, raw or seqpacket");
	if (only_unix(s)) {
		if (name)
			schema_report(build->schema, ATTR_PROTOCOL, SEVERITY_NOTICE,
				      "a Unix socket has no protocol; \"%s\" is not used", name);
		return 0;
	}
	if (!name && s->socktype == SOCK_STREAM)
		name = "tcp";
	if (!name && s->socktype == SOCK_DGRAM)
		name = "udp";
	if (!name) {
		if (s->socktype)
			build_error(build, ATTR_PROTOCOL,
				    "attribute \"protocol\" is missing: this socket type has "
				    "no protocol of its own");
		return 0;
	}
	s->protocol_name = intern_text(build->pool, name);
	if (!s->protocol_name)
		return -ENOMEM;
	if (lookup_protocol(build->lookup, name, &protocol) == 0) {
		s->protocol = (uint16_t)protocol;
		if ((s->protocol == IPPROTO_TCP && s->socktype == SOCK_DGRAM) ||
		    (s->protocol == IPPROTO_UDP && s->socktype == SOCK_STREAM))
			build_error(
				build, ATTR_PROTOCOL,
				"protocol %s does not go with this socket_type: leave one of the two out",
				name);
		return 0;
	}
	build_error(build, ATTR_PROTOCOL, "protocol \"%s\" is not in the protocols database%s",
		    name,
		    strlen(name) == 4 && name[3] == '6' ? "; for IPv6 write \"flags = IPv6\"" : "");
	return 0;
}

/* What "port" says: a number or a name of the services database. Returns UNLIMITED when not given or not valid. */
static int given_port(struct build *build)
{
	struct service *s = &build->service;
	const char *text;
	long long number;
	int port, r;

	if (!schema_count(build->schema, ATTR_PORT))
		return UNLIMITED;
	text = schema_text(build->schema, ATTR_PORT, 0);
	r = parse_number(text, 10, 0, 65535, &number);
	if (r == 0)
		return (int)number;
	if (r == -EINVAL && s->protocol_name &&
	    lookup_port(build->lookup, text, s->protocol_name, &port) == 0)
		return port;
	build_error(build, ATTR_PORT,
		    "port \"%s\" is not valid; write a number from 0 to 65535, or a name of the "
		    "services database",
		    text);
	return UNLIMITED;
}

/* The port of a service that is not UNLISTED: as the services database has it. */
static void listed_port(struct build *build, int given)
{
	struct service *s = &build->service;
	int port;

	if (!s->protocol_name)
		return;
	if (lookup_port(build->lookup, s->name, s->protocol_name, &port) == 0) {
		s->port = port;
		if (given != UNLIMITED && given != port)
			build_error(
				build, ATTR_PORT,
				"service \"%s\" has port %d in the services database, not %d; for another port write "
				"\"type = UNLISTED\"",
				s->name, port, given);
		return;
	}
	s->port = given;
	if (given != UNLIMITED)
		schema_report(
			build->schema, ATTR_PORT, SEVERITY_NOTICE,
			"\"%s/%s\" is not in the services database; port %d is used as given (xinetd wants \"type = "
			"UNLISTED\")",
			s->name, s->protocol_name, given);
	else if (!schema_count(build->schema, ATTR_PORT))
		build_error(
			build, ATTR_PORT,
			"\"%s/%s\" is not in the services database: write \"type = UNLISTED\" and \"port = NUMBER\"",
			s->name, s->protocol_name);
}

static void build_port(struct build *build)
{
	struct service *s = &build->service;
	int given;

	if (only_unix(s) || (s->type & (SERVICE_TCPMUX | SERVICE_TCPMUXPLUS)))
		return;
	given = given_port(build);
	if (s->socktype == SOCK_RAW || (s->type & SERVICE_RPC)) {
		s->port = given == UNLIMITED && s->socktype == SOCK_RAW ? 0 : given;
		return;
	}
	if (!(s->type & SERVICE_UNLISTED)) {
		listed_port(build, given);
		return;
	}
	s->port = given;
	if (!schema_count(build->schema, ATTR_PORT))
		build_error(build, ATTR_PORT,
			    "an UNLISTED service needs a port: write \"port = NUMBER\"");
}

static int add_endpoint(struct build *build, const struct endpoint *endpoint)
{
	struct service *s = &build->service;

	if (s->n_endpoints == build->endpoints_room) {
		size_t room = build->endpoints_room ? 2 * build->endpoints_room : 4;
		struct endpoint *bigger = reallocarray(build->endpoints, room, sizeof(*bigger));

		if (!bigger)
			return -ENOMEM;
		s->endpoints = build->endpoints = bigger;
		build->endpoints_room = room;
	}
	s->endpoints[s->n_endpoints++] = *endpoint;
	return 0;
}

static int add_inet(struct build *build, const struct addr *addr, bool fallback)
{
	struct service *s = &build->service;
	struct endpoint endpoint = {
		.addr = *addr,
		.protocol = s->protocol,
		.socktype = s->socktype,
		.v6only = addr->family == AF_INET6 && s->v6only,
		.fallback_ipv4 = fallback,
	};

	endpoint.addr.port = (uint16_t)(s->port > 0 ? s->port : 0);
	return add_endpoint(build, &endpoint);
}

static int add_unix(struct build *build, const char *word)
{
	struct service *s = &build->service;
	struct endpoint endpoint = {
		.addr = { .family = AF_UNIX },
		.socktype = s->socktype,
	};
	size_t length = strlen(word);
	int r;

	if (length > ENDPOINT_PATH_MAX || length < 2) {
		build_error(build, ATTR_BIND,
			    "\"%s\" is too %s for a Unix socket (at most %d bytes)", word,
			    length < 2 ? "short" : "long", ENDPOINT_PATH_MAX);
		return 0;
	}
	endpoint.path = intern_text(build->pool, word);
	if (!endpoint.path)
		return -ENOMEM;
	r = add_endpoint(build, &endpoint);
	if (r < 0)
		endpoint_done(&endpoint);
	return r;
}

/* The family that flags ask for; AF_UNSPEC when none or both. */
static sa_family_t wanted_family(const struct service *s)
{
	switch (s->flags & (FLAG_IPV4 | FLAG_IPV6)) {
	case FLAG_IPV4:
		return AF_INET;
	case FLAG_IPV6:
		return AF_INET6;
	default:
		/* A raw protocol belongs to one family, and all but ICMPv6 that matter to IPv4. */
		if (s->socktype == SOCK_RAW)
			return s->protocol == IPPROTO_ICMPV6 ? AF_INET6 : AF_INET;
		return AF_UNSPEC;
	}
}

/* A host name in bind: the first address of the wanted family, IPv6 first where none is wanted, as in xinetd. */
static int add_host(struct build *build, const char *word)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
				  .ai_family = wanted_family(&build->service) };
	struct addrinfo *list = NULL, *best;
	struct addr addr;
	int r = getaddrinfo(word, NULL, &hints, &list);

	if (r || !list) {
		build_error(
			build, ATTR_BIND,
			"bind address \"%s\": %s; write a numeric address or a name that resolves",
			word, gai_strerror(r));
		return 0;
	}
	best = list;
	for (struct addrinfo *entry = list; entry; entry = entry->ai_next) {
		if (entry->ai_family == AF_INET6) {
			best = entry;
			break;
		}
	}
	addr_from_sockaddr(&addr, best->ai_addr, best->ai_addrlen);
	freeaddrinfo(list);
	return add_inet(build, &addr, false);
}

static int add_bind(struct build *build, const char *word)
{
	sa_family_t wanted = wanted_family(&build->service);
	struct addr addr;

	if (is_unix_bind(word))
		return add_unix(build, word);
	if (strcmp(word, "*") == 0) {
		addr = (struct addr){ .family = wanted == AF_INET ? AF_INET : AF_INET6 };
		return add_inet(build, &addr, wanted == AF_UNSPEC);
	}
	if (addr_parse(word, &addr) < 0) {
		if (strspn(word, "0123456789.") == strlen(word) || strchr(word, ':')) {
			build_error(build, ATTR_BIND,
				    "\"%s\" is no address; write it like 192.0.2.1 or 2001:db8::1",
				    word);
			return 0;
		}
		return add_host(build, word);
	}
	if (wanted != AF_UNSPEC && wanted != addr.family) {
		build_error(build, ATTR_BIND, "address \"%s\" contradicts \"flags = %s\"", word,
			    wanted == AF_INET ? "IPv4" : "IPv6");
		return 0;
	}
	return add_inet(build, &addr, false);
}

/* Why a service without bind stays on this machine; NULL where it is for all. */
static const char *reason_for_loopback(const struct service *s)
{
	if (!(s->type & SERVICE_INTERNAL) || (s->flags & FLAG_SENSOR))
		return NULL;
	if (s->builtin == BUILTIN_SERVICES || s->builtin == BUILTIN_SERVERS)
		return "this internal service tells what runs here";
	/* D42. */
	return s->socktype == SOCK_DGRAM
		       ? "an internal datagram service can be used to attack others"
		       : NULL;
}

/* Without bind: all addresses, or those of this machine only. */
static int add_all_addresses(struct build *build)
{
	struct service *s = &build->service;
	sa_family_t wanted = wanted_family(s);
	struct addr addr = { .family = wanted == AF_INET ? AF_INET : AF_INET6 };
	const char *why = reason_for_loopback(s);
	int r = 0;

	if (why) {
		schema_report(build->schema, ATTR_BIND, SEVERITY_NOTICE,
			      "%s, so it listens on loopback only; write \"bind = *\" to open it",
			      why);
		if (wanted != AF_INET6) {
			(void)addr_parse("127.0.0.1", &addr);
			r = add_inet(build, &addr, false);
		}
		if (wanted != AF_INET && r == 0) {
			(void)addr_parse("::1", &addr);
			r = add_inet(build, &addr, false);
			if (r == 0)
				s->endpoints[s->n_endpoints - 1].optional = wanted == AF_UNSPEC;
		}
		return r;
	}
	return add_inet(build, &addr, wanted == AF_UNSPEC);
}

static int build_endpoints(struct build *build)
{
	struct service *s = &build->service;
	int r = 0;

	if ((s->type & (SERVICE_TCPMUX | SERVICE_TCPMUXPLUS)) ||
	    (s->port == UNLIMITED && !only_unix(s) && !(s->type & SERVICE_RPC)))
		return 0;
	if (s->bind->n == 0)
		return add_all_addresses(build);
	for (size_t i = 0; i < s->bind->n && r == 0; i++)
		r = add_bind(build, s->bind->v[i]);
	return r;
}

static int build_owner(struct build *build)
{
	const struct socket_owner *value;
	struct socket_owner draft;
	gid_t group;
	int r;

	/* Values are compared as bytes, padding included. */
	memcpy(&draft, socket_owner_none, sizeof(draft));
	draft.mode = (mode_t)build_number(build, ATTR_SOCKET_MODE, -1);
	r = build_text(build, ATTR_SOCKET_USER, &draft.user);
	if (r == 0)
		r = build_text(build, ATTR_SOCKET_GROUP, &draft.group);
	if (r < 0) {
		socket_owner_done(&draft);
		return r;
	}
	if (draft.user && lookup_user(build->lookup, draft.user, &draft.uid, &group) < 0)
		build_error(build, ATTR_SOCKET_USER, "there is no user \"%s\"", draft.user);
	if (draft.group && lookup_group(build->lookup, draft.group, &draft.gid) < 0)
		build_error(build, ATTR_SOCKET_GROUP, "there is no group \"%s\"", draft.group);
	if (memcmp(&draft, socket_owner_none, sizeof(draft)) == 0)
		return 0;
	value = intern_value(build->pool, &draft, sizeof(draft), socket_owner_done);
	if (!value)
		return -ENOMEM;
	build->service.owner = value;
	return 0;
}

static const struct {
	const char *name;
	enum builtin builtin;
	bool dgram; /* there is a datagram form, too */
} builtins[] = {
	{ "echo", BUILTIN_ECHO, true },          { "discard", BUILTIN_DISCARD, true },
	{ "chargen", BUILTIN_CHARGEN, true },    { "daytime", BUILTIN_DAYTIME, true },
	{ "time", BUILTIN_TIME, true },          { "tcpmux", BUILTIN_TCPMUX, false },
	{ "services", BUILTIN_SERVICES, false }, { "servers", BUILTIN_SERVERS, false },
};

/* Finds the internal service of that name and socket type. */
static void find_builtin(struct build *build)
{
	struct service *s = &build->service;

	if (!(s->type & SERVICE_INTERNAL) || (s->flags & FLAG_SENSOR))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(builtins); i++) {
		if (strcasecmp(s->name, builtins[i].name) != 0)
			continue;
		if (s->socktype == SOCK_STREAM ||
		    (s->socktype == SOCK_DGRAM && builtins[i].dgram)) {
			s->builtin = builtins[i].builtin;
			return;
		}
	}
	build_error(
		build, ATTR_TYPE,
		"there is no internal service \"%s\" for this socket type; there are echo, discard, chargen, "
		"daytime and time (stream and dgram), tcpmux, services and servers (stream)",
		s->name);
}

int build_socket(struct build *build)
{
	struct service *s = &build->service;

	s->v6only = build_number(build, ATTR_V6ONLY, 0);
	s->backlog = (int)build_number(build, ATTR_BACKLOG, UNLIMITED);
	build_words(build, ATTR_BIND, &s->bind);
	if (build_protocol(build) < 0)
		return -ENOMEM;
	find_builtin(build);
	build_port(build);
	if (build_endpoints(build) < 0)
		return -ENOMEM;
	build_rpc(build);
	return build_owner(build);
}
