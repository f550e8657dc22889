/* SPDX-License-Identifier: ISC */
/* Release by attribute, range-checked numbers, lists of strings, time: the tools every layer uses. */
#include "config.h"

#include "base/util.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <strings.h>
#include <time.h>

static int strv_push(struct strv *list, char *text)
{
	/* One slot more than needed: the closing NULL. */
	int r = array_grow(&list->v, list->n + 1, sizeof(*list->v));

	if (r < 0)
		return r;
	list->v[list->n++] = text;
	list->v[list->n] = NULL;
	return 0;
}

int strv_add(struct strv *list, const char *text)
{
	char *copy = strdup(text);

	if (!copy)
		return -ENOMEM;
	if (strv_push(list, copy) < 0) {
		free(copy);
		return -ENOMEM;
	}
	return 0;
}

int strv_addf(struct strv *list, const char *format, ...)
{
	char *text;
	va_list ap;
	int n;

	va_start(ap, format);
	n = vasprintf(&text, format, ap);
	va_end(ap);
	if (n < 0)
		return -ENOMEM;
	if (strv_push(list, text) < 0) {
		free(text);
		return -ENOMEM;
	}
	return 0;
}

int strv_copy(struct strv *to, const struct strv *from)
{
	struct strv fresh = { 0 };

	for (size_t i = 0; i < from->n; i++) {
		if (strv_add(&fresh, from->v[i]) < 0) {
			strv_done(&fresh);
			return -ENOMEM;
		}
	}
	strv_done(to);
	*to = fresh;
	return 0;
}

bool strv_has(const struct strv *list, const char *text)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->v[i], text) == 0)
			return true;
	return false;
}

bool strv_has_nocase(const struct strv *list, const char *text)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcasecmp(list->v[i], text) == 0)
			return true;
	return false;
}

bool strv_equal(const struct strv *a, const struct strv *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (strcmp(a->v[i], b->v[i]) != 0)
			return false;
	return true;
}

void strv_done(struct strv *list)
{
	for (size_t i = 0; i < list->n; i++)
		free(list->v[i]);
	free(list->v);
	*list = (struct strv){ 0 };
}

bool str_equal(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

bool str_equal_nocase(const char *a, const char *b)
{
	return a == b || (a && b && strcasecmp(a, b) == 0);
}

int array_grow(void *array, size_t n, size_t size)
{
	void *old, *bigger;

	if (n & (n - 1))
		return 0;
	/* Through memcpy, as the caller's pointer has another type than void *. */
	memcpy(&old, array, sizeof(old));
	bigger = reallocarray(old, n ? 2 * n : 1, size);
	if (!bigger)
		return -ENOMEM;
	memcpy(array, &bigger, sizeof(bigger));
	return 0;
}

int parse_number(const char *text, int base, long long min, long long max, long long *ret)
{
	const char *digits = text + (*text == '-' || *text == '+');
	long long value;
	char *end;

	if (!isxdigit((unsigned char)*digits))
		return -EINVAL;
	if (base == 16 && digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X'))
		return -EINVAL;
	errno = 0;
	value = strtoll(text, &end, base);
	if (end == text || *end)
		return -EINVAL;
	if (errno == ERANGE || value < min || value > max)
		return -ERANGE;
	*ret = value;
	return 0;
}

/* Edits (insert, delete, replace, swap of neighbours) from @a to @b; anything above @limit comes back as limit + 1. */
static size_t edit_distance(const char *a, const char *b, size_t limit)
{
	enum {
		LONGEST = 31
	};
	size_t rows[3][LONGEST + 1];
	size_t la = strlen(a), lb = strlen(b);

	if (la > LONGEST || lb > LONGEST || (la > lb ? la - lb : lb - la) > limit)
		return limit + 1;
	for (size_t j = 0; j <= lb; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= la; i++) {
		size_t *now = rows[i % 3], *up = rows[(i + 2) % 3], *up2 = rows[(i + 1) % 3];

		now[0] = i;
		for (size_t j = 1; j <= lb; j++) {
			int ca = tolower((unsigned char)a[i - 1]),
			    cb = tolower((unsigned char)b[j - 1]);
			size_t best = up[j - 1] + (ca != cb);

			if (up[j] + 1 < best)
				best = up[j] + 1;
			if (now[j - 1] + 1 < best)
				best = now[j - 1] + 1;
			if (i > 1 && j > 1 && ca == tolower((unsigned char)b[j - 2]) &&
			    cb == tolower((unsigned char)a[i - 2]) && up2[j - 2] + 1 < best)
				best = up2[j - 2] + 1;
			now[j] = best;
		}
	}
	return rows[la % 3][lb];
}

const char *nearest_name(const char *word, const char *const *names, size_t n)
{
	size_t limit = strlen(word) / 3;
	const char *nearest = NULL;

	if (limit > 2)
		limit = 2;
	for (size_t i = 0; i < n; i++) {
		size_t edits = edit_distance(word, names[i], limit);

		if (edits > limit)
			continue;
		nearest = names[i];
		if (edits == 0)
			break;
		limit = edits - 1;
	}
	return nearest;
}

char *escape_text(char *out, size_t size, const char *text)
{
	static const char hex[] = "0123456789abcdef";
	size_t at = 0;

	for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
		bool plain = *p >= 0x20 && *p < 0x7f && *p != '\\';

		if (at + (plain ? 1 : 4) >= size)
			break;
		if (plain) {
			out[at++] = (char)*p;
		} else {
			out[at++] = '\\';
			out[at++] = 'x';
			out[at++] = hex[*p >> 4];
			out[at++] = hex[*p & 15];
		}
	}
	if (size)
		out[at] = '\0';
	return out;
}

/* Up to eight bytes as a number that tells those of one length apart. */
static uint64_t few_bytes(const unsigned char *at, size_t n)
{
	uint32_t low, high;

	if (n < sizeof(low))
		return n ? at[0] | (uint64_t)at[n / 2] << 8 | (uint64_t)at[n - 1] << 16 : 0;
	memcpy(&low, at, sizeof(low));
	memcpy(&high, at + n - sizeof(high), sizeof(high));
	return low | (uint64_t)high << 32;
}

char *put_decimal(char *out, uint64_t value)
{
	char digits[DECIMAL_MAX], *at = digits + sizeof(digits);
	size_t n;

	do {
		*--at = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	n = (size_t)(digits + sizeof(digits) - at);
	memcpy(out, at, n);
	return out + n;
}

uint32_t hash_bytes(uint32_t seed, const void *bytes, size_t n)
{
	const unsigned char *at = bytes;
	uint64_t hash = (seed ^ UINT64_C(0xcbf29ce484222325)) + n, part;

	/* As FNV-1a, but eight bytes at a time; the last step mixes into the upper half. */
	for (; n > sizeof(part); n -= sizeof(part), at += sizeof(part)) {
		memcpy(&part, at, sizeof(part));
		hash = (hash ^ part) * UINT64_C(0x100000001b3);
		hash ^= hash >> 29;
	}
	hash = (hash ^ few_bytes(at, n)) * UINT64_C(0x9e3779b97f4a7c15);
	return (uint32_t)((hash ^ hash >> 32) * UINT64_C(0x9e3779b97f4a7c15) >> 32);
}

uint64_t now_usec(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * USEC_PER_SEC + (uint64_t)ts.tv_nsec / 1000;
}

int fd_set_nonblock(int fd, bool on)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0)
		return -errno;
	if (!(flags & O_NONBLOCK) == !on)
		return 0;
	return fcntl(fd, F_SETFL, flags ^ O_NONBLOCK) < 0 ? -errno : 0;
}
