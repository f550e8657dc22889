/* SPDX-License-Identifier: ISC */
/* Text from others made harmless: valid UTF-8 without anything that controls a terminal. */
#include "chat_utf8.h"

#include <stdint.h>
#include <string.h>

#define NOT_UTF8 UINT32_MAX

/* What may begin a sequence, how long that is, and what may follow at once (Unicode, table 3-7). */
static const struct lead {
	unsigned char first, last;
	unsigned char length;
	unsigned char low, high; /* of the second byte */
} leads[] = {
	{ 0x00, 0x7f, 1, 0x00, 0x00 }, { 0xc2, 0xdf, 2, 0x80, 0xbf }, { 0xe0, 0xe0, 3, 0xa0, 0xbf },
	{ 0xe1, 0xec, 3, 0x80, 0xbf }, { 0xed, 0xed, 3, 0x80, 0x9f }, { 0xee, 0xef, 3, 0x80, 0xbf },
	{ 0xf0, 0xf0, 4, 0x90, 0xbf }, { 0xf1, 0xf3, 4, 0x80, 0xbf }, { 0xf4, 0xf4, 4, 0x80, 0x8f },
};

#define LEADS (sizeof(leads) / sizeof(leads[0]))

struct range {
	uint32_t first, last;
};

/* Blanks, and characters that nobody sees, with which a name could look like another. */
static const struct range unseen[] = {
	{ 0x00a0, 0x00a0 },   { 0x00ad, 0x00ad }, { 0x034f, 0x034f }, { 0x0600, 0x0605 },
	{ 0x061c, 0x061c },   { 0x115f, 0x1160 }, { 0x1680, 0x1680 }, { 0x17b4, 0x17b5 },
	{ 0x180b, 0x180f },   { 0x2000, 0x200f }, { 0x2028, 0x202f }, { 0x205f, 0x206f },
	{ 0x2800, 0x2800 },   { 0x3000, 0x3000 }, { 0x3164, 0x3164 }, { 0xfe00, 0xfe0f },
	{ 0xfeff, 0xfeff },   { 0xffa0, 0xffa0 }, { 0xfff0, 0xfffd }, { 0x1d173, 0x1d17a },
	{ 0xe0000, 0xe0fff },
};

#define UNSEEN (sizeof(unseen) / sizeof(unseen[0]))

/* Takes one character, or what cannot be one. Returns how many bytes that were, at least 1. */
static size_t decode(const unsigned char *bytes, size_t length, uint32_t *ret_character)
{
	const struct lead *lead = leads;
	uint32_t character;
	size_t used = 1;

	*ret_character = NOT_UTF8;
	while (lead < leads + LEADS && (bytes[0] < lead->first || bytes[0] > lead->last))
		lead++;
	if (lead == leads + LEADS)
		return 1;
	character = lead->length == 1 ? bytes[0] : bytes[0] & (0x7fu >> lead->length);
	for (; used < lead->length; used++) {
		unsigned char low = used == 1 ? lead->low : 0x80;
		unsigned char high = used == 1 ? lead->high : 0xbf;

		/* This byte may begin another sequence. */
		if (used == length || bytes[used] < low || bytes[used] > high)
			return used;
		character = character << 6 | (bytes[used] & 0x3f);
	}
	*ret_character = character;
	return used;
}

static bool is_control(uint32_t character)
{
	return character < 0x20 || (character >= 0x7f && character < 0xa0) || character == 0x2028 ||
	       character == 0x2029;
}

size_t utf8_clean(char *to, const char *from, size_t length)
{
	const unsigned char *bytes = (const unsigned char *)from;
	char *start = to;
	size_t used;

	for (; length; bytes += used, length -= used) {
		uint32_t character;

		used = decode(bytes, length, &character);
		if (character == NOT_UTF8) {
			memcpy(to, "\xef\xbf\xbd", 3);
			to += 3;
		} else if (character == '\t') {
			*to++ = ' ';
		} else if (!is_control(character)) {
			memcpy(to, bytes, used);
			to += used;
		}
	}
	return (size_t)(to - start);
}

static bool fits_name(uint32_t character)
{
	if (character <= ' ' || strchr("/<>:,;*\"", (int)(character < 0x80 ? character : 'a')))
		return false;
	for (size_t i = 0; i < UNSEEN; i++)
		if (character >= unseen[i].first && character <= unseen[i].last)
			return false;
	return !is_control(character);
}

bool utf8_is_name(const char *text, size_t length)
{
	const unsigned char *bytes = (const unsigned char *)text;
	size_t used;
	size_t n = 0;

	for (; length; bytes += used, length -= used, n++) {
		uint32_t character;

		used = decode(bytes, length, &character);
		if (character == NOT_UTF8 || !fits_name(character))
			return false;
	}
	return n >= 1 && n <= UTF8_NAME_MAX;
}
