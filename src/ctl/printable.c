/* SPDX-License-Identifier: ISC */
/* Bytes of others made fit for a terminal, piece by piece. */
#include "config.h"

#include "ctl/printable.h"

#include <stdint.h>
#include <string.h>

#include "base/util.h"

static const struct {
	uint32_t first;
	uint32_t last;
} unfit[] = {
	{ 0x80, 0x9f },       /* the second set of controls */
	{ 0x61c, 0x61c },     /* marks of direction */
	{ 0x200e, 0x200f },   /* the same */
	{ 0x2028, 0x202e },   /* separators of lines, embeddings */
	{ 0x2066, 0x2069 },   /* isolates */
	{ 0xfff9, 0xfffb },   /* annotations */
	{ 0xe0000, 0xe0fff }, /* tags */
};

/* How many bytes a character that begins so has; 0 where none does. */
static size_t utf8_length(unsigned char first)
{
	return first < 0x80    ? 1
	       : first < 0xc2  ? 0
	       : first < 0xe0  ? 2
	       : first < 0xf0  ? 3
	       : first <= 0xf4 ? 4
			       : 0;
}

/* Whether the bytes so far can be (RFC 3629) the beginning of a character. */
static bool utf8_begins(const unsigned char *p, size_t n)
{
	if (utf8_length(p[0]) == 0)
		return false;
	for (size_t i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return false;
	if (n < 2)
		return true;
	return !(p[0] == 0xe0 && p[1] < 0xa0) && !(p[0] == 0xed && p[1] > 0x9f) &&
	       !(p[0] == 0xf0 && p[1] < 0x90) && !(p[0] == 0xf4 && p[1] > 0x8f);
}

/* Whether a complete character may be shown. */
static bool fit(const unsigned char *p, size_t n)
{
	static const unsigned char marks[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	uint32_t c = p[0] & marks[n];

	if (n == 1)
		return (p[0] >= 0x20 && p[0] < 0x7f) || p[0] == '\n' || p[0] == '\t';
	for (size_t i = 1; i < n; i++)
		c = c << 6 | (p[i] & 0x3fu);
	for (size_t i = 0; i < ARRAY_SIZE(unfit); i++)
		if (c >= unfit[i].first && c <= unfit[i].last)
			return false;
	return (c & 0xfffe) != 0xfffe;
}

static size_t escape(const unsigned char *p, size_t n, char *out)
{
	static const char hex[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		*out++ = '\\';
		*out++ = 'x';
		*out++ = hex[p[i] >> 4];
		*out++ = hex[p[i] & 15];
	}
	return 4 * n;
}

/* Writes what is held as far as its fate is known; returns the bytes written. */
static size_t settle(struct printable *state, char *out)
{
	unsigned char *p = state->held;
	size_t at = 0;

	while (state->n_held > 0) {
		size_t length = utf8_length(p[0]), taken = 1;

		if (p[0] == '\r' && state->n_held == 1)
			break;
		if (p[0] == '\r' && p[1] == '\n') {
			state->n_held--;
			memmove(p, p + 1, state->n_held);
			continue;
		}
		if (length > 1 && state->utf8 && utf8_begins(p, state->n_held)) {
			if (state->n_held < length)
				break;
			taken = length;
		} else if (length != 1) {
			length = 0;
		}
		if (length > 0 && fit(p, taken)) {
			memcpy(out + at, p, taken);
			at += taken;
		} else {
			at += escape(p, taken, out + at);
		}
		state->n_held -= taken;
		memmove(p, p + taken, state->n_held);
	}
	return at;
}

size_t printable_put(struct printable *state, const char *in, size_t n, char *out)
{
	size_t at = 0;

	for (size_t i = 0; i < n; i++) {
		state->held[state->n_held++] = (unsigned char)in[i];
		at += settle(state, out + at);
	}
	return at;
}

size_t printable_end(struct printable *state, char *out)
{
	size_t at = escape(state->held, state->n_held, out);

	state->n_held = 0;
	return at;
}
