/* SPDX-License-Identifier: ISC */
/* A whole configuration: files in, services out. */
#include "config.h"

#include "config/conf.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "config/build.h"
#include "config/inetd.h"
#include "config/mux_names.h"
#include "config/reader.h"
#include "config/rpc.h"
#include "config/schema.h"
#include "config/support.h"
#include "config/taken.h"

/* Bounds that no real configuration meets: they end accidents such as reading a disk image. */
#define CONF_MAX_FILE_BYTES (32u << 20)
#define CONF_MAX_DEPTH      16
#define CONF_MAX_FILES      100000u

/* A file being read, and the one that includes it. */
struct open_file {
	const char *path;
	const struct words *via; /* the files that include it, innermost first */
	const struct open_file *parent;
	unsigned depth;
	dev_t dev;
	ino_t ino;
	bool has_defaults;
};

struct loader {
	const struct conf_source *source;
	struct diag *diag;
	struct conf *conf;
	struct build build;
	struct stanza **stanzas;
	size_t n;
	size_t n_xinetd; /* those of them that did not come from inetd.conf */
	unsigned files;
	struct open_file *file; /* the one being read */
	struct taken_places taken;
	bool bad_defaults; /* what defaults say cannot be told */
	bool wrapped;      /* the machine has rules of tcp_wrappers */
};

static int load_file(struct loader *l, const char *path, const struct open_file *parent,
		     unsigned line);

/* --- reading ---------------------------------------------------------------- */

static int take_stanza(void *arg, struct stanza *stanza)
{
	struct loader *l = arg;

	if (stanza->kind == STANZA_DEFAULTS && l->file) {
		if (l->file->has_defaults) {
			diag_add(
				l->diag, SEVERITY_ERROR, stanza->file, stanza->line, NULL,
				"only one defaults section a file is allowed; xinetd ignores this one, with "
				"all that it restricts: put both into one");
			l->bad_defaults = true;
			stanza_free(stanza);
			return 0;
		}
		l->file->has_defaults = true;
	}
	if (l->file)
		stanza->via = intern_ref(l->file->via);
	if (array_grow(&l->stanzas, l->n, sizeof(struct stanza *)) < 0) {
		stanza_free(stanza);
		return -ENOMEM;
	}
	l->stanzas[l->n++] = stanza;
	return 0;
}

/* Includes are relative to where the program was started, also at a reload (D55). */
static char *absolute_path(const struct loader *l, const char *path)
{
	char *absolute;

	if (path[0] == '/')
		return strdup(path);
	return asprintf(&absolute, "%s/%s", l->source->directory, path) < 0 ? NULL : absolute;
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int take_entry(const struct dirent *entry)
{
	return seen_takes_name(entry->d_name);
}

static int load_directory(struct loader *l, const char *path, unsigned line)
{
	const struct open_file *parent = l->file;
	struct dirent **entries;
	int n = scandir(path, &entries, take_entry, by_bytes), r = 0;

	if (n < 0) {
		diag_add(l->diag, SEVERITY_ERROR, parent->path, line, NULL,
			 "directory %s cannot be read: %s", path, strerror(errno));
		return strv_addf(&l->conf->seen.unread, "%s/", path);
	}
	r = strv_addf(&l->conf->seen.whole, "%s/", path);
	for (int i = 0; i < n; i++) {
		CLEANUP_FREE char *file = NULL;
		struct stat st;

		if (r < 0) {
			free(entries[i]);
			continue;
		}
		if (asprintf(&file, "%s/%s", path, entries[i]->d_name) < 0) {
			file = NULL;
			r = -ENOMEM;
		} else if (stat(file, &st) == 0 && !S_ISREG(st.st_mode)) {
			diag_add(l->diag, SEVERITY_WARNING, parent->path, line, NULL,
				 "%s is not a regular file and is skipped", file);
		} else {
			r = load_file(l, file, parent, line);
		}
		free(entries[i]);
	}
	free(entries);
	return r;
}

static int take_include(void *arg, const char *path, bool directory, unsigned line)
{
	struct loader *l = arg;
	CLEANUP_FREE char *absolute = absolute_path(l, path);
	size_t length;

	if (!absolute)
		return -ENOMEM;
	length = strlen(absolute);
	while (directory && length > 1 && absolute[length - 1] == '/')
		absolute[--length] = '\0';
	return directory ? load_directory(l, absolute, line)
			 : load_file(l, absolute, l->file, line);
}

/* Reads a regular file whole. Returns 0 with *@ret and *@length, or -errno with *@why set. */
static int read_whole(const char *path, char **ret, size_t *length, struct stat *st,
		      const char **why)
{
	CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	CLEANUP_FREE char *text = NULL;
	size_t room, n = 0;

	if (fd < 0 || fstat(fd, st) < 0) {
		*why = strerror(errno);
		return -errno;
	}
	if (!S_ISREG(st->st_mode)) {
		*why = S_ISDIR(st->st_mode)
			       ? "it is a directory; for a directory of files write \"includedir\""
			       : "it is not a regular file";
		return S_ISDIR(st->st_mode) ? -EISDIR : -ENODEV;
	}
	if (st->st_size > (off_t)CONF_MAX_FILE_BYTES) {
		*why = "it is larger than 32 MiB, which no configuration is";
		return -EFBIG;
	}
	room = (size_t)st->st_size + 1;
	text = malloc(room);
	while (text && n < room) {
		ssize_t got = read(fd, text + n, room - n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			*why = strerror(errno);
			return -errno;
		}
		if (got == 0)
			break;
		n += (size_t)got;
	}
	if (!text) {
		*why = "memory ran out";
		return -ENOMEM;
	}
	*ret = TAKE_PTR(text);
	*length = n;
	return 0;
}

int conf_read_file(const char *path, char **ret, size_t *ret_length, const char **why)
{
	struct stat st;

	return read_whole(path, ret, ret_length, &st, why);
}

static bool is_being_read(const struct open_file *file, const struct stat *st)
{
	for (; file; file = file->parent)
		if (file->dev == st->st_dev && file->ino == st->st_ino)
			return true;
	return false;
}

/* A file that cannot be used: whoever includes it is told; for the main file the error is returned. */
static int refuse_file(struct loader *l, const char *path, const struct open_file *parent,
		       unsigned line, int error, const char *why)
{
	diag_add(l->diag, SEVERITY_ERROR, parent ? parent->path : path, parent ? line : 0, NULL,
		 parent ? "file %s cannot be included: %s" : "%s cannot be read: %s", path, why);
	if (!parent)
		return error;
	return strv_add(&l->conf->seen.unread, path);
}

/* The paths of @parent and of those that include it, as a new reference; NULL when memory ran out. */
static const struct words *words_of_parents(struct loader *l, const struct open_file *parent)
{
	const char *paths[CONF_MAX_DEPTH + 1];
	size_t n = 0;

	for (; parent; parent = parent->parent)
		paths[n++] = parent->path;
	return intern_words(l->build.pool, paths, n);
}

static int load_file(struct loader *l, const char *path, const struct open_file *parent,
		     unsigned line)
{
	static const struct reader_ops ops = { .stanza = take_stanza, .include = take_include };
	struct open_file file = { .path = path,
				  .parent = parent,
				  .depth = parent ? parent->depth + 1 : 0 };
	CLEANUP_FREE char *text = NULL;
	struct open_file *outer = l->file;
	const char *why;
	struct stat st;
	size_t length;
	int r;

	if (file.depth > CONF_MAX_DEPTH || l->files++ > CONF_MAX_FILES)
		return refuse_file(l, path, parent, line, -ELOOP,
				   "files include each other too deeply");
	r = read_whole(path, &text, &length, &st, &why);
	if (r < 0)
		return refuse_file(l, path, parent, line, r, why);
	if (is_being_read(parent, &st))
		return refuse_file(l, path, parent, line, -ELOOP,
				   "it is already being read: the includes form a loop");
	file.dev = st.st_dev;
	file.ino = st.st_ino;
	file.via = words_of_parents(l, parent);
	if (!file.via)
		return -ENOMEM;
	l->file = &file;
	r = reader_parse(text, length, path, l->build.pool, &ops, l, l->diag);
	l->file = outer;
	intern_unref(file.via);
	/* Junk may be what is left of a section: what runs from this file must not end for it. */
	return r < 0 ? r : strv_add(r ? &l->conf->seen.unread : &l->conf->seen.whole, path);
}

static int load_inetd(struct loader *l)
{
	static const struct reader_ops ops = { .stanza = take_stanza };
	const char *path = l->source->inetd_file, *why;
	size_t errors = l->diag->errors;
	CLEANUP_FREE char *text = NULL;
	struct stat st;
	size_t length;
	int r;

	if (!path)
		return 0;
	r = read_whole(path, &text, &length, &st, &why);
	if (r == -ENOENT)
		return 0;
	if (r < 0) {
		diag_add(l->diag, SEVERITY_ERROR, path, 0, NULL, "%s cannot be read: %s", path,
			 why);
		return strv_add(&l->conf->seen.unread, path);
	}
	r = inetd_parse(text, length, path, l->build.lookup, l->build.pool, &ops, l, l->diag);
	/* A bad line has no stanza that could be listed as broken: what runs from this file stays. */
	return r == 0 && l->diag->errors > errors ? strv_add(&l->conf->seen.unread, path) : r;
}

/* --- meaning ---------------------------------------------------------------- */

/* The id that a stanza has, or would have were it not broken. */
static const char *stanza_id(const struct stanza *stanza)
{
	for (size_t i = 0; i < stanza->n; i++) {
		const struct attribute *a = &stanza->attributes[i];

		if (a->name && (a->name[0] | 0x20) == 'i' && strcasecmp(a->name, "id") == 0 &&
		    a->words->n >= 1)
			return a->words->v[0];
	}
	return stanza->name;
}

/* Feeds the stanza's lines to the schema. Returns 1, 0 when the stanza is disabled, or -ENOMEM. */
static int feed(struct loader *l, const struct stanza *stanza)
{
	for (size_t i = 0; i < stanza->n; i++) {
		switch (schema_set(l->build.schema, &stanza->attributes[i])) {
		case SCHEMA_TAKEN:
			break;
		case SCHEMA_DISABLE:
			return 0;
		case SCHEMA_NOMEM:
			return -ENOMEM;
		}
	}
	return 1;
}

/* All defaults, wherever they stand. Returns 0, -EINVAL or -ENOMEM. */
static int read_defaults(struct loader *l)
{
	const struct stanza *first_service = NULL;
	bool failed = l->bad_defaults;

	for (size_t i = 0; i < l->n; i++) {
		const struct stanza *stanza = l->stanzas[i];

		if (stanza->kind == STANZA_SERVICE) {
			first_service = first_service ? first_service : stanza;
			continue;
		}
		schema_begin(l->build.schema, stanza, NULL);
		if (feed(l, stanza) < 0)
			return -ENOMEM;
		failed |= schema_failed(l->build.schema) || stanza->malformed;
		if (first_service && (schema_own(l->build.schema, ATTR_ONLY_FROM) ||
				      schema_own(l->build.schema, ATTR_NO_ACCESS) ||
				      schema_own(l->build.schema, ATTR_BANNER) ||
				      schema_own(l->build.schema, ATTR_BANNER_FAIL) ||
				      schema_own(l->build.schema, ATTR_BANNER_SUCCESS)))
			diag_add(
				l->diag, SEVERITY_NOTICE, stanza->file, stanza->line, NULL,
				"these access lists and banners apply to all services; xinetd does not apply them to "
				"services that stand before, such as %s at %s:%u",
				first_service->name, first_service->file, first_service->line);
	}
	return failed ? -EINVAL : 0;
}

static int add_broken(struct conf *conf, const struct stanza *stanza, const char *id)
{
	struct conf_broken broken = {
		.id = strdup(id),
		.name = strdup(stanza->name),
		.file = strdup(stanza->file),
		.line = stanza->line,
	};

	if (!broken.id || !broken.name || !broken.file ||
	    array_grow(&conf->broken, conf->n_broken, sizeof(*conf->broken)) < 0) {
		free(broken.id);
		free(broken.name);
		free(broken.file);
		return -ENOMEM;
	}
	conf->broken[conf->n_broken++] = broken;
	return 0;
}

static int add_service(struct conf *conf, struct service *service)
{
	if (array_grow(&conf->services, conf->n, sizeof(*conf->services)) < 0) {
		service_unref(service);
		return -ENOMEM;
	}
	conf->services[conf->n++] = service;
	return 0;
}

static bool words_have_nocase(const struct words *words, const char *text)
{
	for (size_t i = 0; i < words->n; i++)
		if (strcasecmp(words->v[i], text) == 0)
			return true;
	return false;
}

static bool is_switched_off(const struct loader *l, const char *id)
{
	const struct words *enabled = schema_defaults(l->build.schema, ATTR_ENABLED);
	const struct words *disabled = schema_defaults(l->build.schema, ATTR_DISABLED);

	return (enabled && !words_have_nocase(enabled, id)) ||
	       (disabled && words_have_nocase(disabled, id));
}

/* Whether an entry of xinetd's files has the same id and kind as this one of inetd.conf, and so hides it. */
static bool is_hidden(const struct loader *l, const struct service *service)
{
	for (size_t i = 0; i < l->conf->n; i++) {
		const struct service *other = l->conf->services[i];

		if (strcmp(other->file, service->file) != 0 &&
		    other->socktype == service->socktype && other->protocol == service->protocol &&
		    (strcasecmp(other->id, service->id) == 0 ||
		     strcasecmp(other->name, service->name) == 0))
			return true;
	}
	return false;
}

/* The first service that registers a program as @service does. */
static const struct service *same_program(const struct loader *l, const struct service *service)
{
	for (size_t i = 0; (service->type & SERVICE_RPC) && i < l->conf->n; i++)
		if (rpc_clashes(l->conf->services[i], service))
			return l->conf->services[i];
	return NULL;
}

/* Takes a finished service into the configuration, unless another one stands in its way. */
static int admit_service(struct loader *l, const struct stanza *stanza, struct service *service,
			 bool from_inetd)
{
	const struct service *other;

	if (from_inetd && is_hidden(l, service)) {
		diag_add(l->diag, SEVERITY_NOTICE, stanza->file, stanza->line, service->id,
			 "hidden by the xinetd entry of the same name");
		service_unref(service);
		return 0;
	}
	other = same_program(l, service);
	if (other) {
		diag_add(
			l->diag, SEVERITY_ERROR, stanza->file, stanza->line, service->id,
			"service %s (%s:%u) has the same RPC program and version; this one is not run",
			other->id, other->file, other->line);
		service_unref(service);
		return add_broken(l->conf, stanza, stanza_id(stanza));
	}
	other = taken_by(&l->taken, service);
	if (other) {
		diag_add(
			l->diag, SEVERITY_ERROR, stanza->file, stanza->line, service->id,
			"listens where service %s does already (%s:%u); this one is not run%s",
			other->id, other->file, other->line,
			!service->bind->n != !other->bind->n
				? ": all addresses of a port include each one, so give both a \"bind\""
				: "");
		service_unref(service);
		return add_broken(l->conf, stanza, stanza_id(stanza));
	}
	taken_add(&l->taken, service);
	service->wrapped = l->wrapped && !(service->flags & FLAG_NOLIBWRAP);
	if (service->wrapped && service->wait && service->server &&
	    !(service->flags & FLAG_INTERCEPT) &&
	    (service->socktype == SOCK_STREAM || service->socktype == SOCK_SEQPACKET))
		diag_add(
			l->diag, SEVERITY_WARNING, stanza->file, stanza->line, service->id,
			"its server learns who comes, and usherd does not: hosts.allow and hosts.deny are asked about "
			"an unknown client, whom no address in them matches");
	support_report(service, l->diag);
	return add_service(l->conf, service);
}

static int read_service(struct loader *l, const struct stanza *stanza, bool from_inetd)
{
	const char *id = stanza_id(stanza);
	bool no_memory = false;
	struct service *service;
	int r;

	schema_begin(l->build.schema, stanza, id);
	r = feed(l, stanza);
	if (r < 0)
		return r;
	if (r == 0 || is_switched_off(l, id)) {
		l->conf->n_disabled++;
		return 0;
	}
	service = build_service(&l->build, stanza, id, &no_memory);
	if (no_memory)
		return -ENOMEM;
	if (!service || stanza->malformed) {
		service_unref(service);
		return add_broken(l->conf, stanza, id);
	}
	return admit_service(l, stanza, service, from_inetd);
}

static void loader_done(struct loader *l)
{
	taken_done(&l->taken);
	for (size_t i = 0; i < l->n; i++)
		stanza_free(l->stanzas[i]);
	free(l->stanzas);
	schema_free(l->build.schema);
	lookup_free(l->build.lookup);
	conf_free(l->conf);
	memo_done(&l->build.memo);
	free(l->build.endpoints);
	intern_pool_free(l->build.pool);
}

int conf_load(const struct conf_source *source, struct diag *diag, struct conf **ret)
{
	struct loader l = {
		.source = source,
		.diag = diag,
		.conf = calloc(1, sizeof(struct conf)),
		.build = {
			.lookup = lookup_new(),
			.pool = intern_pool_new(),
		},
	};
	int r, defaults = 0;

	l.build.schema = l.build.pool ? schema_new(diag, l.build.pool) : NULL;
	r = l.conf && l.build.lookup && l.build.schema ? 0 : -ENOMEM;

	l.wrapped = support_machine_has_wrappers();
	if (r == 0 && source->file)
		r = load_file(&l, source->file, NULL, 0);
	l.n_xinetd = l.n;
	if (r == 0)
		r = load_inetd(&l);
	if (r == 0)
		r = read_defaults(&l);
	/* With bad defaults nothing can run, but the errors of the services are told all the same. */
	if (r == -EINVAL) {
		defaults = r;
		r = 0;
	}
	for (size_t i = 0; i < l.n && r == 0; i++) {
		if (l.stanzas[i]->kind == STANZA_SERVICE)
			r = read_service(&l, l.stanzas[i], i >= l.n_xinetd);
		/* The next service takes its memory. */
		stanza_free(TAKE_PTR(l.stanzas[i]));
	}
	if (r == 0)
		r = defaults;
	if (r == 0)
		r = mux_names_check(l.conf, diag);
	if (r == 0) {
		seen_seal(&l.conf->seen);
		*ret = TAKE_PTR(l.conf);
	}
	loader_done(&l);
	return r;
}

bool conf_shed(struct conf *conf, size_t n)
{
	while (n-- > 0 && conf->n > 0)
		service_unref(conf->services[--conf->n]);
	return conf->n > 0;
}

void conf_free(struct conf *conf)
{
	if (!conf)
		return;
	(void)conf_shed(conf, conf->n);
	free(conf->services);
	for (size_t i = 0; i < conf->n_broken; i++) {
		free(conf->broken[i].id);
		free(conf->broken[i].name);
		free(conf->broken[i].file);
	}
	free(conf->broken);
	seen_done(&conf->seen);
	free(conf);
}
