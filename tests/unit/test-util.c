/* SPDX-License-Identifier: ISC */
/* Tests of the tools that every layer uses. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"

static void a_list_is_an_argument_vector_at_every_length(void **state)
{
	struct strv list = { 0 };

	(void)state;
	for (size_t i = 0; i < 40; i++) {
		assert_int_equal(strv_addf(&list, "word %zu", i), 0);
		assert_int_equal(list.n, i + 1);
		assert_null(list.v[list.n]);
	}
	assert_string_equal(list.v[0], "word 0");
	assert_string_equal(list.v[39], "word 39");
	strv_done(&list);
	assert_int_equal(list.n, 0);
	assert_int_equal(strv_add(&list, "again"), 0);
	assert_string_equal(list.v[0], "again");
	strv_done(&list);
}

static void a_copy_of_a_list_replaces_and_is_independent(void **state)
{
	struct strv a = { 0 }, b = { 0 };

	(void)state;
	assert_int_equal(strv_add(&a, "one"), 0);
	assert_int_equal(strv_add(&a, "two"), 0);
	assert_int_equal(strv_add(&b, "old"), 0);
	assert_int_equal(strv_copy(&b, &a), 0);
	assert_true(strv_equal(&a, &b));
	a.v[0][0] = 'O';
	assert_string_equal(b.v[0], "one");
	assert_false(strv_equal(&a, &b));
	assert_int_equal(strv_copy(&b, &b), 0);
	assert_int_equal(b.n, 2);
	strv_done(&a);
	assert_int_equal(strv_copy(&b, &a), 0);
	assert_int_equal(b.n, 0);
	assert_true(strv_equal(&a, &b));
	strv_done(&b);
}

static void finds_words_with_and_without_case(void **state)
{
	struct strv list = { 0 };

	(void)state;
	assert_false(strv_has(&list, ""));
	assert_int_equal(strv_add(&list, "Echo"), 0);
	assert_true(strv_has(&list, "Echo"));
	assert_false(strv_has(&list, "echo"));
	assert_true(strv_has_nocase(&list, "eCHO"));
	assert_false(strv_has_nocase(&list, "ech"));
	strv_done(&list);
}

static void lists_are_equal_in_order_and_length(void **state)
{
	struct strv a = { 0 }, b = { 0 };

	(void)state;
	assert_int_equal(strv_add(&a, "x"), 0);
	assert_false(strv_equal(&a, &b));
	assert_int_equal(strv_add(&a, "y"), 0);
	assert_int_equal(strv_add(&b, "y"), 0);
	assert_int_equal(strv_add(&b, "x"), 0);
	assert_false(strv_equal(&a, &b));
	strv_done(&a);
	strv_done(&b);
}

static void strings_may_be_null(void **state)
{
	(void)state;
	assert_true(str_equal(NULL, NULL));
	assert_false(str_equal(NULL, ""));
	assert_false(str_equal("", NULL));
	assert_true(str_equal("a", "a"));
	assert_false(str_equal("a", "A"));
	assert_true(str_equal_nocase(NULL, NULL));
	assert_false(str_equal_nocase("a", NULL));
	assert_true(str_equal_nocase("a", "A"));
	assert_false(str_equal_nocase("a", "b"));
}

static void an_array_grows_and_keeps_its_elements(void **state)
{
	CLEANUP_FREE uint64_t *v = NULL;

	(void)state;
	for (size_t n = 0; n < 1000; n++) {
		assert_int_equal(array_grow(&v, n, sizeof(*v)), 0);
		v[n] = n * n;
	}
	for (size_t n = 0; n < 1000; n++)
		assert_int_equal(v[n], n * n);
}

static void reads_numbers(void **state)
{
	static const struct {
		const char *text;
		int base;
		long long value;
	} cases[] = {
		{ "0", 10, 0 },
		{ "42", 10, 42 },
		{ "-7", 10, -7 },
		{ "+7", 10, 7 },
		{ "010", 10, 10 },
		{ "022", 8, 18 },
		{ "ff", 16, 255 },
		{ "-Ff", 16, -255 },
		{ "-0", 10, 0 },
		{ "9223372036854775807", 10, LLONG_MAX },
		{ "-9223372036854775808", 10, LLONG_MIN },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		long long value = 99;

		assert_int_equal(
			parse_number(cases[i].text, cases[i].base, LLONG_MIN, LLONG_MAX, &value),
			0);
		assert_true(value == cases[i].value);
	}
}

static void refuses_what_is_no_number(void **state)
{
	static const struct {
		const char *text;
		int base;
	} cases[] = {
		{ "", 10 },     { "-", 10 },   { "+", 10 },   { "+-5", 10 }, { "--5", 10 },
		{ " 5", 10 },   { "5 ", 10 },  { "5x", 10 },  { "0x5", 10 }, { "0x5", 16 },
		{ "-0X5", 16 }, { "8", 8 },    { "0x1", 8 },  { "a", 10 },   { "\t5", 10 },
		{ "5.0", 10 },  { "1e3", 10 }, { "- 5", 10 }, { "-a", 10 },  { "g", 16 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		long long value = 99;

		if (parse_number(cases[i].text, cases[i].base, LLONG_MIN, LLONG_MAX, &value) !=
		    -EINVAL)
			fail_msg("\"%s\" was read as %lld", cases[i].text, value);
		assert_true(value == 99);
	}
}

static void refuses_numbers_out_of_range(void **state)
{
	long long value = 99;

	(void)state;
	assert_int_equal(parse_number("0", 10, 1, 5, &value), -ERANGE);
	assert_int_equal(parse_number("6", 10, 1, 5, &value), -ERANGE);
	assert_int_equal(parse_number("9223372036854775808", 10, LLONG_MIN, LLONG_MAX, &value),
			 -ERANGE);
	assert_int_equal(parse_number("-9223372036854775809", 10, LLONG_MIN, LLONG_MAX, &value),
			 -ERANGE);
	assert_int_equal(parse_number("99999999999999999999x", 10, 0, 5, &value), -EINVAL);
	assert_true(value == 99);
	assert_int_equal(parse_number("1", 10, 1, 5, &value), 0);
	assert_int_equal(parse_number("5", 10, 1, 5, &value), 0);
}

static void finds_the_name_that_was_meant(void **state)
{
	static const char *const names[] = { "socket_type", "server", "server_args", "user",
					     "wait",        "id",     "instances" };
	static const struct {
		const char *word, *name;
	} cases[] = {
		{ "socket_typ", "socket_type" },
		{ "soket_tpye", "socket_type" },
		{ "sever", "server" },
		{ "SERVER_ARG", "server_args" },
		{ "uesr", "user" },
		{ "users", "user" },
		{ "wiat", "wait" },
		{ "instance", "instances" },
		{ "ID", "id" },
		{ "xx", NULL },
		{ "completely_else", NULL },
		{ "", NULL },
		{ "sockettyppe", "socket_type" },
		{ "sckttype", NULL },
		{ "a_word_that_is_much_longer_than_every_name_there_is", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *name = nearest_name(cases[i].word, names, ARRAY_SIZE(names));

		if (!str_equal(name, cases[i].name))
			fail_msg("\"%s\" gave %s", cases[i].word, name ? name : "nothing");
	}
	assert_null(nearest_name("user", names, 0));
}

static void the_nearest_of_several_names_wins(void **state)
{
	static const char *const names[] = { "server_argz", "server_arts", "server_args" };

	(void)state;
	assert_string_equal(nearest_name("server_args", names, 3), "server_args");
	assert_string_equal(nearest_name("server_artx", names, 3), "server_arts");
}

static void escapes_what_is_not_plain_text(void **state)
{
	char out[100];

	(void)state;
	assert_string_equal(escape_text(out, sizeof(out), "plain ~ text"), "plain ~ text");
	assert_string_equal(escape_text(out, sizeof(out), "a\\b"), "a\\x5cb");
	assert_string_equal(escape_text(out, sizeof(out), "\x1b\n\x7f\xff"),
			    "\\x1b\\x0a\\x7f\\xff");
	assert_string_equal(escape_text(out, sizeof(out), ""), "");
}

static void escaping_cuts_whole_escapes_only(void **state)
{
	char out[8] = "#######";

	(void)state;
	assert_string_equal(escape_text(out, 5, "\n\n"), "\\x0a");
	assert_string_equal(escape_text(out, 4, "\n"), "");
	assert_string_equal(escape_text(out, 4, "abcd"), "abc");
	assert_string_equal(escape_text(out, 1, "a"), "");
	out[0] = '#';
	assert_ptr_equal(escape_text(out, 0, "a"), out);
	assert_int_equal(out[0], '#');
	/* Nothing behind a cut escape is written. */
	assert_string_equal(escape_text(out, 5, "ab\nc"), "ab");
}

static void cleanup_closes_what_was_not_taken(void **state)
{
	int fds[2], kept;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	{
		CLEANUP_CLOSE int a = fds[0];
		CLEANUP_CLOSE int b = fds[1];

		kept = take_fd(&b);
		assert_int_equal(b, -1);
		assert_int_equal(a, fds[0]);
	}
	assert_int_equal(kept, fds[1]);
	assert_int_equal(fcntl(fds[0], F_GETFD), -1);
	assert_int_not_equal(fcntl(fds[1], F_GETFD), -1);
	(void)close(fds[1]);
}

static void a_taken_pointer_is_not_freed(void **state)
{
	char *kept;

	(void)state;
	{
		CLEANUP_FREE char *p = strdup("kept");

		kept = TAKE_PTR(p);
		assert_null(p);
	}
	assert_string_equal(kept, "kept");
	free(kept);
}

static void sets_and_clears_nonblock(void **state)
{
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(fd_set_nonblock(fds[0], true), 0);
	assert_true(fcntl(fds[0], F_GETFL) & O_NONBLOCK);
	assert_int_equal(fd_set_nonblock(fds[0], false), 0);
	assert_false(fcntl(fds[0], F_GETFL) & O_NONBLOCK);
	(void)close(fds[0]);
	(void)close(fds[1]);
	assert_int_equal(fd_set_nonblock(-1, true), -EBADF);
}

static void time_does_not_go_back(void **state)
{
	uint64_t before = now_usec();

	(void)state;
	assert_true(before > 0);
	assert_true(now_usec() >= before);
}

static void writes_numbers(void **state)
{
	static const struct {
		uint64_t value;
		const char *text;
	} cases[] = {
		{ 0, "0" },     { 9, "9" },         { 10, "10" },
		{ 255, "255" }, { 65535, "65535" }, { UINT64_MAX, "18446744073709551615" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char out[DECIMAL_MAX + 1], *end;

		memset(out, 'x', sizeof(out));
		end = put_decimal(out, cases[i].value);
		assert_int_equal(end - out, strlen(cases[i].text));
		assert_memory_equal(out, cases[i].text, strlen(cases[i].text));
		assert_int_equal(*end, 'x');
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_list_is_an_argument_vector_at_every_length),
		cmocka_unit_test(a_copy_of_a_list_replaces_and_is_independent),
		cmocka_unit_test(finds_words_with_and_without_case),
		cmocka_unit_test(lists_are_equal_in_order_and_length),
		cmocka_unit_test(strings_may_be_null),
		cmocka_unit_test(an_array_grows_and_keeps_its_elements),
		cmocka_unit_test(reads_numbers),
		cmocka_unit_test(refuses_what_is_no_number),
		cmocka_unit_test(writes_numbers),
		cmocka_unit_test(refuses_numbers_out_of_range),
		cmocka_unit_test(finds_the_name_that_was_meant),
		cmocka_unit_test(the_nearest_of_several_names_wins),
		cmocka_unit_test(escapes_what_is_not_plain_text),
		cmocka_unit_test(escaping_cuts_whole_escapes_only),
		cmocka_unit_test(cleanup_closes_what_was_not_taken),
		cmocka_unit_test(a_taken_pointer_is_not_freed),
		cmocka_unit_test(sets_and_clears_nonblock),
		cmocka_unit_test(time_does_not_go_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
