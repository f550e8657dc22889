/* SPDX-License-Identifier: ISC */
/* Where the service that a target names can be reached: addresses, to be tried in turn. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/service.h"
#include "ctl/failure.h"
#include "ctl/target.h"

struct places {
	struct endpoint *v;
	size_t n;
	char origin[512]; /* for people, escaped: where name and port are from */
};

/* What to ask for names. */
struct places_source {
	const char *file;       /* configuration; NULL = xinetd's, where there is one */
	const char *inetd_file; /* NULL, or an inetd.conf as well */
	uint64_t deadline_usec; /* of now_usec(); 0 = none */
};

/*
 * Finds the places of @target. A service of this machine is looked for in the
 * configuration, by id and then by name, and then in the services database; what has no
 * socket type is stream rather than dgram. Returns STATUS_CLEAN, and the caller
 * ends *@ret with places_done(); or another status, with @failure saying why.
 */
enum status places_find(const struct target *target, const struct places_source *source,
			struct places *ret, struct failure *failure);

/*
 * Appends what a client of this machine connects to for @endpoint: itself, or
 * loopback for a wildcard. Returns 0 or -ENOMEM.
 */
int places_add_endpoint(struct places *places, const struct endpoint *endpoint);

void places_done(struct places *places);
