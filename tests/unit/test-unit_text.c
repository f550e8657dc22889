/* SPDX-License-Identifier: ISC */
/* Tests of texts as the unit files of systemd want them. */
#include "config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"
#include "ctl/unit_text.h"

static void check_word(const char *text, bool variables, const char *expected)
{
	CLEANUP_FREE char *got = NULL;
	size_t size;
	FILE *out = open_memstream(&got, &size);

	assert_non_null(out);
	unit_word(out, text, variables);
	assert_int_equal(fclose(out), 0);
	assert_string_equal(got, expected);
}

static void leaves_plain_words_alone(void **state)
{
	(void)state;
	check_word("-l", true, "-l");
	check_word("/usr/sbin/in.telnetd", true, "/usr/sbin/in.telnetd");
	check_word("a=b,c:d@e", false, "a=b,c:d@e");
}

static void quotes_what_systemd_would_split_or_read(void **state)
{
	(void)state;
	check_word("", true, "\"\"");
	check_word("a b", true, "\"a b\"");
	check_word("say\"x\"", true, "\"say\\\"x\\\"\"");
	check_word("it's", true, "\"it's\"");
	check_word("back\\", true, "\"back\\\\\"");
	/* A ; alone would end the command, a # alone looks like a comment. */
	check_word(";", true, "\";\"");
	check_word("#", true, "\"#\"");
}

static void doubles_specifiers_and_only_in_commands_variables(void **state)
{
	(void)state;
	check_word("100%n", true, "100%%n");
	check_word("$HOME", true, "$$HOME");
	check_word("$HOME", false, "$HOME");
	check_word("%$ x", true, "\"%%$$ x\"");
}

static void writes_other_bytes_by_number(void **state)
{
	(void)state;
	check_word("a\tb\xff\x7f", true, "\"a\\x09b\\xff\\x7f\"");
	check_word("\xc3\xa9", true, "\"\\xc3\\xa9\"");
}

static void knows_what_an_unquoted_setting_can_hold(void **state)
{
	static const char *const good[] = { "/run/a b", "@name", "/x%y",
					    "\xc3\xa9", "a\\b",  "\xf0\x9f\x90\x98" };
	static const char *const bad[] = {
		"",     "ends\\",   " x",           "x ",           "a\nb",
		"\xff", "\xc0\x80", "\xed\xa0\x80", "\xe0\x80\x80", "\xf4\x90\x80\x80",
		"\xc3"
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		if (!unit_takes_plain(good[i]))
			fail_msg("%s is refused", good[i]);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (unit_takes_plain(bad[i]))
			fail_msg("%zu is taken", i);
}

static void knows_programs_and_variables_that_systemd_refuses(void **state)
{
	(void)state;
	assert_true(unit_takes_program("/usr/bin/a b$%"));
	assert_false(unit_takes_program("bin/cat"));
	assert_false(unit_takes_program("/bin/a'b"));
	assert_false(unit_takes_program("/bin/a\\b"));
	assert_false(unit_takes_program("/bin/\x01"));
	assert_true(unit_takes_variable("_A9"));
	assert_false(unit_takes_variable("9A"));
	assert_false(unit_takes_variable("A.B"));
	assert_false(unit_takes_variable(""));
	assert_true(unit_takes_assignment("A="));
	assert_true(unit_takes_assignment("A=x=y"));
	assert_false(unit_takes_assignment("A"));
	assert_false(unit_takes_assignment("=x"));
	assert_false(unit_takes_assignment("A=\xff"));
	assert_false(unit_takes_assignment("A-B=1"));
}

static void check_name(const char *id, const char *expected)
{
	char name[UNIT_NAME_MAX + 1];

	assert_int_equal(unit_name(id, name), 0);
	assert_string_equal(name, expected);
}

static void makes_names_of_units(void **state)
{
	char id[UNIT_NAME_MAX + 2], name[UNIT_NAME_MAX + 1];

	(void)state;
	check_name("rsync-daemon_2.x:y", "rsync-daemon_2.x:y");
	check_name("a@b/c d", "a\\x40b\\x2fc\\x20d");
	check_name(".hidden", "\\x2ehidden");
	check_name("\xc3\\%", "\\xc3\\x5c\\x25");
	assert_int_equal(unit_name("", name), -EINVAL);
	memset(id, 'a', sizeof(id));
	id[UNIT_NAME_MAX] = '\0';
	assert_int_equal(unit_name(id, name), 0);
	id[UNIT_NAME_MAX] = 'a';
	id[UNIT_NAME_MAX + 1] = '\0';
	assert_int_equal(unit_name(id, name), -EINVAL);
	id[UNIT_NAME_MAX - 3] = '/';
	id[UNIT_NAME_MAX - 2] = '\0';
	assert_int_equal(unit_name(id, name), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(leaves_plain_words_alone),
		cmocka_unit_test(quotes_what_systemd_would_split_or_read),
		cmocka_unit_test(doubles_specifiers_and_only_in_commands_variables),
		cmocka_unit_test(writes_other_bytes_by_number),
		cmocka_unit_test(knows_what_an_unquoted_setting_can_hold),
		cmocka_unit_test(knows_programs_and_variables_that_systemd_refuses),
		cmocka_unit_test(makes_names_of_units),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
