/* SPDX-License-Identifier: ISC */
/* Tests of the line by which a client of tcpmux names its service. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "worker/mux_name.h"

/* Feeds @n bytes, at most @step at a time; returns how it ended and how many were taken. */
static enum mux_state feed(struct mux_name *name, const char *bytes, size_t n, size_t step,
			   size_t *ret_taken)
{
	enum mux_state state = MUX_INCOMPLETE;
	size_t at = 0;

	memset(name, 0, sizeof(*name));
	while (at < n && state == MUX_INCOMPLETE) {
		size_t there = n - at < step ? n - at : step;
		size_t share = mux_name_share(name, bytes + at, there);

		assert_in_range(share, 1, there);
		state = mux_name_take(name, bytes + at, share);
		at += share;
	}
	*ret_taken = at;
	return state;
}

/* However the text comes in, the line ends as said and takes @taken bytes, not one more. */
static void ends(const char *text, size_t n, enum mux_state expected, size_t taken,
		 const char *named)
{
	for (size_t step = 1; step <= n; step++) {
		struct mux_name name;
		size_t got;

		assert_int_equal(feed(&name, text, n, step, &got), expected);
		assert_int_equal(got, taken);
		if (expected != MUX_NAMED)
			continue;
		assert_int_equal(name.length, strlen(named));
		assert_memory_equal(name.bytes, named, name.length);
	}
}

#define ENDS(text, state, taken, named) ends(text, sizeof(text) - 1, state, taken, named)

static void reads_a_name_and_nothing_behind_it(void **state)
{
	(void)state;
	ENDS("ftp\r\n", MUX_NAMED, 5, "ftp");
	ENDS("ftp\r\nUSER a\r\n", MUX_NAMED, 5, "ftp");
	ENDS("a\r\n\r\n", MUX_NAMED, 3, "a");
	ENDS("a\r\n\0\0", MUX_NAMED, 3, "a");
	/* People type LF alone. */
	ENDS("a\n", MUX_NAMED, 2, "a");
	ENDS("a\n\n", MUX_NAMED, 2, "a");
	ENDS("Some-Name_2.x/y\xc3\xbc\r\n", MUX_NAMED, 19, "Some-Name_2.x/y\xc3\xbc");
}

static void waits_for_the_end_of_the_line(void **state)
{
	(void)state;
	ENDS("f", MUX_INCOMPLETE, 1, NULL);
	ENDS("ftp\r", MUX_INCOMPLETE, 4, NULL);
	ENDS("ftp\0\r", MUX_INCOMPLETE, 5, NULL);
}

static void refuses_what_is_no_name(void **state)
{
	(void)state;
	ENDS("\r\n", MUX_MALFORMED, 2, NULL);
	ENDS("\nabc", MUX_MALFORMED, 1, NULL);
	ENDS("a b\r\nc", MUX_MALFORMED, 5, NULL);
	ENDS("a\0b\r\n", MUX_MALFORMED, 5, NULL);
	ENDS("\0\r\n", MUX_MALFORMED, 3, NULL);
	ENDS("a\x1b[2J\r\n", MUX_MALFORMED, 7, NULL);
	ENDS("a\x7f\r\n", MUX_MALFORMED, 4, NULL);
	/* Only the CR before the LF is of the end of line. */
	ENDS("a\r\r\n", MUX_MALFORMED, 4, NULL);
	ENDS("a\rb\r\n", MUX_MALFORMED, 5, NULL);
	ENDS("\ta\r\n", MUX_MALFORMED, 4, NULL);
}

static void bounds_the_name(void **state)
{
	char text[1000], name[WIRE_MAX_NAME + 1] = { 0 };

	(void)state;
	memset(text, 'a', sizeof(text));
	memset(name, 'a', WIRE_MAX_NAME);
	ends(text, WIRE_MAX_NAME, MUX_INCOMPLETE, WIRE_MAX_NAME, NULL);
	ends(text, sizeof(text), MUX_TOO_LONG, WIRE_MAX_NAME + 2, NULL);
	memcpy(text + WIRE_MAX_NAME, "\r\n", 2);
	ends(text, sizeof(text), MUX_NAMED, WIRE_MAX_NAME + 2, name);
	memcpy(text + WIRE_MAX_NAME, "a\n", 2);
	ends(text, sizeof(text), MUX_TOO_LONG, WIRE_MAX_NAME + 2, NULL);
	memcpy(text + WIRE_MAX_NAME, "a\r\n", 3);
	ends(text, sizeof(text), MUX_TOO_LONG, WIRE_MAX_NAME + 2, NULL);
	memcpy(text + WIRE_MAX_NAME, "\n", 1);
	ends(text, sizeof(text), MUX_NAMED, WIRE_MAX_NAME + 1, name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_a_name_and_nothing_behind_it),
		cmocka_unit_test(waits_for_the_end_of_the_line),
		cmocka_unit_test(refuses_what_is_no_name),
		cmocka_unit_test(bounds_the_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
