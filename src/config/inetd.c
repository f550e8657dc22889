/* SPDX-License-Identifier: ISC */
/* inetd.conf lines to stanzas. */
#include "config.h"

#include "config/inetd.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <strings.h>

/* inetd(8) of the BSDs: a service that loops rests for ten minutes; its rate is counted over a minute. */
#define INETD_REST_SEC   600
#define INETD_WINDOW_SEC 60

enum {
	FIELD_NAME,
	FIELD_SOCKTYPE,
	FIELD_PROTOCOL,
	FIELD_WAIT,
	FIELD_USER,
	FIELD_SERVER,
	FIELD_ARGS
};

struct line {
	const char *file;
	unsigned number;
	struct strv words;
	struct stanza *stanza;
	struct lookup *lookup;
	struct intern_pool *pool;
	struct diag *diag;
	bool bad;
	int status; /* -ENOMEM once memory ran out */
};

static void report(struct line *line, enum severity severity, const char *format, ...)
	PRINTF_LIKE(3, 4);

static void report(struct line *line, enum severity severity, const char *format, ...)
{
	va_list ap;

	line->bad |= severity == SEVERITY_ERROR;
	va_start(ap, format);
	diag_addv(line->diag, severity, line->file, line->number,
		  line->words.n ? line->words.v[FIELD_NAME] : NULL, format, ap);
	va_end(ap);
}

/* Adds "name = words". */
static void put_words(struct line *line, const char *name, const struct strv *words)
{
	if (line->status == 0)
		line->status = stanza_add(line->stanza, line->pool, name, OP_SET,
					  (const char *const *)words->v, words->n, line->number);
}

/* Adds "name = text", where text is one word or several, separated by one space. */
static void put(struct line *line, const char *name, const char *text)
{
	struct strv words = { 0 };

	while (*text && line->status == 0) {
		size_t length = strcspn(text, " ");

		line->status = strv_addf(&words, "%.*s", (int)length, text);
		text += length + (text[length] == ' ');
	}
	put_words(line, name, &words);
	strv_done(&words);
}

static void put_number(struct line *line, const char *name, long long value)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%lld", value);
	put(line, name, text);
}

static bool is_number(const char *text)
{
	return *text && strspn(text, "0123456789") == strlen(text);
}

static bool is_internal(const struct line *line)
{
	return strcasecmp(line->words.v[FIELD_SERVER], "internal") == 0;
}

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* Whether the line calls the program by another name than its own. */
static bool has_own_name(const struct line *line)
{
	return !is_internal(line) && line->words.n > FIELD_ARGS &&
	       strcmp(line->words.v[FIELD_ARGS], last_part(line->words.v[FIELD_SERVER])) != 0;
}

/* The flags that the line needs, with those for @families; none for most lines. */
static void put_flags(struct line *line, const char *families)
{
	char text[64];

	(void)snprintf(text, sizeof(text), "%s%s%s", has_own_name(line) ? "NAMEINARGS" : "",
		       has_own_name(line) && *families ? " " : "", families);
	if (*text)
		put(line, "flags", text);
}

static bool is_rpc(const char *protocol)
{
	return strncasecmp(protocol, "rpc/", 4) == 0;
}

/*
 * tcp, udp and their family-bound forms; "unix"; "rpc/tcp". Options behind a
 * comma (NetBSD's buffer sizes) are not known here.
 */
static void put_protocol(struct line *line, const char *word, const char *type_bits)
{
	bool rpc = is_rpc(word);
	const char *name = rpc ? word + 4 : word;
	size_t length = strcspn(name, ",");
	char protocol[16], type[64];
	const char *family;

	if (name[length])
		report(line, SEVERITY_WARNING, "options behind the protocol are ignored: %s",
		       name + length);
	if (strcasecmp(name, "unix") == 0 || strcasecmp(name, "local") == 0)
		return;
	family = name + (length > 3 ? 3 : length);
	(void)snprintf(protocol, sizeof(protocol), "%.*s", (int)(family - name), name);
	if ((strcasecmp(protocol, "tcp") == 0 || strcasecmp(protocol, "udp") == 0) && length > 3) {
		if (strncmp(family, "46", length - 3) == 0 && length == 5)
			put_flags(line, "IPv4 IPv6");
		else if (*family == '6' && length == 4)
			put_flags(line, "IPv6"), put(line, "v6only", "yes");
		else if (*family == '4' && length == 4)
			put_flags(line, "IPv4");
		else
			report(line, SEVERITY_ERROR, "protocol \"%s\" is not known", word);
	} else if (length > 3) {
		(void)snprintf(protocol, sizeof(protocol), "%.*s", (int)length, name);
	}
	put(line, "protocol", protocol);
	(void)snprintf(type, sizeof(type), "%s%s%s", rpc ? "RPC" : "", rpc && *type_bits ? " " : "",
		       type_bits);
	if (*type)
		put(line, "type", type);
}

/* "nowait", "wait", with a rate behind a dot or colon, or limits behind slashes. */
static void put_wait(struct line *line, const char *word)
{
	size_t length = strcspn(word, ".:/");
	const char *at = word + length;
	bool wait = length == 4 && strncasecmp(word, "wait", 4) == 0;
	char text[64];
	long long rate, limits[3] = { 0, 0, 0 };

	if (!wait && (length != 6 || strncasecmp(word, "nowait", 6) != 0)) {
		report(line, SEVERITY_ERROR, "\"%s\": write wait or nowait", word);
		return;
	}
	put(line, "wait", wait ? "yes" : "no");
	if (*at == '.' || *at == ':') {
		if (parse_number(at + 1, 10, 1, 1000000, &rate) < 0) {
			report(line, SEVERITY_ERROR,
			       "\"%s\": behind the %c stands the number of servers a minute", word,
			       *at);
			return;
		}
		(void)snprintf(text, sizeof(text), "%lld %d %d", rate, INETD_REST_SEC,
			       INETD_WINDOW_SEC);
		put(line, "cps", text);
		return;
	}
	for (size_t i = 0; *at == '/' && i < ARRAY_SIZE(limits); i++) {
		at++;
		length = strcspn(at, "/");
		(void)snprintf(text, sizeof(text), "%.*s", (int)(length > 20 ? 20 : length), at);
		if (parse_number(text, 10, 0, 1000000, &limits[i]) < 0) {
			report(line, SEVERITY_ERROR, "\"%s\": behind a / stands a number", word);
			return;
		}
		at += length;
	}
	if (limits[0])
		put_number(line, "instances", limits[0]);
	if (limits[1])
		report(line, SEVERITY_ERROR,
		       "a rate for each source (%lld a minute) is not known here: write 0 for it, and limit the "
		       "servers of a source behind the third /",
		       limits[1]);
	if (limits[2])
		put_number(line, "per_source", limits[2]);
}

/* "user", "user:group", "user.group" (where no user has such a name), with a login class behind a slash. */
static void put_user(struct line *line, const char *word)
{
	size_t length = strcspn(word, "/");
	char user[256];
	char *separator;
	uid_t uid;
	gid_t gid;

	if (word[length])
		report(line, SEVERITY_WARNING, "the login class %s is ignored", word + length);
	(void)snprintf(user, sizeof(user), "%.*s", (int)(length > 255 ? 255 : length), word);
	separator = strchr(user, ':');
	if (!separator && lookup_user(line->lookup, user, &uid, &gid) == -ENOENT)
		separator = strchr(user, '.');
	if (separator) {
		*separator = '\0';
		put(line, "group", separator + 1);
	}
	put(line, "user", user);
}

/* A bare program name is looked up as execvp(3) would in a clean environment. */
static char *find_program(const char *name)
{
	static const char *const places[] = { "/usr/local/sbin", "/usr/local/bin", "/usr/sbin",
					      "/usr/bin",        "/sbin",          "/bin" };
	char *path;

	for (size_t i = 0; i < ARRAY_SIZE(places) && !strchr(name, '/'); i++) {
		if (asprintf(&path, "%s/%s", places[i], name) < 0)
			return NULL;
		if (access(path, X_OK) == 0)
			return path;
		free(path);
	}
	return strdup(name);
}

static void put_server(struct line *line)
{
	CLEANUP_FREE char *path = find_program(line->words.v[FIELD_SERVER]);
	struct strv args = { .v = line->words.v + FIELD_ARGS, .n = line->words.n - FIELD_ARGS };

	if (!path) {
		line->status = -ENOMEM;
		return;
	}
	put(line, "server", path);
	if (args.n && !has_own_name(line)) {
		args.v++;
		args.n--;
	}
	if (args.n)
		put_words(line, "server_args", &args);
}

/* Splits "address:port" ("*" for all; brackets around IPv6); sets what applies and returns the bare name. */
static const char *put_address(struct line *line, char *name)
{
	char *colon = strrchr(name, ':');
	size_t length;

	if (!colon)
		return name;
	*colon = '\0';
	length = strlen(name);
	if (name[0] == '[' && name[length - 1] == ']') {
		name[length - 1] = '\0';
		name++;
	}
	if (*name && strcmp(name, "*") != 0)
		put(line, "bind", name);
	return colon + 1;
}

/* "program/versions"; the stanza has the program's name or number already. */
static void put_program(struct line *line, const char *name)
{
	const char *versions = strchr(name, '/');
	const char *program = line->stanza->name;

	if (!versions || !versions[1]) {
		report(line, SEVERITY_ERROR,
		       "the versions of RPC program \"%s\" are missing: write %s/N or %s/N-M",
		       program, program, program);
		return;
	}
	if (is_number(program))
		put(line, "rpc_number", program);
	put_protocol(line, line->words.v[FIELD_PROTOCOL], is_number(program) ? "UNLISTED" : "");
	put(line, "rpc_version", versions + 1);
}

/*
 * Where the name is one that tcpmux leads to, as in the inetds of the BSDs
 * ("tcpmux/name", or "tcpmux/+name" where inetd is to say "+Go"): that name, and
 * its type. Else NULL.
 */
static const char *mux_name(const struct line *line, const char *name, const char **ret_type)
{
	static const char prefix[] = "tcpmux/";
	bool internal = is_internal(line), plus;

	if (strncasecmp(name, prefix, strlen(prefix)) != 0 ||
	    strncasecmp(line->words.v[FIELD_PROTOCOL], "tcp", 3) != 0)
		return NULL;
	name += strlen(prefix);
	plus = *name == '+';
	*ret_type = plus && internal ? "INTERNAL TCPMUXPLUS UNLISTED"
		    : plus           ? "TCPMUXPLUS UNLISTED"
		    : internal       ? "INTERNAL TCPMUX UNLISTED"
				     : "TCPMUX UNLISTED";
	return name + plus;
}

static void put_name(struct line *line, const char *name, bool internal, bool is_unix)
{
	const char *type = internal ? "INTERNAL" : "";
	const char *socktype = line->words.v[FIELD_SOCKTYPE];
	const char *behind = mux_name(line, name, &type);
	char id[256];

	if (is_rpc(line->words.v[FIELD_PROTOCOL])) {
		put_program(line, name);
		return;
	}
	if (behind) {
		if (!*behind)
			report(line, SEVERITY_ERROR,
			       "a name stands behind tcpmux/, or behind tcpmux/+");
		put_protocol(line, line->words.v[FIELD_PROTOCOL], type);
		return;
	}
	if (is_unix) {
		put(line, "bind", name);
		put(line, "id", name);
	} else if (is_number(name)) {
		put(line, "port", name);
		type = internal ? "INTERNAL UNLISTED" : "UNLISTED";
	} else if (internal) {
		(void)snprintf(id, sizeof(id), "%.200s-%.20s", name, socktype);
		put(line, "id", id);
	}
	put_protocol(line, line->words.v[FIELD_PROTOCOL], type);
}

/* Whether @line names a family-bound protocol or one of its own kind; then flags are written there. */
static bool has_family(const char *protocol)
{
	return strpbrk(protocol, "46") != NULL;
}

static int convert(struct line *line, const struct reader_ops *ops, void *arg)
{
	const char *fields[] = { "name",           "socket type", "protocol",
				 "wait or nowait", "user",        "program" };
	bool internal, is_unix;
	const char *name, *type, *behind;
	CLEANUP_FREE char *bare = NULL;

	if (line->words.n <= FIELD_SERVER) {
		report(line, SEVERITY_ERROR,
		       "the %s is missing: write \"NAME TYPE PROTOCOL WAIT USER PROGRAM ARGUMENTS\"",
		       fields[line->words.n]);
		return 0;
	}
	internal = is_internal(line);
	is_unix = strcasecmp(line->words.v[FIELD_PROTOCOL], "unix") == 0 ||
		  strcasecmp(line->words.v[FIELD_PROTOCOL], "local") == 0;
	line->stanza = stanza_new(line->pool, STANZA_SERVICE, line->words.v[FIELD_NAME], line->file,
				  line->number);
	if (!line->stanza)
		return -ENOMEM;
	name = is_unix ? line->words.v[FIELD_NAME] : put_address(line, line->words.v[FIELD_NAME]);
	behind = mux_name(line, name, &type);
	bare = behind ? strdup(behind) : strndup(name, is_unix ? strlen(name) : strcspn(name, "/"));
	if (!bare || stanza_rename(line->stanza, bare) < 0)
		return -ENOMEM;
	if (!has_family(line->words.v[FIELD_PROTOCOL]) || is_unix)
		put_flags(line, "");
	put(line, "socket_type", line->words.v[FIELD_SOCKTYPE]);
	put_name(line, name, internal, is_unix);
	put_wait(line, line->words.v[FIELD_WAIT]);
	put_user(line, line->words.v[FIELD_USER]);
	put(line, "groups", "yes");
	if (!internal)
		put_server(line);
	if (line->status < 0 || line->bad)
		return line->status;
	return ops->stanza(arg, TAKE_PTR(line->stanza));
}

static int split(struct strv *words, const char *text, size_t length)
{
	for (size_t at = 0; at < length;) {
		size_t stop = at;

		while (stop < length && text[stop] != ' ' && text[stop] != '\t')
			stop++;
		if (stop > at && strv_addf(words, "%.*s", (int)(stop - at), text + at) < 0)
			return -ENOMEM;
		at = stop + 1;
	}
	return 0;
}

/* One line, split into words; fewer where it is blank or a comment. */
static int read_line(const char **text, const char *end, struct strv *words, bool *ret_nul)
{
	const char *stop = memchr(*text, '\n', (size_t)(end - *text));
	size_t n = (size_t)((stop ? stop : end) - *text);
	int r;

	if (n && (*text)[n - 1] == '\r')
		n--;
	*ret_nul = memchr(*text, '\0', n) != NULL;
	r = *ret_nul ? 0 : split(words, *text, n);
	if (words->n && words->v[0][0] == '#')
		strv_done(words);
	*text = stop ? stop + 1 : end;
	return r;
}

/* The length of a protocol's name with neither family nor options, or 0 where it is not one of these. */
static size_t plain_length(const char *protocol)
{
	size_t prefix = is_rpc(protocol) ? 4 : 0;

	return strncasecmp(protocol + prefix, "tcp", 3) == 0 ||
			       strncasecmp(protocol + prefix, "udp", 3) == 0
		       ? prefix + 3
		       : 0;
}

/*
 * The names, with their protocol, that have a line for IPv6 alone: their other
 * line is for IPv4 then, as it is in every inetd that knows these words.
 */
static int find_twins(const char *text, const char *end, struct strv *ret)
{
	int r = 0;

	while (text < end && r == 0) {
		struct strv words = { 0 };
		bool nul;

		r = read_line(&text, end, &words, &nul);
		if (r == 0 && words.n > FIELD_PROTOCOL) {
			const char *protocol = words.v[FIELD_PROTOCOL];
			size_t length = plain_length(protocol);

			if (length && strcmp(protocol + length, "6") == 0)
				r = strv_addf(ret, "%s/%.*s", words.v[FIELD_NAME], (int)length,
					      protocol);
		}
		strv_done(&words);
	}
	return r;
}

/* "tcp" becomes "tcp4" where the same name has a line with "tcp6". */
static int bind_twin(struct strv *words, const struct strv *twins)
{
	CLEANUP_FREE char *key = NULL;
	char *bound;

	if (words->n <= FIELD_PROTOCOL || !plain_length(words->v[FIELD_PROTOCOL]) ||
	    words->v[FIELD_PROTOCOL][plain_length(words->v[FIELD_PROTOCOL])])
		return 0;
	if (asprintf(&key, "%s/%s", words->v[FIELD_NAME], words->v[FIELD_PROTOCOL]) < 0) {
		key = NULL;
		return -ENOMEM;
	}
	if (!strv_has_nocase(twins, key))
		return 0;
	if (asprintf(&bound, "%s4", words->v[FIELD_PROTOCOL]) < 0)
		return -ENOMEM;
	free(words->v[FIELD_PROTOCOL]);
	words->v[FIELD_PROTOCOL] = bound;
	return 0;
}

int inetd_parse(const char *text, size_t length, const char *file, struct lookup *lookup,
		struct intern_pool *pool, const struct reader_ops *ops, void *arg,
		struct diag *diag)
{
	const char *end = text + length;
	struct strv twins = { 0 };
	unsigned number = 0;
	int r = find_twins(text, end, &twins);

	while (text < end && r == 0) {
		struct line line = {
			.file = file,
			.number = ++number,
			.lookup = lookup,
			.pool = pool,
			.diag = diag,
		};
		bool nul;

		r = read_line(&text, end, &line.words, &nul);
		if (r == 0)
			r = bind_twin(&line.words, &twins);
		if (r == 0 && nul)
			report(&line, SEVERITY_ERROR, "the line holds a NUL byte");
		else if (r == 0 && line.words.n)
			r = convert(&line, ops, arg);
		stanza_free(line.stanza);
		strv_done(&line.words);
	}
	strv_done(&twins);
	return r;
}
