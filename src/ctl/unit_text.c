/* SPDX-License-Identifier: ISC */
/* Texts as the unit files of systemd want them: quoted words, plain values, names of units. */
#include "config.h"

#include "ctl/unit_text.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS  "0123456789"

/* Characters that need no quotes in a word; # and ; are not among them, as they may begin a comment. */
#define BARE LETTERS DIGITS "%$+,-./:=@_^~!?*()[]{}|&<>"

static bool is_printable(unsigned char c)
{
	return c >= 0x20 && c < 0x7f;
}

void unit_word(FILE *out, const char *text, bool variables)
{
	bool quoted = !*text || text[strspn(text, BARE)];

	if (quoted)
		(void)fputc('"', out);
	for (const char *at = text; *at; at++) {
		unsigned char c = (unsigned char)*at;

		if (!is_printable(c)) {
			(void)fprintf(out, "\\x%02x", c);
			continue;
		}
		if (c == '"' || c == '\\')
			(void)fputc('\\', out);
		else if (c == '%' || (c == '$' && variables))
			(void)fputc(c, out);
		(void)fputc(c, out);
	}
	if (quoted)
		(void)fputc('"', out);
}

/* The length of the UTF-8 sequence (RFC 3629) at @at, or 0 where there is none. */
static size_t utf8_length(const unsigned char *at)
{
	size_t n = at[0] < 0x80 ? 1 : at[0] < 0xc2 ? 0 : at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : 4;

	if (at[0] > 0xf4)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((at[i] & 0xc0) != 0x80)
			return 0;
	if ((at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xed && at[1] > 0x9f) ||
	    (at[0] == 0xf0 && at[1] < 0x90) || (at[0] == 0xf4 && at[1] > 0x8f))
		return 0;
	return n;
}

/* Whether the text is UTF-8 without control characters, the only text that a unit file may hold. */
static bool is_clean(const char *text)
{
	const unsigned char *at = (const unsigned char *)text;

	while (*at) {
		size_t n = utf8_length(at);

		if (n == 0 || *at < 0x20 || *at == 0x7f)
			return false;
		at += n;
	}
	return true;
}

bool unit_takes_plain(const char *text)
{
	size_t length = strlen(text);

	/* A backslash at the end would join the next line, blanks would be cut. */
	return is_clean(text) && length && text[length - 1] != '\\' && text[0] != ' ' &&
	       text[length - 1] != ' ';
}

void unit_plain(FILE *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '%')
			(void)fputc('%', out);
		(void)fputc(*text, out);
	}
}

bool unit_takes_program(const char *path)
{
	return path[0] == '/' && is_clean(path) && !path[strcspn(path, "\"'\\")];
}

/* Whether the first @length characters are a name of a variable. */
static bool is_variable(const char *name, size_t length)
{
	return length && strspn(name, LETTERS DIGITS "_") >= length && !strchr(DIGITS, name[0]);
}

bool unit_takes_variable(const char *name)
{
	return is_variable(name, strlen(name));
}

bool unit_takes_assignment(const char *text)
{
	size_t length = strcspn(text, "=");

	return text[length] && is_variable(text, length) && is_clean(text + length);
}

int unit_name(const char *id, char out[static UNIT_NAME_MAX + 1])
{
	size_t length = 0;

	for (const char *at = id; *at; at++) {
		bool plain = strchr(LETTERS DIGITS ":_.-", *at) && (at > id || *at != '.');

		if (length + (plain ? 1 : 4) > UNIT_NAME_MAX)
			return -EINVAL;
		if (plain)
			out[length++] = *at;
		else
			length += (size_t)snprintf(out + length, 5, "\\x%02x", (unsigned char)*at);
	}
	out[length] = '\0';
	return length ? 0 : -EINVAL;
}
