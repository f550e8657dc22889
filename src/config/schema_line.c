/* SPDX-License-Identifier: ISC */
/* The rules of one line of a stanza: its name, place, operator, words and comment. */
#include "config.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <strings.h>

#include "config/rules.h"
#include "config/schema.h"
#include "config/schema_private.h"

static void report(struct schema *schema, enum severity severity, unsigned line, const char *format,
		   ...) PRINTF_LIKE(4, 5);

static void report(struct schema *schema, enum severity severity, unsigned line, const char *format,
		   ...)
{
	va_list ap;

	va_start(ap, format);
	schema_add_finding(schema, severity, line, format, ap);
	va_end(ap);
}

static void report_unknown(struct schema *schema, const struct attribute *line)
{
	const char *names[ATTR_COUNT];
	const char *near;

	for (enum attr attr = 0; attr < ATTR_COUNT; attr++)
		names[attr] = schema_infos[attr].name;
	near = nearest_name(line->name, names, ATTR_COUNT);
	if (!near)
		report(schema, SEVERITY_WARNING, line->line, "unknown attribute \"%s\" is ignored",
		       line->name);
	else if (schema_infos[schema_find(schema, near)].properties & RESTRICTS)
		report(schema, SEVERITY_ERROR, line->line,
		       "unknown attribute \"%s\"; did you mean \"%s\"? As that one restricts the service, it is not "
		       "run without it",
		       line->name, near);
	else
		report(schema, SEVERITY_WARNING, line->line,
		       "unknown attribute \"%s\" is ignored; did you mean \"%s\"?", line->name,
		       near);
}

/* Whether the attribute may stand in this kind of stanza; says so where not. */
static bool check_place(struct schema *schema, const struct attribute *line, enum attr attr)
{
	unsigned properties = schema_infos[attr].properties;

	if (schema->stanza->kind == STANZA_DEFAULTS) {
		if (properties & EXTENDS)
			report(schema, SEVERITY_NOTICE, line->line,
			       "\"%s\" in defaults is applied to every service; xinetd ignores it there",
			       line->name);
		if (properties & (IN_DEFAULTS | ONLY_DEFAULTS | EXTENDS))
			return true;
		report(schema, SEVERITY_WARNING, line->line,
		       "\"%s\" has no meaning in defaults and is ignored; write it in each service",
		       line->name);
		return false;
	}
	if (!(properties & ONLY_DEFAULTS))
		return true;
	report(schema, SEVERITY_ERROR, line->line, "\"%s\" belongs into defaults%s", line->name,
	       attr == ATTR_DISABLED ? "; to switch this service off, write \"disable = yes\""
				     : "; to switch this service on, write \"disable = no\"");
	return false;
}

/* Whether the operator fits and the attribute is not given twice; says so where not. */
static bool check_operator(struct schema *schema, const struct attribute *line, enum attr attr)
{
	unsigned properties = schema_infos[attr].properties;
	bool edits = line->op != OP_SET;
	/* Somebody relies on a log that would never be written; it ends xinetd. */
	enum severity twice = attr == ATTR_LOG_TYPE && schema->stanza->kind == STANZA_DEFAULTS
				      ? SEVERITY_ERROR
				      : SEVERITY_WARNING;

	if (edits && !(properties & CUMULATES)) {
		report(schema, SEVERITY_ERROR, line->line,
		       "\"%s\" takes only the operator =", line->name);
		return false;
	}
	if (line->op == OP_REMOVE && attr == ATTR_ENV) {
		report(schema, SEVERITY_ERROR, line->line, "\"env\" cannot be reduced with -=");
		return false;
	}
	if (schema->lines[attr] && !(properties & (CUMULATES | REPEATS))) {
		report(schema, twice, line->line,
		       "\"%s\" is already set on line %u; this line is ignored", line->name,
		       schema->lines[attr]);
		return false;
	}
	if (schema->stanza->kind == STANZA_DEFAULTS && schema->defaults[attr] &&
	    !(properties & CUMULATES)) {
		report(schema, twice, line->line,
		       "\"%s\" is already set by the defaults of another file; this line is ignored",
		       line->name);
		return false;
	}
	if (line->op == OP_REMOVE && !schema_given(schema, attr)) {
		report(schema, SEVERITY_WARNING, line->line,
		       "\"%s -=\" has nothing to remove from; it stays unset", line->name);
		return false;
	}
	return true;
}

/*
 * How many words count: those in front of a comment. A line of a word list that
 * consists of a comment only is an empty list, as it was meant.
 */
static size_t count_words(struct schema *schema, const struct attribute *line, enum attr attr)
{
	for (size_t i = 0; i < line->words->n; i++) {
		if (line->words->v[i][0] == '#' &&
		    !(schema_infos[attr].properties & LITERAL_HASH)) {
			report(schema, SEVERITY_NOTICE, line->line,
			       "\"%s\": the text from # on is taken as a comment; xinetd takes it as values",
			       line->name);
			return i;
		}
	}
	return line->words->n;
}

static bool check_count(struct schema *schema, const struct attribute *line, enum attr attr,
			size_t n)
{
	const struct attr_info *info = &schema_infos[attr];

	if (n >= info->min_words && n <= info->max_words)
		return true;
	if (info->max_words == ANY)
		report(schema, SEVERITY_ERROR, line->line, "\"%s\" needs at least %u value%s",
		       line->name, info->min_words, info->min_words == 1 ? "" : "s");
	else if (info->max_words > info->min_words)
		report(schema, SEVERITY_ERROR, line->line, "\"%s\" takes %u or %u values, not %zu",
		       line->name, info->min_words, info->max_words, n);
	else
		report(schema, SEVERITY_ERROR, line->line, "\"%s\" takes %u value%s, not %zu",
		       line->name, info->max_words, info->max_words == 1 ? "" : "s", n);
	return false;
}

/* Whether two words mean the same; of addresses, 10.0.0.0 and 10.0.0.0/8 do. */
static bool same_word(enum attr attr, const char *a, const char *b)
{
	if (strcasecmp(a, b) == 0)
		return true;
	return (attr == ATTR_ONLY_FROM || attr == ATTR_NO_ACCESS) && addr_words_equal(a, b);
}

/* Words on their way to a value. */
struct draft {
	const char **v;
	size_t n;
};

static int draft_add(struct draft *draft, const char *word)
{
	if (array_grow(&draft->v, draft->n, sizeof(*draft->v)) < 0)
		return -ENOMEM;
	draft->v[draft->n++] = word;
	return 0;
}

/* Adds those words of @old that none of @words means. */
static int keep_others(struct schema *schema, const struct attribute *line, enum attr attr,
		       const struct words *words, const struct words *old, struct draft *kept)
{
	int r = 0;

	for (size_t i = 0; i < old->n && r == 0; i++) {
		bool named = false;

		for (size_t k = 0; k < words->n; k++)
			named = named || same_word(attr, words->v[k], old->v[i]);
		if (!named)
			r = draft_add(kept, old->v[i]);
	}
	if (r == 0 && kept->n == old->n && words->n)
		/* An address that should have gone from only_from would still get in. */
		report(schema, attr == ATTR_ONLY_FROM ? SEVERITY_ERROR : SEVERITY_WARNING,
		       line->line, "\"%s -=\" removes nothing: none of these words is in the list",
		       line->name);
	return r;
}

/* What the attribute is to be: its old words edited by those of the line. Returns a new reference, or NULL. */
static const struct words *edit_words(struct schema *schema, const struct attribute *line,
				      enum attr attr, const struct words *words)
{
	const struct words *old = schema_words(schema, attr), *result = NULL;
	struct draft draft = { 0 };
	int r = 0;

	/* In defaults, = on a list adds (xinetd.conf(5)); -= on enabled and disabled adds too, as in xinetd. */
	bool adds = line->op == OP_ADD ||
		    (line->op == OP_SET && schema->stanza->kind == STANZA_DEFAULTS) ||
		    (schema_infos[attr].properties & ONLY_DEFAULTS);

	if (!(schema_infos[attr].properties & CUMULATES) || (line->op == OP_SET && !adds) ||
	    (adds && old->n == 0))
		return intern_ref(words);
	for (size_t i = 0; adds && i < old->n && r == 0; i++)
		r = draft_add(&draft, old->v[i]);
	for (size_t i = 0; adds && i < words->n && r == 0; i++)
		r = draft_add(&draft, words->v[i]);
	if (r == 0 && !adds)
		r = keep_others(schema, line, attr, words, old, &draft);
	if (r == 0)
		result = intern_words(schema->pool, draft.v, draft.n);
	free(draft.v);
	return result;
}

/*
 * "type = INTERNAL stream": words of socket_type within type, as older
 * descriptions write it. Replaces *@words by the others. Returns 0 or -ENOMEM.
 */
static int split_type(struct schema *schema, const struct attribute *line,
		      const struct words **words)
{
	struct draft kept = { 0 }, socket_type = { 0 };
	const struct words *others, *types = NULL;
	const char *why;
	long number;
	int r = 0;

	for (size_t i = 0; i < (*words)->n && r == 0; i++)
		r = draft_add(value_socket_type((*words)->v[i], &number, &why) == 0 ? &socket_type
										    : &kept,
			      (*words)->v[i]);
	if (r == 0 && socket_type.n > 1) {
		report(schema, SEVERITY_ERROR, line->line, "\"type\" names two socket types");
	} else if (r == 0 && socket_type.n == 1 && schema->lines[ATTR_SOCKET_TYPE]) {
		report(schema, SEVERITY_WARNING, line->line,
		       "the socket type is already set on line %u",
		       schema->lines[ATTR_SOCKET_TYPE]);
	} else if (r == 0 && socket_type.n == 1) {
		types = intern_words(schema->pool, socket_type.v, 1);
		r = types ? schema_assign(schema, ATTR_SOCKET_TYPE, types, line->line) : -ENOMEM;
		schema->lines[ATTR_SOCKET_TYPE] = line->line;
	}
	if (r == 0 && socket_type.n > 0) {
		others = intern_words(schema->pool, kept.v, kept.n);
		r = others ? 0 : -ENOMEM;
		if (others) {
			intern_unref(*words);
			*words = others;
		}
	}
	intern_unref(types);
	free(socket_type.v);
	free(kept.v);
	return r;
}

/* Gives the attribute the words of the line, of which there are the right number. Returns 0 or -ENOMEM. */
static int set_words(struct schema *schema, const struct attribute *line, enum attr attr,
		     const struct words *words)
{
	const struct words *edited = edit_words(schema, line, attr, words);
	int r = edited ? schema_assign(schema, attr, edited, line->line) : -ENOMEM;

	intern_unref(edited);
	if (r < 0)
		return r;
	schema->lines[attr] = line->line;
	if (schema->stanza->kind != STANZA_DEFAULTS || schema->failed)
		return 0;
	schema->defaults[attr] = schema->values[attr];
	if (!(schema_infos[attr].properties & ONLY_DEFAULTS))
		schema->inherited[attr] = schema->values[attr];
	return 0;
}

/* Gives the attribute what the first @n words of the line mean. Returns 0 or -ENOMEM. */
static int set_line(struct schema *schema, const struct attribute *line, enum attr attr, size_t n)
{
	const struct words *words =
		n == line->words->n
			? intern_ref(line->words)
			: intern_words(schema->pool, (const char *const *)line->words->v, n);
	int r = words ? 0 : -ENOMEM;

	if (r == 0 && attr == ATTR_TYPE)
		r = split_type(schema, line, &words);
	if (r == 0 && (attr != ATTR_TYPE || words->n))
		r = set_words(schema, line, attr, words);
	intern_unref(words);
	return r;
}

/* Whether the line gives a service exactly its words, whatever it had. */
static bool is_plain(const struct schema *schema, const struct attribute *line, enum attr attr,
		     size_t n)
{
	return n == line->words->n && line->op == OP_SET &&
	       schema->stanza->kind == STANZA_SERVICE &&
	       !(schema_infos[attr].properties & ONLY_DEFAULTS);
}

enum schema_result schema_set(struct schema *schema, const struct attribute *line)
{
	enum attr attr;
	size_t n;

	if (line->error) {
		report(schema, SEVERITY_ERROR, line->line, "%s", line->error);
		return SCHEMA_TAKEN;
	}
	attr = schema_find_value(schema, line->name);
	if (attr == ATTR_COUNT) {
		report_unknown(schema, line);
		return SCHEMA_TAKEN;
	}
	if (!check_place(schema, line, attr) || !check_operator(schema, line, attr))
		return SCHEMA_TAKEN;
	n = count_words(schema, line, attr);
	if (!check_count(schema, line, attr, n)) {
		/* Refused, but nobody is to say that it is missing. */
		schema->lines[attr] = line->line;
		return SCHEMA_TAKEN;
	}
	if (is_plain(schema, line, attr, n) && schema_assign_known(schema, attr, line->words))
		schema->lines[attr] = line->line;
	else if (set_line(schema, line, attr, n) < 0)
		return SCHEMA_NOMEM;
	if (attr == ATTR_DISABLE && schema_count(schema, attr) && schema_number(schema, attr, 0))
		return SCHEMA_DISABLE;
	return SCHEMA_TAKEN;
}
