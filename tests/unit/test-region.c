/* SPDX-License-Identifier: ISC */
/* Proves that pieces of a region are apart, zeroed and aligned, and that a region can be used again. */
#include "config.h"

#include <malloc.h>
#include <setjmp.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/region.h"
#include "base/util.h"

#define PIECES 20000

static bool all_are(const unsigned char *bytes, size_t n, unsigned char value)
{
	for (size_t i = 0; i < n; i++)
		if (bytes[i] != value)
			return false;
	return true;
}

static void pieces_are_apart(void **state)
{
	static unsigned char *pieces[PIECES];
	struct region region = { 0 };
	/* Some as large as many of the others together. */
	size_t sizes[] = { 1, 16, 40, 0, 3000, 17, 400000, 8 };

	(void)state;
	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < PIECES; i++) {
			size_t n = sizes[(i % 997 == 0 ? 6 : i % 6)];

			pieces[i] = region_alloc(&region, n);
			assert_non_null(pieces[i]);
			assert_int_equal((uintptr_t)pieces[i] % alignof(max_align_t), 0);
			assert_true(all_are(pieces[i], n, 0));
			memset(pieces[i], (int)(i % 251) + 1, n);
		}
		for (size_t i = 0; i < PIECES; i++)
			assert_true(all_are(pieces[i], sizes[(i % 997 == 0 ? 6 : i % 6)],
					    (unsigned char)(i % 251 + 1)));
		region_done(&region);
	}
	region_done(&region);
}

static void too_much_is_refused(void **state)
{
	struct region region = { 0 };

	(void)state;
#ifdef SANITIZED
	skip();
#endif
	assert_null(region_alloc(&region, SIZE_MAX - 3));
	assert_null(region_alloc(&region, SIZE_MAX / 2));
	assert_non_null(region_alloc(&region, 100));
	/* What is there stays in use. */
	assert_null(region_alloc(&region, SIZE_MAX / 2));
	assert_non_null(region_alloc(&region, 100));
	region_done(&region);
}

static void the_heap_keeps_nothing_of_it(void **state)
{
	struct region region = { 0 };
	struct mallinfo2 before, after;

	(void)state;
#ifdef SANITIZED
	skip();
#endif
	before = mallinfo2();
	for (size_t i = 0; i < PIECES; i++)
		assert_non_null(region_alloc(&region, 100));
	after = mallinfo2();
	assert_true(after.arena < before.arena + 10000);
	assert_in_range(after.hblkhd - before.hblkhd, PIECES * 112, PIECES * 112 + 600000);
	region_done(&region);
	assert_int_equal(mallinfo2().hblkhd, before.hblkhd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_heap_keeps_nothing_of_it),
		cmocka_unit_test(pieces_are_apart),
		cmocka_unit_test(too_much_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
