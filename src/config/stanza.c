/* SPDX-License-Identifier: ISC */
/* One "service NAME { … }" or "defaults { … }" as it was written. */
#include "config.h"

#include "config/stanza.h"

#include <errno.h>
#include <stdlib.h>

/* Lines that most stanzas do not have. */
#define FIRST_ROOM 24

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

static void attribute_done(struct attribute *attribute)
{
	intern_unref(attribute->name);
	intern_unref(attribute->error);
	intern_unref(attribute->words);
}

/* Appends the line, or lets go of what it refers to. */
static int append(struct stanza *stanza, struct attribute *attribute)
{
	if (stanza->n == stanza->room) {
		size_t room = stanza->room ? 2 * stanza->room : FIRST_ROOM;
		struct attribute *bigger =
			reallocarray(stanza->attributes, room, sizeof(*stanza->attributes));

		if (!bigger) {
			attribute_done(attribute);
			return -ENOMEM;
		}
		stanza->attributes = bigger;
		stanza->room = room;
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
	attribute_done(&attribute);
	return -ENOMEM;
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

void stanza_fit(struct stanza *stanza)
{
	struct attribute *smaller =
		stanza->n ? reallocarray(stanza->attributes, stanza->n, sizeof(*smaller)) : NULL;

	if (!smaller)
		return;
	stanza->attributes = smaller;
	stanza->room = stanza->n;
}

void stanza_free(struct stanza *stanza)
{
	if (!stanza)
		return;
	for (size_t i = 0; i < stanza->n; i++)
		attribute_done(&stanza->attributes[i]);
	free(stanza->attributes);
	intern_unref(stanza->name);
	intern_unref(stanza->file);
	intern_unref(stanza->via);
	free(stanza);
}
