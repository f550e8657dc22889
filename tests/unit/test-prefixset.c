/* SPDX-License-Identifier: ISC */
/* Tests of the set of address blocks. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/prefixset.h"
#include "base/util.h"

static struct addr address(const char *text)
{
	struct addr addr;

	assert_int_equal(addr_parse(text, &addr), 0);
	return addr;
}

static void add(struct prefixset *set, const char *text, unsigned bits)
{
	struct prefix prefix = { .base = address(text), .bits = bits };

	assert_int_equal(prefixset_add(set, &prefix), 0);
}

static bool has(const struct prefixset *set, const char *text)
{
	struct addr addr = address(text);

	return prefixset_has(set, &addr);
}

static void an_empty_set_holds_nothing(void **state)
{
	struct prefixset set = { 0 };

	(void)state;
	prefixset_seal(&set);
	assert_false(has(&set, "0.0.0.0"));
	assert_false(has(&set, "::"));
	prefixset_done(&set);
}

static void a_block_holds_its_ends_and_not_its_neighbours(void **state)
{
	struct prefixset set = { 0 };

	(void)state;
	add(&set, "10.1.2.99", 22); /* bits behind are cleared: 10.1.0.0 to 10.1.3.255 */
	add(&set, "2001:db8::", 33);
	prefixset_seal(&set);
	assert_true(has(&set, "10.1.0.0"));
	assert_true(has(&set, "10.1.3.255"));
	assert_false(has(&set, "10.0.255.255"));
	assert_false(has(&set, "10.1.4.0"));
	assert_true(has(&set, "2001:db8::"));
	assert_true(has(&set, "2001:db8:7fff:ffff:ffff:ffff:ffff:ffff"));
	assert_false(has(&set, "2001:db8:8000::"));
	assert_false(has(&set, "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff"));
	prefixset_done(&set);
}

static void families_do_not_mix(void **state)
{
	struct addr unknown = { .family = AF_UNSPEC }, unix_peer = { .family = AF_UNIX };
	struct prefixset set = { 0 };

	(void)state;
	add(&set, "0.0.0.0", 0);
	prefixset_seal(&set);
	assert_true(has(&set, "255.255.255.255"));
	assert_false(has(&set, "::"));
	prefixset_done(&set);

	add(&set, "::", 0);
	prefixset_seal(&set);
	assert_true(has(&set, "::"));
	assert_true(has(&set, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"));
	assert_false(has(&set, "10.0.0.1"));
	assert_false(prefixset_has(&set, &unknown));
	assert_false(prefixset_has(&set, &unix_peer));
	prefixset_done(&set);
}

static void sealing_merges_what_touches_or_overlaps(void **state)
{
	struct prefixset set = { 0 };

	(void)state;
	add(&set, "10.0.1.0", 24);
	add(&set, "10.0.0.0", 24);
	add(&set, "10.0.0.128", 25);
	add(&set, "10.0.3.0", 24);
	add(&set, "10.0.3.7", 32);
	prefixset_seal(&set);
	assert_int_equal(set.n, 2);
	assert_true(has(&set, "10.0.1.255"));
	assert_false(has(&set, "10.0.2.0"));
	assert_true(has(&set, "10.0.3.255"));
	prefixset_seal(&set);
	assert_int_equal(set.n, 2);
	prefixset_done(&set);
}

static void a_small_block_does_not_cut_the_one_around_it(void **state)
{
	struct prefixset set = { 0 };

	(void)state;
	add(&set, "10.0.0.0", 8);
	add(&set, "10.0.0.0", 16);
	add(&set, "10.0.0.0", 32);
	prefixset_seal(&set);
	assert_int_equal(set.n, 1);
	assert_true(has(&set, "10.255.255.255"));
	prefixset_done(&set);
}

static void the_last_address_of_a_family_has_no_neighbour(void **state)
{
	struct prefixset set = { 0 };

	(void)state;
	add(&set, "255.255.255.255", 32);
	add(&set, "255.255.255.0", 24);
	add(&set, "::", 128);
	add(&set, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 128);
	add(&set, "0.0.0.0", 32);
	prefixset_seal(&set);
	assert_int_equal(set.n, 4);
	assert_true(has(&set, "255.255.255.255"));
	assert_true(has(&set, "0.0.0.0"));
	assert_true(has(&set, "::"));
	assert_false(has(&set, "::1"));
	prefixset_done(&set);
}

static void port_and_scope_do_not_count(void **state)
{
	struct prefix block = { .base = address("fe80::1"), .bits = 128 };
	struct prefixset set = { 0 };
	struct addr peer = address("fe80::1");

	(void)state;
	block.base.scope = 3;
	block.base.port = 9;
	assert_int_equal(prefixset_add(&set, &block), 0);
	prefixset_seal(&set);
	peer.scope = 7;
	peer.port = 1234;
	assert_true(prefixset_has(&set, &peer));
	prefixset_done(&set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_set_holds_nothing),
		cmocka_unit_test(a_block_holds_its_ends_and_not_its_neighbours),
		cmocka_unit_test(families_do_not_mix),
		cmocka_unit_test(sealing_merges_what_touches_or_overlaps),
		cmocka_unit_test(a_small_block_does_not_cut_the_one_around_it),
		cmocka_unit_test(the_last_address_of_a_family_has_no_neighbour),
		cmocka_unit_test(port_and_scope_do_not_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
