/* SPDX-License-Identifier: ISC */
/* The files of a configuration: found, read, and taken apart into stanzas. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"
#include "config/lines.h"
#include "config/lookup.h"
#include "config/seen.h"
#include "config/stanza.h"

/* What to read. */
struct conf_source {
	const char *
		file; /* the main file, absolute: relative includes are resolved from @directory; NULL: none */
	const char *directory; /* the directory that the program was started in, absolute */
	const char *
		inetd_file; /* NULL, or the inetd.conf to read after it; that it is absent is no error */
};

struct open_file;

/* One reading of them all. */
struct files {
	/* To be set before. */
	const struct conf_source *source;
	struct diag *diag;
	struct intern_pool *pool;
	struct lookup *lookup;
	struct seen *seen; /* told which files there were */

	/* In the order of the text. */
	struct stanza **stanzas;
	size_t n;
	size_t n_xinetd;   /* those of them that did not come from inetd.conf */
	bool bad_defaults; /* what defaults say cannot be told */

	struct region region; /* of the stanzas */

	/* While they are read. */
	struct lines lines;
	unsigned files;
	struct open_file *file;
};

/* Reads the main file, all that it includes, and inetd.conf. Returns 0, -ENOMEM, or the -errno of the main file. */
int files_read(struct files *files);

void files_done(struct files *files);

/*
 * Reads a regular file of a size that a configuration can have. Returns 0 with
 * *@ret (the caller frees it; not ended by NUL) and *@ret_length, or -errno with *@why
 * saying what is wrong.
 */
int files_read_whole(const char *path, char **ret, size_t *ret_length, const char **why);
