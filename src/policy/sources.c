/* SPDX-License-Identifier: ISC */
/* How many sessions run from each address. */
#include "config.h"

#include "policy/sources.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/util.h"

/* In its place of the table: each client of an idle crowd may come from an address of its own. */
struct source_count {
	unsigned running; /* 0: the place is free */
	sa_family_t family;
	uint8_t bytes[16];
};

/* Starts from where the table lies, which clients that choose their addresses do not know. */
static uint32_t hash_of(const struct open_table *table, sa_family_t family, const uint8_t bytes[16])
{
	uint32_t seed = (uint32_t)((uintptr_t)table->slots >> 4) ^ family;

	return hash_bytes(seed, bytes, 16);
}

static bool is_taken(const void *slot)
{
	return ((const struct source_count *)slot)->running;
}

static uint32_t hash_slot(const struct open_table *table, const void *slot)
{
	const struct source_count *count = slot;

	return hash_of(table, count->family, count->bytes);
}

static const struct open_table_kind kind = { sizeof(struct source_count), 8, is_taken, hash_slot };

static bool is_from(const void *slot, const void *key)
{
	const struct source_count *count = slot;
	const struct addr *peer = key;

	return count->family == peer->family &&
	       memcmp(count->bytes, peer->bytes, sizeof(count->bytes)) == 0;
}

static struct source_count *count_of(const struct sources *sources, const struct addr *peer)
{
	return open_table_slot(&sources->counts, &kind,
			       hash_of(&sources->counts, peer->family, peer->bytes), is_from, peer);
}

int sources_take(struct sources *sources, const struct addr *peer)
{
	struct source_count *count;

	if (open_table_reserve(&sources->counts, &kind) < 0)
		return -ENOMEM;
	count = count_of(sources, peer);
	if (!count->running) {
		count->family = peer->family;
		memcpy(count->bytes, peer->bytes, sizeof(count->bytes));
		sources->counts.n++;
	}
	count->running++;
	return 0;
}

void sources_release(struct sources *sources, const struct addr *peer)
{
	struct source_count *count;

	assert(sources->counts.n > 0);
	count = count_of(sources, peer);
	assert(count->running > 0);
	if (--count->running > 0)
		return;
	open_table_remove(&sources->counts, &kind, count);
}

unsigned sources_running(const struct sources *sources, const struct addr *peer)
{
	return sources->counts.n ? count_of(sources, peer)->running : 0;
}

void sources_done(struct sources *sources)
{
	open_table_done(&sources->counts);
}
