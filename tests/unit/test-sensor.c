/* SPDX-License-Identifier: ISC */
/* Tests of the list of those who touched a sensor. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "config/service.h"
#include "policy/sensor.h"

#define NOW    UINT64_C(5000000)
#define MINUTE (60 * USEC_PER_SEC)

static int setup(void **state)
{
	static struct sensor sensor;

	sensor_init(&sensor);
	*state = &sensor;
	return 0;
}

static int teardown(void **state)
{
	sensor_done(*state);
	return 0;
}

static struct addr address(const char *text)
{
	struct addr addr;

	assert_int_equal(addr_parse(text, &addr), 0);
	return addr;
}

/* The @i-th of many addresses. */
static struct addr numbered(unsigned i)
{
	return (struct addr){ .family = AF_INET,
			      .bytes = { 10, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i } };
}

static void shuts_out_until_the_time_is_over(void **state)
{
	struct sensor *sensor = *state;
	struct addr peer = address("192.0.2.1");

	assert_false(sensor_has(sensor, &peer, NOW));
	assert_int_equal(sensor_add(sensor, &peer, 2, NOW), SENSOR_ADDED);
	assert_true(sensor_has(sensor, &peer, NOW));
	assert_true(sensor_has(sensor, &peer, NOW + 2 * MINUTE - 1));
	assert_false(sensor_has(sensor, &peer, NOW + 2 * MINUTE));
}

static void shuts_out_for_ever(void **state)
{
	struct sensor *sensor = *state;
	struct addr peer = address("192.0.2.1");

	assert_int_equal(sensor_add(sensor, &peer, UNLIMITED, NOW), SENSOR_ADDED);
	assert_true(sensor_has(sensor, &peer, UINT64_MAX - 1));
	assert_int_equal(sensor_add(sensor, &peer, 1, NOW), SENSOR_EXTENDED);
	assert_true(sensor_has(sensor, &peer, UINT64_MAX - 1));
}

static void d19_a_repeated_hit_extends_the_time_and_never_shortens_it(void **state)
{
	struct sensor *sensor = *state;
	struct addr peer = address("2001:db8::1");

	assert_int_equal(sensor_add(sensor, &peer, 2, NOW), SENSOR_ADDED);
	assert_int_equal(sensor_add(sensor, &peer, 2, NOW + MINUTE), SENSOR_EXTENDED);
	assert_true(sensor_has(sensor, &peer, NOW + 3 * MINUTE - 1));
	assert_int_equal(sensor_add(sensor, &peer, 1, NOW + MINUTE), SENSOR_EXTENDED);
	assert_true(sensor_has(sensor, &peer, NOW + 3 * MINUTE - 1));
	assert_false(sensor_has(sensor, &peer, NOW + 3 * MINUTE));
	assert_int_equal(sensor_add(sensor, &peer, 1, NOW + 3 * MINUTE), SENSOR_ADDED);
	assert_int_equal(sensor->n, 1);
}

static void d19_keeps_addresses_and_no_blocks(void **state)
{
	struct sensor *sensor = *state;
	struct addr zeros = address("10.0.0.0"), other = address("10.1.2.3");
	struct addr ported = address("10.0.0.0");

	ported.port = 4711;
	assert_int_equal(sensor_add(sensor, &zeros, 5, NOW), SENSOR_ADDED);
	assert_false(sensor_has(sensor, &other, NOW));
	assert_true(sensor_has(sensor, &ported, NOW));
}

static void d19_a_client_is_the_same_by_an_ipv6_socket(void **state)
{
	struct sockaddr_in6 mapped = { .sin6_family = AF_INET6 };
	struct sensor *sensor = *state;
	struct addr plain = address("192.0.2.1"), peer;

	mapped.sin6_addr.s6_addr[10] = mapped.sin6_addr.s6_addr[11] = 0xff;
	memcpy(mapped.sin6_addr.s6_addr + 12, plain.bytes, 4);
	addr_from_sockaddr(&peer, (const struct sockaddr *)&mapped, sizeof(mapped));
	assert_int_equal(sensor_add(sensor, &peer, 5, NOW), SENSOR_ADDED);
	assert_true(sensor_has(sensor, &plain, NOW));
}

static void takes_no_more_than_its_bound_and_makes_room_of_what_is_over(void **state)
{
	struct sensor *sensor = *state;
	struct addr peer;

	for (unsigned i = 0; i < SENSOR_MAX; i++) {
		peer = numbered(i);
		assert_int_equal(sensor_add(sensor, &peer, i < 10 ? 1 : 5, NOW), SENSOR_ADDED);
	}
	peer = numbered(SENSOR_MAX);
	assert_int_equal(sensor_add(sensor, &peer, 5, NOW), SENSOR_FULL);
	assert_false(sensor_has(sensor, &peer, NOW));
	peer = numbered(0);
	assert_int_equal(sensor_add(sensor, &peer, 5, NOW), SENSOR_EXTENDED);
	peer = numbered(SENSOR_MAX);
	assert_int_equal(sensor_add(sensor, &peer, 5, NOW + MINUTE), SENSOR_ADDED);
	assert_int_equal(sensor->n, SENSOR_MAX - 9 + 1);
	peer = numbered(0);
	assert_true(sensor_has(sensor, &peer, NOW + MINUTE));
	peer = numbered(SENSOR_MAX - 1);
	assert_true(sensor_has(sensor, &peer, NOW + MINUTE));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(shuts_out_until_the_time_is_over, setup, teardown),
		cmocka_unit_test_setup_teardown(shuts_out_for_ever, setup, teardown),
		cmocka_unit_test_setup_teardown(
			d19_a_repeated_hit_extends_the_time_and_never_shortens_it, setup, teardown),
		cmocka_unit_test_setup_teardown(d19_keeps_addresses_and_no_blocks, setup, teardown),
		cmocka_unit_test_setup_teardown(d19_a_client_is_the_same_by_an_ipv6_socket, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			takes_no_more_than_its_bound_and_makes_room_of_what_is_over, setup,
			teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
