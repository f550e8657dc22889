/* SPDX-License-Identifier: ISC */
/* One "service NAME { … }" or "defaults { … }" as it was written. */
#include "config.h"

#include "config/stanza.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_ROOM 8

struct stanza *stanza_new(struct intern_pool *pool, enum stanza_kind kind, const char *name,
			  const char *file, unsigned line)
{
	struct stanza *stanza = calloc(1, sizeof(*stanza));

	if (!stanza)
		return NULL;
	stanza->kind = kind;
	stanza->line = line;
	stanza->via = WORDS_NONE;
	/* Nearly every name is another one. */
	stanza->name = name ? intern_text(NULL, name) : NULL;
	stanza->file = intern_text(pool, file);
	if (!stanza->file || (name && !stanza->name)) {
		stanza_free(stanza);
		return NULL;
	}
	return stanza;
}

int stanza_rename(struct stanza *stanza, const char *name)
{
	const char *value = intern_text(NULL, name);

	if (!value)
		return -ENOMEM;
	intern_unref(stanza->name);
	stanza->name = value;
	return 0;
}

void attribute_ref(const struct attribute *attribute)
{
	(void)intern_ref(attribute->name);
	(void)intern_ref(attribute->error);
	(void)intern_ref(attribute->words);
}

void attribute_unref(const struct attribute *attribute)
{
	intern_unref(attribute->name);
	intern_unref(attribute->error);
	intern_unref(attribute->words);
}

static int set_room(struct stanza *stanza, size_t room)
{
	struct attribute *moved = reallocarray(stanza->attributes, room, sizeof(*moved));

	if (!moved)
		return -ENOMEM;
	stanza->attributes = moved;
	stanza->room = room;
	return 0;
}

int stanza_reserve(struct stanza *stanza, size_t n)
{
	return n > stanza->room ? set_room(stanza, n) : 0;
}

/* Appends the line, or lets go of what it refers to. */
static int append(struct stanza *stanza, struct attribute *attribute)
{
	if (stanza->n == stanza->room &&
	    set_room(stanza, stanza->n ? 2 * stanza->n : FIRST_ROOM) < 0) {
		attribute_unref(attribute);
		return -ENOMEM;
	}
	stanza->attributes[stanza->n++] = *attribute;
	return 0;
}

int stanza_add(struct stanza *stanza, struct intern_pool *pool, const char *name, enum operator op,
	       const char *const *words, size_t n, unsigned line)
{
	struct attribute attribute = {
		.name = intern_text(pool, name),
		.words = intern_words(pool, words, n),
		.op = op,
		.line = line,
	};

	if (attribute.name && attribute.words)
		return append(stanza, &attribute);
	attribute_unref(&attribute);
	return -ENOMEM;
}

int stanza_add_like(struct stanza *stanza, const struct attribute *attribute, unsigned line)
{
	struct attribute copy = *attribute;

	attribute_ref(&copy);
	copy.line = line;
	return append(stanza, &copy);
}

int stanza_add_error(struct stanza *stanza, struct intern_pool *pool, const char *error,
		     unsigned line)
{
	struct attribute attribute = {
		.words = WORDS_NONE,
		.error = intern_text(pool, error),
		.line = line,
	};

	return attribute.error ? append(stanza, &attribute) : -ENOMEM;
}

void stanza_done(struct stanza *stanza)
{
	for (size_t i = 0; i < stanza->n; i++)
		attribute_unref(&stanza->attributes[i]);
	intern_unref(stanza->name);
	intern_unref(stanza->file);
	intern_unref(stanza->via);
}

void stanza_free(struct stanza *stanza)
{
	if (!stanza)
		return;
	stanza_done(stanza);
	free(stanza->attributes);
	free(stanza);
}

struct stanza *stanza_pack(struct stanza *stanza, struct region *region)
{
	size_t bytes = stanza->n * sizeof(*stanza->attributes);
	struct stanza *packed = region_alloc(region, sizeof(*packed) + bytes);

	if (!packed) {
		stanza_free(stanza);
		return NULL;
	}
	*packed = *stanza;
	packed->attributes = (struct attribute *)(packed + 1);
	packed->room = stanza->n;
	if (bytes)
		memcpy(packed->attributes, stanza->attributes, bytes);
	free(stanza->attributes);
	free(stanza);
	return packed;
}
