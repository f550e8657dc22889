/* SPDX-License-Identifier: ISC */
/* Whether what is missing after a load may be the fault of a file that could not be read. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "config/seen.h"

static void add(struct strv *list, const char *words)
{
	char copy[256], *save = NULL;

	(void)snprintf(copy, sizeof(copy), "%s", words);
	for (char *word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save))
		assert_int_equal(strv_add(list, word), 0);
}

static bool lost(const char *whole, const char *unread, const char *file, const char *via)
{
	struct seen seen = { 0 };
	struct strv files = { 0 };
	struct words list;
	bool result;

	add(&seen.whole, whole);
	add(&seen.unread, unread);
	add(&files, via);
	seen_seal(&seen);
	list = (struct words){ .n = files.n, .v = files.v };
	result = seen_lost(&seen, file, &list);
	seen_done(&seen);
	strv_done(&files);
	return result;
}

static void the_innermost_file_that_was_seen_decides(void **state)
{
	(void)state;
	/* Itself. */
	assert_true(lost("/m", "/a", "/a", "/m"));
	assert_false(lost("/m /a", "", "/a", "/m"));
	assert_true(lost("/m /d/", "/d/a", "/d/a", "/m"));
	/* The directory that it was found in. */
	assert_true(lost("/m", "/d/", "/d/a", "/m"));
	assert_false(lost("/m /d/", "", "/d/a", "/m"));
	assert_false(lost("/d/", "/m", "/d/a", "/m"));
	/* Nobody finds such a name in a directory: it was included by name. */
	assert_true(lost("/d/", "/m", "/d/a.conf", "/m"));
	assert_true(lost("/d/", "/m", "/d/a~", "/m"));
	/* The files above. */
	assert_true(lost("/m", "/a", "/b", "/a /m"));
	assert_false(lost("/a", "/m", "/b", "/a /m"));
	assert_true(lost("", "/m", "/b", "/a /m"));
	assert_false(lost("/m", "", "/b", "/a /m"));
	/* Others do not matter. */
	assert_false(lost("/m", "/x", "/b", "/a /m"));
	assert_false(lost("", "/x", "/b", ""));
	assert_false(lost("", "", "b", ""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_innermost_file_that_was_seen_decides),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
