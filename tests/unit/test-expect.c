/* SPDX-License-Identifier: ISC */
/* Tests of the search for a text that comes in pieces. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"
#include "ctl/expect.h"

/* Whether @text is found in @data that comes in pieces of @size. */
static bool found(const char *text, const char *data, size_t n, size_t size)
{
	struct expect expect;
	bool result = false;

	assert_int_equal(expect_init(&expect, text), 0);
	for (size_t at = 0; at < n; at += size) {
		size_t length = n - at < size ? n - at : size;
		/* Of its own, so that a sanitizer sees whoever reads beyond it. */
		char *piece = malloc(length);

		assert_non_null(piece);
		memcpy(piece, data + at, length);
		result = expect_look(&expect, piece, length);
		free(piece);
	}
	expect_done(&expect);
	return result;
}

static void finds_a_text_wherever_it_is_cut(void **state)
{
	static const char *const in[] = { "needle",      "hay needle", "needle hay",
					  "nneedneedle", "neeneedle",  "hayneneneedlehay" };
	static const char *const not_in[] = { "", "n", "needl", "eedle", "nee dle", "NEEDLE" };

	(void)state;
	for (size_t size = 1; size < 10; size++) {
		for (size_t i = 0; i < ARRAY_SIZE(in); i++)
			assert_true(found("needle", in[i], strlen(in[i]), size));
		for (size_t i = 0; i < ARRAY_SIZE(not_in); i++)
			assert_false(found("needle", not_in[i], strlen(not_in[i]), size));
		assert_true(found("x", "aax", 3, size));
		assert_false(found("x", "aaa", 3, size));
		assert_true(found("aab", "a\0aaab", 6, size));
	}
}

static void agrees_with_a_search_of_the_whole(void **state)
{
	(void)state;
	srandom(11);
	for (int round = 0; round < 3000; round++) {
		char data[40], text[6];
		size_t n = (size_t)random() % sizeof(data), k = 1 + (size_t)random() % 5;

		for (size_t i = 0; i < n; i++)
			data[i] = (char)('a' + random() % 2);
		for (size_t i = 0; i < k; i++)
			text[i] = (char)('a' + random() % 2);
		text[k] = '\0';
		for (size_t size = 1; size < 8; size++)
			assert_int_equal(found(text, data, n, size),
					 memmem(data, n, text, k) != NULL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_a_text_wherever_it_is_cut),
		cmocka_unit_test(agrees_with_a_search_of_the_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
