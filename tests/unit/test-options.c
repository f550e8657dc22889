/* SPDX-License-Identifier: ISC */
/* Tests of the reading of command lines. */
#include "config.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/util.h"
#include "ctl/ctl.h"
#include "ctl/options.h"

static struct {
	bool flag;
	const char *value;
	const char *maybe;
	uint64_t usec;
	const char *words[2];
} got;

static size_t parse(char **argv)
{
	const struct option_row rows[] = {
		{ "-f", OPTION_FLAG, .flag = &got.flag },
		{ "--flag", OPTION_FLAG, .flag = &got.flag },
		{ "--value", OPTION_VALUE, .text = &got.value },
		{ "--maybe", OPTION_MAYBE, .text = &got.maybe, "fallback" },
		{ "--time", OPTION_SECONDS, .usec = &got.usec },
	};
	const struct option_words words = { got.words, ARRAY_SIZE(got.words), "too many" };
	int argc = 0;

	while (argv[argc])
		argc++;
	got.flag = false;
	got.value = got.maybe = NULL;
	got.usec = 0;
	return options_parse(argc, argv, rows, ARRAY_SIZE(rows), &words);
}

#define PARSE(...) parse((char *[]){ (char[]){ "command" }, __VA_ARGS__, NULL })
#define W(text)      \
	(char[])     \
	{            \
		text \
	}

/* The exit status of a command line that is wrong; 0 where it is not. */
static int status_of(char **argv)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

		(void)dup2(null, STDERR_FILENO);
		(void)parse(argv);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

#define STATUS_OF(...) status_of((char *[]){ (char[]){ "command" }, __VA_ARGS__, NULL })

static void reads_options_and_words_in_any_order(void **state)
{
	(void)state;
	assert_int_equal(PARSE(W("one"), W("--flag"), W("--value"), W("v"), W("two")), 2);
	assert_true(got.flag);
	assert_string_equal(got.value, "v");
	assert_string_equal(got.words[0], "one");
	assert_string_equal(got.words[1], "two");
	assert_null(got.maybe);
	assert_int_equal(PARSE(W("-f")), 0);
	assert_true(got.flag);
}

static void reads_values_behind_an_equals_sign(void **state)
{
	(void)state;
	assert_int_equal(PARSE(W("--value=a=b"), W("--maybe=")), 0);
	assert_string_equal(got.value, "a=b");
	assert_string_equal(got.maybe, "");
	assert_int_equal(PARSE(W("--maybe"), W("word")), 1);
	assert_string_equal(got.maybe, "fallback");
}

static void takes_a_value_whatever_it_looks_like(void **state)
{
	(void)state;
	assert_int_equal(PARSE(W("--value"), W("--flag")), 0);
	assert_string_equal(got.value, "--flag");
	assert_false(got.flag);
}

static void takes_everything_behind_two_dashes_as_words(void **state)
{
	(void)state;
	assert_int_equal(PARSE(W("--"), W("--flag"), W("--")), 2);
	assert_false(got.flag);
	assert_string_equal(got.words[0], "--flag");
	assert_string_equal(got.words[1], "--");
}

static void reads_seconds_with_a_fraction(void **state)
{
	(void)state;
	assert_int_equal(PARSE(W("--time"), W("2.5")), 0);
	assert_int_equal(got.usec, 2500000);
	assert_int_equal(PARSE(W("--time=1000000")), 0);
	assert_int_equal(got.usec, UINT64_C(1000000000000));
	assert_int_equal(PARSE(W("--time=0.000001")), 0);
	assert_int_equal(got.usec, 1);
	assert_int_equal(PARSE(W("--time=3.")), 0);
	assert_int_equal(got.usec, 3000000);
}

static void refuses_what_is_no_time(void **state)
{
	static char bad[][20] = { "0",   "0.0000001", "-1", "+1", "1e3", "",      ".5",
				  "inf", "0x10",      "1s", " 1", "1,5", "1.2.3", "1000001" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(STATUS_OF(W("--time"), bad[i]), STATUS_USAGE);
	assert_int_equal(STATUS_OF(W("--time=5")), 0);
}

static void refuses_what_it_does_not_know(void **state)
{
	(void)state;
	assert_int_equal(STATUS_OF(W("--nope")), STATUS_USAGE);
	assert_int_equal(STATUS_OF(W("--flagged")), STATUS_USAGE);
	assert_int_equal(STATUS_OF(W("--flag=x")), STATUS_USAGE);
	assert_int_equal(STATUS_OF(W("-")), STATUS_USAGE);
	assert_int_equal(STATUS_OF(W("--value")), STATUS_USAGE);
	assert_int_equal(STATUS_OF(W("a"), W("b"), W("c")), STATUS_USAGE);
	assert_int_equal(STATUS_OF(W("a"), W("b")), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_options_and_words_in_any_order),
		cmocka_unit_test(reads_values_behind_an_equals_sign),
		cmocka_unit_test(takes_a_value_whatever_it_looks_like),
		cmocka_unit_test(takes_everything_behind_two_dashes_as_words),
		cmocka_unit_test(reads_seconds_with_a_fraction),
		cmocka_unit_test(refuses_what_is_no_time),
		cmocka_unit_test(refuses_what_it_does_not_know),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
