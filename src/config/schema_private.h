/* SPDX-License-Identifier: ISC */
/* What the two halves of the schema share: storage (schema.c) and the rules of a line (schema_line.c). */
#pragma once

#include <limits.h>
#include <stdarg.h>

#include "base/open_table.h"
#include "base/region.h"
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

/* What libconfuse has made of words that were given to an attribute; the same for all that give it the same. */
struct schema_value {
	const struct words *words;
	const char *text; /* the first of them as a value, once somebody wanted it */
	size_t n;         /* of v: NUMBERS and FRACTION only */
	union {
		long number;
		double fraction;
	} v[];
};

/* A value that is known, found by its attribute and words. */
struct schema_slot {
	struct schema_value *value; /* NULL: free */
	enum attr attr;
};

/* Room for all names and aliases, so that few meet. */
#define SCHEMA_NAMES 256

struct schema {
	struct cfg_t *cfg;
	struct diag *diag;
	struct intern_pool *pool;
	const struct stanza *stanza;
	const char *label;
	unsigned lines[ATTR_COUNT]; /* where the stanza itself gave the attribute; 0 = it did not */
	struct schema_value *values[ATTR_COUNT]; /* its own, or inherited; NULL = neither */
	struct schema_value *inherited
		[ATTR_COUNT]; /* what services begin with: without what is for defaults only */
	struct schema_value *defaults[ATTR_COUNT]; /* what the defaults stanzas read so far say */
	bool failed;

	struct region region;              /* of the values */
	struct open_table slots;           /* struct schema_slot */
	unsigned char names[SCHEMA_NAMES]; /* with open addresses: 1 + enum attr, 0 = free */
};

/*
 * Gives the attribute exactly these words; an empty list is a value too. Where
 * libconfuse, or our reader of a word, refuses them the stanza has failed. Returns 0 or -ENOMEM.
 */
int schema_assign(struct schema *schema, enum attr attr, const struct words *words, unsigned line);

/* Gives it these words where another stanza had them; returns whether it had. */
bool schema_assign_known(struct schema *schema, enum attr attr, const struct words *words);

/* Lays out, once, what schema_find() looks in. */
void schema_index_names(struct schema *schema);

/* The attribute of this name or alias, without regard to case; ATTR_COUNT where there is none. */
enum attr schema_find(const struct schema *schema, const char *name);

/* The same for a value of base/intern.h, which is looked for once. */
enum attr schema_find_value(const struct schema *schema, const char *name);

/* Adds a finding at a line of the stanza; an error marks the stanza as failed. */
void schema_add_finding(struct schema *schema, enum severity severity, unsigned line,
			const char *format, va_list ap) PRINTF_LIKE(4, 0);
