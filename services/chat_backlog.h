/* SPDX-License-Identifier: ISC */
/*
 * What has been said lately, kept once for all who have yet to get it.
 *
 * Everybody reads the same ring of lines at a place of their own. So all get
 * them in one order, a thousand who do not read cost no more than one, and who
 * falls behind by more than the ring holds is known without counting.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is written before a line for those who want it: "[15:04] ". */
#define STAMP_BYTES 8

struct backlog;

/* Where somebody is in it. */
struct reader {
	unsigned id; /* not 0 */
	bool wants_stamps;
	bool stamps; /* the backlog's own: a line that is half sent is finished as it was begun */
	uint64_t at; /* the line to get next */
	size_t sent; /* bytes of it that have been taken */
};

/* Who gets a line: 0 is nobody in particular. */
struct audience {
	unsigned only;   /* if not 0, this reader and nobody else */
	unsigned except; /* not this one */
};

/* A ring of @bytes. Returns NULL without memory. */
struct backlog *backlog_new(size_t bytes);
void backlog_free(struct backlog *backlog);

/* Adds a line, end and all, of at most an eighth of the ring, and forgets as many old ones as that takes. */
void backlog_add(struct backlog *backlog, struct audience audience, const char stamp[STAMP_BYTES],
		 const char *text, size_t length);

/* The place after the last line, where a new reader begins; it only grows, by the bytes that are kept. */
uint64_t backlog_end(const struct backlog *backlog);

/* How many bytes are kept. */
size_t backlog_size(const struct backlog *backlog);

/* Whether lines are gone that @reader has not got. Nothing below may be asked for it then. */
bool backlog_lost(const struct backlog *backlog, const struct reader *reader);

/*
 * Copies to @buffer what @reader is to get before the place @end, as much as
 * fits; returns the length in bytes. 0 when there is nothing. Lines for others
 * are passed over for good.
 */
size_t backlog_read(const struct backlog *backlog, struct reader *reader, uint64_t end,
		    char *buffer, size_t size);

/* The first @length bytes of what backlog_read() gave have been taken. */
void backlog_taken(const struct backlog *backlog, struct reader *reader, size_t length);
