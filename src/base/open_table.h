/* SPDX-License-Identifier: ISC */
/* Hash tables with open addresses: slots side by side that hold what they hold, and find it in one place or the next. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What finds its place taken goes to the next free one, and a removal closes the gap,
 * so that nothing is ever marked as deleted. Three quarters are filled at most; room is
 * given back where an eighth is not. For what is so many, or looked for so often, that
 * uthash's 56 bytes and an allocation for each would show. All zero is an empty one.
 */
struct open_table {
	void *slots;   /* those of zeros are free */
	uint32_t room; /* slots; 0 or a power of two */
	uint32_t n;    /* of them that are taken */
};

/* What the slots of a table are. */
struct open_table_kind {
	size_t slot_bytes;
	uint32_t least; /* slots to begin with, and to stay with; a power of two */
	bool (*is_taken)(const void *slot);
	/* What open_table_slot() is given for the key in a slot that is taken. May depend on where the slots lie. */
	uint32_t (*hash)(const struct open_table *table, const void *slot);
};

/* The slot of that number; there is one. */
static inline void *open_table_at(const struct open_table *table,
				  const struct open_table_kind *kind, size_t i)
{
	return (char *)table->slots + (i & (table->room - 1)) * kind->slot_bytes;
}

/*
 * The slot for which @is_it says so, or the free one where it belongs, which the caller
 * may take after open_table_reserve() alone. There must be room. In line, so that @is_it is, too.
 */
static inline void *open_table_slot(const struct open_table *table,
				    const struct open_table_kind *kind, uint32_t hash,
				    bool (*is_it)(const void *slot, const void *key),
				    const void *key)
{
	void *slot;

	for (size_t i = hash;; i++) {
		slot = open_table_at(table, kind, i);
		if (!kind->is_taken(slot) || is_it(slot, key))
			return slot;
	}
}

/* Makes sure of room for one more; slots may lie elsewhere then. Returns 0 or -ENOMEM. */
int open_table_reserve(struct open_table *table, const struct open_table_kind *kind);

/* Frees a slot that is taken; others may lie elsewhere then. What it refers to is the caller's. */
void open_table_remove(struct open_table *table, const struct open_table_kind *kind, void *slot);

/*
 * The next taken one in no special order, *@at being 0 before the first, or NULL after the
 * last. What is added or removed in between may make it miss some, or tell some twice.
 */
void *open_table_next(const struct open_table *table, const struct open_table_kind *kind,
		      size_t *at);

/* Frees the slots; the table is empty then. */
void open_table_done(struct open_table *table);
