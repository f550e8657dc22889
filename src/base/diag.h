/* SPDX-License-Identifier: ISC */
/* The list of "file:line: severity: text" that is collected while configuration is read. */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/util.h"

/*
 * How bad a finding is. An error costs its stanza (or the whole file); a
 * warning says that something was ignored or is not what it looks like; a
 * notice says what usherd made of the text where xinetd would differ.
 */
enum severity {
	SEVERITY_ERROR,
	SEVERITY_WARNING,
	SEVERITY_NOTICE,
};

struct finding {
	enum severity severity;
	char *file;    /* NULL when the finding concerns no file */
	unsigned line; /* 0 when it concerns no line */
	char *service; /* id or name of the stanza, or NULL */
	char *text;
};

/* More than anybody reads: what a file of rubbish gives is bounded. */
#define DIAG_MAX 20000

/* Every finding of one load, in the order found. Zero-initialised it is empty and ready. */
struct diag {
	struct finding *v;
	size_t n;
	size_t errors;
	size_t warnings;
	size_t more;     /* findings beyond DIAG_MAX: counted, not kept */
	bool incomplete; /* memory ran out: a finding was lost */
};

/* Adds a finding; the texts are copied. Where memory runs out, it counts the error and marks the list incomplete. */
void diag_add(struct diag *diag, enum severity severity, const char *file, unsigned line,
	      const char *service, const char *format, ...) PRINTF_LIKE(6, 7);
void diag_addv(struct diag *diag, enum severity severity, const char *file, unsigned line,
	       const char *service, const char *format, va_list ap) PRINTF_LIKE(6, 0);

/*
 * Puts the findings in the order of files, by their names, and lines; those of one line stay in the order
 * found, and those without a file are last. Without memory all stay as they are.
 */
void diag_sort(struct diag *diag);

/* "error", "warning" or "notice". */
const char *severity_name(enum severity severity);

/* Writes "FILE:LINE: severity: text" (without what is not known), escaped for terminals, into @out. Returns @out. */
char *finding_format(const struct finding *finding, char *out, size_t size);

/* Frees what the list holds and empties it. */
void diag_done(struct diag *diag);
