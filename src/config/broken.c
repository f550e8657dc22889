/* SPDX-License-Identifier: ISC */
/* The stanzas of a load that could not be used. */
#include "config.h"

#include "config/broken.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "base/util.h"

/* What a stanza is found by: an id, or a name and a place. */
struct broken_entry {
	char *key;
	UT_hash_handle hh;
};

static void lower(char *text, size_t n)
{
	for (size_t i = 0; i < n; i++)
		text[i] = (char)tolower((unsigned char)text[i]);
}

static char *key_of_id(const char *id)
{
	char *key;

	if (asprintf(&key, "i%s", id) < 0)
		return NULL;
	lower(key, strlen(key));
	return key;
}

static char *key_of_place(const char *name, unsigned line, const char *file)
{
	char *key;

	if (asprintf(&key, "n%s %u %s", name, line, file) < 0)
		return NULL;
	lower(key, 1 + strlen(name));
	return key;
}

static bool has(const struct broken *broken, const char *key)
{
	struct broken_entry *entry = NULL;

	HASH_FIND_STR(broken->by_key, key, entry);
	return entry;
}

/* Takes over @key, or NULL where there was no memory for it. Returns 0 or -ENOMEM. */
static int index_key(struct broken *broken, char *key)
{
	CLEANUP_FREE char *owned = key;
	struct broken_entry *entry;

	if (!key || has(broken, key))
		return key ? 0 : -ENOMEM;
	entry = calloc(1, sizeof(*entry));
	if (!entry)
		return -ENOMEM;
	entry->key = key;
	HASH_ADD_KEYPTR(hh, broken->by_key, entry->key, strlen(entry->key), entry);
	if (!entry->hh.tbl) {
		free(entry);
		return -ENOMEM;
	}
	(void)TAKE_PTR(owned);
	return 0;
}

int broken_add(struct broken *broken, const struct stanza *stanza, const char *id)
{
	struct conf_broken one = {
		.id = strdup(id),
		.name = strdup(stanza->name),
		.file = strdup(stanza->file),
		.line = stanza->line,
	};

	if (!one.id || !one.name || !one.file ||
	    array_grow(&broken->v, broken->n, sizeof(*broken->v)) < 0) {
		free(one.id);
		free(one.name);
		free(one.file);
		return -ENOMEM;
	}
	broken->v[broken->n++] = one;
	if (index_key(broken, key_of_id(one.id)) < 0)
		return -ENOMEM;
	return index_key(broken, key_of_place(one.name, one.line, one.file));
}

bool broken_has(const struct broken *broken, const struct service *service)
{
	CLEANUP_FREE char *id = broken->n ? key_of_id(service->id) : NULL;
	CLEANUP_FREE char *place =
		broken->n ? key_of_place(service->name, service->line, service->file) : NULL;

	/* Without memory to look for it, what runs goes on. */
	if (broken->n && (!id || !place))
		return true;
	return broken->n && (has(broken, id) || has(broken, place));
}

void broken_done(struct broken *broken)
{
	struct broken_entry *entry, *next;

	HASH_ITER(hh, broken->by_key, entry, next)
	{
		HASH_DELETE(hh, broken->by_key, entry);
		free(entry->key);
		free(entry);
	}
	for (size_t i = 0; i < broken->n; i++) {
		free(broken->v[i].id);
		free(broken->v[i].name);
		free(broken->v[i].file);
	}
	free(broken->v);
	*broken = (struct broken){ 0 };
}
