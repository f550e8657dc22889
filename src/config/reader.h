/* SPDX-License-Identifier: ISC */
/* xinetd.conf text to stanzas: words, operators and line numbers; knows no attribute. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"
#include "base/util.h"

enum operator{
	OP_SET,    /* =  */
	OP_ADD,    /* += */
	OP_REMOVE, /* -= */
};

/* One line of a stanza: NAME OPERATOR WORDS, or a line that is not of this form (error set). */
struct attribute {
	char *name; /* NULL where error is set */
	enum operator op;
	struct strv words;
	char *error; /* what is wrong with the line and what to write instead */
	unsigned line;
};

enum stanza_kind {
	STANZA_SERVICE,
	STANZA_DEFAULTS,
};

/* One "service NAME { … }" or "defaults { … }" as it was written. */
struct stanza {
	enum stanza_kind kind;
	char *name; /* NULL for defaults */
	char *file;
	struct strv
		via; /* the files that include it, innermost first; the reader leaves it empty */
	unsigned line;
	struct attribute *attributes;
	size_t n;
	bool malformed; /* its braces are wrong: it cannot be trusted */
};

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
 * Findings go to @diag; those inside a stanza become attributes with error
 * set, as they must not be reported when the stanza turns out to be disabled.
 * Returns 0; 1 when the text holds something that is no section, or a broken
 * one, so that sections may have been lost; -ENOMEM; or what an op returned.
 */
int reader_parse(const char *text, size_t length, const char *file, const struct reader_ops *ops,
		 void *arg, struct diag *diag);

/* A new stanza, or NULL when memory ran out. @name may be NULL. */
struct stanza *stanza_new(enum stanza_kind kind, const char *name, const char *file, unsigned line);

/* Appends a line. Words are copied. @name NULL and @error set makes a malformed line. Returns 0 or -ENOMEM. */
int stanza_add(struct stanza *stanza, const char *name, enum operator op, const struct strv *words,
	       const char *error, unsigned line);

void stanza_free(struct stanza *stanza);
