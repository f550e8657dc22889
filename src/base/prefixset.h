/* SPDX-License-Identifier: ISC */
/* A set of address blocks that answers "is this address in it?" in O(log n). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/addr.h"

/* One run of consecutive addresses of a family, both ends included. */
struct addr_range {
	struct addr first;
	struct addr last;
};

/* Zero-initialised it is empty. Blocks are added, then sealed, then asked; never edited after that. */
struct prefixset {
	struct addr_range *v;
	size_t n;
};

/* Adds a block. Returns 0 or -ENOMEM. */
int prefixset_add(struct prefixset *set, const struct prefix *prefix);

/* Sorts the ranges and merges those that touch. Idempotent. */
void prefixset_seal(struct prefixset *set);

/* Whether a sealed set holds @addr (scope and port do not count). */
bool prefixset_has(const struct prefixset *set, const struct addr *addr);

void prefixset_done(struct prefixset *set);
