/* SPDX-License-Identifier: ISC */
/* Others are let first as long as that takes no time, and again when they may have become quicker. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "serve/give_way.h"

#define NOW UINT64_C(5000000)

static void gives_way_as_long_as_that_is_quick(void **state)
{
	struct give_way way = { 0 };

	(void)state;
	assert_true(give_way_may(&way, 0));
	assert_true(give_way_may(&way, NOW));
	give_way_took(&way, NOW, NOW);
	give_way_took(&way, NOW, NOW + GIVE_WAY_LONG_USEC - 1);
	assert_true(give_way_may(&way, NOW));
}

static void rests_where_others_keep_the_processor(void **state)
{
	struct give_way way = { 0 };
	uint64_t back = NOW + GIVE_WAY_LONG_USEC;

	(void)state;
	give_way_took(&way, NOW, back);
	assert_false(give_way_may(&way, back));
	assert_false(give_way_may(&way, back + GIVE_WAY_REST_USEC - 1));
	assert_true(give_way_may(&way, back + GIVE_WAY_REST_USEC));
	/* It is found out anew each time. */
	give_way_took(&way, back + GIVE_WAY_REST_USEC, back + 3 * GIVE_WAY_REST_USEC);
	assert_false(give_way_may(&way, back + 3 * GIVE_WAY_REST_USEC));
}

static void comes_back(void **state)
{
	struct give_way way = { 0 };

	(void)state;
	for (unsigned i = 0; i < 100; i++)
		give_way(&way);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_way_as_long_as_that_is_quick),
		cmocka_unit_test(rests_where_others_keep_the_processor),
		cmocka_unit_test(comes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
