/* SPDX-License-Identifier: ISC */
/* What was made of values in this load, or found to be true of them: remembered for the next service that has them. */
#include "config.h"

#include "config/memo.h"

#include <stdlib.h>

/* Without memory things are made again. */
#define HASH_NONFATAL_OOM                1
#define HASH_FUNCTION(key, length, hash) (hash) = hash_bytes(0, key, length)
#include <uthash.h>

#include "base/util.h"

struct memo_key {
	const void *first;
	const void *second;
	size_t kind;
};

struct memo_entry {
	struct memo_key key;
	const void *value;
	intern_done *done;
	UT_hash_handle hh;
};

const void *memo_find(const struct memo *memo, enum memo_kind kind, const void *first,
		      const void *second)
{
	const struct memo_key key = { first, second, kind };
	struct memo_entry *entry;

	HASH_FIND(hh, memo->entries, &key, sizeof(key), entry);
	return entry ? entry->value : NULL;
}

static void entry_free(struct memo_entry *entry)
{
	intern_unref(entry->key.first);
	intern_unref(entry->key.second);
	intern_drop(entry->value, entry->done);
	free(entry);
}

void memo_add(struct memo *memo, enum memo_kind kind, const void *first, const void *second,
	      const void *value, intern_done *done)
{
	struct memo_entry *entry = calloc(1, sizeof(*entry));

	if (!entry)
		return;
	entry->key = (struct memo_key){ intern_ref(first), intern_ref(second), kind };
	entry->value = intern_ref(value);
	entry->done = done;
	HASH_ADD(hh, memo->entries, key, sizeof(entry->key), entry);
	if (!entry->hh.tbl)
		entry_free(entry);
}

void memo_done(struct memo *memo)
{
	struct memo_entry *entry, *next;

	HASH_ITER(hh, memo->entries, entry, next)
	{
		HASH_DELETE(hh, memo->entries, entry);
		entry_free(entry);
	}
}
