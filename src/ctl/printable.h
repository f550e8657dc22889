/* SPDX-License-Identifier: ISC */
/* Bytes of others made fit for a terminal, piece by piece. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Bytes of a character, or of the end of a line, that is not complete yet. */
struct printable {
	bool utf8; /* the terminal shows UTF-8; else all but ASCII is escaped */
	unsigned char held[4];
	size_t n_held;
};

/* What one byte can become, and what may be held. */
#define PRINTABLE_GROWTH 4
#define PRINTABLE_HELD   4

/*
 * Writes @n bytes of @in to @out, which has room for PRINTABLE_GROWTH * (n + PRINTABLE_HELD)
 * bytes. Printable text, tabs and ends of lines (CRLF, too, as LF) pass; controls,
 * what is not UTF-8, and characters that turn the direction of text become \xNN.
 * Returns the bytes written.
 */
size_t printable_put(struct printable *printable, const char *in, size_t n, char *out);

/* Writes what is held back: nothing more comes. The same room. */
size_t printable_end(struct printable *printable, char *out);
