/* SPDX-License-Identifier: ISC */
/* A whole configuration: files in, services out. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"
#include "base/util.h"
#include "config/seen.h"
#include "config/service.h"

/* Where xinetd has its files; usherd reads the same. */
#define CONF_DEFAULT_FILE "/etc/xinetd.conf"
#define CONF_INETD_FILE   "/etc/inetd.conf"

/* What to read. */
struct conf_source {
	const char *
		file; /* the main file, absolute: relative includes are resolved from @directory; NULL: none */
	const char *directory; /* the directory that the program was started in, absolute */
	const char *
		inetd_file; /* NULL, or the inetd.conf to read after it; that it is absent is no error */
};

/* A stanza that could not be used. */
struct conf_broken {
	char *id;
	char *name;
	char *file;
	unsigned line;
};

/*
 * What one load gave. The services are shared by reference: a session or a
 * running daemon may outlive the conf they came from.
 */
struct conf {
	const struct service **services; /* in the order of the files */
	size_t n;
	struct conf_broken
		*broken; /* stanzas with errors; on reload their old form keeps running */
	size_t n_broken;
	struct seen seen;  /* files, and those of them that could not be read whole */
	size_t n_disabled; /* stanzas switched off by disable, enabled or disabled */
};

/*
 * Reads everything, collects every finding of every file in @diag, and applies
 * defaults wherever in the files they stand (D2). Returns
 * 0 with *@ret set (services with errors are left out and listed as broken);
 * -EINVAL when `defaults` has an error, so that nothing can be trusted (D1);
 * another -errno when the main file cannot be read. May block on name services.
 * No global state: may run in a thread of its own.
 */
int conf_load(const struct conf_source *source, struct diag *diag, struct conf **ret);

void conf_free(struct conf *conf);

/*
 * Lets go of up to @n of its services, the last ones first, for whoever may not be kept for long.
 * Returns whether there are more. The conf is only good for that, and for conf_free(), then.
 */
bool conf_shed(struct conf *conf, size_t n);

/*
 * Reads a regular file of a size that a configuration can have, as conf_load()
 * does. Returns 0 with *@ret (the caller frees it; not ended by NUL) and
 * *@ret_length, or -errno with *@why saying what is wrong.
 */
int conf_read_file(const char *path, char **ret, size_t *ret_length, const char **why);
