/* SPDX-License-Identifier: ISC */
/* Tests of values that are kept once: equal ones are one, different ones are not, and the last reference ends them. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/intern.h"
#include "base/util.h"

/* More than the first table of a pool holds. */
#define MANY 1000

struct pair {
	const char *first;
	const char *second;
};

static unsigned n_done;

static void pair_done(void *value)
{
	struct pair *pair = value;

	intern_unref(pair->first);
	intern_unref(pair->second);
	n_done++;
}

static void keeps_equal_texts_once(void **state)
{
	struct intern_pool *pool = intern_pool_new();
	const char *first[MANY], *again;

	(void)state;
	assert_non_null(pool);
	for (size_t i = 0; i < MANY; i++) {
		char text[32];

		(void)snprintf(text, sizeof(text), "text-%zu", i);
		first[i] = intern_text(pool, text);
		assert_string_equal(first[i], text);
	}
	for (size_t i = 0; i < MANY; i++) {
		char text[32];

		(void)snprintf(text, sizeof(text), "text-%zu", i);
		again = intern_text(pool, text);
		assert_ptr_equal(again, first[i]);
		intern_unref(again);
	}
	intern_pool_free(pool);
	for (size_t i = 0; i < MANY; i++) {
		assert_memory_equal(first[i], "text-", 5);
		intern_unref(first[i]);
	}
	intern_unref(NULL);
	intern_pool_free(NULL);
	assert_null(intern_ref(NULL));
}

static void tells_texts_apart_that_begin_alike(void **state)
{
	struct intern_pool *pool = intern_pool_new();
	const char *a = intern_text(pool, "a"), *ab = intern_text(pool, "ab"),
		   *none = intern_text(pool, ""), *alone = intern_text(NULL, "a");

	(void)state;
	assert_string_equal(a, "a");
	assert_string_equal(ab, "ab");
	assert_string_equal(none, "");
	assert_ptr_not_equal(a, alone);
	intern_unref(a);
	intern_unref(ab);
	intern_unref(none);
	intern_unref(alone);
	intern_pool_free(pool);
}

static void keeps_equal_lists_once(void **state)
{
	static const char *const words[] = { "-c", "", "exit 0" }, *const joined[] = {
		"-c exit 0"
	};
	struct intern_pool *pool = intern_pool_new();
	const struct words *all = intern_words(pool, words, 3),
			   *again = intern_words(pool, words, 3),
			   *fewer = intern_words(pool, words, 2),
			   *one = intern_words(pool, joined, 1);

	(void)state;
	assert_ptr_equal(all, again);
	assert_ptr_not_equal(all, fewer);
	assert_ptr_not_equal(all, one);
	intern_pool_free(pool);
	intern_unref(again);
	assert_int_equal(all->n, 3);
	for (size_t i = 0; i < all->n; i++)
		assert_string_equal(all->v[i], words[i]);
	assert_null(all->v[3]);
	assert_int_equal(fewer->n, 2);
	assert_null(fewer->v[2]);
	intern_unref(all);
	intern_unref(fewer);
	intern_unref(one);
}

static void compares_lists_of_any_making(void **state)
{
	static const char *const words[] = { "ab", "c", "" }, *const moved[] = { "a", "bc", "" };
	char ab[] = "ab", c[] = "c", nothing[] = "", *v[] = { ab, c, nothing, NULL };
	const struct words by_hand = { .n = 3, .v = v };
	const struct words *one = intern_words(NULL, words, 3), *two = intern_words(NULL, words, 3),
			   *other = intern_words(NULL, moved, 3),
			   *fewer = intern_words(NULL, words, 2);

	(void)state;
	assert_ptr_not_equal(one, two);
	assert_true(words_equal(one, one));
	assert_true(words_equal(one, two));
	assert_false(words_equal(one, other));
	assert_false(words_equal(one, fewer));
	assert_true(words_equal(one, &by_hand));
	assert_true(words_equal(&by_hand, one));
	assert_false(words_equal(&by_hand, other));
	assert_false(words_equal(one, WORDS_NONE));
	assert_true(words_equal(WORDS_NONE, WORDS_NONE));
	intern_unref(one);
	intern_unref(two);
	intern_unref(other);
	intern_unref(fewer);
}

static void has_a_list_without_words_for_ever(void **state)
{
	const struct words *none = intern_words(NULL, NULL, 0);

	(void)state;
	assert_ptr_equal(none, WORDS_NONE);
	assert_int_equal(none->n, 0);
	assert_null(none->v[0]);
	assert_ptr_equal(intern_ref(none), none);
	intern_unref(none);
	intern_unref(none);
	intern_unref(none);
	assert_null(WORDS_NONE->v[0]);
}

static void ends_what_a_value_refers_to_with_it(void **state)
{
	struct intern_pool *pool = intern_pool_new();
	const struct pair *first, *second;

	(void)state;
	n_done = 0;
	for (size_t i = 0; i < 2; i++) {
		struct pair draft = { intern_text(pool, "x"), intern_text(pool, "y") };
		const struct pair *pair = intern_value(pool, &draft, sizeof(draft), pair_done);

		assert_string_equal(pair->second, "y");
		first = i ? first : pair;
		second = pair;
	}
	assert_ptr_equal(first, second);
	/* The second draft's references. */
	assert_int_equal(n_done, 1);
	intern_pool_free(pool);
	intern_drop(first, pair_done);
	assert_int_equal(n_done, 1);
	assert_string_equal(second->first, "x");
	intern_drop(second, pair_done);
	assert_int_equal(n_done, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_equal_texts_once),
		cmocka_unit_test(tells_texts_apart_that_begin_alike),
		cmocka_unit_test(keeps_equal_lists_once),
		cmocka_unit_test(compares_lists_of_any_making),
		cmocka_unit_test(has_a_list_without_words_for_ever),
		cmocka_unit_test(ends_what_a_value_refers_to_with_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
