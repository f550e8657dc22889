/* SPDX-License-Identifier: ISC */
/* A table from numbers to objects, in sixteen bytes a place. */
#include "config.h"

#include "base/id_table.h"

#include <errno.h>
#include <stdlib.h>

/*
 * Open addressing: what finds its place taken goes to the next free one, and a
 * removal closes the gap, so that nothing is ever marked as deleted. Three
 * quarters are filled at most; room is given back where an eighth is not.
 */
#define SMALLEST 16

static size_t home_of(const struct id_table *table, uint64_t id)
{
	/* Numbers come one after the other; the upper half of the product is well mixed. */
	return (size_t)((id * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & (table->room - 1);
}

/* The place of @id, or the free one where it belongs. There is one. */
static size_t place_of(const struct id_table *table, uint64_t id)
{
	size_t i = home_of(table, id);

	while (table->entries[i].value && table->entries[i].id != id)
		i = (i + 1) & (table->room - 1);
	return i;
}

static int resize(struct id_table *table, size_t room)
{
	struct id_table fresh = { .room = room, .n = table->n };

	fresh.entries = calloc(room, sizeof(*fresh.entries));
	if (!fresh.entries)
		return -ENOMEM;
	for (size_t i = 0; i < table->room; i++)
		if (table->entries[i].value)
			fresh.entries[place_of(&fresh, table->entries[i].id)] = table->entries[i];
	free(table->entries);
	*table = fresh;
	return 0;
}

int id_table_reserve(struct id_table *table)
{
	if (4 * (table->n + 1) <= 3 * table->room)
		return 0;
	return resize(table, table->room ? 2 * table->room : SMALLEST);
}

int id_table_add(struct id_table *table, uint64_t id, void *value)
{
	int r = id_table_reserve(table);
	size_t i;

	if (r < 0)
		return r;
	i = place_of(table, id);
	if (table->entries[i].value)
		return -EEXIST;
	table->entries[i] = (struct id_entry){ .id = id, .value = value };
	table->n++;
	return 0;
}

void *id_table_find(const struct id_table *table, uint64_t id)
{
	return table->room ? table->entries[place_of(table, id)].value : NULL;
}

void id_table_replace(struct id_table *table, uint64_t id, void *value)
{
	table->entries[place_of(table, id)].value = value;
}

/* Moves back those behind the free place @gap that would not be found any more. */
static void close_gap(struct id_table *table, size_t gap)
{
	size_t mask = table->room - 1;

	for (size_t i = (gap + 1) & mask; table->entries[i].value; i = (i + 1) & mask) {
		size_t home = home_of(table, table->entries[i].id);

		/* Its home is not behind the gap, going round. */
		if (((i - home) & mask) >= ((i - gap) & mask)) {
			table->entries[gap] = table->entries[i];
			table->entries[i].value = NULL;
			gap = i;
		}
	}
}

void *id_table_remove(struct id_table *table, uint64_t id)
{
	size_t i;
	void *value;

	if (!table->room)
		return NULL;
	i = place_of(table, id);
	value = table->entries[i].value;
	if (!value)
		return NULL;
	table->entries[i].value = NULL;
	table->n--;
	close_gap(table, i);
	/* Without memory for the smaller one the larger one stays. */
	if (table->room > SMALLEST && 8 * table->n < table->room)
		(void)resize(table, table->room / 2);
	return value;
}

const struct id_entry *id_table_next(const struct id_table *table, size_t *at)
{
	while (*at < table->room) {
		const struct id_entry *entry = &table->entries[(*at)++];

		if (entry->value)
			return entry;
	}
	return NULL;
}

void id_table_done(struct id_table *table)
{
	free(table->entries);
	*table = (struct id_table){ 0 };
}
