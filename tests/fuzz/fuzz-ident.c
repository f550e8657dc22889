/* SPDX-License-Identifier: ISC */
/* No answer of an ident server makes reading it crash; what comes of it is short, printable, and as RFC 1413 has it. */
#include "config.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/util.h"
#include "gate/ident.h"

/*
 * usage: fuzz-ident [-n MUTATIONS]
 *
 * Always the same mutations. With -DUSHERD_LIBFUZZER -fsanitize=fuzzer there is
 * no main(), and libFuzzer brings the answers.
 */

#define PEER_PORT  6191
#define LOCAL_PORT 23

static _Noreturn void complain(const char *what, const char *reply, size_t size)
{
	char shown[4 * IDENT_REPLY_MAX + 1];

	(void)log_escape(shown, sizeof(shown), reply, size);
	(void)fprintf(stderr, "%s: %s\n", what, shown);
	abort();
}

/* Returns whether it is an answer. */
static bool check(const uint8_t *data, size_t size)
{
	char text[IDENT_TEXT_MAX + 1], again[IDENT_TEXT_MAX + 1];
	size_t used = size < IDENT_REPLY_MAX ? size : IDENT_REPLY_MAX;
	/* To its exact length, so that reading on is found. */
	char *reply = malloc(used ? used : 1);
	enum ident_outcome outcome;

	if (!reply)
		abort();
	memcpy(reply, data, used);
	memset(text, 'x', sizeof(text));
	outcome = ident_parse(reply, used, PEER_PORT, LOCAL_PORT, text);
	if (!memchr(text, '\0', sizeof(text)))
		complain("the text does not end", reply, used);
	if (outcome != IDENT_ANSWERED && (outcome != IDENT_BAD_RESPONSE || text[0]))
		complain("no answer, but a text", reply, used);
	if (outcome == IDENT_ANSWERED && (!text[0] || text[0] == ' '))
		complain("an answer without a text", reply, used);
	if (outcome == IDENT_ANSWERED &&
	    (!memmem(reply, used, "6191", 4) || !memmem(reply, used, "23", 2) ||
	     !memchr(reply, '\n', used)))
		complain("an answer to another question", reply, used);
	(void)log_escape(again, sizeof(again), text, strlen(text));
	if (strcmp(text, again) != 0)
		complain("the text is not printable", reply, used);
	free(reply);
	return outcome == IDENT_ANSWERED;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	(void)check(data, size);
	return 0;
}

#ifndef USHERD_LIBFUZZER

#define MUTATIONS 400000

static const char *const seeds[] = {
	"6191 , 23 : USERID : UNIX :joe user\r\n",
	"6191,23:USERID:OTHER,US-ASCII:\x07\x1b[1m\xc3\xa9\xff\n",
	"6191 , 23 : ERROR : NO-USER\r\n",
	"6191 , 23 : USERID : UNIX :\r\n",
	"",
};

static const char *const words[] = {
	"6191", "23", ",",  ":",     "USERID", "ERROR", "\r",   "\n",
	"\r\n", " ",  "\t", "65536", "0",      "-",     "%s%n",
};

/* xorshift64*: the same everywhere. */
static uint32_t next_random(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return (uint32_t)((*state * UINT64_C(2685821657736338717)) >> 32);
}

/* Puts @length bytes in place of @drop bytes at @at, as far as there is room. */
static void replace(char *reply, size_t *size, size_t at, size_t drop, const char *bytes,
		    size_t length)
{
	if (*size - drop + length > IDENT_REPLY_MAX)
		return;
	memmove(reply + at + length, reply + at + drop, *size - at - drop);
	memcpy(reply + at, bytes, length);
	*size += length - drop;
}

static void mutate(char *reply, size_t *size, uint64_t *random)
{
	size_t at = *size ? next_random(random) % *size : 0, rest = *size - at;
	const char *word = words[next_random(random) % ARRAY_SIZE(words)];
	char bytes[300];

	switch (next_random(random) % 5) {
	case 0: /* another byte */
		bytes[0] = (char)next_random(random);
		replace(reply, size, at, rest ? 1 : 0, bytes, 1);
		break;
	case 1: /* a piece less */
		replace(reply, size, at, rest ? next_random(random) % (rest < 9 ? rest : 9) : 0, "",
			0);
		break;
	case 2: /* a word more */
		replace(reply, size, at, 0, word, strlen(word));
		break;
	case 3: /* many bytes of one kind */
		memset(bytes, (int)next_random(random), sizeof(bytes));
		replace(reply, size, at, 0, bytes, next_random(random) % sizeof(bytes));
		break;
	default: /* the end is missing */
		if (next_random(random) % 4 == 0)
			*size = at;
		break;
	}
}

int main(int argc, char **argv)
{
	size_t mutations = argc > 2 ? strtoul(argv[2], NULL, 10) : MUTATIONS, answered = 0;
	uint64_t random = UINT64_C(0x9e3779b97f4a7c15);

	for (size_t i = 0; i < mutations; i++) {
		const char *seed = seeds[i % ARRAY_SIZE(seeds)];
		char reply[IDENT_REPLY_MAX];
		size_t size = strlen(seed);

		memcpy(reply, seed, size);
		for (size_t times = next_random(&random) % 6; times > 0; times--)
			mutate(reply, &size, &random);
		answered += check((const uint8_t *)reply, size);
	}
	/* Mutations that never come through prove nothing. */
	if (answered < mutations / 20) {
		(void)printf("only %zu of %zu were answers\n", answered, mutations);
		return 1;
	}
	(void)printf("ok: %zu mutations, %zu of them answers\n", mutations, answered);
	return 0;
}

#endif
