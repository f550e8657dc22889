/* SPDX-License-Identifier: ISC */
/* A whole configuration: files in, services out. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"
#include "base/util.h"
#include "config/broken.h"
#include "config/files.h"
#include "config/seen.h"
#include "config/service.h"

/* Where xinetd has its files; usherd reads the same. */
#define CONF_DEFAULT_FILE "/etc/xinetd.conf"
#define CONF_INETD_FILE   "/etc/inetd.conf"

/*
 * What one load gave. The services are shared by reference: a session or a
 * running daemon may outlive the conf they came from.
 */
struct conf {
	const struct service **services; /* in the order of the files */
	size_t n;
	struct broken broken; /* stanzas with errors; on reload their old form keeps running */
	struct seen seen;     /* files, and those of them that could not be read whole */
	size_t n_disabled;    /* stanzas switched off by disable, enabled or disabled */
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
