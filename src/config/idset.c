/* SPDX-License-Identifier: ISC */
/* A set of ids, without regard to case (xinetd.conf(5) "enabled", "disabled"). */
#include "config.h"

#include "config/idset.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The key is the id as it was written: its hash and comparison know no case. */
#define HASH_NONFATAL_OOM                1
#define HASH_FUNCTION(key, length, hash) ((hash) = hash_nocase(key, length))
#define HASH_KEYCMP(a, b, length)        strncasecmp(a, b, length)
#include <uthash.h>

struct idset_entry {
	char *id;
	UT_hash_handle hh;
};

static unsigned hash_nocase(const char *id, size_t length)
{
	unsigned hash = 2166136261u;

	/* Letters that differ in case alone meet; no matter what else does. */
	for (size_t i = 0; i < length; i++)
		hash = (hash ^ ((unsigned char)id[i] | 0x20u)) * 16777619u;
	return hash;
}

bool idset_has(const struct idset *set, const char *id)
{
	struct idset_entry *entry = NULL;

	if (set->entries)
		HASH_FIND(hh, set->entries, id, strlen(id), entry);
	return entry;
}

int idset_add(struct idset *set, const struct words *words)
{
	for (size_t i = 0; i < words->n; i++) {
		struct idset_entry *entry;

		if (idset_has(set, words->v[i]))
			continue;
		entry = calloc(1, sizeof(*entry));
		if (!entry)
			return -ENOMEM;
		entry->id = strdup(words->v[i]);
		if (entry->id)
			HASH_ADD_KEYPTR(hh, set->entries, entry->id, strlen(entry->id), entry);
		if (!entry->hh.tbl) {
			free(entry->id);
			free(entry);
			return -ENOMEM;
		}
	}
	return 0;
}

void idset_done(struct idset *set)
{
	struct idset_entry *entry, *next;

	HASH_ITER(hh, set->entries, entry, next)
	{
		HASH_DELETE(hh, set->entries, entry);
		free(entry->id);
		free(entry);
	}
}
