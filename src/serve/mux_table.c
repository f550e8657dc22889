/* SPDX-License-Identifier: ISC */
/* The services that stand behind tcpmux, by name. */
#include "config.h"

#include "serve/mux_table.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "base/wire.h"
#include "serve/state.h"

struct mux_entry {
	struct service_run *run;
	UT_hash_handle hh;
	char key[WIRE_MAX_NAME + 1];
};

struct mux_table {
	struct mux_entry *entries;
};

/* Lower case of the C locale, zeros behind it. Returns the length, 0 for what no client can say. */
static size_t key_of(const char *name, char ret[static WIRE_MAX_NAME + 1])
{
	size_t length = strlen(name);

	memset(ret, 0, WIRE_MAX_NAME + 1);
	if (!wire_name_is_sound(name, length))
		return 0;
	for (size_t i = 0; i < length; i++)
		ret[i] = (char)tolower((unsigned char)name[i]);
	return length;
}

static int add(struct mux_table *table, struct service_run *run)
{
	struct mux_entry *entry = calloc(1, sizeof(*entry)), *other;
	size_t length;

	if (!entry)
		return -ENOMEM;
	entry->run = run;
	length = key_of(run->service->name, entry->key);
	HASH_FIND(hh, table->entries, entry->key, length, other);
	if (length == 0 || other) {
		free(entry);
		return 0;
	}
	HASH_ADD_KEYPTR(hh, table->entries, entry->key, length, entry);
	if (!entry->hh.tbl) {
		free(entry);
		return -ENOMEM;
	}
	return 0;
}

int mux_table_new(struct service_run *const *runs, size_t n, struct mux_table **ret)
{
	struct mux_table *table = calloc(1, sizeof(*table));
	int r = table ? 0 : -ENOMEM;

	for (size_t i = 0; i < n && r == 0; i++)
		if (runs[i]->service->type & (SERVICE_TCPMUX | SERVICE_TCPMUXPLUS))
			r = add(table, runs[i]);
	if (r < 0)
		mux_table_free(table);
	else
		*ret = table;
	return r;
}

void mux_table_free(struct mux_table *table)
{
	struct mux_entry *entry, *next;

	if (!table)
		return;
	HASH_ITER(hh, table->entries, entry, next)
	{
		HASH_DEL(table->entries, entry);
		free(entry);
	}
	free(table);
}

struct service_run *mux_table_find(const struct mux_table *table, const char *name)
{
	char key[WIRE_MAX_NAME + 1];
	size_t length = key_of(name, key);
	struct mux_entry *entry = NULL;

	if (table && length > 0)
		HASH_FIND(hh, table->entries, key, length, entry);
	return entry ? entry->run : NULL;
}

void mux_table_help(const struct mux_table *table, FILE *out)
{
	if (!table)
		return;
	/* The hash keeps the order in which it was filled. */
	for (const struct mux_entry *entry = table->entries; entry; entry = entry->hh.next)
		(void)fprintf(out, "%s\r\n", entry->run->service->name);
}
