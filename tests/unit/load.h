/* SPDX-License-Identifier: ISC */
/* What the tests of configuration share: text in, services and findings out. Include after cmocka.h. */
#pragma once

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/conf.h"

/* One load from a directory of its own: files are written into it, then it is loaded. */
struct load {
	char dir[32];
	char main[64];
	char inetd[64];
	bool has_inetd;
	struct strv written;
	struct diag diag;
	struct conf *conf;
	int status;
};

static inline void load_init(struct load *load)
{
	memset(load, 0, sizeof(*load));
	(void)strcpy(load->dir, "/tmp/usherd-test-XXXXXX");
	assert_non_null(mkdtemp(load->dir));
	(void)snprintf(load->main, sizeof(load->main), "%s/main.conf", load->dir);
	(void)snprintf(load->inetd, sizeof(load->inetd), "%s/inetd.conf", load->dir);
}

/* Writes @length bytes of @text to the file @name of the directory; "a/" makes a directory. */
static inline void load_put_bytes(struct load *load, const char *name, const void *text,
				  size_t length)
{
	char path[PATH_MAX];
	FILE *out;

	(void)snprintf(path, sizeof(path), "%s/%s", load->dir, name);
	assert_int_equal(strv_add(&load->written, path), 0);
	if (path[strlen(path) - 1] == '/') {
		assert_int_equal(mkdir(path, 0755), 0);
		return;
	}
	out = fopen(path, "w");
	assert_non_null(out);
	assert_int_equal(fwrite(text, 1, length, out), length);
	assert_int_equal(fclose(out), 0);
}

static inline void load_put(struct load *load, const char *name, const char *text)
{
	load_put_bytes(load, name, text, strlen(text));
}

static inline void load_run(struct load *load)
{
	struct conf_source source = {
		.file = load->main,
		.directory = load->dir,
		.inetd_file = load->has_inetd ? load->inetd : NULL,
	};

	conf_free(load->conf);
	load->conf = NULL;
	diag_done(&load->diag);
	load->status = conf_load(&source, &load->diag, &load->conf);
	assert_false(load->diag.incomplete);
}

/* A load of this one text. */
static inline void load_text(struct load *load, const char *text)
{
	load_init(load);
	load_put(load, "main.conf", text);
	load_run(load);
}

/* A load of these lines of inetd.conf, beside @text in the main file. */
static inline void load_inetd_text(struct load *load, const char *text, const char *inetd)
{
	load_init(load);
	load->has_inetd = true;
	load_put(load, "main.conf", text);
	load_put(load, "inetd.conf", inetd);
	load_run(load);
}

static inline void load_done(struct load *load)
{
	for (size_t i = load->written.n; i-- > 0;)
		(void)remove(load->written.v[i]);
	(void)rmdir(load->dir);
	strv_done(&load->written);
	conf_free(load->conf);
	diag_done(&load->diag);
}

/* The service of this id, or NULL. */
static inline const struct service *load_service(const struct load *load, const char *id)
{
	for (size_t i = 0; load->conf && i < load->conf->n; i++)
		if (strcmp(load->conf->services[i]->id, id) == 0)
			return load->conf->services[i];
	return NULL;
}

static inline bool load_broken(const struct load *load, const char *id)
{
	for (size_t i = 0; load->conf && i < load->conf->broken.n; i++)
		if (strcmp(load->conf->broken.v[i].id, id) == 0)
			return true;
	return false;
}

/* How many findings hold @text in "NAME:LINE: severity: text", where NAME is relative to the directory. */
static inline size_t load_said(const struct load *load, const char *text)
{
	size_t n = 0;

	for (size_t i = 0; i < load->diag.n; i++) {
		char line[8192];
		size_t length = strlen(load->dir);
		const char *at = finding_format(&load->diag.v[i], line, sizeof(line));

		if (strncmp(at, load->dir, length) == 0)
			at += length + 1;
		n += strstr(at, text) != NULL;
	}
	return n;
}

static inline void load_print(const struct load *load)
{
	for (size_t i = 0; i < load->diag.n; i++) {
		char line[8192];

		print_message("# %s\n", finding_format(&load->diag.v[i], line, sizeof(line)));
	}
}

/* The findings must hold @text exactly @n times. */
#define assert_said(load, text, count)                                                     \
	do {                                                                               \
		if (load_said((load), (text)) != (count)) {                                \
			load_print(load);                                                  \
			fail_msg("said %zu times, not %zu: %s", load_said((load), (text)), \
				 (size_t)(count), (text));                                 \
		}                                                                          \
	} while (0)

/* The load must have given this service; yields it. */
#define must_have(load, id)                                            \
	({                                                             \
		const struct service *s_ = load_service((load), (id)); \
		if (!s_) {                                             \
			load_print(load);                              \
			fail_msg("no service %s", (id));               \
			abort();                                       \
		}                                                      \
		s_;                                                    \
	})

/* A stanza that is complete with what @lines add: an unlisted stream service on port 4001. */
#define STANZA(name, lines)                                                               \
	"service " name "\n{\n\ttype = UNLISTED\n\tsocket_type = stream\n\tport = 4001\n" \
	"\twait = no\n\tuser = root\n\tserver = /bin/sh\n" lines "}\n"

/* The same without a port, for stanzas that say their own. */
#define STANZA_AT(name, port, lines)                                                          \
	"service " name "\n{\n\ttype = UNLISTED\n\tsocket_type = stream\n\tport = " port "\n" \
	"\twait = no\n\tuser = root\n\tserver = /bin/sh\n" lines "}\n"

/* Words of a list, joined by a space, in @out; yields it. */
static inline const char *joined(char *const *v, size_t n, char *out, size_t size)
{
	size_t at = 0;

	out[0] = '\0';
	for (size_t i = 0; i < n && at < size; i++)
		at += (size_t)snprintf(out + at, size - at, "%s%s", i ? " " : "", v[i]);
	return out;
}

#define assert_words(list, text)                                                                 \
	do {                                                                                     \
		char words_[1024];                                                               \
		assert_string_equal(joined((list)->v, (list)->n, words_, sizeof(words_)), text); \
	} while (0)
