/* SPDX-License-Identifier: ISC */
/* The files of a configuration: found, read, and taken apart into stanzas. */
#include "config.h"

#include "config/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "config/inetd.h"
#include "config/reader.h"

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

static int load_file(struct files *f, const char *path, const struct open_file *parent,
		     unsigned line);

static int take_stanza(void *arg, struct stanza *stanza)
{
	struct files *f = arg;

	if (stanza->kind == STANZA_DEFAULTS && f->file) {
		if (f->file->has_defaults) {
			diag_add(
				f->diag, SEVERITY_ERROR, stanza->file, stanza->line, NULL,
				"only one defaults section a file is allowed; xinetd ignores this one, with "
				"all that it restricts: put both into one");
			f->bad_defaults = true;
			stanza_free(stanza);
			return 0;
		}
		f->file->has_defaults = true;
	}
	if (f->file)
		stanza->via = intern_ref(f->file->via);
	stanza = stanza_pack(stanza, &f->region);
	if (!stanza)
		return -ENOMEM;
	if (array_grow(&f->stanzas, f->n, sizeof(struct stanza *)) < 0) {
		stanza_done(stanza);
		return -ENOMEM;
	}
	f->stanzas[f->n++] = stanza;
	return 0;
}

/* Includes are relative to where the program was started, also at a reload (D55). */
static char *absolute_path(const struct files *f, const char *path)
{
	char *absolute;

	if (path[0] == '/')
		return strdup(path);
	return asprintf(&absolute, "%s/%s", f->source->directory, path) < 0 ? NULL : absolute;
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int take_entry(const struct dirent *entry)
{
	return seen_takes_name(entry->d_name);
}

/* Whether the entry at @path is something else than a file; most file systems say so in the directory itself. */
static bool is_irregular(const struct dirent *entry, const char *path)
{
	struct stat st;

	return entry->d_type != DT_REG && stat(path, &st) == 0 && !S_ISREG(st.st_mode);
}

static int load_directory(struct files *f, const char *path, unsigned line)
{
	const struct open_file *parent = f->file;
	struct dirent **entries;
	int n = scandir(path, &entries, take_entry, by_bytes), r = 0;

	if (n < 0) {
		diag_add(f->diag, SEVERITY_ERROR, parent->path, line, NULL,
			 "directory %s cannot be read: %s", path, strerror(errno));
		return strv_addf(&f->seen->unread, "%s/", path);
	}
	r = strv_addf(&f->seen->whole, "%s/", path);
	for (int i = 0; i < n; i++) {
		CLEANUP_FREE char *file = NULL;

		if (r < 0) {
			free(entries[i]);
			continue;
		}
		if (asprintf(&file, "%s/%s", path, entries[i]->d_name) < 0) {
			file = NULL;
			r = -ENOMEM;
		} else if (is_irregular(entries[i], file)) {
			diag_add(f->diag, SEVERITY_WARNING, parent->path, line, NULL,
				 "%s is not a regular file and is skipped", file);
		} else {
			r = load_file(f, file, parent, line);
		}
		free(entries[i]);
	}
	free(entries);
	return r;
}

static int take_include(void *arg, const char *path, bool directory, unsigned line)
{
	struct files *f = arg;
	CLEANUP_FREE char *absolute = absolute_path(f, path);
	size_t length;

	if (!absolute)
		return -ENOMEM;
	length = strlen(absolute);
	while (directory && length > 1 && absolute[length - 1] == '/')
		absolute[--length] = '\0';
	return directory ? load_directory(f, absolute, line)
			 : load_file(f, absolute, f->file, line);
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
		/* All that there was when it was opened. */
		if (n == (size_t)st->st_size)
			break;
	}
	if (!text) {
		*why = "memory ran out";
		return -ENOMEM;
	}
	*ret = TAKE_PTR(text);
	*length = n;
	return 0;
}

int files_read_whole(const char *path, char **ret, size_t *ret_length, const char **why)
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
static int refuse_file(struct files *f, const char *path, const struct open_file *parent,
		       unsigned line, int error, const char *why)
{
	diag_add(f->diag, SEVERITY_ERROR, parent ? parent->path : path, parent ? line : 0, NULL,
		 parent ? "file %s cannot be included: %s" : "%s cannot be read: %s", path, why);
	if (!parent)
		return error;
	return strv_add(&f->seen->unread, path);
}

/* The paths of @parent and of those that include it, as a new reference; NULL when memory ran out. */
static const struct words *words_of_parents(struct files *f, const struct open_file *parent)
{
	const char *paths[CONF_MAX_DEPTH + 1];
	size_t n = 0;

	for (; parent; parent = parent->parent)
		paths[n++] = parent->path;
	return intern_words(f->pool, paths, n);
}

static int load_file(struct files *f, const char *path, const struct open_file *parent,
		     unsigned line)
{
	static const struct reader_ops ops = { .stanza = take_stanza, .include = take_include };
	struct open_file file = { .path = path,
				  .parent = parent,
				  .depth = parent ? parent->depth + 1 : 0 };
	CLEANUP_FREE char *text = NULL;
	struct open_file *outer = f->file;
	const char *why;
	struct stat st;
	size_t length;
	int r;

	if (file.depth > CONF_MAX_DEPTH || f->files++ > CONF_MAX_FILES)
		return refuse_file(f, path, parent, line, -ELOOP,
				   "files include each other too deeply");
	r = read_whole(path, &text, &length, &st, &why);
	if (r < 0)
		return refuse_file(f, path, parent, line, r, why);
	if (is_being_read(parent, &st))
		return refuse_file(f, path, parent, line, -ELOOP,
				   "it is already being read: the includes form a loop");
	file.dev = st.st_dev;
	file.ino = st.st_ino;
	file.via = words_of_parents(f, parent);
	if (!file.via)
		return -ENOMEM;
	f->file = &file;
	r = reader_parse(text, length, path, &f->lines, &ops, f, f->diag);
	f->file = outer;
	intern_unref(file.via);
	/* Junk may be what is left of a section: what runs from this file must not end for it. */
	return r < 0 ? r : strv_add(r ? &f->seen->unread : &f->seen->whole, path);
}

static int load_inetd(struct files *f)
{
	static const struct reader_ops ops = { .stanza = take_stanza };
	const char *path = f->source->inetd_file, *why;
	size_t errors = f->diag->errors;
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
		diag_add(f->diag, SEVERITY_ERROR, path, 0, NULL, "%s cannot be read: %s", path,
			 why);
		return strv_add(&f->seen->unread, path);
	}
	r = inetd_parse(text, length, path, f->lookup, f->pool, &ops, f, f->diag);
	/* A bad line has no stanza that could be listed as broken: what runs from this file stays. */
	return r == 0 && f->diag->errors > errors ? strv_add(&f->seen->unread, path) : r;
}

int files_read(struct files *f)
{
	int r;

	f->lines.pool = f->pool;
	r = f->source->file ? load_file(f, f->source->file, NULL, 0) : 0;
	lines_done(&f->lines);
	f->n_xinetd = f->n;
	return r < 0 ? r : load_inetd(f);
}

void files_done(struct files *f)
{
	for (size_t i = 0; i < f->n; i++)
		stanza_done(f->stanzas[i]);
	free(f->stanzas);
	region_done(&f->region);
}
