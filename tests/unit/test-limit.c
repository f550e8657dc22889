/* SPDX-License-Identifier: ISC */
/* Tests of the counters of a service. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"
#include "policy/limit.h"

/* An arbitrary start, above 32 bits of microseconds. */
#define START UINT64_C(9000000000)

static struct addr address(const char *text)
{
	struct addr addr;

	assert_int_equal(addr_parse(text, &addr), 0);
	return addr;
}

static void idle_counters_are_small(void **state)
{
	(void)state;
	assert_true(sizeof(struct limits) <= 64);
}

static void the_rate_passes_and_one_more_trips(void **state)
{
	struct limits limits;

	(void)state;
	limits_init(&limits);
	for (unsigned rate = 1; rate < 100; rate += 7) {
		uint64_t now = START + rate * 10 * USEC_PER_SEC;

		for (unsigned i = 0; i < rate; i++)
			assert_int_equal(limits_arrive(&limits, rate, 1, now + i), 0);
		assert_int_equal(limits_arrive(&limits, rate, 1, now + USEC_PER_SEC - 1), 1);
	}
	limits_done(&limits);
}

static void an_arrival_is_forgotten_after_one_second(void **state)
{
	struct limits limits;

	(void)state;
	limits_init(&limits);
	assert_int_equal(limits_arrive(&limits, 2, 1, START), 0);
	assert_int_equal(limits_arrive(&limits, 2, 1, START + 900000), 0);
	assert_int_equal(limits_arrive(&limits, 2, 1, START + 1000000), 0);
	/* The window slides: 900000 and 1000000 are both less than a second old. */
	assert_int_equal(limits_arrive(&limits, 2, 1, START + 1899999), 1);
	limits_done(&limits);
}

static void a_rate_that_is_kept_to_never_trips(void **state)
{
	struct limits limits;

	(void)state;
	limits_init(&limits);
	/* For more than the 71 minutes in which 32 bits of microseconds wrap. */
	for (uint64_t i = 0; i < 15000; i++)
		assert_int_equal(limits_arrive(&limits, 3, 1, START + i * 333334), 0);
	limits_done(&limits);
}

static void xinetd_s_average_over_many_seconds_is_not_copied(void **state)
{
	struct limits limits;

	(void)state;
	limits_init(&limits);
	/* D25: three at once and one more 1.1 s later trips "cps = 3 2" there. */
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(limits_arrive(&limits, 3, 1, START), 0);
	assert_int_equal(limits_arrive(&limits, 3, 1, START + 1100000), 0);
	limits_done(&limits);
}

static void a_trip_leaves_an_empty_count(void **state)
{
	struct limits limits;

	(void)state;
	limits_init(&limits);
	for (int round = 0; round < 3; round++) {
		for (unsigned i = 0; i < 20; i++)
			assert_int_equal(limits_arrive(&limits, 20, 1, START), 0);
		assert_int_equal(limits_arrive(&limits, 20, 1, START), 1);
	}
	assert_null(limits.ring);
	limits_done(&limits);
}

static void a_rate_of_zero_counts_nothing(void **state)
{
	struct limits limits;

	(void)state;
	limits_init(&limits);
	for (unsigned i = 0; i < 1000; i++)
		assert_int_equal(limits_arrive(&limits, 0, 1, START), 0);
	assert_null(limits.ring);
	limits_done(&limits);
}

static void a_lower_rate_holds_from_the_next_arrival_on(void **state)
{
	struct limits limits;

	(void)state;
	limits_init(&limits);
	for (unsigned i = 0; i < 10; i++)
		assert_int_equal(limits_arrive(&limits, 50, 1, START + i), 0);
	assert_int_equal(limits_arrive(&limits, 5, 1, START + 10), 1);
	limits_done(&limits);
}

static void an_earlier_time_does_not_open_a_new_window(void **state)
{
	struct limits limits;

	(void)state;
	limits_init(&limits);
	assert_int_equal(limits_arrive(&limits, 2, 1, START), 0);
	assert_int_equal(limits_arrive(&limits, 2, 1, START - 5), 0);
	assert_int_equal(limits_arrive(&limits, 2, 1, START - 10), 1);
	limits_done(&limits);
}

static void memory_follows_the_arrivals_and_is_given_back(void **state)
{
	struct limits limits;

	(void)state;
	limits_init(&limits);
	assert_int_equal(limits_arrive(&limits, 1000000000, 1, START), 0);
	assert_true(limits.ring->capacity <= 16);
	for (unsigned i = 0; i < 5000; i++)
		assert_int_equal(limits_arrive(&limits, 1000000000, 1, START + i), 0);
	assert_true(limits.ring->capacity >= 5000);
	assert_int_equal(limits_arrive(&limits, 1000000000, 1, START + 10 * USEC_PER_SEC), 0);
	assert_true(limits.ring->capacity <= 64);
	limits_done(&limits);
}

/* The slow and obvious way: every arrival is remembered, all are looked at. */
static void agrees_with_a_slow_and_obvious_model(void **state)
{
	static uint64_t times[20000];

	(void)state;
	for (unsigned rate = 1; rate < 70; rate += 11) {
		uint64_t now = START, seed = rate;
		struct limits limits;
		unsigned trips = 0;
		size_t n = 0;

		limits_init(&limits);
		for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
			unsigned recent = 0;

			seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
			now += (seed >> 33) % (2 * USEC_PER_SEC / rate);
			for (size_t k = n; k-- > 0 && now - times[k] < USEC_PER_SEC;)
				recent++;
			assert_int_equal(limits_arrive(&limits, rate, 1, now), recent >= rate);
			if (recent >= rate) {
				trips++;
				n = 0;
			} else {
				times[n++] = now;
			}
		}
		assert_in_range(trips, 10, ARRAY_SIZE(times) / 2);
		limits_done(&limits);
	}
}

static void release_undoes_take(void **state)
{
	struct addr a = address("10.0.0.1"), b = address("2001:db8::1");
	struct limits limits;

	(void)state;
	limits_init(&limits);
	assert_int_equal(limits_take(&limits, &a, true), 0);
	assert_int_equal(limits_take(&limits, &a, true), 0);
	assert_int_equal(limits_take(&limits, &b, true), 0);
	assert_int_equal(limits.running, 3);
	assert_int_equal(limits_running_from(&limits, &a), 2);
	assert_int_equal(limits_running_from(&limits, &b), 1);
	limits_release(&limits, &a, true);
	limits_release(&limits, &b, true);
	assert_int_equal(limits.running, 1);
	assert_int_equal(limits_running_from(&limits, &a), 1);
	assert_int_equal(limits_running_from(&limits, &b), 0);
	limits_release(&limits, &a, true);
	assert_int_equal(limits.running, 0);
	assert_int_equal(limits.sources.counts.n, 0);
	limits_done(&limits);
}

static void ports_do_not_make_two_sources_of_one(void **state)
{
	struct addr a = address("10.0.0.1"), again = a;
	struct limits limits;

	(void)state;
	a.port = 1;
	again.port = 2;
	limits_init(&limits);
	assert_int_equal(limits_take(&limits, &a, true), 0);
	assert_int_equal(limits_take(&limits, &again, true), 0);
	assert_int_equal(limits_running_from(&limits, &a), 2);
	limits_release(&limits, &a, true);
	limits_release(&limits, &a, true);
	limits_done(&limits);
}

static void what_was_not_taken_by_source_is_not_released_by_source(void **state)
{
	struct addr a = address("10.0.0.1");
	struct limits limits;

	(void)state;
	limits_init(&limits);
	assert_int_equal(limits_take(&limits, &a, false), 0);
	assert_int_equal(limits.sources.counts.n, 0);
	assert_int_equal(limits_take(&limits, &a, true), 0);
	assert_int_equal(limits_running_from(&limits, &a), 1);
	limits_release(&limits, &a, false);
	assert_int_equal(limits.running, 1);
	assert_int_equal(limits_running_from(&limits, &a), 1);
	limits_release(&limits, &a, true);
	assert_int_equal(limits.running, 0);
	limits_done(&limits);
}

static void counts_thousands_of_sources_apart(void **state)
{
	struct limits limits;
	struct addr addr = address("10.0.0.0");

	(void)state;
	limits_init(&limits);
	for (unsigned pass = 0; pass < 2; pass++) {
		for (unsigned i = 0; i < 5000; i++) {
			addr.bytes[2] = (uint8_t)(i >> 8);
			addr.bytes[3] = (uint8_t)i;
			assert_int_equal(limits_running_from(&limits, &addr), pass);
			assert_int_equal(limits_take(&limits, &addr, true), 0);
		}
	}
	assert_int_equal(limits.running, 10000);
	limits_done(&limits);
	assert_int_equal(limits.running, 0);
	assert_int_equal(limits.sources.counts.n, 0);
}

static void sources_that_are_gone_leave_nothing_behind(void **state)
{
	struct limits limits;
	struct addr addr = address("10.0.0.0");

	(void)state;
	limits_init(&limits);
	for (unsigned taken = 0; taken < 2; taken++) {
		for (unsigned i = 0; i < 100000; i++) {
			addr.bytes[1] = (uint8_t)(i >> 16);
			addr.bytes[2] = (uint8_t)(i >> 8);
			addr.bytes[3] = (uint8_t)i;
			if (taken)
				limits_release(&limits, &addr, true);
			else
				assert_int_equal(limits_take(&limits, &addr, true), 0);
		}
	}
	assert_int_equal(limits.running, 0);
	assert_int_equal(limits.sources.counts.n, 0);
	assert_true(limits.sources.counts.room <= 16);
	limits_done(&limits);
}

static void counts_over_the_window_it_is_given(void **state)
{
	struct limits limits;

	(void)state;
	limits_init(&limits);
	assert_int_equal(limits_arrive(&limits, 2, 60, START), 0);
	assert_int_equal(limits_arrive(&limits, 2, 60, START + 30 * USEC_PER_SEC), 0);
	assert_int_equal(limits_arrive(&limits, 2, 60, START + 61 * USEC_PER_SEC), 0);
	/* 30 and 61 seconds are both within the minute before this one. */
	assert_int_equal(limits_arrive(&limits, 2, 60, START + 89 * USEC_PER_SEC), 1);
	assert_int_equal(limits_arrive(&limits, 2, 60, START + 90 * USEC_PER_SEC), 0);
	limits_done(&limits);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_over_the_window_it_is_given),
		cmocka_unit_test(idle_counters_are_small),
		cmocka_unit_test(the_rate_passes_and_one_more_trips),
		cmocka_unit_test(an_arrival_is_forgotten_after_one_second),
		cmocka_unit_test(a_rate_that_is_kept_to_never_trips),
		cmocka_unit_test(xinetd_s_average_over_many_seconds_is_not_copied),
		cmocka_unit_test(a_trip_leaves_an_empty_count),
		cmocka_unit_test(a_rate_of_zero_counts_nothing),
		cmocka_unit_test(a_lower_rate_holds_from_the_next_arrival_on),
		cmocka_unit_test(an_earlier_time_does_not_open_a_new_window),
		cmocka_unit_test(memory_follows_the_arrivals_and_is_given_back),
		cmocka_unit_test(agrees_with_a_slow_and_obvious_model),
		cmocka_unit_test(release_undoes_take),
		cmocka_unit_test(ports_do_not_make_two_sources_of_one),
		cmocka_unit_test(what_was_not_taken_by_source_is_not_released_by_source),
		cmocka_unit_test(counts_thousands_of_sources_apart),
		cmocka_unit_test(sources_that_are_gone_leave_nothing_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
