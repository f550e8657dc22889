/* SPDX-License-Identifier: ISC */
/* Tests of the decision by address and by time of day. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"
#include "policy/access.h"

/* Fills a list from words separated by blanks; NULL leaves it unset, "" sets it empty. */
static void set_list(struct addr_rules *rules, const char *words)
{
	char text[256];
	const char *why;

	if (!words)
		return;
	rules->given = true;
	(void)snprintf(text, sizeof(text), "%s", words);
	for (char *rest = text, *word; (word = strsep(&rest, " "));)
		if (*word)
			assert_int_equal(addr_rules_add(rules, word, &why), 0);
	assert_int_equal(addr_rules_seal(rules), 0);
}

static enum access_verdict check(const char *only, const char *no, const char *peer)
{
	struct addr_rules only_from = { 0 }, no_access = { 0 };
	const struct service service = { .only_from = &only_from, .no_access = &no_access };
	enum access_verdict verdict;
	struct addr addr = { .family = AF_UNSPEC };

	set_list(&only_from, only);
	set_list(&no_access, no);
	if (strcmp(peer, "unix") == 0)
		addr.family = AF_UNIX;
	else if (strcmp(peer, "unknown") != 0)
		assert_int_equal(addr_parse(peer, &addr), 0);
	verdict = access_check(&service, &addr);
	addr_rules_done(&only_from);
	addr_rules_done(&no_access);
	return verdict;
}

struct access_case {
	const char *only, *no, *peer;
	enum access_verdict verdict;
};

static void check_all(const struct access_case *cases, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct access_case *c = &cases[i];
		enum access_verdict verdict = check(c->only, c->no, c->peer);

		if (verdict != c->verdict)
			fail_msg("only_from \"%s\" no_access \"%s\" %s: %u instead of %u",
				 c->only ? c->only : "unset", c->no ? c->no : "unset", c->peer,
				 verdict, c->verdict);
	}
}

static void decides_by_addresses_as_the_table_says(void **state)
{
	static const struct access_case cases[] = {
		{ NULL, NULL, "10.0.0.1", ACCESS_ALLOW },
		{ NULL, NULL, "2001:db8::1", ACCESS_ALLOW },
		{ "", NULL, "10.0.0.1", ACCESS_DENY },
		{ NULL, "", "10.0.0.1", ACCESS_ALLOW },
		{ "10.0.0.0", NULL, "10.0.0.1", ACCESS_ALLOW },
		{ "10.0.0.0", NULL, "11.0.0.1", ACCESS_DENY },
		{ "10.0.0.0", NULL, "2001:db8::1", ACCESS_DENY },
		{ NULL, "10.0.0.0", "10.0.0.1", ACCESS_DENY },
		{ NULL, "10.0.0.0", "11.0.0.1", ACCESS_ALLOW },
		{ NULL, "0.0.0.0", "2001:db8::1", ACCESS_ALLOW },
		{ "10.0.0.0", "10.0.0.0", "10.0.0.1", ACCESS_DENY_EQUAL },
		/* No better match: not the narrower only_from, nor the narrower no_access. */
		{ "10.0.0.1", "10.0.0.0", "10.0.0.1", ACCESS_DENY_EQUAL },
		{ "10.0.0.0", "10.0.0.1", "10.0.0.1", ACCESS_DENY_EQUAL },
		{ "10.0.0.0", "10.0.0.1", "10.0.0.2", ACCESS_ALLOW },
		{ "10.0.0.0", "11.0.0.0", "11.0.0.1", ACCESS_DENY },
		{ "10.0.0.0", "11.0.0.0", "12.0.0.1", ACCESS_DENY },
		{ "", "11.0.0.0", "11.0.0.1", ACCESS_DENY },
		{ "::/0", NULL, "10.0.0.1", ACCESS_ALLOW },
		{ "10.0.0.0", NULL, "::ffff:10.0.0.1", ACCESS_ALLOW },
		{ "::ffff:10.0.0.0/104", NULL, "10.2.3.4", ACCESS_ALLOW },
	};

	(void)state;
	check_all(cases, ARRAY_SIZE(cases));
}

static void peers_without_an_address_match_nothing(void **state)
{
	static const struct access_case cases[] = {
		{ NULL, NULL, "unknown", ACCESS_ALLOW },
		{ "0.0.0.0/0 ::/0", NULL, "unknown", ACCESS_DENY },
		{ "", NULL, "unknown", ACCESS_DENY },
		{ "host.example.org", NULL, "unknown", ACCESS_DENY },
		{ NULL, "0.0.0.0/0 ::/0", "unknown", ACCESS_ALLOW },
		{ NULL, NULL, "unix", ACCESS_ALLOW },
		{ "0.0.0.0/0 ::/0", NULL, "unix", ACCESS_DENY },
		{ NULL, "0.0.0.0/0 ::/0", "unix", ACCESS_ALLOW },
		{ NULL, "host.example.org", "unix", ACCESS_ALLOW },
	};

	(void)state;
	check_all(cases, ARRAY_SIZE(cases));
}

static void asks_for_a_look_up_only_where_it_can_change_the_answer(void **state)
{
	static const struct access_case cases[] = {
		{ "host.org", NULL, "10.0.0.1", ACCESS_IF_LISTED },
		{ "host.org 10.0.0.0", NULL, "10.0.0.1", ACCESS_ALLOW },
		{ "host.org 10.0.0.0", NULL, "11.0.0.1", ACCESS_IF_LISTED },
		{ NULL, ".org", "10.0.0.1", ACCESS_UNLESS_BARRED },
		{ NULL, ".org 10.0.0.0", "10.0.0.1", ACCESS_DENY },
		{ "10.0.0.0", ".org", "10.0.0.1", ACCESS_UNLESS_BARRED },
		{ "10.0.0.0", ".org", "11.0.0.1", ACCESS_DENY },
		{ "", ".org", "11.0.0.1", ACCESS_DENY },
		{ "host.org", "10.0.0.0", "10.0.0.1", ACCESS_DENY },
		{ "host.org", ".org", "10.0.0.1", ACCESS_IF_LISTED },
		{ "10.0.0.0 host.org", "10.0.0.0 .org", "10.0.0.1", ACCESS_DENY_EQUAL },
	};

	(void)state;
	check_all(cases, ARRAY_SIZE(cases));
}

static uint64_t random_bits(uint64_t *seed)
{
	*seed = *seed * UINT64_C(6364136223846793005) + 1442695040888963407;
	return *seed >> 33;
}

/* Few distinct bytes, so that lists and peers meet often. */
static struct addr random_address(uint64_t *seed)
{
	static const uint8_t bytes[] = { 0, 1, 127, 128, 254, 255 };
	struct addr addr = { .family = random_bits(seed) % 2 ? AF_INET : AF_INET6 };

	for (unsigned i = 0; i < addr_bits(addr.family) / 8; i++)
		addr.bytes[i] = bytes[random_bits(seed) % (i < 2 ? 3 : ARRAY_SIZE(bytes))];
	return addr;
}

struct model_block {
	struct addr addr;
	unsigned bits;
};

/* The slow and obvious way: bit by bit, block by block. */
static bool model_has(const struct model_block *blocks, size_t n, const struct addr *peer)
{
	for (size_t i = 0; i < n; i++) {
		bool same = blocks[i].addr.family == peer->family;

		for (unsigned bit = 0; bit < blocks[i].bits; bit++) {
			uint8_t mask = (uint8_t)(0x80 >> bit % 8);

			same = same && (blocks[i].addr.bytes[bit / 8] & mask) ==
					       (peer->bytes[bit / 8] & mask);
		}
		if (same)
			return true;
	}
	return false;
}

static size_t random_list(uint64_t *seed, struct addr_rules *rules,
			  struct model_block blocks[static 12])
{
	size_t n = random_bits(seed) % 13;

	rules->given = n > 0 || random_bits(seed) % 2;
	for (size_t i = 0; i < n; i++) {
		char text[ADDR_TEXT_MAX], word[ADDR_TEXT_MAX + 8];
		const char *why;

		blocks[i].addr = random_address(seed);
		/* None that holds the IPv4-mapped block: those are IPv4 as well, see test-rules. */
		if (blocks[i].addr.family == AF_INET6)
			blocks[i].addr.bytes[0] |= 0x20;
		blocks[i].bits =
			3 + (unsigned)random_bits(seed) % (addr_bits(blocks[i].addr.family) - 2);
		(void)snprintf(word, sizeof(word), "%s/%u", addr_format(&blocks[i].addr, text),
			       blocks[i].bits);
		assert_int_equal(addr_rules_add(rules, word, &why), 0);
	}
	assert_int_equal(addr_rules_seal(rules), 0);
	return n;
}

static void agrees_with_a_slow_and_obvious_model(void **state)
{
	uint64_t seed = 20;
	unsigned seen[ACCESS_UNLESS_BARRED + 1] = { 0 };

	(void)state;
	for (int round = 0; round < 3000; round++) {
		struct model_block only[12], no[12];
		struct addr_rules only_from = { 0 }, no_access = { 0 };
		const struct service service = { .only_from = &only_from, .no_access = &no_access };
		size_t n_only = random_list(&seed, &only_from, only);
		size_t n_no = random_list(&seed, &no_access, no);

		for (int i = 0; i < 40; i++) {
			struct addr peer = random_address(&seed);
			bool in_only, in_no;
			enum access_verdict verdict, expected;

			if (peer.family == AF_INET6)
				peer.bytes[0] |= 0x20;
			in_only = model_has(only, n_only, &peer);
			in_no = model_has(no, n_no, &peer);
			expected = in_no && in_only              ? ACCESS_DENY_EQUAL
				   : in_no                       ? ACCESS_DENY
				   : only_from.given && !in_only ? ACCESS_DENY
								 : ACCESS_ALLOW;
			verdict = access_check(&service, &peer);
			assert_int_equal(verdict, expected);
			seen[verdict]++;
		}
		addr_rules_done(&only_from);
		addr_rules_done(&no_access);
	}
	assert_true(seen[ACCESS_ALLOW] > 1000 && seen[ACCESS_DENY] > 1000 &&
		    seen[ACCESS_DENY_EQUAL] > 1000);
}

static bool allows(const char *words, unsigned hour, unsigned minute)
{
	struct time_rules rules = { 0 };
	char text[128];
	const char *why;
	bool allowed;

	(void)snprintf(text, sizeof(text), "%s", words);
	for (char *rest = text, *word; (word = strsep(&rest, " "));)
		if (*word)
			assert_int_equal(time_rules_add(&rules, word, &why), 0);
	allowed = access_time_allows(&rules, 60 * hour + minute);
	time_rules_done(&rules);
	return allowed;
}

static void without_times_every_minute_is_allowed(void **state)
{
	(void)state;
	assert_true(allows("", 0, 0));
	assert_true(allows("", 23, 59));
}

static void both_ends_of_an_interval_are_inside(void **state)
{
	(void)state;
	assert_false(allows("8:00-17:30", 7, 59));
	assert_true(allows("8:00-17:30", 8, 0));
	assert_true(allows("8:00-17:30", 17, 30));
	assert_false(allows("8:00-17:30", 17, 31));
}

static void an_interval_may_go_over_midnight(void **state)
{
	(void)state;
	assert_false(allows("22:00-6:00", 21, 59));
	assert_true(allows("22:00-6:00", 22, 0));
	assert_true(allows("22:00-6:00", 23, 59));
	assert_true(allows("22:00-6:00", 0, 0));
	assert_true(allows("22:00-6:00", 6, 0));
	assert_false(allows("22:00-6:00", 6, 1));
}

static void an_interval_may_end_with_the_day(void **state)
{
	(void)state;
	assert_false(allows("12:00-24:00", 11, 59));
	assert_true(allows("12:00-24:00", 23, 59));
	assert_false(allows("12:00-24:00", 0, 0));
	for (unsigned hour = 0; hour < 24; hour++)
		assert_true(allows("0:00-24:00", hour, 59));
}

static void one_of_several_intervals_is_enough(void **state)
{
	(void)state;
	assert_true(allows("8:00-9:00 20:00-21:00", 8, 30));
	assert_false(allows("8:00-9:00 20:00-21:00", 12, 0));
	assert_true(allows("8:00-9:00 20:00-21:00", 20, 30));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decides_by_addresses_as_the_table_says),
		cmocka_unit_test(peers_without_an_address_match_nothing),
		cmocka_unit_test(asks_for_a_look_up_only_where_it_can_change_the_answer),
		cmocka_unit_test(agrees_with_a_slow_and_obvious_model),
		cmocka_unit_test(without_times_every_minute_is_allowed),
		cmocka_unit_test(both_ends_of_an_interval_are_inside),
		cmocka_unit_test(an_interval_may_go_over_midnight),
		cmocka_unit_test(an_interval_may_end_with_the_day),
		cmocka_unit_test(one_of_several_intervals_is_enough),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
