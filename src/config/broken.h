/* SPDX-License-Identifier: ISC */
/* The stanzas of a load that could not be used. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "config/service.h"
#include "config/stanza.h"

/* A stanza that could not be used. */
struct conf_broken {
	char *id;
	char *name;
	char *file;
	unsigned line;
};

struct broken_entry;

/* Starts zeroed. */
struct broken {
	struct conf_broken *v; /* in the order of the files */
	size_t n;
	struct broken_entry *by_key;
};

/* Adds a stanza that has this id, or would have. Returns 0 or -ENOMEM. */
int broken_add(struct broken *broken, const struct stanza *stanza, const char *id);

/*
 * Whether one of them is what is left of the stanza of @service: by its id, without regard to
 * case; or by its place and name, where the line with the id is broken itself.
 */
bool broken_has(const struct broken *broken, const struct service *service);

void broken_done(struct broken *broken);
