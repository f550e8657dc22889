/* SPDX-License-Identifier: ISC */
/* What the commands of usherctl share: exit statuses, loading, telling what was found. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "base/diag.h"
#include "config/conf.h"

/* usherctl(1) "EXIT STATUS". */
enum status {
	STATUS_CLEAN = 0,
	STATUS_ERRORS = 1,
	STATUS_UNREADABLE = 2,
	STATUS_NAME = 3,       /* there is no host or service of this name */
	STATUS_ADDRESS = 4,    /* there is no such address, or no way to it */
	STATUS_CONNECTION = 5, /* refused, reset, or ended too early */
	STATUS_TIME = 6,
	STATUS_USAGE = 64, /* EX_USAGE of sysexits(3) */
};

void ctl_print_usage(FILE *out);

/* Says what is wrong with the command line, and where to look, and exits with STATUS_USAGE. */
_Noreturn void ctl_usage_error(const char *what, const char *word);

/* conf_load() of @file (NULL: none) and @inetd_file (NULL: none), both relative to the working directory. */
int ctl_load(const char *file, const char *inetd_file, struct diag *diag, struct conf **ret);

/* Prints every finding, one a line. */
void ctl_print_findings(const struct diag *diag, FILE *out);

/*
 * The exit status that findings and the result of loading (0 or -errno) amount
 * to; with @strict, warnings count as errors.
 */
enum status ctl_status(const struct diag *diag, int loaded, bool strict);

/* Flushes standard output; says so where it could not be written. Returns @status, or STATUS_UNREADABLE. */
enum status ctl_flush(enum status status);
