/* SPDX-License-Identifier: ISC */
/* Hash tables with open addresses: how they grow, shrink, and close gaps. */
#include "config.h"

#include "base/open_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool is_never_it(const void *slot, const void *key)
{
	(void)slot;
	(void)key;
	return false;
}

static int resize(struct open_table *table, const struct open_table_kind *kind, uint32_t room)
{
	struct open_table fresh = { .room = room, .n = table->n };
	const void *slot;
	size_t at = 0;

	fresh.slots = calloc(room, kind->slot_bytes);
	if (!fresh.slots)
		return -ENOMEM;
	while ((slot = open_table_next(table, kind, &at)))
		memcpy(open_table_slot(&fresh, kind, kind->hash(&fresh, slot), is_never_it, NULL),
		       slot, kind->slot_bytes);
	free(table->slots);
	*table = fresh;
	return 0;
}

int open_table_reserve(struct open_table *table, const struct open_table_kind *kind)
{
	if (4 * ((uint64_t)table->n + 1) <= 3 * (uint64_t)table->room)
		return 0;
	if (table->room > UINT32_MAX / 2)
		return -ENOMEM;
	return resize(table, kind, table->room ? 2 * table->room : kind->least);
}

/* Moves back those behind the free slot @gap that would not be found any more. */
static void close_gap(struct open_table *table, const struct open_table_kind *kind, size_t gap)
{
	size_t mask = table->room - 1;
	void *slot;

	for (size_t i = gap + 1; kind->is_taken(slot = open_table_at(table, kind, i)); i++) {
		/* Unless its home is behind the gap, going round. */
		if (((i - kind->hash(table, slot)) & mask) < ((i - gap) & mask))
			continue;
		memcpy(open_table_at(table, kind, gap), slot, kind->slot_bytes);
		memset(slot, 0, kind->slot_bytes);
		gap = i;
	}
}

void open_table_remove(struct open_table *table, const struct open_table_kind *kind, void *slot)
{
	size_t i = (size_t)((char *)slot - (char *)table->slots) / kind->slot_bytes;

	memset(slot, 0, kind->slot_bytes);
	table->n--;
	close_gap(table, kind, i);
	/* Without memory for the smaller one the larger one stays. */
	if (table->room > kind->least && 8 * (uint64_t)table->n < table->room)
		(void)resize(table, kind, table->room / 2);
}

void *open_table_next(const struct open_table *table, const struct open_table_kind *kind,
		      size_t *at)
{
	while (*at < table->room) {
		void *slot = open_table_at(table, kind, (*at)++);

		if (kind->is_taken(slot))
			return slot;
	}
	return NULL;
}

void open_table_done(struct open_table *table)
{
	free(table->slots);
	*table = (struct open_table){ 0 };
}
