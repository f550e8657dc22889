/* SPDX-License-Identifier: ISC */
/* From what a stanza said (schema) to what it means (struct service). */
#include "config.h"

#include "config/build.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/wire.h"

/* xinetd drops the flag, too, where it has no meaning, and runs the service. */
static void check_intercept(struct build *build)
{
	struct service *s = &build->service;

	if (!(s->flags & FLAG_INTERCEPT))
		return;
	if ((s->type & SERVICE_INTERNAL) || !s->wait) {
		schema_report(
			build->schema, ATTR_FLAGS, SEVERITY_WARNING,
			"%s services cannot be intercepted: %s; the flag INTERCEPT is dropped",
			(s->type & SERVICE_INTERNAL) ? "Internal" : "Multi-threaded", s->id);
		s->flags &= (uint16_t)~FLAG_INTERCEPT;
		return;
	}
	if (s->socktype != SOCK_STREAM && s->socktype != SOCK_DGRAM)
		build_error(build, ATTR_FLAGS, "INTERCEPT needs \"socket_type\" stream or dgram");
	for (size_t i = 0; i < s->n_endpoints; i++)
		if (s->endpoints[i].addr.family == AF_UNIX)
			build_error(build, ATTR_FLAGS,
				    "INTERCEPT is for clients with an address; a Unix socket has "
				    "none: write \"socket_mode\" and \"socket_group\"");
}

/* Rules between type, flags, wait and the rest that xinetd checks, too. */
static void check_kind(struct build *build)
{
	struct service *s = &build->service;
	bool internal = s->type & SERVICE_INTERNAL;

	if (!schema_given(build->schema, ATTR_WAIT) && !schema_own(build->schema, ATTR_WAIT))
		build_error(build, ATTR_WAIT,
			    "attribute \"wait\" is missing: write \"wait = no\" for one server a "
			    "connection, \"wait = yes\" for one that gets the socket");
	if (strcasecmp(s->name, "sensor") == 0 && internal && !(s->flags & FLAG_SENSOR))
		build_error(build, ATTR_TYPE,
			    "the name \"sensor\" is reserved: write \"flags = SENSOR\"");
	if (s->socktype == SOCK_DGRAM && !s->wait && !internal &&
	    schema_given(build->schema, ATTR_WAIT))
		build_error(
			build, ATTR_WAIT,
			"a datagram service cannot have a server for each connection: write \"wait = yes\"");
	check_intercept(build);
	if ((s->flags & FLAG_LABELED) && (internal || s->wait || s->socktype != SOCK_STREAM ||
					  schema_given(build->schema, ATTR_REDIRECT)))
		/* As in xinetd: whoever asks for a label must not get a server without one. */
		build_error(build, ATTR_FLAGS,
			    "LABELED needs an external stream service with wait = no");
	if (schema_own(build->schema, ATTR_MDNS))
		schema_report(build->schema, ATTR_MDNS, SEVERITY_NOTICE,
			      "mdns has no effect; xinetd has not had it since 2.3.15.3");
	if ((s->type & SERVICE_INTERNAL) && (s->flags & FLAG_NAMEINARGS))
		build_error(build, ATTR_FLAGS, "NAMEINARGS has no meaning for an internal service");
}

/* A service that is reached through tcpmux. */
static void check_mux(struct build *build)
{
	struct service *s = &build->service;

	if (!(s->type & (SERVICE_TCPMUX | SERVICE_TCPMUXPLUS)))
		return;
	if (!(s->type & SERVICE_UNLISTED))
		build_error(build, ATTR_TYPE,
			    "a TCPMUX service has no port: write \"type = TCPMUX UNLISTED\"");
	if (s->socktype && s->socktype != SOCK_STREAM)
		build_error(
			build, ATTR_SOCKET_TYPE,
			"a TCPMUX service is given a connection: write \"socket_type = stream\"");
	if (s->type & SERVICE_RPC)
		build_error(build, ATTR_TYPE,
			    "a service is reached through tcpmux or through the portmapper; write "
			    "TCPMUX or RPC");
	if (s->builtin == BUILTIN_TCPMUX)
		build_error(build, ATTR_TYPE, "tcpmux does not lead to itself");
	if (s->wait)
		schema_report(
			build->schema, ATTR_WAIT, SEVERITY_WARNING,
			"wait = yes has no meaning behind tcpmux: each connection gets a server");
	if (strcasecmp(s->name, "help") == 0)
		schema_report(
			build->schema, ATTR_TYPE, SEVERITY_WARNING,
			"tcpmux answers to the name \"help\" itself (RFC 1078): nobody can reach "
			"this service");
	else if (!wire_name_is_sound(s->name, strlen(s->name)))
		schema_report(build->schema, ATTR_TYPE, SEVERITY_WARNING,
			      "no client of tcpmux can say this name: it has blanks or control "
			      "characters, or more than %d bytes",
			      WIRE_MAX_NAME);
}

static void build_identity(struct build *build, const struct stanza *stanza, const char *id)
{
	struct service *s = &build->service;

	s->line = stanza->line;
	s->file = intern_ref(stanza->file);
	s->via = intern_ref(stanza->via);
	s->name = stanza->name;
	s->id = id;
	s->type = (uint8_t)build_bits(build, ATTR_TYPE);
	s->flags = (uint16_t)build_bits(build, ATTR_FLAGS);
	if (s->flags & FLAG_SENSOR)
		s->type |= SERVICE_INTERNAL;
	s->wait = build_number(build, ATTR_WAIT, 0);
}

struct service *build_service(struct build *build, const struct stanza *stanza, const char *id,
			      bool *no_memory)
{
	struct service *sealed = NULL;

	service_init(&build->service);
	build->service.endpoints = build->endpoints;
	build_identity(build, stanza, id);
	if (build_socket(build) < 0)
		goto done;
	check_kind(build);
	check_mux(build);
	if (build_process(build) < 0 || build_policy(build) < 0)
		goto done;
	if (schema_failed(build->schema)) {
		service_done(&build->service);
		return NULL;
	}
	sealed = service_seal(&build->service);
done:
	if (!sealed)
		service_done(&build->service);
	*no_memory = !sealed;
	return sealed;
}
