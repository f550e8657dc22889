/* SPDX-License-Identifier: ISC */
/* Memory for much that is small and goes all at once. */
#include "config.h"

#include "base/region.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>

#ifdef SANITIZED
/* Each piece by itself, so that a step beyond it is seen. */
#define CHUNK_BYTES ((size_t)0)
#else
/* So large that malloc(3) asks the system for it, and gives it back. */
#define CHUNK_BYTES ((size_t)256 * 1024)
#endif

struct region_chunk {
	struct region_chunk *next;
	alignas(max_align_t) char data[];
};

void *region_alloc(struct region *region, size_t n)
{
	size_t need = (n + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
	char *piece;

	if (n > SIZE_MAX / 2)
		return NULL;
	if (need > region->left) {
		size_t room = need > CHUNK_BYTES ? need : CHUNK_BYTES;
		struct region_chunk *chunk = calloc(1, sizeof(*chunk) + room);

		if (!chunk)
			return NULL;
		chunk->next = region->chunks;
		region->chunks = chunk;
		region->at = chunk->data;
		region->left = room;
	}
	piece = region->at;
	region->at += need;
	region->left -= need;
	return piece;
}

void region_done(struct region *region)
{
	while (region->chunks) {
		struct region_chunk *next = region->chunks->next;

		free(region->chunks);
		region->chunks = next;
	}
	*region = (struct region){ 0 };
}
