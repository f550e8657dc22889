/* SPDX-License-Identifier: ISC */
/* xinetd.conf text to stanzas: words, operators and line numbers; knows no attribute. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"
#include "config/lines.h"
#include "config/stanza.h"

/*
 * What the reader calls, in the order of the text. A negative return value
 * (-errno) ends the reading and is passed on.
 */
struct reader_ops {
	/* Takes over @stanza. */
	int (*stanza)(void *arg, struct stanza *stanza);
	/* "include PATH" or, with @directory, "includedir PATH". */
	int (*include)(void *arg, const char *path, bool directory, unsigned line);
};

/*
 * Reads @text (@length bytes of @file; xinetd.conf(5), grammar of xinetd
 * 2.3.15). Differences to xinetd: CR before LF is dropped, lines may have any
 * length, comments are allowed behind braces and headers, "service x {" may
 * stand on one line, and after junk reading goes on at the next line that
 * begins with service, defaults, include or includedir (defects D54, D58).
 * What was read before is found in @lines (NULL: nothing is). Findings go to @diag; those inside a stanza become attributes with error
 * set, as they must not be reported when the stanza turns out to be disabled.
 * Returns 0; 1 when the text holds something that is no section, or a broken
 * one, so that sections may have been lost; -ENOMEM; or what an op returned.
 */
int reader_parse(const char *text, size_t length, const char *file, struct lines *lines,
		 const struct reader_ops *ops, void *arg, struct diag *diag);
