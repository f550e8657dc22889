/* SPDX-License-Identifier: ISC */
/* Tests of the words of only_from, no_access and access_times. */
#include "config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"
#include "config/rules.h"

/* Whether a list of the one word @word holds @text. */
static bool word_has(const char *word, const char *text)
{
	struct addr_rules rules = { 0 };
	const char *why = NULL;
	struct addr addr;
	bool has;

	if (addr_rules_add(&rules, word, &why) < 0)
		fail_msg("%s: %s", word, why);
	assert_int_equal(addr_rules_seal(&rules), 0);
	assert_true(rules.given);
	assert_int_equal(rules.names.n, 0);
	assert_int_equal(addr_parse(text, &addr), 0);
	has = prefixset_has(&rules.blocks, &addr);
	addr_rules_done(&rules);
	return has;
}

struct block_case {
	const char *word;
	const char *first_out; /* the neighbour below, or NULL */
	const char *first;
	const char *last;
	const char *last_out;
};

static void check_blocks(const struct block_case *cases, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct block_case *c = &cases[i];

		if (!word_has(c->word, c->first) || !word_has(c->word, c->last))
			fail_msg("%s does not hold %s to %s", c->word, c->first, c->last);
		if (c->first_out && word_has(c->word, c->first_out))
			fail_msg("%s holds %s", c->word, c->first_out);
		if (c->last_out && word_has(c->word, c->last_out))
			fail_msg("%s holds %s", c->word, c->last_out);
	}
}

static void reads_ipv4_with_trailing_zero_bytes_as_wildcards(void **state)
{
	static const struct block_case cases[] = {
		{ "10.1.2.3", "10.1.2.2", "10.1.2.3", "10.1.2.3", "10.1.2.4" },
		{ "128.138.12.0", "128.138.11.255", "128.138.12.0", "128.138.12.255",
		  "128.138.13.0" },
		{ "10.1.0.0", "10.0.255.255", "10.1.0.0", "10.1.255.255", "10.2.0.0" },
		{ "10.0.0.0", "9.255.255.255", "10.0.0.0", "10.255.255.255", "11.0.0.0" },
		{ "0.0.0.0", "::", "0.0.0.0", "255.255.255.255", "::1" },
		{ "10.0.1.0", "10.0.0.255", "10.0.1.0", "10.0.1.255", "10.0.2.0" },
		{ "10.0.0.64", "10.0.0.63", "10.0.0.64", "10.0.0.64", "10.0.0.65" },
	};

	(void)state;
	check_blocks(cases, ARRAY_SIZE(cases));
}

static void reads_blocks_by_bits_and_by_mask(void **state)
{
	static const struct block_case cases[] = {
		{ "10.1.0.0/24", "10.0.255.255", "10.1.0.0", "10.1.0.255", "10.1.1.0" },
		{ "10.1.2.3/16", "10.0.255.255", "10.1.0.0", "10.1.255.255", "10.2.0.0" },
		{ "10.1.2.4/31", "10.1.2.3", "10.1.2.4", "10.1.2.5", "10.1.2.6" },
		{ "10.0.0.0/32", "9.255.255.255", "10.0.0.0", "10.0.0.0", "10.0.0.1" },
		{ "1.2.3.4/0", NULL, "0.0.0.0", "255.255.255.255", "::" },
		{ "127.0.0.0/255.0.0.0", "126.255.255.255", "127.0.0.0", "127.255.255.255",
		  "128.0.0.0" },
		{ "10.1.2.3/255.255.240.0", "10.0.255.255", "10.1.0.0", "10.1.15.255",
		  "10.1.16.0" },
		{ "10.1.2.3/255.255.255.255", "10.1.2.2", "10.1.2.3", "10.1.2.3", "10.1.2.4" },
		{ "10.1.2.3/0.0.0.0", NULL, "0.0.0.0", "255.255.255.255", "::" },
		{ "2001:db8::/32", "2001:db7:ffff::", "2001:db8::", "2001:db8:ffff::1",
		  "2001:db9::" },
		{ "2001:db8::5/128", "2001:db8::4", "2001:db8::5", "2001:db8::5", "2001:db8::6" },
		{ "2001:db8::7/127", "2001:db8::5", "2001:db8::6", "2001:db8::7", "2001:db8::8" },
	};

	(void)state;
	check_blocks(cases, ARRAY_SIZE(cases));
}

static void reads_factorised_addresses(void **state)
{
	static const struct block_case cases[] = {
		{ "10.1.2.{3,5}", "10.1.2.4", "10.1.2.3", "10.1.2.5", "10.1.2.6" },
		{ "10.1.2.{0}", "10.1.1.255", "10.1.2.0", "10.1.2.0", "10.1.2.1" },
		{ "10.1.{2,4,6}", "10.1.5.0", "10.1.2.0", "10.1.6.255", "10.1.7.0" },
		{ "10.{1}", "10.0.255.255", "10.1.0.0", "10.1.255.255", "10.2.0.0" },
		{ "{10,192}", "11.0.0.0", "10.0.0.0", "192.255.255.255", "193.0.0.0" },
		{ "10.1.{255}", "10.1.254.255", "10.1.255.0", "10.1.255.255", "10.2.0.0" },
	};

	(void)state;
	check_blocks(cases, ARRAY_SIZE(cases));
}

static void reads_ipv6_text_exactly(void **state)
{
	static const struct block_case cases[] = {
		{ "::", "0.0.0.0", "::", "::", "::1" },
		{ "2001:db8::", "2001:db7::", "2001:db8::", "2001:db8::", "2001:db8::1" },
		{ "::ffff:10.1.2.3", "10.1.2.2", "10.1.2.3", "10.1.2.3", "10.1.2.4" },
		{ "::ffff:10.0.0.0", "9.255.255.255", "10.0.0.0", "10.0.0.0", "10.0.0.1" },
	};

	(void)state;
	check_blocks(cases, ARRAY_SIZE(cases));
}

static void turns_mapped_blocks_into_ipv4(void **state)
{
	static const struct block_case cases[] = {
		{ "::ffff:10.1.0.0/112", "10.0.255.255", "10.1.0.0", "10.1.255.255", "10.2.0.0" },
		{ "::ffff:0a01:0000/104", "9.255.255.255", "10.0.0.0", "10.255.255.255",
		  "11.0.0.0" },
		{ "::ffff:10.1.2.3/128", "10.1.2.2", "10.1.2.3", "10.1.2.3", "10.1.2.4" },
		{ "::ffff:0:0/96", "::fffe:ffff:ffff", "0.0.0.0", "255.255.255.255", "::1:0:0:0" },
		{ "::/0", NULL, "0.0.0.0", "255.255.255.255", NULL },
		{ "::/0", NULL, "::", "ffff::1", NULL },
		{ "::ffff:1.2.3.4/95", "::fffd:ffff:ffff", "0.0.0.0", "::fffe:0:1", "::1:0:0:0" },
		{ "::/64", "0:0:0:1::", "::5", "10.1.2.3", "2001:db8::1" },
		{ "::/97", "10.1.2.3", "::", "::7fff:ffff", "::8000:0" },
		{ "2000::/3", "10.1.2.3", "2000::", "3fff::", "4000::" },
	};

	(void)state;
	check_blocks(cases, ARRAY_SIZE(cases));
}

static void keeps_names_for_a_look_up(void **state)
{
	static const char *const names[] = {
		"host.example.org",
		".example.org",
		"localhost",
		"a_b-c.example",
		"3com.example",
		"1.2.3.4.in-addr.arpa",
		"ALL",
		".org",
		"x",
		"163.com",
		"0xcafe.example",
	};
	struct addr_rules rules = { 0 };
	const char *why;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_int_equal(addr_rules_add(&rules, names[i], &why), 0);
	assert_int_equal(rules.names.n, ARRAY_SIZE(names));
	assert_int_equal(rules.blocks.n, 0);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_string_equal(rules.names.v[i], names[i]);
	addr_rules_done(&rules);
}

static void check_refused(const char *const *words, size_t n, const char *part)
{
	for (size_t i = 0; i < n; i++) {
		struct addr_rules rules = { 0 };
		const char *why = NULL;

		assert_int_equal(addr_rules_add(&rules, "10.9.9.9", &why), 0);
		if (addr_rules_add(&rules, words[i], &why) != -EINVAL)
			fail_msg("\"%s\" was accepted", words[i]);
		if (!why || !strstr(why, part))
			fail_msg("\"%s\": \"%s\" does not say \"%s\"", words[i],
				 why ? why : "nothing", part);
		/* Nothing of a refused word stays behind. */
		assert_int_equal(rules.blocks.n, 1);
		assert_int_equal(rules.names.n, 0);
		addr_rules_done(&rules);
	}
}

static void refuses_what_only_looks_like_ipv4(void **state)
{
	static const char *const words[] = {
		"127",
		"127.1",
		"127.0.0",
		"10.1.",
		"300.1.1.1",
		"1.2.3.4.5",
		"010.1.2.3",
		"0x7f000001",
		"0X7F.1",
		"0177.0.0.1",
		"1.2.3.0x4",
		"host.1",
		"10.0.0.x",
		"10.0.0.1-20",
		"10.0.0.1x",
		"10.0.0.1-10.0.0.9",
		".5",
		".",
		"0x",
		"1..2.3",
		"192.168.1.256",
		"!10.0.0.1",
	};

	(void)state;
	check_refused(words, ARRAY_SIZE(words), "write all four numbers");
}

static void refuses_short_networks_and_names_the_full_form(void **state)
{
	static const char *const words[] = {
		"10/8",
		"192.168/16",
		"0x0a000000/8",
		"010.0.0.0/8",
		"/8",
		"host/8",
		"10.0.0.0.0/8",
		"net.example.org/24",
		"11111111111111111111111111111111111111111111111/8",
	};

	(void)state;
	check_refused(words, ARRAY_SIZE(words), "write");
	check_refused(words, 2, "10.0.0.0/8");
}

static void refuses_bits_out_of_range_and_text_behind_them(void **state)
{
	static const char *const words[] = {
		"10.0.0.0/33",
		"10.0.0.0/8junk",
		"10.0.0.0/",
		"10.0.0.0/-1",
		"10.0.0.0/+8",
		"10.0.0.0/8/8",
		"10.0.0.0/255",
		"10.0.0.0/ 8",
		"10.0.0.0/0x8",
		"::/129",
		"::/",
		"2001:db8::/32x",
		"::ffff:10.0.0.0/129",
		"::/4294967296",
		"10.0.0.0/4294967304",
	};

	(void)state;
	check_refused(words, ARRAY_SIZE(words), "and nothing else");
}

static void refuses_masks_that_are_none(void **state)
{
	static const char *const scattered[] = { "10.0.0.0/255.0.255.0", "10.0.0.0/0.0.0.255",
						 "10.0.0.0/127.0.0.0" };
	static const char *const others[] = { "10.0.0.0/255.0", "10.0.0.0/256.0.0.0",
					      "::/255.0.0.0", "10.0.0.0/.",
					      "10.0.0.0/::ffff:255.0.0.0" };

	(void)state;
	check_refused(scattered, ARRAY_SIZE(scattered), "ones of the mask");
	check_refused(others, ARRAY_SIZE(others), "no mask");
}

static void refuses_bad_factorised_addresses(void **state)
{
	static const char *const words[] = {
		"12.{300}", "10.{}",     "10.{1,}",  "10.{,1}",   "10.{1,,2}", "10.{1",
		"10.{1,",   "10{1}",     "10.{1}x",  "10.{1}/16", "10.{1}.2",  "a.{1}",
		"10..{1}",  ".{1}",      "10.{1-3}", "10.{-1}",   "256.{1}",   "1.2.3.4.{5}",
		"{",        "10.{1 ,2}", "10.{0x1}", "10.{1}{2}", "::{1}",     "10.{1/8}",
	};

	(void)state;
	check_refused(words, ARRAY_SIZE(words), "10.1.{2,3}");
}

static void refuses_commas_without_braces(void **state)
{
	static const char *const words[] = { "10.0.0.1,10.0.0.2", "10.0.0.1,", ",", "host,other",
					     "10.0.0.0/8," };

	(void)state;
	check_refused(words, ARRAY_SIZE(words), "remove the comma");
}

static void refuses_text_that_is_no_host_name(void **state)
{
	static const char *const words[] = {
		"*",
		"host*",
		"a..b",
		"host.",
		"..example",
		"@group",
		"-",
		"-host",
		"a.-b",
		"[::1]",
		"2001:db8:::1",
		"h\xc3\xb6st",
		"a b",
		"host:80",
		"fe80::1::",
		"host}",
		"!host",
		"ho\nst",
		"12345::",
		"a123456789012345678901234567890123456789012345678901234567890123.org",
	};
	static const char *const zones[] = { "fe80::1%lo", "fe80::1%lo/64", "::ffff:10.0.0.1%lo" };
	static const char *const nothing[] = { "" };

	(void)state;
	check_refused(words, ARRAY_SIZE(words), "neither an address nor a host name");
	check_refused(zones, ARRAY_SIZE(zones), "without its %zone");
	check_refused(nothing, ARRAY_SIZE(nothing), "empty");
}

static void a_refused_word_leaves_a_list_that_admits_nobody(void **state)
{
	struct addr_rules rules = { 0 };
	const char *why;

	(void)state;
	assert_int_equal(addr_rules_add(&rules, "10/8", &why), -EINVAL);
	assert_true(rules.given);
	addr_rules_done(&rules);
	assert_false(rules.given);
}

/* No word of any shape is accepted without leaving a rule, or refused without a sentence. */
static void every_word_is_a_rule_or_has_a_reason(void **state)
{
	static const char alphabet[] = "0123456789...//::{{}},,-_%xfa \x80";
	uint64_t seed = 42;

	(void)state;
	for (int round = 0; round < 200000; round++) {
		struct addr_rules rules = { 0 };
		const char *why = NULL;
		char word[16];
		size_t length;
		int r;

		seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
		length = seed >> 60;
		for (size_t i = 0; i < length; i++) {
			seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
			word[i] = alphabet[(seed >> 33) % (sizeof(alphabet) - 1)];
		}
		word[length] = '\0';
		r = addr_rules_add(&rules, word, &why);
		if (r == 0 ? rules.blocks.n + rules.names.n == 0
			   : r != -EINVAL || !why || rules.blocks.n + rules.names.n > 0)
			fail_msg("\"%s\" gave %d", word, r);
		addr_rules_done(&rules);
	}
}

static void lists_are_equal_by_words_and_by_being_given(void **state)
{
	static const char *const words[] = { "10.0.0.0", "10.0.0.0/8", "10.0.0.0" };
	struct addr_rules a = { .words = WORDS_NONE }, b = { .words = WORDS_NONE };
	const char *why;

	(void)state;
	assert_true(addr_rules_equal(&a, &b));
	a.given = true;
	assert_false(addr_rules_equal(&a, &b));
	b.given = true;
	assert_true(addr_rules_equal(&a, &b));
	assert_int_equal(addr_rules_add(&a, "10.0.0.0", &why), 0);
	assert_false(addr_rules_equal(&a, &b));
	assert_int_equal(addr_rules_add(&b, "10.0.0.0", &why), 0);
	assert_true(addr_rules_equal(&a, &b));
	a.words = intern_words(NULL, words, 2);
	assert_false(addr_rules_equal(&a, &b));
	b.words = intern_words(NULL, words + 1, 2);
	assert_false(addr_rules_equal(&a, &b));
	intern_unref(b.words);
	b.words = intern_words(NULL, words, 2);
	assert_true(addr_rules_equal(&a, &b));
	b.file = intern_text(NULL, "/x");
	assert_false(addr_rules_equal(&a, &b));
	addr_rules_done(&a);
	addr_rules_done(&b);
}

static void reads_times_of_day(void **state)
{
	static const struct {
		const char *word;
		unsigned start, end;
	} cases[] = {
		{ "8:00-17:30", 480, 1050 }, { "0:00-23:59", 0, 1439 },
		{ "08:5-9:07", 485, 547 },   { "12:00-24:00", 720, 1440 },
		{ "22:00-6:00", 1320, 360 }, { "23:59-0:00", 1439, 0 },
		{ "0:0-24:0", 0, 1440 },
	};
	struct time_rules rules = { 0 };
	const char *why;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(time_rules_add(&rules, cases[i].word, &why), 0);
		assert_int_equal(rules.n, i + 1);
		assert_int_equal(rules.v[i].start_min, cases[i].start);
		assert_int_equal(rules.v[i].end_min, cases[i].end);
	}
	time_rules_done(&rules);
	assert_int_equal(rules.n, 0);
}

static void refuses_what_is_no_time_of_day(void **state)
{
	static const struct {
		const char *word, *part;
	} cases[] = {
		{ "8:00", "START-END" },         { "", "START-END" },
		{ "8-17", "not a time" },        { "8:00-", "not a time" },
		{ "-8:00", "not a time" },       { "8:60-9:00", "not a time" },
		{ "25:00-26:00", "not a time" }, { "1:00-24:01", "not a time" },
		{ "8:00-9:00x", "not a time" },  { "8:00-9:00-10:00", "not a time" },
		{ "8:000-9:00", "not a time" },  { "008:00-9:00", "not a time" },
		{ "8:-9:00", "not a time" },     { ":00-9:00", "not a time" },
		{ "8:0 -9:00", "not a time" },   { "+8:00-9:00", "not a time" },
		{ "24:00-6:00", "0:00" },        { "9:00-9:00", "0:00-24:00" },
	};
	struct time_rules rules = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *why = NULL;

		if (time_rules_add(&rules, cases[i].word, &why) != -EINVAL || !why ||
		    !strstr(why, cases[i].part))
			fail_msg("\"%s\": %s", cases[i].word, why ? why : "accepted");
	}
	assert_int_equal(rules.n, 0);
	time_rules_done(&rules);
}

static void times_are_equal_by_their_intervals(void **state)
{
	struct time_rules a = { 0 }, b = { 0 };
	const char *why;

	(void)state;
	assert_true(time_rules_equal(&a, &b));
	assert_int_equal(time_rules_add(&a, "8:00-9:00", &why), 0);
	assert_false(time_rules_equal(&a, &b));
	assert_int_equal(time_rules_add(&b, "08:00-09:00", &why), 0);
	assert_true(time_rules_equal(&a, &b));
	assert_int_equal(time_rules_add(&a, "10:00-11:00", &why), 0);
	assert_int_equal(time_rules_add(&b, "10:00-11:01", &why), 0);
	assert_false(time_rules_equal(&a, &b));
	time_rules_done(&a);
	time_rules_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_ipv4_with_trailing_zero_bytes_as_wildcards),
		cmocka_unit_test(reads_blocks_by_bits_and_by_mask),
		cmocka_unit_test(reads_factorised_addresses),
		cmocka_unit_test(reads_ipv6_text_exactly),
		cmocka_unit_test(turns_mapped_blocks_into_ipv4),
		cmocka_unit_test(keeps_names_for_a_look_up),
		cmocka_unit_test(refuses_what_only_looks_like_ipv4),
		cmocka_unit_test(refuses_short_networks_and_names_the_full_form),
		cmocka_unit_test(refuses_bits_out_of_range_and_text_behind_them),
		cmocka_unit_test(refuses_masks_that_are_none),
		cmocka_unit_test(refuses_bad_factorised_addresses),
		cmocka_unit_test(refuses_commas_without_braces),
		cmocka_unit_test(refuses_text_that_is_no_host_name),
		cmocka_unit_test(a_refused_word_leaves_a_list_that_admits_nobody),
		cmocka_unit_test(every_word_is_a_rule_or_has_a_reason),
		cmocka_unit_test(lists_are_equal_by_words_and_by_being_given),
		cmocka_unit_test(reads_times_of_day),
		cmocka_unit_test(refuses_what_is_no_time_of_day),
		cmocka_unit_test(times_are_equal_by_their_intervals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
