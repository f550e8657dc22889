/* SPDX-License-Identifier: ISC */
/* A set of ids, without regard to case (xinetd.conf(5) "enabled", "disabled"). */
#pragma once

#include <stdbool.h>

#include "base/intern.h"

struct idset_entry;

/* Starts zeroed: the empty set. */
struct idset {
	struct idset_entry *entries;
};

/* Adds the words. Returns 0 or -ENOMEM. */
int idset_add(struct idset *set, const struct words *words);

bool idset_has(const struct idset *set, const char *id);

void idset_done(struct idset *set);
