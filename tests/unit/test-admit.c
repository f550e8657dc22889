/* SPDX-License-Identifier: ISC */
/* Tests of the one decision about a connection. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"
#include "policy/admit.h"

#define NOW UINT64_C(5000000)

/* A service without any limit, its counters and a peer, to be changed by each test. */
struct fixture {
	struct addr_rules only_from;
	struct addr_rules no_access;
	struct time_rules access_times;
	struct service service;
	struct limits limits;
	struct addr peer;
	struct admit_request request;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f || addr_parse("10.0.0.1", &f->peer) < 0)
		return -1;
	f->service.only_from = &f->only_from;
	f->service.no_access = &f->no_access;
	f->service.access_times = &f->access_times;
	f->service.instances = UNLIMITED;
	f->service.per_source = UNLIMITED;
	limits_init(&f->limits);
	f->request = (struct admit_request){
		.service = &f->service,
		.limits = &f->limits,
		.peer = &f->peer,
		.now_usec = NOW,
		.minute_of_day = 12 * 60,
		.load = 0.5,
	};
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	addr_rules_done(&f->only_from);
	addr_rules_done(&f->no_access);
	time_rules_done(&f->access_times);
	limits_done(&f->limits);
	free(f);
	return 0;
}

static enum verdict ask(struct fixture *f)
{
	return admit(&f->request).verdict;
}

static void add_word(struct addr_rules *rules, const char *word)
{
	const char *why;

	assert_int_equal(addr_rules_add(rules, word, &why), 0);
	assert_int_equal(addr_rules_seal(rules), 0);
}

static void add_time(struct fixture *f, const char *word)
{
	const char *why;

	assert_int_equal(time_rules_add(&f->access_times, word, &why), 0);
}

static void reasons_are_xinetd_s_words(void **state)
{
	(void)state;
	assert_string_equal(verdict_reason(VERDICT_ADDRESS), "address");
	assert_string_equal(verdict_reason(VERDICT_TIME), "time");
	assert_string_equal(verdict_reason(VERDICT_FORK), "fork");
	assert_string_equal(verdict_reason(VERDICT_SERVICE_LIMIT), "service_limit");
	assert_string_equal(verdict_reason(VERDICT_PER_SOURCE_LIMIT), "per_source_limit");
	assert_string_equal(verdict_reason(VERDICT_PROCESS_LIMIT), "process_limit");
	assert_string_equal(verdict_reason(VERDICT_LIBWRAP), "libwrap");
	assert_string_equal(verdict_reason(VERDICT_LOAD), "load");
	assert_string_equal(verdict_reason(VERDICT_CPS), "connections per second");
	assert_string_equal(verdict_reason(VERDICT_IDENT), "ident");
	assert_string_equal(verdict_reason(VERDICT_ALLOW), "allowed");
}

static void admits_everybody_where_nothing_is_limited(void **state)
{
	struct fixture *f = *state;
	struct decision decision = admit(&f->request);

	assert_int_equal(decision.verdict, VERDICT_ALLOW);
	assert_int_equal(decision.until_usec, 0);
	assert_false(decision.equal_match);
	assert_int_equal(decision.access, ACCESS_ALLOW);
	assert_false(decision.source_was_taken);
	assert_int_equal(f->limits.running, 1);
	assert_int_equal(f->limits.sources.counts.n, 0);
}

static void trips_over_the_rate_and_says_until_when(void **state)
{
	struct fixture *f = *state;
	struct decision decision;

	f->service.cps_rate = 2;
	f->service.cps_wait_sec = 30;
	assert_int_equal(ask(f), VERDICT_ALLOW);
	assert_int_equal(ask(f), VERDICT_ALLOW);
	decision = admit(&f->request);
	assert_int_equal(decision.verdict, VERDICT_CPS);
	assert_int_equal(decision.until_usec, NOW + 30 * USEC_PER_SEC);
	assert_int_equal(f->limits.running, 2);
}

static void the_longest_wait_does_not_overflow(void **state)
{
	struct fixture *f = *state;

	f->service.cps_rate = 1;
	f->service.cps_wait_sec = UINT32_MAX;
	assert_int_equal(ask(f), VERDICT_ALLOW);
	assert_int_equal(admit(&f->request).until_usec, NOW + UINT32_MAX * USEC_PER_SEC);
}

static void refused_connections_count_for_the_rate(void **state)
{
	struct fixture *f = *state;

	f->service.cps_rate = 2;
	f->service.instances = 0;
	assert_int_equal(ask(f), VERDICT_SERVICE_LIMIT);
	assert_int_equal(ask(f), VERDICT_SERVICE_LIMIT);
	assert_int_equal(ask(f), VERDICT_CPS);
}

static void who_asks_again_is_no_arrival_but_is_checked(void **state)
{
	struct fixture *f = *state;
	struct decision decision;

	f->service.cps_rate = 1;
	f->service.instances = 1;
	decision = admit(&f->request);
	assert_int_equal(decision.verdict, VERDICT_ALLOW);
	f->request.again = true;
	assert_int_equal(ask(f), VERDICT_SERVICE_LIMIT);
	limits_release(&f->limits, &f->peer, decision.source_was_taken);
	assert_int_equal(ask(f), VERDICT_ALLOW);
	f->request.again = false;
	assert_int_equal(ask(f), VERDICT_CPS);
}

static void refuses_at_or_above_the_load(void **state)
{
	struct fixture *f = *state;

	f->service.max_load = 2.5;
	f->request.load = 2.49;
	assert_int_equal(ask(f), VERDICT_ALLOW);
	f->request.load = 2.5;
	assert_int_equal(ask(f), VERDICT_LOAD);
	f->request.load = 99;
	assert_int_equal(ask(f), VERDICT_LOAD);
	f->request.load = -1; /* unknown */
	assert_int_equal(ask(f), VERDICT_ALLOW);
	f->service.max_load = 0;
	f->request.load = 99;
	assert_int_equal(ask(f), VERDICT_ALLOW);
	f->service.max_load = -1;
	f->request.load = 0;
	assert_int_equal(ask(f), VERDICT_LOAD);
}

static void refuses_outside_the_times(void **state)
{
	struct fixture *f = *state;

	add_time(f, "8:00-11:59");
	assert_int_equal(ask(f), VERDICT_TIME);
	f->request.minute_of_day--;
	assert_int_equal(ask(f), VERDICT_ALLOW);
}

static void refuses_by_address_and_tells_an_equal_match(void **state)
{
	struct fixture *f = *state;
	struct decision decision;

	add_word(&f->no_access, "10.0.0.0");
	decision = admit(&f->request);
	assert_int_equal(decision.verdict, VERDICT_ADDRESS);
	assert_false(decision.equal_match);
	add_word(&f->only_from, "10.0.0.1");
	decision = admit(&f->request);
	assert_int_equal(decision.verdict, VERDICT_ADDRESS);
	assert_true(decision.equal_match);
	assert_int_equal(f->limits.running, 0);
}

/* It counts from here on, and what is still to be asked is said. */
static void leaves_open_what_only_a_name_can_decide(void **state)
{
	struct fixture *f = *state;
	struct decision decision;

	add_word(&f->only_from, "host.example.org");
	decision = admit(&f->request);
	assert_int_equal(decision.verdict, VERDICT_ALLOW);
	assert_int_equal(decision.access, ACCESS_IF_LISTED);
	assert_int_equal(f->limits.running, 1);
	add_word(&f->only_from, "10.0.0.1");
	add_word(&f->no_access, ".example.org");
	decision = admit(&f->request);
	assert_int_equal(decision.verdict, VERDICT_ALLOW);
	assert_int_equal(decision.access, ACCESS_UNLESS_BARRED);
	assert_int_equal(f->limits.running, 2);
	f->service.instances = 2;
	decision = admit(&f->request);
	assert_int_equal(decision.verdict, VERDICT_SERVICE_LIMIT);
	f->service.instances = UNLIMITED;
}

static void denies_a_service_over_its_instances(void **state)
{
	struct fixture *f = *state;

	f->service.instances = 2;
	assert_int_equal(ask(f), VERDICT_ALLOW);
	assert_int_equal(ask(f), VERDICT_ALLOW);
	assert_int_equal(ask(f), VERDICT_SERVICE_LIMIT);
	limits_release(&f->limits, &f->peer, false);
	assert_int_equal(ask(f), VERDICT_ALLOW);
	f->service.instances = 0;
	assert_int_equal(ask(f), VERDICT_SERVICE_LIMIT);
}

static void denies_a_source_over_its_limit(void **state)
{
	struct fixture *f = *state;
	struct decision decision;

	f->service.per_source = 1;
	decision = admit(&f->request);
	assert_int_equal(decision.verdict, VERDICT_ALLOW);
	assert_true(decision.source_was_taken);
	assert_int_equal(ask(f), VERDICT_PER_SOURCE_LIMIT);
	f->peer.bytes[3] = 2;
	assert_int_equal(ask(f), VERDICT_ALLOW);
	f->peer.bytes[3] = 1;
	limits_release(&f->limits, &f->peer, decision.source_was_taken);
	assert_int_equal(ask(f), VERDICT_ALLOW);
	f->service.per_source = 0;
	f->peer.bytes[3] = 3;
	assert_int_equal(ask(f), VERDICT_PER_SOURCE_LIMIT);
}

static void per_source_skips_peers_without_an_address(void **state)
{
	static const sa_family_t families[] = { AF_UNSPEC, AF_UNIX };
	struct fixture *f = *state;

	f->service.per_source = 0;
	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		struct decision decision;

		f->peer = (struct addr){ .family = families[i] };
		decision = admit(&f->request);
		assert_int_equal(decision.verdict, VERDICT_ALLOW);
		assert_false(decision.source_was_taken);
	}
}

static void denies_when_all_processes_are_taken(void **state)
{
	struct fixture *f = *state;

	f->request.process_limit = 3;
	f->request.running_total = 2;
	assert_int_equal(ask(f), VERDICT_ALLOW);
	f->request.running_total = 3;
	assert_int_equal(ask(f), VERDICT_PROCESS_LIMIT);
	f->request.process_limit = 0;
	assert_int_equal(ask(f), VERDICT_ALLOW);
}

/* Every check fails; mended from the first on, each gives its verdict in turn. */
static void checks_in_the_documented_order(void **state)
{
	struct fixture *f = *state;

	f->service.cps_rate = 1;
	assert_int_equal(ask(f), VERDICT_ALLOW);
	f->service.per_source = 0;
	f->service.instances = 0;
	f->only_from.given = true;
	f->service.max_load = -1;
	f->request.process_limit = 1;
	f->request.running_total = 1;
	add_time(f, "0:00-0:01");
	assert_int_equal(ask(f), VERDICT_CPS);
	f->service.cps_rate = 0;
	assert_int_equal(ask(f), VERDICT_LOAD);
	f->service.max_load = 0;
	assert_int_equal(ask(f), VERDICT_TIME);
	time_rules_done(&f->access_times);
	assert_int_equal(ask(f), VERDICT_ADDRESS);
	f->only_from.given = false;
	assert_int_equal(ask(f), VERDICT_SERVICE_LIMIT);
	f->service.instances = UNLIMITED;
	assert_int_equal(ask(f), VERDICT_PER_SOURCE_LIMIT);
	f->service.per_source = UNLIMITED;
	assert_int_equal(ask(f), VERDICT_PROCESS_LIMIT);
	assert_int_equal(f->limits.running, 1);
	f->request.process_limit = 0;
	assert_int_equal(ask(f), VERDICT_ALLOW);
	assert_int_equal(f->limits.running, 2);
}

static void a_sensor_refuses_everybody_and_says_that_it_is_one(void **state)
{
	struct fixture *f = *state;
	struct decision decision;

	f->service.flags = FLAG_SENSOR;
	decision = admit(&f->request);
	assert_int_equal(decision.verdict, VERDICT_ADDRESS);
	assert_true(decision.sensed);
	assert_int_equal(f->limits.running, 0);
}

static void refuses_whom_a_sensor_has_shut_out(void **state)
{
	struct fixture *f = *state;
	struct sensor sensor;
	struct decision decision;
	struct addr other;

	sensor_init(&sensor);
	assert_int_equal(sensor_add(&sensor, &f->peer, 1, NOW), SENSOR_ADDED);
	f->request.sensor = &sensor;
	decision = admit(&f->request);
	assert_int_equal(decision.verdict, VERDICT_ADDRESS);
	assert_false(decision.sensed);
	f->request.now_usec = NOW + 60 * USEC_PER_SEC;
	assert_int_equal(ask(f), VERDICT_ALLOW);
	f->request.now_usec = NOW;
	assert_int_equal(addr_parse("10.0.0.2", &other), 0);
	f->request.peer = &other;
	assert_int_equal(ask(f), VERDICT_ALLOW);
	sensor_done(&sensor);
}

static void takes_addresses_that_agree_in_the_masked_bits_for_one_source(void **state)
{
	static const struct {
		const char *first, *second;
		enum verdict verdict;
	} cases[] = {
		{ "2001:db8:0:1::1", "2001:db8:0:1:ffff::2", VERDICT_PER_SOURCE_LIMIT },
		{ "2001:db8:0:1::1", "2001:db8:0:2::1", VERDICT_ALLOW },
		{ "10.1.2.3", "10.1.2.9", VERDICT_PER_SOURCE_LIMIT },
		{ "10.1.2.3", "10.1.3.3", VERDICT_ALLOW },
		{ "10.1.2.0", "2001:db8::", VERDICT_ALLOW },
	};
	struct fixture *f = *state;

	f->service.per_source = 1;
	f->service.source_bits4 = 24;
	f->service.source_bits6 = 64;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct addr source;

		assert_int_equal(addr_parse(cases[i].first, &f->peer), 0);
		assert_int_equal(ask(f), VERDICT_ALLOW);
		source = admit_source(&f->service, &f->peer);
		assert_int_equal(addr_parse(cases[i].second, &f->peer), 0);
		assert_int_equal(ask(f), cases[i].verdict);
		limits_release(&f->limits, &source, true);
		if (cases[i].verdict == VERDICT_ALLOW) {
			source = admit_source(&f->service, &f->peer);
			limits_release(&f->limits, &source, true);
		}
		assert_int_equal(f->limits.sources.counts.n, 0);
	}
}

static void counts_stay_right_when_a_reload_changes_per_source(void **state)
{
	struct fixture *f = *state;
	struct decision before, during;

	before = admit(&f->request);
	f->service.per_source = 1;
	during = admit(&f->request); /* the first one was not counted by source */
	assert_int_equal(during.verdict, VERDICT_ALLOW);
	assert_int_equal(ask(f), VERDICT_PER_SOURCE_LIMIT);
	limits_release(&f->limits, &f->peer, before.source_was_taken);
	assert_int_equal(ask(f), VERDICT_PER_SOURCE_LIMIT);
	f->service.per_source = UNLIMITED;
	limits_release(&f->limits, &f->peer, during.source_was_taken);
	assert_int_equal(f->limits.running, 0);
	assert_int_equal(f->limits.sources.counts.n, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reasons_are_xinetd_s_words),
		TEST(admits_everybody_where_nothing_is_limited),
		TEST(trips_over_the_rate_and_says_until_when),
		TEST(the_longest_wait_does_not_overflow),
		TEST(refused_connections_count_for_the_rate),
		TEST(who_asks_again_is_no_arrival_but_is_checked),
		TEST(refuses_at_or_above_the_load),
		TEST(refuses_outside_the_times),
		TEST(refuses_by_address_and_tells_an_equal_match),
		TEST(leaves_open_what_only_a_name_can_decide),
		TEST(denies_a_service_over_its_instances),
		TEST(denies_a_source_over_its_limit),
		TEST(per_source_skips_peers_without_an_address),
		TEST(denies_when_all_processes_are_taken),
		TEST(checks_in_the_documented_order),
		TEST(counts_stay_right_when_a_reload_changes_per_source),
		cmocka_unit_test_setup_teardown(a_sensor_refuses_everybody_and_says_that_it_is_one,
						setup, teardown),
		cmocka_unit_test_setup_teardown(refuses_whom_a_sensor_has_shut_out, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			takes_addresses_that_agree_in_the_masked_bits_for_one_source, setup,
			teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
