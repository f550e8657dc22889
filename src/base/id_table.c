/* SPDX-License-Identifier: ISC */
/* A table from numbers to objects, in sixteen bytes a place. */
#include "config.h"

#include "base/id_table.h"

#include <errno.h>

/* Numbers come one after the other; the upper half of the product is well mixed. */
static uint32_t hash_of(uint64_t id)
{
	return (uint32_t)((id * UINT64_C(0x9e3779b97f4a7c15)) >> 32);
}

static bool is_taken(const void *slot)
{
	return ((const struct id_entry *)slot)->value;
}

static uint32_t hash_slot(const struct open_table *table, const void *slot)
{
	(void)table;
	return hash_of(((const struct id_entry *)slot)->id);
}

static const struct open_table_kind kind = { sizeof(struct id_entry), 16, is_taken, hash_slot };

static bool has_id(const void *slot, const void *id)
{
	return ((const struct id_entry *)slot)->id == *(const uint64_t *)id;
}

static struct id_entry *entry_of(const struct id_table *table, uint64_t id)
{
	return open_table_slot(&table->entries, &kind, hash_of(id), has_id, &id);
}

int id_table_reserve(struct id_table *table)
{
	return open_table_reserve(&table->entries, &kind);
}

int id_table_add(struct id_table *table, uint64_t id, void *value)
{
	struct id_entry *entry;

	if (id_table_reserve(table) < 0)
		return -ENOMEM;
	entry = entry_of(table, id);
	if (entry->value)
		return -EEXIST;
	*entry = (struct id_entry){ .id = id, .value = value };
	table->entries.n++;
	return 0;
}

void *id_table_find(const struct id_table *table, uint64_t id)
{
	return table->entries.n ? entry_of(table, id)->value : NULL;
}

void id_table_replace(struct id_table *table, uint64_t id, void *value)
{
	entry_of(table, id)->value = value;
}

void *id_table_remove(struct id_table *table, uint64_t id)
{
	struct id_entry *entry = table->entries.n ? entry_of(table, id) : NULL;
	void *value = entry ? entry->value : NULL;

	if (value)
		open_table_remove(&table->entries, &kind, entry);
	return value;
}

const struct id_entry *id_table_next(const struct id_table *table, size_t *at)
{
	return open_table_next(&table->entries, &kind, at);
}

void id_table_done(struct id_table *table)
{
	open_table_done(&table->entries);
}
