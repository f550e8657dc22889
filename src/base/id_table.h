/* SPDX-License-Identifier: ISC */
/* A table from numbers to objects, in sixteen bytes a place. */
#pragma once

#include <stdint.h>

#include "base/open_table.h"

struct id_entry {
	uint64_t id;
	void *value;
};

/* All zero is an empty one. The objects stay their owners'. */
struct id_table {
	struct open_table entries;
};

/* How many are there. */
static inline size_t id_table_count(const struct id_table *table)
{
	return table->entries.n;
}

/* Makes room for one more, which id_table_add() then adds without fail. Returns 0 or -ENOMEM. */
int id_table_reserve(struct id_table *table);

/* Adds @value, which is not NULL. Returns 0, -EEXIST where @id is there already, or -ENOMEM. */
int id_table_add(struct id_table *table, uint64_t id, void *value);

/* What is there by that number, or NULL. */
void *id_table_find(const struct id_table *table, uint64_t id);

/* Puts @value, which is not NULL, in the place of what is there by that number. */
void id_table_replace(struct id_table *table, uint64_t id, void *value);

/* Takes it out and returns it, or NULL where there was none. */
void *id_table_remove(struct id_table *table, uint64_t id);

/* The next one, as open_table_next(). */
const struct id_entry *id_table_next(const struct id_table *table, size_t *at);

/* Frees what the table itself has; it is empty then. */
void id_table_done(struct id_table *table);
