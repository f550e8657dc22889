/* SPDX-License-Identifier: ISC */
/* Whether a text occurs in bytes that come in pieces. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct expect {
	const char *text; /* not owned, not empty */
	size_t length;
	char *tail; /* the last bytes seen, fewer than the text has */
	size_t tail_length;
	bool found;
};

/* Returns 0 or -ENOMEM. expect_done() frees. */
int expect_init(struct expect *expect, const char *text);
void expect_done(struct expect *expect);

/* Looks at the next @n bytes. Returns whether the text has occurred by now. */
bool expect_look(struct expect *expect, const char *data, size_t n);
