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

/* --- what it makes of words ------------------------------------------------- */

/* The type of the attribute's value. */
static cfg_opt_t *option(const struct schema *schema, enum attr attr)
{
	return &schema->cfg->opts[attr];
}

/* Copies what the option holds. Returns NULL when memory ran out. */
static struct schema_value *copy_value(struct schema *schema, cfg_opt_t *opt,
				       const struct words *words)
{
	bool scalars = opt->type == CFGT_INT || opt->type == CFGT_FLOAT;
	size_t n = scalars ? words->n : 0;
	struct schema_value *value =
		region_alloc(&schema->region, sizeof(*value) + n * sizeof(value->v[0]));

	if (!value)
		return NULL;
	value->words = intern_ref(words);
	value->n = n;
	for (size_t i = 0; i < n; i++) {
		if (opt->type == CFGT_INT)
			value->v[i].number = cfg_opt_getnint(opt, (unsigned)i);
		else
			value->v[i].fraction = cfg_opt_getnfloat(opt, (unsigned)i);
	}
	return value;
}

/* Has libconfuse read the words. Returns NULL where they are refused, which has been said, or memory ran out. */
static struct schema_value *read_words(struct schema *schema, enum attr attr,
				       const struct words *words)
{
	cfg_opt_t *opt = option(schema, attr);
	struct schema_value *value = NULL;
	char **v;

	/* libconfuse does not write to them. */
	memcpy(&v, &words->v, sizeof(v));
	errno = 0;
	if (words->n == 0 ||
	    cfg_opt_setmulti(schema->cfg, opt, (unsigned)words->n, v) == CFG_SUCCESS)
		value = copy_value(schema, opt, words);
	if (opt->nvalues)
		(void)cfg_free_value(opt);
	return value;
}

static bool is_taken(const void *slot)
{
	return ((const struct schema_slot *)slot)->value;
}

static uint32_t hash_of(enum attr attr, const struct words *words)
{
	return hash_bytes(attr, &words, sizeof(words));
}

static uint32_t hash_slot(const struct open_table *table, const void *slot)
{
	const struct schema_slot *s = slot;

	(void)table;
	return hash_of(s->attr, s->value->words);
}

static const struct open_table_kind slots_kind = { sizeof(struct schema_slot), 256, is_taken,
						   hash_slot };

/* What a value is looked for by. */
struct slot_key {
	const struct words *words;
	enum attr attr;
};

static bool is_of(const void *slot, const void *key)
{
	const struct schema_slot *s = slot;
	const struct slot_key *k = key;

	return s->attr == k->attr && s->value->words == k->words;
}

/* Where the value of these words is, or would be. */
static struct schema_slot *slot_of(const struct schema *schema, enum attr attr,
				   const struct words *words)
{
	const struct slot_key key = { words, attr };

	return open_table_slot(&schema->slots, &slots_kind, hash_of(attr, words), is_of, &key);
}

bool schema_assign_known(struct schema *schema, enum attr attr, const struct words *words)
{
	struct schema_slot *slot = slot_of(schema, attr, words);

	if (slot->value)
		schema->values[attr] = slot->value;
	return slot->value;
}

int schema_assign(struct schema *schema, enum attr attr, const struct words *words, unsigned line)
{
	struct schema_slot *slot;

	if (schema_assign_known(schema, attr, words))
		return 0;
	if (open_table_reserve(&schema->slots, &slots_kind) < 0)
		return -ENOMEM;
	slot = slot_of(schema, attr, words);
	schema->cfg->line = (int)line;
	slot->value = read_words(schema, attr, words);
	if (!slot->value) {
		/* The reader of the word has said why; or memory ran out. */
		schema->failed = true;
		return 0;
	}
	slot->attr = attr;
	schema->slots.n++;
	schema->values[attr] = slot->value;
	return 0;
}

/* --- one stanza ------------------------------------------------------------ */

struct schema *schema_new(struct diag *diag, struct intern_pool *pool)
{
	struct schema *schema = calloc(1, sizeof(*schema));

	if (!schema)
		return NULL;
	schema->diag = diag;
	schema->pool = pool;
	schema->cfg = options_new();
	if (schema->cfg)
		schema->cfg->title = malloc(sizeof(schema));
	/* So that there always is room to look in. */
	if (open_table_reserve(&schema->slots, &slots_kind) < 0 || !schema->cfg ||
	    !schema->cfg->title) {
		schema_free(schema);
		return NULL;
	}
	schema_index_names(schema);
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
	const struct schema_slot *slot;
	size_t at = 0;

	if (!schema)
		return;
	while ((slot = open_table_next(&schema->slots, &slots_kind, &at))) {
		intern_unref(slot->value->words);
		intern_unref(slot->value->text);
	}
	open_table_done(&schema->slots);
	region_done(&schema->region);
	if (schema->cfg)
		(void)cfg_free(schema->cfg);
	free(schema);
}

void schema_begin(struct schema *schema, const struct stanza *stanza, const char *label)
{
	const char *file = schema->cfg->filename;

	memcpy(schema->values,
	       stanza->kind == STANZA_DEFAULTS ? schema->defaults : schema->inherited,
	       sizeof(schema->values));
	memset(schema->lines, 0, sizeof(schema->lines));
	schema->failed = false;
	schema->stanza = stanza;
	schema->label = label;
	if (!file || strcmp(file, stanza->file) != 0) {
		free(schema->cfg->filename);
		schema->cfg->filename = strdup(stanza->file);
	}
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
	return schema->values[attr] != NULL;
}

bool schema_own(const struct schema *schema, enum attr attr)
{
	return schema->lines[attr] != 0;
}

size_t schema_count(const struct schema *schema, enum attr attr)
{
	const struct schema_value *value = schema->values[attr];

	return value ? value->words->n : 0;
}

long schema_number(const struct schema *schema, enum attr attr, size_t i)
{
	return schema->values[attr]->v[i].number;
}

double schema_fraction(const struct schema *schema, enum attr attr)
{
	return schema->values[attr]->v[0].fraction;
}

const char *schema_text(const struct schema *schema, enum attr attr, size_t i)
{
	return schema->values[attr]->words->v[i];
}

const char *schema_text_value(struct schema *schema, enum attr attr)
{
	struct schema_value *value = schema->values[attr];

	if (!value->text)
		value->text = intern_text(schema->pool, value->words->v[0]);
	return intern_ref(value->text);
}

const struct words *schema_words(const struct schema *schema, enum attr attr)
{
	const struct schema_value *value = schema->values[attr];

	return value ? value->words : WORDS_NONE;
}

const struct words *schema_defaults(const struct schema *schema, enum attr attr)
{
	return schema->defaults[attr] ? schema->defaults[attr]->words : NULL;
}

const char *schema_name(enum attr attr)
{
	return schema_infos[attr].name;
}
