/* SPDX-License-Identifier: ISC */
/* The command line of a command of usherctl, read by a table of its options. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum option_kind {
	OPTION_FLAG,  /* "--name": *flag becomes true */
	OPTION_VALUE, /* "--name VALUE" or "--name=VALUE" */
	OPTION_MAYBE, /* "--name", which gives the fallback, or "--name=VALUE" */
	OPTION_SECONDS, /* as OPTION_VALUE: more than 0, with a fraction if wanted; *usec are microseconds */
};

/* One option; the member of the union that its kind says is where it goes. */
struct option_row {
	const char *name; /* with its dashes */
	enum option_kind kind;
	union {
		bool *flag;
		const char **text; /* points into argv, or is the fallback */
		uint64_t *usec;
	};
	const char *fallback;
};

/* What a command accepts besides its options. */
struct option_words {
	const char **v; /* receives them; they point into argv */
	size_t max;
	const char *too_many; /* what is wrong with one more */
};

/*
 * Reads what follows the command's name in argv[0]. Options and other words may
 * be mixed; behind "--" all are words. Whatever is wrong ends the program by
 * ctl_usage_error(). Returns the number of words.
 */
size_t options_parse(int argc, char **argv, const struct option_row *rows, size_t n_rows,
		     const struct option_words *words);
