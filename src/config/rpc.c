/* SPDX-License-Identifier: ISC */
/* RPC programs: attributes to numbers, and what cannot be registered. */
#include "config.h"

#include "config/rpc.h"

#include <string.h>

/* The transports that rpcbind tells apart, as netconfig(5) names them. */
enum transport {
	TRANSPORT_TCP = 1 << 0,
	TRANSPORT_UDP = 1 << 1,
	TRANSPORT_TCP6 = 1 << 2,
	TRANSPORT_UDP6 = 1 << 3,
	TRANSPORT_LOCAL = 1 << 4,
};

/* Those that the endpoint serves; 0 where rpcbind has no name for it. */
static unsigned transports_of(const struct endpoint *endpoint)
{
	bool stream = endpoint->socktype == SOCK_STREAM;
	unsigned v4 = stream ? TRANSPORT_TCP : TRANSPORT_UDP;
	unsigned v6 = stream ? TRANSPORT_TCP6 : TRANSPORT_UDP6;

	switch (endpoint->addr.family) {
	case AF_UNIX:
		return stream && endpoint->path[0] == '/' ? TRANSPORT_LOCAL : 0;
	case AF_INET:
		return v4;
	case AF_INET6:
		return endpoint->v6only || !endpoint_is_wildcard(endpoint) ? v6 : v4 | v6;
	default:
		return 0;
	}
}

/* Reads rpc_version, which has been given; 0 to 0 where it cannot be understood. */
static void read_versions(struct build *build, uint32_t *ret_low, uint32_t *ret_high)
{
	long long low = 0, high = 0;
	const char *text, *dash;
	char first[24];

	text = schema_text(build->schema, ATTR_RPC_VERSION, 0);
	dash = strchr(text, '-');
	(void)snprintf(first, sizeof(first), "%.*s", (int)(dash ? dash - text : 20), text);
	if (parse_number(first, 10, 1, INT32_MAX, &low) < 0 ||
	    parse_number(dash ? dash + 1 : first, 10, 1, INT32_MAX, &high) < 0 || low > high)
		build_error(build, ATTR_RPC_VERSION,
			    "\"%s\" is no version; write N or N-M with N not above M", text);
	else if (high - low >= RPC_VERSIONS_MAX)
		build_error(build, ATTR_RPC_VERSION,
			    "\"%s\" are more than %d versions; each is registered by itself", text,
			    RPC_VERSIONS_MAX);
	*ret_low = (uint32_t)low;
	*ret_high = (uint32_t)high;
}

static void build_versions(struct build *build)
{
	struct service *s = &build->service;

	if (schema_count(build->schema, ATTR_RPC_VERSION))
		read_versions(build, &s->rpc_min_version, &s->rpc_max_version);
	else
		build_error(build, ATTR_RPC_VERSION,
			    "an RPC service needs \"rpc_version = N\" or \"rpc_version = N-M\"");
}

static void build_program(struct build *build)
{
	struct service *s = &build->service;
	int number;

	if (schema_count(build->schema, ATTR_RPC_NUMBER))
		s->rpc_number = (uint32_t)schema_number(build->schema, ATTR_RPC_NUMBER, 0);
	else if (s->type & SERVICE_UNLISTED)
		build_error(build, ATTR_RPC_NUMBER,
			    "an UNLISTED RPC service needs \"rpc_number = NUMBER\"");
	else if (lookup_rpc(build->lookup, s->name, &number) == 0)
		s->rpc_number = (uint32_t)number;
	else
		build_error(build, ATTR_RPC_NUMBER,
			    "\"%s\" is not in the RPC database (rpc(5)): write \"type = RPC "
			    "UNLISTED\" and \"rpc_number = NUMBER\"",
			    s->name);
}

/* What rpcbind can tell clients: one address for each transport, and none for some. */
static void check_transports(struct build *build)
{
	const struct service *s = &build->service;
	unsigned seen = 0;

	for (size_t i = 0; i < s->n_endpoints; i++) {
		unsigned transports = transports_of(&s->endpoints[i]);

		if (!transports) {
			build_error(build, ATTR_BIND,
				    "a Unix socket can be registered with rpcbind only where it is "
				    "a stream socket with a path");
			return;
		}
		if ((transports & seen) && (s->port <= 0 || (transports & TRANSPORT_LOCAL))) {
			build_error(build, ATTR_BIND,
				    "rpcbind has one port for a program: with several addresses "
				    "an RPC service needs \"port = NUMBER\", and no second path");
			return;
		}
		seen |= transports;
	}
}

void build_rpc(struct build *build)
{
	struct service *s = &build->service;

	if (!(s->type & SERVICE_RPC)) {
		uint32_t low, high;

		/* It has no effect, but what cannot be understood is told wherever it stands. */
		if (schema_count(build->schema, ATTR_RPC_VERSION))
			read_versions(build, &low, &high);
		return;
	}
	build_versions(build);
	build_program(build);
	if (s->type & (SERVICE_INTERNAL | SERVICE_TCPMUX | SERVICE_TCPMUXPLUS)) {
		build_error(build, ATTR_TYPE, "RPC goes with neither INTERNAL nor TCPMUX");
		return;
	}
	if ((s->socktype && s->socktype != SOCK_STREAM && s->socktype != SOCK_DGRAM) ||
	    (s->protocol && s->protocol != IPPROTO_TCP && s->protocol != IPPROTO_UDP)) {
		build_error(build, ATTR_SOCKET_TYPE,
			    "an RPC service is stream (tcp) or dgram (udp)");
		return;
	}
	/* As xinetd has it: who may connect is for the program to ask (compat.md 2.5). */
	if (s->socktype == SOCK_STREAM)
		s->flags |= FLAG_NOLIBWRAP;
	check_transports(build);
}

bool rpc_clashes(const struct service *a, const struct service *b)
{
	unsigned transports[2] = { 0, 0 };

	if (!(a->type & b->type & SERVICE_RPC) || a->rpc_number != b->rpc_number ||
	    a->rpc_min_version > b->rpc_max_version || b->rpc_min_version > a->rpc_max_version)
		return false;
	for (size_t i = 0; i < a->n_endpoints; i++)
		transports[0] |= transports_of(&a->endpoints[i]);
	for (size_t i = 0; i < b->n_endpoints; i++)
		transports[1] |= transports_of(&b->endpoints[i]);
	return (transports[0] & transports[1]) != 0;
}
