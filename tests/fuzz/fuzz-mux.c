/* SPDX-License-Identifier: ISC */
/* No bytes, however they come in, make tcpmux's reader of names take what is not its own, or give a name that is none. */
#include "config.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "worker/mux_name.h"

/*
 * usage: fuzz-mux [-n INPUTS]
 *
 * The first byte of an input says how it is cut into pieces. Without libFuzzer
 * (-DUSHERD_LIBFUZZER -fsanitize=fuzzer) random inputs are made, always the same ones.
 */
#define INPUTS 300000

/* What must come of the bytes, told another way: by looking at all of them at once. */
static enum mux_state expected(const char *bytes, size_t n, size_t *ret_taken, size_t *ret_length)
{
	const char *end = n > 0 ? memchr(bytes, '\n', n) : NULL;
	size_t line = end ? (size_t)(end - bytes) : n;
	size_t length = end && line > 0 && bytes[line - 1] == '\r' ? line - 1 : line;

	*ret_length = length;
	*ret_taken = end ? line + 1 : n;
	/* The line is given up where its room ends, LF or not. */
	if (*ret_taken > WIRE_MAX_NAME + 2) {
		*ret_taken = WIRE_MAX_NAME + 2;
		return MUX_TOO_LONG;
	}
	if (!end)
		return n == WIRE_MAX_NAME + 2 ? MUX_TOO_LONG : MUX_INCOMPLETE;
	if (length > WIRE_MAX_NAME)
		return MUX_TOO_LONG;
	if (length == 0)
		return MUX_MALFORMED;
	for (size_t i = 0; i < length; i++)
		if ((uint8_t)bytes[i] < 0x21 || bytes[i] == 0x7f)
			return MUX_MALFORMED;
	return MUX_NAMED;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum mux_state state = MUX_INCOMPLETE, wanted;
	size_t at = 0, taken, length, n;
	struct mux_name name = { 0 };
	unsigned cut;
	char *bytes;

	if (size < 2)
		return 0;
	n = size - 1;
	cut = data[0];
	/* A block of its own, so that a sanitizer sees what is read behind its end. */
	bytes = malloc(n);
	if (!bytes)
		return 0;
	memcpy(bytes, data + 1, n);
	while (at < n && state == MUX_INCOMPLETE) {
		size_t piece = 1 + cut % 13 * (cut % 7), share;

		cut = cut * 5 + 1;
		if (piece > n - at)
			piece = n - at;
		share = mux_name_share(&name, bytes + at, piece);
		if (share == 0 || share > piece)
			abort();
		state = mux_name_take(&name, bytes + at, share);
		at += share;
	}
	wanted = expected(bytes, n, &taken, &length);
	if (state != wanted || at != taken)
		abort();
	if (state == MUX_NAMED && (name.length != length || memcmp(name.bytes, bytes, length) != 0))
		abort();
	free(bytes);
	return 0;
}

#ifndef USHERD_LIBFUZZER

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* Mostly what names are made of, of lengths around the bounds; now and then anything. */
static size_t make(uint8_t *out, size_t room, uint64_t *random)
{
	static const char special[] = "\r\n\r\n \t\0\x7f\x1b\xff";
	size_t n = next_random(random) % 3 ? next_random(random) % 24
					   : 240 + next_random(random) % (room - 240);

	for (size_t i = 0; i < n; i++) {
		uint64_t r = next_random(random);

		out[i] = (uint8_t)(r % 16 == 0    ? (uint8_t)special[r / 16 % sizeof(special)]
				   : r % 199 == 0 ? r >> 32
						  : '!' + r / 16 % 94);
		if (n > 100 && r % 16 == 0 && r % 64)
			out[i] = 'n';
	}
	if (n > 2 && next_random(random) % 2)
		memcpy(out + n - 2, "\r\n", 2);
	return n;
}

int main(int argc, char **argv)
{
	unsigned long inputs =
		argc > 2 && strcmp(argv[1], "-n") == 0 ? strtoul(argv[2], NULL, 10) : INPUTS;
	uint64_t random = UINT64_C(0x9e3779b97f4a7c15);
	uint8_t input[300];

	for (unsigned long i = 0; i < inputs; i++)
		(void)LLVMFuzzerTestOneInput(input, make(input, sizeof(input), &random));
	(void)printf("ok: %lu inputs\n", inputs);
	return 0;
}

#endif
