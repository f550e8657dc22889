/* SPDX-License-Identifier: ISC */
/* What the two halves of the schema share: storage (schema.c) and the rules of a line (schema_line.c). */
#pragma once

#include <limits.h>
#include <stdarg.h>

#include "config/schema.h"
#include "config/values.h"

struct cfg_t;

enum property {
	CUMULATES = 1 << 0,     /* += and -= are allowed, and repetition */
	REPEATS = 1 << 1,       /* may be repeated; the last one counts */
	IN_DEFAULTS = 1 << 2,   /* allowed in defaults, too */
	ONLY_DEFAULTS = 1 << 3, /* allowed in defaults only */
	LITERAL_HASH = 1 << 4,  /* a word that begins with # is a value, not a comment */
	RESTRICTS = 1 << 5,     /* to lose it would open the service: a near miss is an error */
	EXTENDS = 1 << 6,       /* allowed in defaults, where xinetd ignores it */
};

/* No bound on the number of words. */
#define ANY UINT_MAX

struct attr_info {
	const char *name;
	value_fn *read;
	unsigned min_words;
	unsigned max_words;
	unsigned properties;
};

/* The properties of each attribute. */
extern const struct attr_info schema_infos[ATTR_COUNT];

struct schema {
	struct cfg_t *cfg;
	struct diag *diag;
	const struct stanza *stanza;
	const char *label;
	unsigned lines[ATTR_COUNT]; /* where the stanza itself gave the attribute; 0 = it did not */
	struct strv defaults[ATTR_COUNT]; /* what the defaults stanzas read so far say */
	bool defaulted[ATTR_COUNT];
	bool failed;
};

/*
 * Gives the attribute exactly these words; an empty list is a value too. Where
 * libconfuse, or our reader of a word, refuses them the stanza has failed.
 */
void schema_assign(struct schema *schema, enum attr attr, const struct strv *words, unsigned line);

/* Adds a finding at a line of the stanza; an error marks the stanza as failed. */
void schema_add_finding(struct schema *schema, enum severity severity, unsigned line,
			const char *format, va_list ap) PRINTF_LIKE(4, 0);
