/* SPDX-License-Identifier: ISC */
/* What was made of values in this load, or found to be true of them: remembered for the next service that has them. */
#pragma once

#include "base/intern.h"

enum memo_kind {
	MEMO_ADDRESSES, /* a list of words, and a file: struct addr_rules */
	MEMO_TIMES,     /* a list of words: struct time_rules */
	MEMO_BANNER,    /* a path: struct banner */
	MEMO_PROGRAM,   /* a root, and a path: is a program there */
	MEMO_DIRECTORY, /* the same: is a directory */
};

struct memo_entry;

/* Starts zeroed. */
struct memo {
	struct memo_entry *entries;
};

/*
 * What was remembered of the values @first and @second (or NULL), without a reference;
 * NULL where nothing was. Values are told apart by where they are: equal ones must come from one pool.
 */
const void *memo_find(const struct memo *memo, enum memo_kind kind, const void *first,
		      const void *second);

/* Remembers @value (not NULL; let go of by @done or NULL); keeps references. Where there is no memory, it does not. */
void memo_add(struct memo *memo, enum memo_kind kind, const void *first, const void *second,
	      const void *value, intern_done *done);

void memo_done(struct memo *memo);
