/* SPDX-License-Identifier: ISC */
/* The attributes of a stanza: names, types, how often, what they take. Storage and setters are libconfuse's. */
#include "config.h"

#include "config/schema.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include <confuse.h>

#include "config/schema_private.h"

const struct attr_info schema_infos[ATTR_COUNT] = {
#define X(symbol, name, type, read, min, max, properties) \
	[ATTR_##symbol] = { name, read, min, max, properties },
	SCHEMA_ATTRIBUTES(X)
#undef X
};

/* --- what libconfuse calls ------------------------------------------------ */

/* The readers find what belongs to an option by its place in the table. */
static enum attr attr_of(const cfg_t *cfg, const cfg_opt_t *opt)
{
	return (enum attr)(opt - cfg->opts);
}

static int read_number_word(cfg_t *cfg, cfg_opt_t *opt, const char *value, void *result)
{
	const char *why;
	long number;

	if (schema_infos[attr_of(cfg, opt)].read(value, &number, &why) < 0) {
		cfg_error(cfg, "%s: \"%s\" is not valid; %s", opt->name, value, why);
		return -1;
	}
	*(long *)result = number;
	return 0;
}

static int read_list_word(cfg_t *cfg, cfg_opt_t *opt, const char *value, void *result)
{
	value_fn *read = schema_infos[attr_of(cfg, opt)].read;
	const char *why;
	long number;

	if (read && read(value, &number, &why) < 0) {
		cfg_error(cfg, "%s: \"%s\" is not valid; %s", opt->name, value, why);
		return -1;
	}
	*(const char **)result = value;
	return 0;
}

static int read_fraction_word(cfg_t *cfg, cfg_opt_t *opt, const char *value, void *result)
{
	double number;
	char *end;

	errno = 0;
	number = strtod(value, &end);
	if (end == value || *end || errno || !(number > -1e9 && number < 1e9) ||
	    !(number < 0 || number > 0)) {
		cfg_error(cfg, "%s: \"%s\" is not valid; write a load average such as 2.5",
			  opt->name, value);
		return -1;
	}
	*(double *)result = number;
	return 0;
}

#define OPTION_NUMBER(name)   CFG_INT_CB(name, 0, CFGF_NODEFAULT, read_number_word)
#define OPTION_NUMBERS(name)  CFG_INT_LIST_CB(name, NULL, CFGF_NODEFAULT, read_number_word)
#define OPTION_FRACTION(name) CFG_FLOAT_CB(name, 0, CFGF_NODEFAULT, read_fraction_word)
#define OPTION_TEXT(name)     CFG_STR_CB(name, NULL, CFGF_NODEFAULT, read_list_word)
#define OPTION_LIST(name)     CFG_STR_LIST_CB(name, NULL, CFGF_NODEFAULT, read_list_word)

/* libconfuse wants a table it may change, and copies it. */
static cfg_t *options_new(void)
{
	cfg_opt_t options[] = {
#define X(symbol, name, type, ...) OPTION_##type(name),
		SCHEMA_ATTRIBUTES(X)
#undef X
			CFG_END(),
	};

	return cfg_init(options, CFGF_NOCASE);
}

/*
 * libconfuse hands the root to its error function and nothing else, so the way
 * back to ours is the root's title, which nothing else uses.
 */
static void on_error(cfg_t *cfg, const char *format, va_list ap) PRINTF_LIKE(2, 0);

static struct schema *schema_of(const cfg_t *cfg)
{
	struct schema *schema;

	memcpy(&schema, cfg->title, sizeof(schema));
	return schema;
}

static void on_error(cfg_t *cfg, const char *format, va_list ap)
{
	struct schema *schema = schema_of(cfg);

	schema->failed = true;
	diag_addv(schema->diag, SEVERITY_ERROR, cfg->filename, (unsigned)cfg->line, schema->label,
		  format, ap);
}

/* --- one stanza ------------------------------------------------------------ */

struct schema *schema_new(struct diag *diag)
{
	struct schema *schema = calloc(1, sizeof(*schema));

	if (!schema)
		return NULL;
	schema->diag = diag;
	schema->cfg = options_new();
	if (schema->cfg)
		schema->cfg->title = malloc(sizeof(schema));
	if (!schema->cfg || !schema->cfg->title) {
		schema_free(schema);
		return NULL;
	}
	memcpy(schema->cfg->title, &schema, sizeof(schema));
/* libconfuse's own declaration lacks the attribute that ours has. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wsuggest-attribute=format"
#endif
	(void)cfg_set_error_function(schema->cfg, on_error);
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif
	return schema;
}

void schema_free(struct schema *schema)
{
	if (!schema)
		return;
	for (enum attr attr = 0; attr < ATTR_COUNT; attr++)
		strv_done(&schema->defaults[attr]);
	if (schema->cfg)
		(void)cfg_free(schema->cfg);
	free(schema);
}

static cfg_opt_t *option(const struct schema *schema, enum attr attr)
{
	return &schema->cfg->opts[attr];
}

void schema_assign(struct schema *schema, enum attr attr, const struct strv *words, unsigned line)
{
	cfg_opt_t *opt = option(schema, attr);

	schema->cfg->line = (int)line;
	errno = 0;
	if (words->n == 0)
		(void)cfg_free_value(opt);
	else if (cfg_opt_setmulti(schema->cfg, opt, (unsigned)words->n, words->v) != CFG_SUCCESS) {
		/* The reader of the word has said why; or memory ran out. */
		schema->failed = true;
		return;
	}
	opt->flags |= CFGF_MODIFIED;
}

void schema_begin(struct schema *schema, const struct stanza *stanza, const char *label)
{
	const char *file = schema->cfg->filename;

	for (enum attr attr = 0; attr < ATTR_COUNT; attr++) {
		cfg_opt_t *opt = option(schema, attr);

		if (opt->nvalues)
			(void)cfg_free_value(opt);
		opt->flags &= ~CFGF_MODIFIED;
	}
	memset(schema->lines, 0, sizeof(schema->lines));
	schema->failed = false;
	schema->stanza = stanza;
	schema->label = label;
	if (!file || strcmp(file, stanza->file) != 0) {
		free(schema->cfg->filename);
		schema->cfg->filename = strdup(stanza->file);
	}
	for (enum attr attr = 0; attr < ATTR_COUNT; attr++)
		if (schema->defaulted[attr] && (stanza->kind == STANZA_DEFAULTS ||
						!(schema_infos[attr].properties & ONLY_DEFAULTS)))
			schema_assign(schema, attr, &schema->defaults[attr], stanza->line);
}

void schema_add_finding(struct schema *schema, enum severity severity, unsigned line,
			const char *format, va_list ap)
{
	if (severity == SEVERITY_ERROR)
		schema->failed = true;
	diag_addv(schema->diag, severity, schema->stanza->file, line, schema->label, format, ap);
}

void schema_report(struct schema *schema, enum attr attr, enum severity severity,
		   const char *format, ...)
{
	unsigned line = attr < ATTR_COUNT && schema->lines[attr] ? schema->lines[attr]
								 : schema->stanza->line;
	va_list ap;

	va_start(ap, format);
	schema_add_finding(schema, severity, line, format, ap);
	va_end(ap);
}

/* --- what the stanza said --------------------------------------------------- */

bool schema_failed(const struct schema *schema)
{
	return schema->failed;
}

bool schema_given(const struct schema *schema, enum attr attr)
{
	return option(schema, attr)->flags & CFGF_MODIFIED;
}

bool schema_own(const struct schema *schema, enum attr attr)
{
	return schema->lines[attr] != 0;
}

size_t schema_count(const struct schema *schema, enum attr attr)
{
	return cfg_opt_size(option(schema, attr));
}

long schema_number(const struct schema *schema, enum attr attr, size_t i)
{
	return cfg_opt_getnint(option(schema, attr), (unsigned)i);
}

double schema_fraction(const struct schema *schema, enum attr attr)
{
	return cfg_opt_getnfloat(option(schema, attr), 0);
}

const char *schema_text(const struct schema *schema, enum attr attr, size_t i)
{
	return cfg_opt_getnstr(option(schema, attr), (unsigned)i);
}

int schema_words(const struct schema *schema, enum attr attr, struct strv *ret)
{
	struct strv words = { 0 };

	for (size_t i = 0; i < schema_count(schema, attr); i++) {
		if (strv_add(&words, schema_text(schema, attr, i)) < 0) {
			strv_done(&words);
			return -ENOMEM;
		}
	}
	strv_done(ret);
	*ret = words;
	return 0;
}

const struct strv *schema_defaults(const struct schema *schema, enum attr attr)
{
	return schema->defaulted[attr] ? &schema->defaults[attr] : NULL;
}

const char *schema_name(enum attr attr)
{
	return schema_infos[attr].name;
}
