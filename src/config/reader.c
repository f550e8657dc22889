/* SPDX-License-Identifier: ISC */
/* xinetd.conf text to stanzas: words, operators and line numbers; knows no attribute. */
#include "config.h"

#include "config/reader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/util.h"

/* A bound that no real entry meets: rubbish behind a "{" must not fill the memory, line by line. */
#define READER_MAX_ATTRIBUTES 10000

struct reader {
	const char *next; /* where the next line begins */
	const char *end;
	unsigned line;   /* number of the line last read */
	const char *raw; /* its text */
	size_t length;
	bool has_nul; /* it holds a NUL byte */
	char *buffer; /* it, split in place into words */
	size_t room;
	const char **words;
	size_t n_words;
	size_t words_room;

	const char *file;
	struct lines *lines;
	const struct reader_ops *ops;
	void *arg;
	struct diag *diag;

	struct stanza *open; /* the stanza being read */
	size_t usual;        /* lines of the one before, which many are like */
	bool awaiting_brace; /* its "{" has not come yet */
	unsigned junk_line;  /* first line of a run of junk at top level, 0 when there is none */
	unsigned junk_lines;
	bool damaged; /* a section may have been lost */
};

static int grow_words(struct reader *r)
{
	size_t room = r->words_room ? 2 * r->words_room : 16;
	const char **bigger = reallocarray(r->words, room, sizeof(*bigger));

	if (!bigger)
		return -ENOMEM;
	r->words = bigger;
	r->words_room = room;
	return 0;
}

/* Splits the line in place. Only space and TAB separate; other white space belongs to words, as in xinetd. */
static int split_words(struct reader *r)
{
	char *at = r->buffer;

	r->n_words = 0;
	for (;;) {
		while (*at == ' ' || *at == '\t')
			at++;
		if (!*at)
			return 0;
		if (r->n_words == r->words_room && grow_words(r) < 0)
			return -ENOMEM;
		r->words[r->n_words++] = at;
		while ((unsigned char)*at > ' ' || (*at && *at != ' ' && *at != '\t'))
			at++;
		if (*at)
			*at++ = '\0';
	}
}

/* Finds the next line. Returns false at the end of the text. */
static bool next_line(struct reader *r)
{
	const char *stop;

	if (r->next == r->end)
		return false;
	stop = memchr(r->next, '\n', (size_t)(r->end - r->next));
	r->raw = r->next;
	r->length = (size_t)((stop ? stop : r->end) - r->next);
	r->next = stop ? stop + 1 : r->end;
	r->line++;
	return true;
}

/* Takes the line apart into buffer and words. Returns 0 or -ENOMEM. */
static int split_line(struct reader *r)
{
	size_t length = r->length;

	if (length + 1 > r->room) {
		char *bigger = realloc(r->buffer, 2 * length + 256);

		if (!bigger)
			return -ENOMEM;
		r->buffer = bigger;
		r->room = 2 * length + 256;
	}
	memcpy(r->buffer, r->raw, length);
	if (length && r->buffer[length - 1] == '\r')
		length--;
	r->buffer[length] = '\0';
	r->has_nul = strlen(r->buffer) != length;
	return split_words(r);
}

/* Whether a blank or comment line; white space other than space and TAB counts here, as in xinetd. */
static bool is_blank(const struct reader *r)
{
	const char *word = r->n_words ? r->words[0] : "";

	if (r->has_nul)
		return false;
	for (size_t i = 0; i < r->n_words; i++) {
		word = r->words[i];
		while (*word == '\v' || *word == '\f' || *word == '\r')
			word++;
		if (*word)
			break;
	}
	return *word == '\0' || *word == '#';
}

/* Whether nothing but a comment stands from word @i on. */
static bool ends_at(const struct reader *r, size_t i)
{
	return i >= r->n_words || r->words[i][0] == '#';
}

static bool is_word(const struct reader *r, size_t i, const char *text)
{
	/* Most lines differ in the first letter, which 0x20 makes a small one. */
	return i < r->n_words && (r->words[i][0] | 0x20) == text[0] &&
	       strcasecmp(r->words[i], text) == 0;
}

static void flush_junk(struct reader *r)
{
	if (r->junk_lines > 1)
		diag_add(r->diag, SEVERITY_NOTICE, r->file, r->junk_line, NULL,
			 "skipped %u lines, up to the next service, defaults or include",
			 r->junk_lines);
	r->junk_lines = 0;
}

static int close_stanza(struct reader *r)
{
	struct stanza *stanza = TAKE_PTR(r->open);

	r->awaiting_brace = false;
	r->usual = stanza->n;
	return r->ops->stanza(r->arg, stanza);
}

/* The stanza cannot be trusted any more: says why once, and remembers. */
static void mark_malformed(struct reader *r, unsigned line, const char *text)
{
	if (!r->open->malformed)
		diag_add(r->diag, SEVERITY_ERROR, r->file, line, r->open->name, "%s", text);
	r->open->malformed = true;
	r->damaged = true;
}

/* "service NAME" or "defaults". */
static int open_stanza(struct reader *r)
{
	bool defaults = is_word(r, 0, "defaults");
	size_t rest = defaults ? 1 : 2;

	flush_junk(r);
	if (!defaults && (ends_at(r, 1) || strcmp(r->words[1], "{") == 0)) {
		r->open = stanza_new(r->lines->pool, STANZA_SERVICE, "", r->file, r->line);
		if (!r->open)
			return -ENOMEM;
		mark_malformed(r, r->line, "service name missing: write \"service NAME\"");
		r->awaiting_brace = ends_at(r, 1);
		return 0;
	}
	r->open = stanza_new(r->lines->pool, defaults ? STANZA_DEFAULTS : STANZA_SERVICE,
			     defaults ? NULL : r->words[1], r->file, r->line);
	if (!r->open || stanza_reserve(r->open, r->usual) < 0)
		return -ENOMEM;
	r->awaiting_brace = true;
	if (is_word(r, rest, "{") && ends_at(r, rest + 1)) {
		diag_add(r->diag, SEVERITY_NOTICE, r->file, r->line, r->open->name,
			 "xinetd wants the { on a line of its own and would refuse this entry");
		r->awaiting_brace = false;
	} else if (is_word(r, rest, "{")) {
		mark_malformed(r, r->line, "write each attribute, and the }, on a line of its own");
		r->awaiting_brace = false;
		if (strcmp(r->words[r->n_words - 1], "}") == 0)
			return close_stanza(r);
	} else if (!ends_at(r, rest)) {
		diag_add(r->diag, SEVERITY_WARNING, r->file, r->line, r->open->name,
			 "words after \"%s\" are ignored: %s",
			 defaults ? "defaults" : "service NAME", r->words[rest]);
	}
	return 0;
}

/* A line outside of any stanza. */
static int top_level(struct reader *r)
{
	bool directory = is_word(r, 0, "includedir");

	if (!r->has_nul && (is_word(r, 0, "service") || is_word(r, 0, "defaults")))
		return open_stanza(r);
	if (!r->has_nul && (directory || is_word(r, 0, "include"))) {
		flush_junk(r);
		if (ends_at(r, 1)) {
			r->damaged = true;
			diag_add(r->diag, SEVERITY_ERROR, r->file, r->line, NULL,
				 "%s needs the name of a %s", r->words[0],
				 directory ? "directory" : "file");
			return 0;
		}
		if (!ends_at(r, 2))
			diag_add(r->diag, SEVERITY_WARNING, r->file, r->line, NULL,
				 "words after \"%s NAME\" are ignored: %s", r->words[0],
				 r->words[2]);
		return r->ops->include(r->arg, r->words[1], directory, r->line);
	}
	r->damaged = true;
	if (r->junk_lines++ == 0) {
		r->junk_line = r->line;
		if (r->has_nul)
			diag_add(r->diag, SEVERITY_ERROR, r->file, r->line, NULL,
				 "the line holds a NUL byte; this is not a configuration file");
		else
			diag_add(
				r->diag, SEVERITY_ERROR, r->file, r->line, NULL,
				"\"%.60s\" is not expected here; a section begins with \"service NAME\", "
				"\"defaults\", \"include FILE\" or \"includedir DIRECTORY\"",
				r->n_words ? r->words[0] : "");
	}
	return 0;
}

/* What is wrong with a line that is no attribute, or NULL; *@op and *@first describe a good one. */
static const char *check_attribute(const struct reader *r, enum operator* op, size_t *first)
{
	const char *sign = r->n_words > 1 ? r->words[1] : "";
	size_t length = strlen(sign);

	if (r->has_nul)
		return "the line holds a NUL byte";
	if (is_word(r, 0, "include") || is_word(r, 0, "includedir"))
		return "include and includedir stand between sections, not inside one";
	if (strchr(r->words[0], '='))
		return "the attribute needs a space before the operator: write \"NAME = VALUE\"";
	if (length >= 1 && sign[0] == '=') {
		*op = OP_SET;
		length = 1;
	} else if (length >= 2 && (sign[0] == '+' || sign[0] == '-') && sign[1] == '=') {
		*op = sign[0] == '+' ? OP_ADD : OP_REMOVE;
		length = 2;
	} else if (length == 0) {
		return "nothing after the attribute: write \"NAME = VALUE\"";
	} else {
		return "bad operator: write \"NAME = VALUE\", \"NAME += VALUE\" or \"NAME -= VALUE\"";
	}
	/* "=value" without a space is fine: what follows the sign is the first value. */
	if (sign[length]) {
		r->words[1] += length;
		*first = 1;
	} else {
		*first = 2;
	}
	return NULL;
}

static int read_attribute(struct reader *r)
{
	const char *error;
	enum operator op = OP_SET;
	size_t first = 0;

	if (r->open->n == READER_MAX_ATTRIBUTES) {
		mark_malformed(r, r->line,
			       "the entry has more than 10000 lines; the rest is skipped");
		return 0;
	}
	error = check_attribute(r, &op, &first);
	if (error)
		return stanza_add_error(r->open, r->lines->pool, error, r->line);
	if (stanza_add(r->open, r->lines->pool, r->words[0], op, r->words + first,
		       r->n_words - first, r->line) < 0)
		return -ENOMEM;
	lines_add(r->lines, r->raw, r->length, &r->open->attributes[r->open->n - 1]);
	return 0;
}

/*
 * Adds a line that was an attribute before: where stanzas have lines at all, its text alone
 * says what it is. Returns 1; 0 where it is to be read; or -ENOMEM.
 */
static int repeat_attribute(struct reader *r)
{
	const struct attribute *known;

	if (!r->open || r->awaiting_brace || r->open->n == READER_MAX_ATTRIBUTES)
		return 0;
	known = lines_find(r->lines, r->raw, r->length);
	if (!known)
		return 0;
	return stanza_add_like(r->open, known, r->line) < 0 ? -ENOMEM : 1;
}

/* Whether the line opens another section, although the present one is not closed. */
static bool opens_next(const struct reader *r)
{
	if (r->has_nul)
		return false;
	if (is_word(r, 0, "service"))
		return r->n_words > 1 && !strchr(r->words[1], '=');
	return is_word(r, 0, "defaults") && (ends_at(r, 1) || is_word(r, 1, "{"));
}

/* A line of an open stanza. */
static int in_stanza(struct reader *r)
{
	if (opens_next(r)) {
		int status;

		mark_malformed(r, r->line,
			       "missing } before this line: the entry above it is not closed");
		status = close_stanza(r);
		return status < 0 ? status : open_stanza(r);
	}
	if (r->awaiting_brace) {
		r->awaiting_brace = false;
		if (is_word(r, 0, "{") && ends_at(r, 1))
			return 0;
		mark_malformed(r, r->line,
			       is_word(r, 0, "{") ? "write the { on a line of its own"
						  : "missing {: write it on a line of its own");
		if (is_word(r, 0, "{"))
			return 0;
	}
	if (!r->has_nul && is_word(r, 0, "}")) {
		if (!ends_at(r, 1))
			mark_malformed(r, r->line, "write the } on a line of its own");
		return close_stanza(r);
	}
	return read_attribute(r);
}

/* Reads one line, whatever it is. Returns 0 or a negative value that ends the reading. */
static int read_line(struct reader *r)
{
	int status = repeat_attribute(r);

	if (status != 0)
		return status < 0 ? status : 0;
	status = split_line(r);
	if (status < 0 || is_blank(r))
		return status;
	return r->open ? in_stanza(r) : top_level(r);
}

int reader_parse(const char *text, size_t length, const char *file, struct lines *lines,
		 const struct reader_ops *ops, void *arg, struct diag *diag)
{
	struct lines own = { 0 };
	struct reader r = {
		.next = text,
		.end = text + length,
		.file = file,
		.lines = lines ? lines : &own,
		.ops = ops,
		.arg = arg,
		.diag = diag,
	};
	int status = 0;

	while (status == 0 && next_line(&r))
		status = read_line(&r);
	if (status == 0) {
		flush_junk(&r);
		if (r.open) {
			mark_malformed(&r, r.open->line,
				       "incomplete entry: its } is missing at the end of the file");
			status = close_stanza(&r);
		}
	}
	stanza_free(r.open);
	lines_done(&own);
	free(r.words);
	free(r.buffer);
	return status == 0 && r.damaged ? 1 : status;
}
