/* SPDX-License-Identifier: ISC */
/* Tests of lines that are read again: what they are is the same, and as many are remembered as help. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "config/lines.h"

static void add(struct lines *lines, const char *text, size_t length, const char *word)
{
	struct stanza *stanza = stanza_new(NULL, STANZA_SERVICE, "a", "f", 1);

	assert_non_null(stanza);
	assert_int_equal(stanza_add(stanza, NULL, "port", OP_ADD, &word, 1, 7), 0);
	lines_add(lines, text, length, &stanza->attributes[0]);
	stanza_free(stanza);
}

static void finds_a_line_by_all_of_its_text(void **state)
{
	struct lines lines = { 0 };
	const struct attribute *found;

	(void)state;
	assert_null(lines_find(&lines, "x", 1));
	add(&lines, "port += 1", 9, "1");
	add(&lines, "port += 1\0", 10, "2");
	add(&lines, "port += 1", 9, "3");
	found = lines_find(&lines, "port += 1 and more", 9);
	assert_non_null(found);
	assert_string_equal(found->name, "port");
	assert_int_equal(found->op, OP_ADD);
	assert_string_equal(found->words->v[0], "1");
	assert_string_equal(lines_find(&lines, "port += 1\0", 10)->words->v[0], "2");
	assert_null(lines_find(&lines, "port += 1", 8));
	assert_null(lines_find(&lines, "", 0));
	lines_done(&lines);
	assert_null(lines_find(&lines, "port += 1", 9));
	lines_done(&lines);
}

static void takes_no_more_than_help(void **state)
{
	struct lines lines = { 0 };
	char text[16];

	(void)state;
	for (int i = 0; i < 5000; i++) {
		(void)snprintf(text, sizeof(text), "%d", i);
		add(&lines, text, strlen(text), text);
	}
	assert_in_range(lines.n, 100, 4999);
	for (int i = 0; i < 5000; i++) {
		const struct attribute *found;

		(void)snprintf(text, sizeof(text), "%d", i);
		found = lines_find(&lines, text, strlen(text));
		assert_int_equal(found != NULL, (size_t)i < lines.n);
		if (found)
			assert_string_equal(found->words->v[0], text);
	}
	lines_done(&lines);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_a_line_by_all_of_its_text),
		cmocka_unit_test(takes_no_more_than_help),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
