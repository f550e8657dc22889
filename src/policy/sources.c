/* SPDX-License-Identifier: ISC */
/* How many sessions run from each address. */
#include "config.h"

#include "policy/sources.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

/*
 * Open addressing, as in base/id_table.c, with the counts in their places: each
 * client of an idle crowd may come from an address of its own. The hash starts
 * from where the table lies, which clients that choose their addresses do not know.
 */
#define SMALLEST 8

struct source_count {
	unsigned running; /* 0: the place is free */
	sa_family_t family;
	uint8_t bytes[16];
};

static uint32_t hash_of(const struct sources *sources, sa_family_t family, const uint8_t bytes[16])
{
	uint32_t seed = (uint32_t)((uintptr_t)sources->counts >> 4) ^ family;

	return hash_bytes(seed, bytes, 16);
}

/* The place of that address, or the free one where it belongs. There is one. */
static size_t place_of(const struct sources *sources, sa_family_t family, const uint8_t bytes[16])
{
	size_t i = hash_of(sources, family, bytes) & (sources->room - 1);

	while (sources->counts[i].running &&
	       (sources->counts[i].family != family ||
		memcmp(sources->counts[i].bytes, bytes, sizeof(sources->counts[i].bytes)) != 0))
		i = (i + 1) & (sources->room - 1);
	return i;
}

static int resize(struct sources *sources, unsigned room)
{
	struct sources fresh = { .room = room, .n = sources->n };

	fresh.counts = calloc(room, sizeof(*fresh.counts));
	if (!fresh.counts)
		return -ENOMEM;
	for (size_t i = 0; i < sources->room; i++) {
		const struct source_count *count = &sources->counts[i];

		if (count->running)
			fresh.counts[place_of(&fresh, count->family, count->bytes)] = *count;
	}
	free(sources->counts);
	*sources = fresh;
	return 0;
}

int sources_take(struct sources *sources, const struct addr *peer)
{
	struct source_count *count;

	if (4 * (sources->n + 1) > 3 * sources->room) {
		int r = resize(sources, sources->room ? 2 * sources->room : SMALLEST);

		if (r < 0)
			return r;
	}
	count = &sources->counts[place_of(sources, peer->family, peer->bytes)];
	if (!count->running) {
		count->family = peer->family;
		memcpy(count->bytes, peer->bytes, sizeof(count->bytes));
		sources->n++;
	}
	count->running++;
	return 0;
}

/* Moves back those behind the free place @gap that would not be found any more. */
static void close_gap(struct sources *sources, size_t gap)
{
	size_t mask = sources->room - 1;

	for (size_t i = (gap + 1) & mask; sources->counts[i].running; i = (i + 1) & mask) {
		const struct source_count *count = &sources->counts[i];
		size_t home = hash_of(sources, count->family, count->bytes) & mask;

		/* Its home is not behind the gap, going round. */
		if (((i - home) & mask) >= ((i - gap) & mask)) {
			sources->counts[gap] = sources->counts[i];
			sources->counts[i].running = 0;
			gap = i;
		}
	}
}

void sources_release(struct sources *sources, const struct addr *peer)
{
	size_t i;

	assert(sources->n > 0);
	i = place_of(sources, peer->family, peer->bytes);
	assert(sources->counts[i].running > 0);
	if (--sources->counts[i].running > 0)
		return;
	sources->n--;
	close_gap(sources, i);
	/* Without memory for the smaller one the larger one stays. */
	if (sources->room > SMALLEST && 8 * sources->n < sources->room)
		(void)resize(sources, sources->room / 2);
}

unsigned sources_running(const struct sources *sources, const struct addr *peer)
{
	if (!sources->room)
		return 0;
	return sources->counts[place_of(sources, peer->family, peer->bytes)].running;
}

void sources_done(struct sources *sources)
{
	free(sources->counts);
	*sources = (struct sources){ 0 };
}
