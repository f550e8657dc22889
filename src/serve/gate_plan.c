/* SPDX-License-Identifier: ISC */
/* What is to be asked about the connections of a service, and the command lines of usherd-gate for it. */
#include "config.h"

#include "serve/gate_plan.h"

#include <errno.h>
#include <string.h>

#include "base/gate_wire.h"
#include "policy/identify.h"

_Static_assert(GATE_QUESTIONS == SPAWN_GATE_ARGUMENTS, "each question has its arguments");

/* Bytes of names; what a program can be given at most is about twice that, pointers included. */
#define NAMES_MAX_BYTES (512u * 1024)

bool gate_plan_is_wrapped(const struct service *service)
{
#ifdef HAVE_LIBWRAP
	return service->wrapped;
#else
	(void)service;
	return false;
#endif
}

const char *gate_plan_libwrap_name(const struct service *service)
{
	const char *called, *slash;

	if (service->libwrap)
		return service->libwrap;
	if (!service->server)
		return service->name;
	called = (service->flags & FLAG_NAMEINARGS) && service->argv->n ? service->argv->v[0]
									: service->server;
	slash = strrchr(called, '/');
	return slash ? slash + 1 : called;
}

static bool has_names(const struct service *service)
{
	return service->only_from->names.n || service->no_access->names.n;
}

/* When the TCP clients of @service are asked who they are. */
static unsigned identifies(const struct service *service)
{
	const struct addr tcp = { .family = AF_INET };

	return identify_when(service, &tcp);
}

enum gate_question gate_plan_question(const struct service *service, const struct addr *peer,
				      enum access_verdict access)
{
	if (access == ACCESS_IF_LISTED)
		return GATE_ASKS_LISTED;
	if (access == ACCESS_UNLESS_BARRED)
		return GATE_ASKS_BARRED;
	if ((gate_plan_is_wrapped(service) && peer->family != AF_UNIX) ||
	    (identify_when(service, peer) & IDENTIFY_FIRST))
		return GATE_ASKS_RULES;
	return GATE_ASKS_NOTHING;
}

/* Whether the gate is given the connection: not where the socket itself goes to the server. */
static bool gives_connection(const struct service *service)
{
	return (service->socktype == SOCK_STREAM || service->socktype == SOCK_SEQPACKET) &&
	       !(service->server && service->wait && !(service->flags & FLAG_INTERCEPT));
}

static int add_names(struct strv *list, char option, const struct strv *names)
{
	int r = 0;

	for (size_t i = 0; i < names->n && r == 0; i++)
		r = strv_addf(list, "-%c%s", option, names->v[i]);
	return r;
}

static int lay_out(struct strv *list, const struct service *service, enum gate_question question)
{
	int r = strv_add(list, "usherd-gate");

	if (r == 0 && gives_connection(service))
		r = strv_addf(list, "-%c", GATE_OPTION_STREAM);
	if (r == 0 && question == GATE_ASKS_LISTED)
		r = add_names(list, GATE_OPTION_ONLY_FROM, &service->only_from->names);
	if (r == 0 && question != GATE_ASKS_RULES)
		r = add_names(list, GATE_OPTION_NO_ACCESS, &service->no_access->names);
	if (r == 0 && gate_plan_is_wrapped(service))
		r = strv_addf(list, "-%c%s", GATE_OPTION_LIBWRAP, gate_plan_libwrap_name(service));
	if (r == 0 && (identifies(service) & IDENTIFY_FIRST))
		r = strv_addf(list, "-%c",
			      identifies(service) & IDENTIFY_REQUIRED ? GATE_OPTION_IDENTIFY
								      : GATE_OPTION_IDENT);
	return r;
}

static size_t bytes_of(const struct strv *names)
{
	size_t bytes = 0;

	for (size_t i = 0; i < names->n; i++)
		bytes += strlen(names->v[i]) + 3 + sizeof(char *);
	return bytes;
}

int gate_plan_check(const struct service *service)
{
	if (!has_names(service) && !gate_plan_is_wrapped(service) &&
	    !(identifies(service) & IDENTIFY_FIRST))
		return 0;
	return bytes_of(&service->only_from->names) + bytes_of(&service->no_access->names) >
			       NAMES_MAX_BYTES
		       ? -E2BIG
		       : 1;
}

bool gate_plan_inquires(const struct service *service)
{
	return identifies(service) & IDENTIFY_REFUSED;
}

int gate_plan_new(struct spawner *spawner, const struct service *service, const char *path,
		  const struct account *account, struct spawn **ret)
{
	bool as_service = service->server && gate_plan_is_wrapped(service);
	struct strv arguments[GATE_QUESTIONS] = { 0 };
	int r = gate_plan_check(service);

	*ret = NULL;
	if (r <= 0)
		return r;
	r = 0;
	for (unsigned i = GATE_ASKS_RULES; i < GATE_QUESTIONS && r == 0; i++)
		r = lay_out(&arguments[i], service, i);
	if (r == 0)
		r = spawn_new_gate(spawner, service, path, arguments, as_service ? NULL : account,
				   ret);
	for (unsigned i = 0; i < GATE_QUESTIONS; i++)
		strv_done(&arguments[i]);
	return r;
}

int gate_plan_new_inquirer(struct spawner *spawner, const struct service *service, const char *path,
			   const struct account *account, struct spawn **ret)
{
	struct strv arguments[GATE_QUESTIONS] = { 0 };
	int r;

	*ret = NULL;
	if (!gate_plan_inquires(service))
		return 0;
	r = strv_add(&arguments[GATE_ASKS_NOTHING], "usherd-gate");
	if (r == 0)
		r = strv_addf(&arguments[GATE_ASKS_NOTHING], "-%c%c", GATE_OPTION_STREAM,
			      GATE_OPTION_IDENT);
	if (r == 0)
		r = spawn_new_gate(spawner, service, path, arguments, account, ret);
	strv_done(&arguments[GATE_ASKS_NOTHING]);
	return r;
}
