/* SPDX-License-Identifier: ISC */
/* Whether a text occurs in bytes that come in pieces. */
#include "config.h"

#include "ctl/expect.h"

#include <errno.h>
#include <string.h>

#include "base/util.h"

int expect_init(struct expect *expect, const char *text)
{
	*expect = (struct expect){ .text = text, .length = strlen(text) };
	/* Room for the tail, and behind it as much of the next piece. */
	expect->tail = malloc(2 * expect->length);
	return expect->tail ? 0 : -ENOMEM;
}

void expect_done(struct expect *expect)
{
	free(TAKE_PTR(expect->tail));
}

bool expect_look(struct expect *expect, const char *data, size_t n)
{
	size_t keep = expect->length - 1, head = n < keep ? n : keep;

	if (expect->found)
		return true;
	memcpy(expect->tail + expect->tail_length, data, head);
	expect->tail_length += head;
	expect->found = memmem(expect->tail, expect->tail_length, expect->text, expect->length) ||
			memmem(data, n, expect->text, expect->length);
	if (n > keep) {
		memcpy(expect->tail, data + n - keep, keep);
		expect->tail_length = keep;
	} else if (expect->tail_length > keep) {
		memmove(expect->tail, expect->tail + expect->tail_length - keep, keep);
		expect->tail_length = keep;
	}
	return expect->found;
}
