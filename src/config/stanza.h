/* SPDX-License-Identifier: ISC */
/* One "service NAME { … }" or "defaults { … }" as it was written. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/intern.h"
#include "base/region.h"

enum operator{
	OP_SET,    /* =  */
	OP_ADD,    /* += */
	OP_REMOVE, /* -= */
};

/* One line of a stanza: NAME OPERATOR WORDS, or a line that is not of this form (error set). */
struct attribute {
	const char *name; /* NULL where error is set; names and words are values (base/intern.h) */
	const struct words *words; /* never NULL */
	const char *error;         /* what is wrong with the line and what to write instead */
	enum operator op;
	unsigned line;
};

/* References to what an attribute consists of. */
void attribute_ref(const struct attribute *attribute);
void attribute_unref(const struct attribute *attribute);

enum stanza_kind {
	STANZA_SERVICE,
	STANZA_DEFAULTS,
};

struct stanza {
	enum stanza_kind kind;
	unsigned line;
	const char *name; /* NULL for defaults */
	const char *file;
	const struct words
		*via; /* the files that include it, innermost first; WORDS_NONE to begin with */
	struct attribute *attributes;
	size_t n;
	size_t room;    /* for attributes */
	bool malformed; /* its braces are wrong: it cannot be trusted */
};

/* A new stanza, or NULL when memory ran out. @name may be NULL; @pool, too. */
struct stanza *stanza_new(struct intern_pool *pool, enum stanza_kind kind, const char *name,
			  const char *file, unsigned line);

/* Gives the stanza another name. Returns 0 or -ENOMEM. */
int stanza_rename(struct stanza *stanza, const char *name);

/* Makes room for @n lines, where somebody knows how many there will be. Returns 0 or -ENOMEM. */
int stanza_reserve(struct stanza *stanza, size_t n);

/* Appends "name operator words"; what it consists of is found in @pool (or NULL). Returns 0 or -ENOMEM. */
int stanza_add(struct stanza *stanza, struct intern_pool *pool, const char *name, enum operator op,
	       const char *const *words, size_t n, unsigned line);

/* Appends a line like @attribute, but for its number. Returns 0 or -ENOMEM. */
int stanza_add_like(struct stanza *stanza, const struct attribute *attribute, unsigned line);

/* Appends a malformed line. Returns 0 or -ENOMEM. */
int stanza_add_error(struct stanza *stanza, struct intern_pool *pool, const char *error,
		     unsigned line);

void stanza_free(struct stanza *stanza);

/*
 * The same stanza, complete, in memory of @region; ended by stanza_done() and not by stanza_free(),
 * which the one given must not be any more. Returns NULL, and frees it, when memory ran out.
 */
struct stanza *stanza_pack(struct stanza *stanza, struct region *region);

/* Lets go of what the stanza refers to. */
void stanza_done(struct stanza *stanza);
