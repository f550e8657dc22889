/* SPDX-License-Identifier: ISC */
/* Which service of a load stands in the way of another: by its place, its RPC program, or its name in inetd.conf. */
#include "config.h"

#include "config/rivals.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* Without memory the kernel, or rpcbind, finds it later. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "base/util.h"
#include "config/rpc.h"

/* "i" or "n" for an id or a name, then the kind of service, then the text in small letters. */
struct rival_name {
	char *key;
	UT_hash_handle hh;
};

/* Services of one program; different versions and transports are no rivals. */
struct rival_program {
	uint32_t number;
	const struct service **v;
	size_t n;
	UT_hash_handle hh;
};

const struct service *rivals_at_place(const struct rivals *rivals, const struct service *service)
{
	return taken_by(&rivals->places, service);
}

/* --- programs ------------------------------------------------------------------- */

const struct service *rivals_of_program(const struct rivals *rivals, const struct service *service)
{
	struct rival_program *program = NULL;

	if (service->type & SERVICE_RPC)
		HASH_FIND(hh, rivals->programs, &service->rpc_number, sizeof(service->rpc_number),
			  program);
	for (size_t i = 0; program && i < program->n; i++)
		if (rpc_clashes(program->v[i], service))
			return program->v[i];
	return NULL;
}

static void add_program(struct rivals *rivals, const struct service *service)
{
	struct rival_program *program;

	HASH_FIND(hh, rivals->programs, &service->rpc_number, sizeof(service->rpc_number), program);
	if (!program) {
		program = calloc(1, sizeof(*program));
		if (!program)
			return;
		program->number = service->rpc_number;
		HASH_ADD(hh, rivals->programs, number, sizeof(program->number), program);
		if (!program->hh.tbl) {
			free(program);
			return;
		}
	}
	if (array_grow(&program->v, program->n, sizeof(struct service *)) == 0)
		program->v[program->n++] = service;
}

/* --- names ---------------------------------------------------------------------- */

static char *key_of(char what, const struct service *service, const char *text)
{
	char *key;

	if (asprintf(&key, "%c%d/%d/%s", what, service->socktype, service->protocol, text) < 0)
		return NULL;
	for (char *p = key; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	return key;
}

static bool has_name(const struct rivals *rivals, char what, const struct service *service,
		     const char *text)
{
	CLEANUP_FREE char *key = key_of(what, service, text);
	struct rival_name *name = NULL;

	if (key)
		HASH_FIND_STR(rivals->names, key, name);
	return name;
}

bool rivals_have_name(const struct rivals *rivals, const struct service *service)
{
	return has_name(rivals, 'i', service, service->id) ||
	       has_name(rivals, 'n', service, service->name);
}

static void add_name(struct rivals *rivals, char what, const struct service *service,
		     const char *text)
{
	struct rival_name *name;

	if (has_name(rivals, what, service, text))
		return;
	name = calloc(1, sizeof(*name));
	if (!name)
		return;
	name->key = key_of(what, service, text);
	if (name->key)
		HASH_ADD_KEYPTR(hh, rivals->names, name->key, strlen(name->key), name);
	if (!name->hh.tbl) {
		free(name->key);
		free(name);
	}
}

void rivals_add(struct rivals *rivals, const struct service *service, bool with_name)
{
	taken_add(&rivals->places, service);
	if (service->type & SERVICE_RPC)
		add_program(rivals, service);
	if (!with_name)
		return;
	add_name(rivals, 'i', service, service->id);
	add_name(rivals, 'n', service, service->name);
}

void rivals_done(struct rivals *rivals)
{
	struct rival_program *program, *next_program;
	struct rival_name *name, *next_name;

	taken_done(&rivals->places);
	HASH_ITER(hh, rivals->programs, program, next_program)
	{
		HASH_DELETE(hh, rivals->programs, program);
		free(program->v);
		free(program);
	}
	HASH_ITER(hh, rivals->names, name, next_name)
	{
		HASH_DELETE(hh, rivals->names, name);
		free(name->key);
		free(name);
	}
}
