/* SPDX-License-Identifier: ISC */
/* Whether the services behind tcpmux can be reached: by a name of their own, and at all. */
#include "config.h"

#include "config/mux_names.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A check that lacks memory is not the end of the daemon. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "base/diag.h"
#include "config/service.h"

struct known {
	const struct service *service;
	char *key;
	UT_hash_handle hh;
};

static int check_name(struct known **known, const struct service *service, struct diag *diag)
{
	struct known *entry = calloc(1, sizeof(*entry)), *other = NULL;

	if (entry)
		entry->key = strdup(service->name);
	if (!entry || !entry->key) {
		free(entry);
		return -ENOMEM;
	}
	entry->service = service;
	for (char *p = entry->key; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	HASH_FIND_STR(*known, entry->key, other);
	if (!other)
		HASH_ADD_KEYPTR(hh, *known, entry->key, strlen(entry->key), entry);
	if (!other && entry->hh.tbl)
		return 0;
	if (other)
		diag_add(
			diag, SEVERITY_WARNING, service->file, service->line, service->id,
			"tcpmux leads to another service of this name (%s:%u), so nobody can reach this one: "
			"give one of them another name",
			other->service->file, other->service->line);
	free(entry->key);
	free(entry);
	return other ? 0 : -ENOMEM;
}

int mux_names_check(const struct service *const *services, size_t n, struct diag *diag)
{
	struct known *known = NULL, *entry, *next;
	bool reachable = false;
	int r = 0;

	for (size_t i = 0; i < n; i++)
		reachable |= services[i]->builtin == BUILTIN_TCPMUX;
	for (size_t i = 0; i < n && r == 0; i++) {
		const struct service *service = services[i];

		if (!(service->type & (SERVICE_TCPMUX | SERVICE_TCPMUXPLUS)))
			continue;
		if (!reachable)
			diag_add(
				diag, SEVERITY_WARNING, service->file, service->line, service->id,
				"nobody can reach this service: it stands behind tcpmux, which is not enabled; "
				"add a service \"tcpmux\" with \"type = INTERNAL\"");
		r = check_name(&known, service, diag);
	}
	HASH_ITER(hh, known, entry, next)
	{
		HASH_DEL(known, entry);
		free(entry->key);
		free(entry);
	}
	return r;
}
