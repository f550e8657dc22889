/* SPDX-License-Identifier: ISC */
/* Tests of the chat room's lines, and of Telnet's commands between them. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../services/chat_line.h"
#include "base/util.h"

#define IAC  "\xff"
#define WILL "\xfb"
#define WONT "\xfc"
#define DO   "\xfd"
#define DONT "\xfe"
#define SB   "\xfa"
#define SE   "\xf0"

/* What comes of the bytes, fed in pieces of @piece: lines in [], ! for one that is too long, + for more of it, . for leaving. */
static void events_of(struct line *line, const char *bytes, size_t length, size_t piece, char *told,
		      size_t size)
{
	size_t used = 0;

	told[0] = '\0';
	for (size_t at = 0; at < length;) {
		size_t part = length - at < piece ? length - at : piece;
		enum line_event event;
		size_t taken = line_feed(line, bytes + at, part, &event);
		int n = 0;

		assert_true(taken > 0 && taken <= part);
		assert_true(event != LINE_NOTHING || taken == part);
		at += taken;
		switch (event) {
		case LINE_NOTHING:
			break;
		case LINE_COMPLETE:
			n = snprintf(told + used, size - used, "[%.*s]", (int)line->length,
				     line->text);
			break;
		case LINE_TOO_LONG:
			n = snprintf(told + used, size - used, "!");
			break;
		case LINE_GOES_ON:
			n = snprintf(told + used, size - used, "+");
			break;
		case LINE_LEAVE:
			n = snprintf(told + used, size - used, ".");
			break;
		}
		used += (size_t)n;
		assert_true(used < size);
	}
}

/* The same whatever the pieces. */
static void assert_events(const char *bytes, size_t length, const char *expected)
{
	char told[8 * LINE_BYTES];

	for (size_t piece = 1; piece <= length; piece++) {
		struct line line = { 0 };

		events_of(&line, bytes, length, piece, told, sizeof(told));
		assert_string_equal(told, expected);
	}
}

static void cuts_at_every_kind_of_end(void **state)
{
	static const char text[] = "one\ntwo\r\nthree\r\0four\n\n\r\nfi\rve\r\r\nsix\0\n\r\n";

	(void)state;
	assert_events(text, sizeof(text) - 1, "[one][two][three][four][][][five][six][]");
}

static void ignores_what_telnet_says(void **state)
{
	static const char text[] = IAC WILL "\x01"
					    "a" IAC DO "\x18"
					    "b\n" IAC WONT "\n"
					    "c" IAC DONT "\r"
					    "d\r\n" IAC SB "\x18\0xterm\n" IAC IAC "\n" IAC SE
					    "e" IAC "\xf6" IAC "\xf1"
					    "f\n";

	(void)state;
	assert_events(text, sizeof(text) - 1, "[ab][cd][ef]");
}

static void doubled_iac_is_a_byte(void **state)
{
	(void)state;
	assert_events("a" IAC IAC "b\n", 5,
		      "[a\xff"
		      "b]");
}

static void ends_with_the_commands_that_end_programs(void **state)
{
	(void)state;
	assert_events("a" IAC "\xf4"
		      "b\n",
		      5, ".[ab]");
	assert_events(IAC "\xec", 2, ".");
	assert_events(IAC "\xed" IAC "\xee", 4, "..");
}

static void tells_of_a_line_that_is_too_long(void **state)
{
	char text[3 * LINE_BYTES];
	char expected[LINE_BYTES + 10];

	(void)state;
	memset(text, 'x', sizeof(text));
	memcpy(text + LINE_BYTES, "\r\ny\n", 4);
	snprintf(expected, sizeof(expected), "[%.*s][y]", LINE_BYTES, text);
	assert_events(text, LINE_BYTES + 4, expected);

	memset(text, 'x', sizeof(text));
	memcpy(text + LINE_BYTES + 1, "\ny\n", 3);
	assert_events(text, LINE_BYTES + 4, "![y]");

	memset(text, 'x', sizeof(text));
	memcpy(text + 2 * LINE_BYTES, "\r\ny\n", 4);
	assert_events(text, 2 * LINE_BYTES + 4, "![y]");
}

/* Whatever is sent, effort is told of. */
static void tells_again_while_it_goes_on(void **state)
{
	static const char *const endless[] = { "x", "\r", IAC "\xf1", IAC DO, "", "\x1b" };
	static char text[20 * LINE_EVENT_BYTES];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(endless); i++) {
		size_t length = endless[i][0] ? strlen(endless[i]) : 1;
		struct line line = { 0 };
		char told[100];

		for (size_t at = 0; at + length <= sizeof(text); at += length)
			memcpy(text + at, endless[i], length);
		events_of(&line, text, sizeof(text), 777, told, sizeof(told));
		assert_true(strlen(told) >= 19);
		assert_null(strchr(told, '['));
	}
	/* And a subnegotiation without end. */
	{
		struct line line = { 0 };
		char told[100];

		memset(text, 'x', sizeof(text));
		memcpy(text, IAC SB, 2);
		events_of(&line, text, sizeof(text), 777, told, sizeof(told));
		assert_true(strlen(told) >= 19);
	}
}

static void shows_what_is_left_at_the_end(void **state)
{
	struct line line = { 0 };
	enum line_event event;

	(void)state;
	assert_false(line_finish(&line));
	assert_int_equal(line_feed(&line, "a\nrest", 6, &event), 2);
	assert_int_equal(event, LINE_COMPLETE);
	assert_int_equal(line_feed(&line, "rest", 4, &event), 4);
	assert_int_equal(event, LINE_NOTHING);
	assert_true(line_finish(&line));
	assert_int_equal(line.length, 4);
	assert_memory_equal(line.text, "rest", 4);
	line = (struct line){ 0 };
	assert_int_equal(line_feed(&line, "a\n", 2, &event), 2);
	assert_false(line_finish(&line));
}

/* Bytes at random: nothing is ever written beyond the line, which the sanitizers see. */
static void survives_anything(void **state)
{
	static const char likely[] = IAC WILL SB SE "\r\n\0ax\xf4";
	static char text[100000];
	unsigned seed = 7;

	(void)state;
	for (int round = 0; round < 50; round++) {
		struct line line = { 0 };
		enum line_event event;

		for (size_t i = 0; i < sizeof(text); i++) {
			int random = rand_r(&seed);

			text[i] = random % (2 + round * 20)
					  ? 'x'
					  : likely[(size_t)random / 1009 % sizeof(likely)];
		}
		for (size_t at = 0; at < sizeof(text);) {
			at += line_feed(&line, text + at, sizeof(text) - at, &event);
			assert_true(line.length <= LINE_BYTES);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cuts_at_every_kind_of_end),
		cmocka_unit_test(ignores_what_telnet_says),
		cmocka_unit_test(doubled_iac_is_a_byte),
		cmocka_unit_test(ends_with_the_commands_that_end_programs),
		cmocka_unit_test(tells_of_a_line_that_is_too_long),
		cmocka_unit_test(tells_again_while_it_goes_on),
		cmocka_unit_test(shows_what_is_left_at_the_end),
		cmocka_unit_test(survives_anything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
