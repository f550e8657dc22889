/* SPDX-License-Identifier: ISC */
/* Tests of what the chat room makes of text from others. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../services/chat_utf8.h"
#include "base/util.h"

#define BAD "\xef\xbf\xbd"

/* @length bytes, some of which may be 0. */
static void assert_clean(const char *from, size_t length, const char *expected)
{
	char to[400];
	size_t n;

	assert_true(length * UTF8_GROWTH < sizeof(to));
	n = utf8_clean(to, from, length);
	to[n] = '\0';
	assert_string_equal(to, expected);
	assert_int_equal(n, strlen(expected));
}

static void keeps_all_that_is_valid(void **state)
{
	static const char *const texts[] = {
		"",
		"plain ASCII ~!@#$%^&*()",
		"Grüße, Καλημέρα, Привет, 你好, नमस्ते, שלום, مرحبا",
		"👩‍👩‍👧‍👦 \U0001f3f4\U000e0067",
		"e\u0301 \u200d \u200f \u202e \ufeff",
		"\uffff \U0010ffff \ue000",
		"\u00a0 \u2027 \u202a",
		BAD,
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		assert_clean(texts[i], strlen(texts[i]), texts[i]);
}

/* Each code point, encoded by hand, against a rule of one line. */
static void keeps_each_code_point_that_is_no_control(void **state)
{
	(void)state;
	for (uint32_t c = 0; c < 0x110000; c++) {
		bool surrogate = c >= 0xd800 && c < 0xe000;
		bool control = c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029;
		char from[5] = "";
		char to[20];
		size_t length = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
		size_t n;

		for (size_t i = length - 1, rest = c; i > 0; i--, rest >>= 6)
			from[i] = (char)(0x80 | (rest & 0x3f));
		from[0] = (char)(length == 1 ? c
					     : (0xf00u >> length & 0xff) | c >> (6 * (length - 1)));
		n = utf8_clean(to, from, length);
		if (surrogate) {
			/* Three bytes, none of which can be anything. */
			assert_int_equal(n, 9);
		} else if (c == '\t') {
			assert_int_equal(n, 1);
			assert_int_equal(to[0], ' ');
		} else if (control) {
			assert_int_equal(n, 0);
		} else {
			assert_int_equal(n, length);
			assert_memory_equal(to, from, length);
		}
	}
}

static void replaces_what_is_not_valid(void **state)
{
	static const struct {
		const char *from, *to;
	} cases[] = {
		/* Unicode 15, tables 3-8 to 3-11: one for each maximal part. */
		{ "\xc0\xaf\xe0\x80\xbf\xf0\x81\x82\x41", BAD BAD BAD BAD BAD BAD BAD BAD "A" },
		{ "\xed\xa0\x80\xed\xbf\xbf\xed\xaf\x41", BAD BAD BAD BAD BAD BAD BAD BAD "A" },
		{ "\xf4\x91\x92\x93\xff\x41\x80\xbf\x42", BAD BAD BAD BAD BAD "A" BAD BAD "B" },
		{ "\xe1\x80\xe2\xf0\x91\x92\xf1\xbf\x41", BAD BAD BAD BAD "A" },
		/* Cut short at the end, and Latin-1. */
		{ "\xe2\x82", BAD },
		{ "\xf0\x9f\x98", BAD },
		{ "Gr\xfc\xdf"
		  "e",
		  "Gr" BAD BAD "e" },
		{ "\xf5\xf8\xfc\xfe", BAD BAD BAD BAD },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_clean(cases[i].from, strlen(cases[i].from), cases[i].to);
}

static void leaves_no_terminal_anything_to_obey(void **state)
{
	static const char clear[] = "a\x1b[2J\x1b]0;title\x07"
				    "b\x00"
				    "c\x7f\x08\r\nd\xc2\x9b"
				    "2Je\u2028f\u2029g";

	(void)state;
	assert_clean(clear, sizeof(clear) - 1, "a[2J]0;titlebcd2Jefg");
	assert_clean("a\tb", 3, "a b");
}

/* Whatever comes: the result is valid, so cleaning it again changes nothing. */
static void result_is_always_clean(void **state)
{
	static const unsigned char likely[] = { 'a',  0xc2, 0xe0, 0xed, 0xf0, 0xf4, 0x80,
						0x9f, 0xa0, 0xbf, 0x90, 0x8f, 0x1b, 0xff };
	unsigned seed = 1;

	(void)state;
	for (int round = 0; round < 100000; round++) {
		char from[24], once[24 * UTF8_GROWTH], twice[24 * UTF8_GROWTH * UTF8_GROWTH];
		size_t n;

		for (size_t i = 0; i < sizeof(from); i++) {
			int random = rand_r(&seed);

			from[i] = (char)(random % 3 ? likely[(size_t)random / 3 % sizeof(likely)]
						    : random >> 8);
		}
		n = utf8_clean(once, from, sizeof(from));
		assert_true(n <= sizeof(once));
		assert_int_equal(utf8_clean(twice, once, n), n);
		assert_memory_equal(once, twice, n);
		for (size_t i = 0; i < n; i++)
			assert_true((unsigned char)once[i] >= 0x20 && once[i] != 0x7f);
	}
}

static void tells_what_can_be_a_name(void **state)
{
	static const char *const good[] = { "a",
					    "Anna",
					    "guest17",
					    "Zoë",
					    "山田",
					    "Ольга",
					    "_-.|[]{}!?@#$%&",
					    "12345678901234567890",
					    "ääääääääääääääääääää",
					    "😀" };
	static const char *const bad[] = { "",
					   "a b",
					   " ",
					   "/quit",
					   "<root>",
					   "a:b",
					   "a,b",
					   "a;b",
					   "*",
					   "\"",
					   "123456789012345678901",
					   "a\u00a0b",
					   "\u200b",
					   "a\u202e",
					   "\u3000",
					   "\u2028",
					   "a\x01",
					   "\xff",
					   BAD,
					   "\u00ad",
					   "\u2800",
					   "\U000e0041" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		if (!utf8_is_name(good[i], strlen(good[i])))
			fail_msg("\"%s\" should be a name", good[i]);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (utf8_is_name(bad[i], strlen(bad[i])))
			fail_msg("\"%s\" should not be a name", bad[i]);
	assert_false(utf8_is_name("a\0b", 3));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_all_that_is_valid),
		cmocka_unit_test(keeps_each_code_point_that_is_no_control),
		cmocka_unit_test(replaces_what_is_not_valid),
		cmocka_unit_test(leaves_no_terminal_anything_to_obey),
		cmocka_unit_test(result_is_always_clean),
		cmocka_unit_test(tells_what_can_be_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
