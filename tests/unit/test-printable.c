/* SPDX-License-Identifier: ISC */
/* Tests of bytes that are made fit for a terminal. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"
#include "ctl/printable.h"

/* What becomes of @in that comes in pieces of @size; the caller frees. */
static char *show(bool utf8, const char *in, size_t n, size_t size)
{
	struct printable printable = { .utf8 = utf8 };
	char *out = malloc((n + PRINTABLE_HELD) * PRINTABLE_GROWTH + 1);
	size_t at = 0;

	assert_non_null(out);
	for (size_t from = 0; from < n; from += size) {
		size_t length = n - from < size ? n - from : size;
		char *room = malloc(PRINTABLE_GROWTH * (length + PRINTABLE_HELD));
		size_t written;

		assert_non_null(room);
		written = printable_put(&printable, in + from, length, room);
		memcpy(out + at, room, written);
		at += written;
		free(room);
	}
	at += printable_end(&printable, out + at);
	out[at] = '\0';
	return out;
}

static void expect_shown(bool utf8, const char *in, const char *expected)
{
	for (size_t size = 1; size < 8; size++) {
		CLEANUP_FREE char *out = show(utf8, in, strlen(in), size);

		assert_string_equal(out, expected);
	}
}

static void passes_text(void **state)
{
	(void)state;
	expect_shown(true, "plain \\ text\tand\nlines", "plain \\ text\tand\nlines");
	expect_shown(true,
		     "Gr\xc3\xbc\xc3\x9f"
		     "e \xe6\xbc\xa2 \xf0\x9f\x99\x82",
		     "Gr\xc3\xbc\xc3\x9f"
		     "e \xe6\xbc\xa2 \xf0\x9f\x99\x82");
	expect_shown(true, "one\r\ntwo\r\n", "one\ntwo\n");
}

static void escapes_controls(void **state)
{
	(void)state;
	expect_shown(true, "\033[31m\a\b\x7f", "\\x1b[31m\\x07\\x08\\x7f");
	expect_shown(true, "a\rb", "a\\x0db");
	expect_shown(true, "a\r\r\nb\r", "a\\x0d\nb\\x0d");
	/* The control sequence introducer, as a character and as a byte. */
	expect_shown(true,
		     "\xc2\x9b"
		     "31m \x9b"
		     "31m",
		     "\\xc2\\x9b31m \\x9b31m");
	expect_shown(
		true, "\xe2\x80\xae \xe2\x81\xa6 \xe2\x80\xa8 \xf3\xa0\x81\x81 \xef\xbf\xbe",
		"\\xe2\\x80\\xae \\xe2\\x81\\xa6 \\xe2\\x80\\xa8 \\xf3\\xa0\\x81\\x81 \\xef\\xbf\\xbe");
}

static void escapes_what_is_not_utf8(void **state)
{
	(void)state;
	expect_shown(true, "\xff\xfe", "\\xff\\xfe");
	expect_shown(true, "\xc3", "\\xc3");
	expect_shown(true, "\xc3z", "\\xc3z");
	expect_shown(true, "\xf0\x9f\x99z", "\\xf0\\x9f\\x99z");
	expect_shown(true, "\xf0\x9f\xc3\xbc", "\\xf0\\x9f\xc3\xbc");
	/* Too long, surrogates, beyond the last. */
	expect_shown(true, "\xc0\x80 \xe0\x80\x80 \xed\xa0\x80 \xf4\x90\x80\x80",
		     "\\xc0\\x80 \\xe0\\x80\\x80 \\xed\\xa0\\x80 \\xf4\\x90\\x80\\x80");
	expect_shown(true, "\xf0\x80\x80\x80", "\\xf0\\x80\\x80\\x80");
}

static void escapes_all_but_ascii_elsewhere(void **state)
{
	(void)state;
	expect_shown(false, "Gr\xc3\xbc\xc3\x9f", "Gr\\xc3\\xbc\\xc3\\x9f");
	expect_shown(false, "plain\n", "plain\n");
}

/* The same whatever the pieces are, never a control, and never more than there is room for. */
static void is_safe_with_any_bytes(void **state)
{
	static const char some[] = "\r\n\033\xc2\x9b\xe2\x80\xae\xf0\x9f\x99\x82"
				   "a[";

	(void)state;
	srandom(5);
	for (int round = 0; round < 2000; round++) {
		char data[60];
		size_t n = (size_t)random() % sizeof(data);
		CLEANUP_FREE char *whole = NULL;

		for (size_t i = 0; i < n; i++)
			data[i] = round % 2 ? (char)(random() >> 7)
					    : some[(size_t)random() % (sizeof(some) - 1)];
		whole = show(round % 3, data, n, sizeof(data));
		for (const char *p = whole; *p; p++)
			assert_true((unsigned char)*p >= 0x20 || *p == '\n' || *p == '\t');
		assert_null(strchr(whole, 0x7f));
		for (size_t size = 1; size < 6; size++) {
			CLEANUP_FREE char *pieces = show(round % 3, data, n, size);

			assert_string_equal(pieces, whole);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(passes_text),
		cmocka_unit_test(escapes_controls),
		cmocka_unit_test(escapes_what_is_not_utf8),
		cmocka_unit_test(escapes_all_but_ascii_elsewhere),
		cmocka_unit_test(is_safe_with_any_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
