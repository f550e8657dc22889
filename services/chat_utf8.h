/* SPDX-License-Identifier: ISC */
/* Text from others made harmless: valid UTF-8 without anything that controls a terminal. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* What one byte can become: U+FFFD has three. */
#define UTF8_GROWTH 3

/* Characters of a name. */
#define UTF8_NAME_MAX 20

/*
 * Copies @length bytes to @to, which has room for UTF8_GROWTH times as many.
 * What is not UTF-8 becomes U+FFFD, once for each maximal part of a sequence
 * (Unicode, "Best Practices for Using U+FFFD"); control characters (C0, C1,
 * DEL, line and paragraph separator) are left out, but a tab becomes a blank.
 * Returns the length of the result in bytes; it is not terminated.
 */
size_t utf8_clean(char *to, const char *from, size_t length);

/*
 * Whether the text, which utf8_clean() has made, can be somebody's name: 1 to
 * UTF8_NAME_MAX characters that can be seen, none of them used by the room in
 * what it prints around a name.
 */
bool utf8_is_name(const char *text, size_t length);
