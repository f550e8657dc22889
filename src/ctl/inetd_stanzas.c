/* SPDX-License-Identifier: ISC */
/* inetd.conf as stanzas of xinetd.conf, written as a person would write them. */
#include "config.h"

#include "ctl/inetd_stanzas.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "config/inetd.h"
#include "config/lookup.h"
#include "config/reader.h"
#include "config/values.h"

struct converter {
	struct strv lines; /* of the inetd.conf, the first one at 0 */
	size_t done;       /* lines that something was made of */
	const char *file;
	char shown[1024]; /* the file's name for comments */
	struct diag *diag;
	struct pieces *pieces;
};

/* --- the lines ------------------------------------------------------------- */

static int split_lines(struct strv *lines, const char *text, size_t length)
{
	const char *end = text + length;

	while (text < end) {
		const char *stop = memchr(text, '\n', (size_t)(end - text));
		size_t n = (size_t)((stop ? stop : end) - text);

		if (n && text[n - 1] == '\r')
			n--;
		if (strv_addf(lines, "%.*s", (int)n, text) < 0)
			return -ENOMEM;
		text = stop ? stop + 1 : end;
	}
	return 0;
}

static const char *skip_blanks(const char *text)
{
	return text + strspn(text, " \t");
}

static bool is_entry(const char *line)
{
	line = skip_blanks(line);
	return *line && *line != '#';
}

/* Whether the comment is an entry that was switched off by its #, which says nothing about the next one. */
static bool is_switched_off(const char *comment)
{
	const char *at = skip_blanks(skip_blanks(comment) + 1);
	char word[16];
	const char *why;
	long type;
	size_t n;

	at = skip_blanks(at + strcspn(at, " \t"));
	n = strcspn(at, " \t");
	if (n == 0 || n >= sizeof(word))
		return false;
	memcpy(word, at, n);
	word[n] = '\0';
	return value_socket_type(word, &type, &why) == 0;
}

/* Where the comment begins that belongs to the line @i: lines right above it with some text in each. */
static size_t comment_of(const struct converter *c, size_t i)
{
	size_t first = i;

	while (first > c->done) {
		const char *line = skip_blanks(c->lines.v[first - 1]);

		if (*line != '#' || !line[strspn(line, "# \t")] || is_switched_off(line))
			break;
		first--;
	}
	return first;
}

/* --- what a line needs ----------------------------------------------------- */

static struct attribute *find(struct stanza *stanza, const char *name)
{
	for (size_t i = 0; i < stanza->n; i++)
		if (str_equal(stanza->attributes[i].name, name))
			return &stanza->attributes[i];
	return NULL;
}

/* The attribute's first word, or "". */
static const char *first_word(struct stanza *stanza, const char *name)
{
	const struct attribute *a = find(stanza, name);

	return a && a->words->n ? a->words->v[0] : "";
}

/* Gives the attribute other words. Returns 0 or -ENOMEM. */
static int set_words(struct attribute *a, char *const *v, size_t n)
{
	const struct words *words = intern_words(NULL, (const char *const *)v, n);

	if (!words)
		return -ENOMEM;
	intern_unref(a->words);
	a->words = words;
	return 0;
}

/* Leaves out all words that equal @word. Returns how many there were, or -ENOMEM. */
static int drop_word(struct attribute *a, const char *word)
{
	CLEANUP_FREE char **kept = calloc(a->words->n + 1, sizeof(*kept));
	size_t n = 0, all = a->words->n;

	if (!kept)
		return -ENOMEM;
	for (size_t i = 0; i < all; i++)
		if (strcmp(a->words->v[i], word) != 0)
			kept[n++] = a->words->v[i];
	return set_words(a, kept, n) < 0 ? -ENOMEM : (int)(all - n);
}

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/*
 * "tcpd in.telnetd -h" runs /usr/sbin/in.telnetd behind the checks that usherd
 * makes itself. Returns 1 when that was so and the stanza names the program now, 0, or -ENOMEM.
 */
static int unwrap_tcpd(struct stanza *stanza)
{
	struct attribute *server = find(stanza, "server"), *args = find(stanza, "server_args"),
			 *flags = find(stanza, "flags");
	CLEANUP_FREE char *path = NULL;
	int named;

	if (!server || !args || !flags || strcmp(last_part(server->words->v[0]), "tcpd") != 0)
		return 0;
	named = drop_word(flags, "NAMEINARGS");
	if (named <= 0)
		return named;
	/* A name alone is looked for where tcpd looks (tcpd(8)). */
	if (args->words->v[0][0] == '/')
		path = strdup(args->words->v[0]);
	else if (asprintf(&path, "/usr/sbin/%s", args->words->v[0]) < 0)
		path = NULL;
	if (!path || set_words(server, &path, 1) < 0 ||
	    set_words(args, args->words->v + 1, args->words->n - 1) < 0)
		return -ENOMEM;
	return 1;
}

/* Whether usherd takes the same value when the attribute is left out. */
static bool is_needless(struct stanza *stanza, const struct attribute *a)
{
	const char *type = first_word(stanza, "socket_type");
	const char *word = a->words->n ? a->words->v[0] : "";

	if (a->words->n == 0)
		return true;
	if (strcmp(a->name, "protocol") == 0)
		return (strcasecmp(type, "stream") == 0 && strcasecmp(word, "tcp") == 0) ||
		       (strcasecmp(type, "dgram") == 0 && strcasecmp(word, "udp") == 0);
	if (strcmp(a->name, "id") == 0)
		return strcmp(word, stanza->name) == 0;
	return false;
}

/* --- writing --------------------------------------------------------------- */

static void write_attribute(FILE *out, const struct attribute *a)
{
	(void)fprintf(out, "\t%-15s =", a->name);
	for (size_t i = 0; i < a->words->n; i++)
		(void)fprintf(out, " %s", a->words->v[i]);
	(void)fputc('\n', out);
}

/* The attributes in the order of a stanza that somebody wrote: what it is, where it listens, what it runs. */
static void write_attributes(FILE *out, struct stanza *stanza)
{
	static const char *const order[] = {
		"id",          "type",       "flags",  "socket_type", "protocol",
		"rpc_version", "rpc_number", "port",   "bind",        "wait",
		"user",        "group",      "groups", "server",      "server_args",
	};

	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		const struct attribute *a = find(stanza, order[i]);

		if (a && !is_needless(stanza, a))
			write_attribute(out, a);
	}
	for (size_t i = 0; i < stanza->n; i++) {
		const struct attribute *a = &stanza->attributes[i];
		bool written = false;

		for (size_t k = 0; k < ARRAY_SIZE(order); k++)
			written |= strcmp(a->name, order[k]) == 0;
		if (!written && !is_needless(stanza, a))
			write_attribute(out, a);
	}
}

/* A name for a file of an includedir: no dots, nothing that a shell would mind. */
static void name_file(const struct converter *c, struct stanza *stanza, char *out, size_t size)
{
	const char *id = *first_word(stanza, "id") ? first_word(stanza, "id") : stanza->name;
	char base[128];
	size_t n = 0;

	for (; *id && n + 1 < sizeof(base); id++) {
		bool plain = (*id >= 'a' && *id <= 'z') || (*id >= 'A' && *id <= 'Z') ||
			     (*id >= '0' && *id <= '9') || *id == '-' || *id == '_';

		if (plain || n)
			base[n++] = plain ? *id : '_';
	}
	base[n] = '\0';
	(void)snprintf(out, size, "%s", n ? base : "service");
	for (unsigned i = 2; pieces_have(c->pieces, out); i++)
		(void)snprintf(out, size, "%s-%u", n ? base : "service", i);
}

/* Entries that could not be read, up to the line @end: they stay visible where they were. */
static int remark_bad_lines(struct converter *c, size_t end)
{
	for (; c->done < end; c->done++) {
		char line[1024];
		char *text;

		if (!is_entry(c->lines.v[c->done]))
			continue;
		(void)escape_text(line, sizeof(line), c->lines.v[c->done]);
		if (asprintf(&text, "# not converted, %s:%zu: %s\n", c->shown, c->done + 1, line) <
		    0)
			return -ENOMEM;
		if (pieces_add(c->pieces, NULL, text) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int write_stanza(struct converter *c, struct stanza *stanza)
{
	size_t at = stanza->line - 1, comment, size = 0;
	char name[160];
	char *text = NULL;
	FILE *out;
	int tcpd;

	/* Backwards over the comment first, so that what was before it is told before it. */
	comment = comment_of(c, at);
	if (remark_bad_lines(c, at) < 0)
		return -ENOMEM;
	tcpd = unwrap_tcpd(stanza);
	out = tcpd < 0 ? NULL : open_memstream(&text, &size);
	if (!out)
		return -ENOMEM;
	for (; comment < at; comment++)
		(void)fprintf(out, "%s\n", skip_blanks(c->lines.v[comment]));
	(void)fprintf(out, "# from %s:%u\n", c->shown, stanza->line);
	if (tcpd)
		(void)fputs("# note: tcpd is left out: usherd asks hosts.allow and hosts.deny "
			    "itself, in this program's name\n",
			    out);
	(void)fprintf(out, "service %s\n{\n", stanza->name);
	write_attributes(out, stanza);
	(void)fputs("}\n", out);
	c->done = at + 1;
	if (fclose(out) == EOF) {
		free(text);
		return -ENOMEM;
	}
	if (tcpd)
		diag_add(
			c->diag, SEVERITY_NOTICE, c->file, stanza->line, stanza->name,
			"tcpd is left out: usherd asks hosts.allow and hosts.deny itself (libwrap)");
	name_file(c, stanza, name, sizeof(name));
	return pieces_add(c->pieces, name, text);
}

static int take_stanza(void *arg, struct stanza *stanza)
{
	int r = write_stanza(arg, stanza);

	stanza_free(stanza);
	return r;
}

int inetd_stanzas(const char *text, size_t length, const char *file, struct pieces *pieces,
		  struct diag *diag)
{
	static const struct reader_ops ops = { .stanza = take_stanza };
	struct converter c = { .file = file, .diag = diag, .pieces = pieces };
	struct diag parsed = { 0 };
	struct lookup *lookup = lookup_new();
	int r = lookup ? split_lines(&c.lines, text, length) : -ENOMEM;

	(void)escape_text(c.shown, sizeof(c.shown), file);
	if (r == 0)
		r = inetd_parse(text, length, file, lookup, NULL, &ops, &c, &parsed);
	if (r == 0)
		r = remark_bad_lines(&c, c.lines.n);
	lookup_free(lookup);
	diag_done(&parsed);
	strv_done(&c.lines);
	return r;
}
