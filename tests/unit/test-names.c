/* SPDX-License-Identifier: ISC */
/* Names of clients: what can be one, what matches a word of a list, and what the lists make of it. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"
#include "gate/names.h"

static void plausible_names(void **state)
{
	static const struct {
		const char *text;
		bool plausible;
	} cases[] = {
		{ "host.example.org", true },
		{ "host.example.org.", true },
		{ "HOST", true },
		{ "_service._tcp.example.org", true },
		{ "a-b.example", true },
		{ "3com.example", true },
		{ "1.2.3.4.example", true },
		{ "1.2.3.example", true },
		{ "", false },
		{ ".", false },
		{ ".example.org", false },
		{ "a..example.org", false },
		{ "example.org..", false },
		{ "10.1.2.3", false },
		{ "10.1.2", false },
		{ "10", false },
		{ "0x7f000001", false },
		{ "0177.1", false },
		{ "::1", false },
		{ "fe80::1%lo", false },
		{ "a b", false },
		{ "a\tb", false },
		{ "a\nb", false },
		{ "a/b", false },
		{ "a\\032b", false },
		{ "*.example.org", false },
		{ "a\x1b[2J.example.org", false },
		{ "\xc3\xbc.example.org", false },
		{ "a%s.example.org", false },
	};
	char longest[NAMES_MAX + 1];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (names_is_plausible(cases[i].text) != cases[i].plausible)
			fail_msg("\"%s\" is %splausible", cases[i].text,
				 cases[i].plausible ? "not " : "");
	memset(longest, 'a', sizeof(longest));
	longest[NAMES_MAX - 1] = '\0';
	assert_true(names_is_plausible(longest));
	longest[NAMES_MAX - 1] = 'a';
	longest[NAMES_MAX] = '\0';
	assert_false(names_is_plausible(longest));
}

static void words_that_match(void **state)
{
	static const struct {
		const char *word;
		const char *name;
		bool match;
	} cases[] = {
		{ "host.example.org", "host.example.org", true },
		{ "HOST.Example.ORG", "host.eXample.org", true },
		{ "host.example.org", "host.example.org.", true },
		{ "host.example.org.", "host.example.org", true },
		{ "host.example.org", "host.example.com", false },
		{ "host.example.org", "a.host.example.org", false },
		{ "host.example.org", "host.example.org.evil.net", false },
		{ "host.example.org", "host.example", false },
		{ "example.org", "host.example.org", false },
		{ ".example.org", "host.example.org", true },
		{ ".example.org", "a.b.EXAMPLE.org", true },
		{ ".example.org", "host.example.org.", true },
		{ ".example.org.", "host.example.org", true },
		{ ".example.org", "example.org", false },
		{ ".example.org", "evilexample.org", false },
		{ ".example.org", "host.example.org.evil.net", false },
		{ ".example.org", ".example.org", false },
		{ ".example.org", "", false },
		{ ".org", "host.example.org", true },
		{ ".", "host.example.org", false },
		{ ".", "host.example.org.", false },
		{ "", "host.example.org", false },
		{ "", "", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (names_match(cases[i].word, cases[i].name) != cases[i].match)
			fail_msg("\"%s\" %s \"%s\"", cases[i].word,
				 cases[i].match ? "does not match" : "matches", cases[i].name);
}

static void lists_in_their_precedence(void **state)
{
	static const char *const only[] = { "friend.example.org", ".example.com" };
	static const char *const no[] = { "enemy.example.com", ".example.net" };
	static const struct {
		const char *name;
		bool with_only, with_both, with_no, both;
	} cases[] = {
		{ "friend.example.org", true, true, true, false },
		{ "host.example.com", true, true, true, false },
		{ "enemy.example.com", true, false, false, true },
		{ "host.example.net", false, false, false, false },
		{ "other.example.org", false, false, true, false },
		{ NULL, false, false, true, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct names_lists lists[] = {
			{ .only_from = only, .n_only_from = 2 },
			{ .only_from = only, .n_only_from = 2, .no_access = no, .n_no_access = 2 },
			{ .no_access = no, .n_no_access = 2 },
		};
		bool both;

		assert_int_equal(names_allow(&lists[0], cases[i].name, &both), cases[i].with_only);
		assert_false(both);
		assert_int_equal(names_allow(&lists[1], cases[i].name, &both), cases[i].with_both);
		assert_int_equal(both, cases[i].both);
		assert_int_equal(names_allow(&lists[2], cases[i].name, &both), cases[i].with_no);
		assert_false(both);
	}
}

static void nobody_has_no_name(void **state)
{
	const struct addr unknown = { .family = AF_UNSPEC }, unix_peer = { .family = AF_UNIX };
	char name[NAMES_MAX];

	(void)state;
	assert_false(names_find(&unknown, name));
	assert_false(names_find(&unix_peer, name));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plausible_names),
		cmocka_unit_test(words_that_match),
		cmocka_unit_test(lists_in_their_precedence),
		cmocka_unit_test(nobody_has_no_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
