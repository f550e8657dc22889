/* SPDX-License-Identifier: ISC */
/* Memory for much that is small and goes all at once. */
#pragma once

#include <stddef.h>

struct region_chunk;

/* Starts zeroed. When what is in it goes, it leaves no holes among what stays, as with free(3). */
struct region {
	struct region_chunk *chunks;
	char *at; /* what is left of the newest chunk */
	size_t left;
};

/* @n zeroed bytes, aligned for anything, until region_done(); or NULL when memory ran out. */
void *region_alloc(struct region *region, size_t n);

/* Frees all that is in it; it is empty then. */
void region_done(struct region *region);
