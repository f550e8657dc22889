/* SPDX-License-Identifier: ISC */
/* The line by which a client of tcpmux names its service (RFC 1078), as it comes in. */
#pragma once

#include <stddef.h>

#include "base/wire.h"

enum mux_state {
	MUX_INCOMPLETE, /* more is to come */
	MUX_NAMED,      /* name and length are there */
	MUX_TOO_LONG,   /* more than WIRE_MAX_NAME bytes before the end of line */
	MUX_MALFORMED,  /* empty, or with bytes that no name has */
};

struct mux_name {
	char bytes[WIRE_MAX_NAME + 2]; /* what has come: the name, CR, LF */
	size_t n;
	size_t length; /* of the name at the front, once it is there */
};

/*
 * How many of the @n bytes that have come next belong to the line: all up to its
 * LF, or as many as it may still have. At least one where @n is not 0 and the
 * line was incomplete.
 */
size_t mux_name_share(const struct mux_name *name, const char *bytes, size_t n);

/*
 * Takes @n bytes, not more than mux_name_share() said, and tells how the line
 * stands. RFC 1078 wants CR LF; a bare LF is taken, too, as it cannot be part
 * of a name and people type it. Not to be called once the line is complete.
 */
enum mux_state mux_name_take(struct mux_name *name, const char *bytes, size_t n);
