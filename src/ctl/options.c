/* SPDX-License-Identifier: ISC */
/* The command line of a command of usherctl, read by a table of its options. */
#include "config.h"

#include "ctl/options.h"

#include <string.h>

#include "base/util.h"
#include "ctl/ctl.h"

#define SECONDS_MAX 1000000

/* Digits with at most one point among them; strtod(3) would take signs, exponents and infinity as well. */
static bool parse_seconds(const char *text, uint64_t *ret_usec)
{
	size_t whole = strspn(text, "0123456789");
	const char *rest = text + whole;
	double value;

	if (*rest == '.')
		rest += 1 + strspn(rest + 1, "0123456789");
	if (*rest || whole == 0)
		return false;
	value = strtod(text, NULL);
	if (value > SECONDS_MAX || value * (double)USEC_PER_SEC < 1)
		return false;
	*ret_usec = (uint64_t)(value * (double)USEC_PER_SEC);
	return true;
}

/* Whether @word is this option; *ret_value is what stands behind "=", or NULL. */
static bool matches(const struct option_row *row, const char *word, const char **ret_value)
{
	size_t length = strlen(row->name);

	if (strncmp(word, row->name, length) != 0)
		return false;
	*ret_value = word[length] == '=' ? word + length + 1 : NULL;
	return !word[length] || (*ret_value && row->kind != OPTION_FLAG);
}

/* Reads the option that stands at argv[*@i], and its value, which may be the next word. */
static void read_option(int argc, char **argv, int *i, const struct option_row *rows, size_t n_rows)
{
	const struct option_row *row = NULL;
	const char *word = argv[*i], *value = NULL;

	for (size_t k = 0; k < n_rows && !row; k++)
		if (matches(&rows[k], word, &value))
			row = &rows[k];
	if (!row)
		ctl_usage_error("unknown option", word);
	if (!value && (row->kind == OPTION_VALUE || row->kind == OPTION_SECONDS)) {
		if (*i + 1 >= argc)
			ctl_usage_error("value missing", word);
		value = argv[++*i];
	}
	switch (row->kind) {
	case OPTION_FLAG:
		*row->flag = true;
		break;
	case OPTION_VALUE:
		*row->text = value;
		break;
	case OPTION_MAYBE:
		*row->text = value ? value : row->fallback;
		break;
	case OPTION_SECONDS:
		if (!parse_seconds(value, row->usec))
			ctl_usage_error("write a number of seconds, such as 2.5", value);
		break;
	}
}

size_t options_parse(int argc, char **argv, const struct option_row *rows, size_t n_rows,
		     const struct option_words *words)
{
	bool options = true;
	size_t n = 0;

	for (int i = 1; i < argc; i++) {
		if (options && strcmp(argv[i], "--") == 0) {
			options = false;
		} else if (options && argv[i][0] == '-') {
			read_option(argc, argv, &i, rows, n_rows);
		} else if (n == words->max) {
			ctl_usage_error(words->too_many, argv[i]);
		} else {
			words->v[n++] = argv[i];
		}
	}
	return n;
}
