/* SPDX-License-Identifier: ISC */
/* Tests of what a load remembers: by kind and by both values, with references of its own. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config/memo.h"

static unsigned n_done;

static void count_done(void *value)
{
	(void)value;
	n_done++;
}

static void finds_what_was_remembered_of_both_values(void **state)
{
	const char *a = intern_text(NULL, "a"), *b = intern_text(NULL, "b"),
		   *value = intern_text(NULL, "value");
	struct memo memo = { 0 };

	(void)state;
	n_done = 0;
	assert_null(memo_find(&memo, MEMO_BANNER, a, NULL));
	memo_add(&memo, MEMO_BANNER, a, NULL, value, count_done);
	memo_add(&memo, MEMO_PROGRAM, a, b, b, NULL);
	assert_ptr_equal(memo_find(&memo, MEMO_BANNER, a, NULL), value);
	assert_ptr_equal(memo_find(&memo, MEMO_PROGRAM, a, b), b);
	assert_null(memo_find(&memo, MEMO_TIMES, a, NULL));
	assert_null(memo_find(&memo, MEMO_BANNER, b, NULL));
	assert_null(memo_find(&memo, MEMO_BANNER, a, b));
	assert_null(memo_find(&memo, MEMO_PROGRAM, b, a));
	assert_null(memo_find(&memo, MEMO_PROGRAM, a, NULL));
	/* It has references of its own. */
	intern_unref(a);
	intern_unref(b);
	intern_drop(value, count_done);
	assert_int_equal(n_done, 0);
	assert_string_equal(memo_find(&memo, MEMO_BANNER, a, NULL), "value");
	memo_done(&memo);
	assert_int_equal(n_done, 1);
	assert_null(memo_find(&memo, MEMO_BANNER, a, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_what_was_remembered_of_both_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
