/* SPDX-License-Identifier: ISC */
/* Release by attribute, range-checked numbers, lists of strings, time: the tools every layer uses. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define ARRAY_SIZE(a)     (sizeof(a) / sizeof((a)[0]))
#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))
#define USEC_PER_SEC      UINT64_C(1000000)
#define USEC_PER_MSEC     UINT64_C(1000)

#define CLEANUP_FREE   __attribute__((cleanup(cleanup_free)))
#define CLEANUP_CLOSE  __attribute__((cleanup(cleanup_close)))
#define CLEANUP_FCLOSE __attribute__((cleanup(cleanup_fclose)))

/* Yields the value of pointer variable @p and leaves NULL behind, so that a cleanup attribute lets go. */
#define TAKE_PTR(p)                   \
	({                            \
		__auto_type p_ = (p); \
		(p) = NULL;           \
		p_;                   \
	})

static inline void cleanup_free(void *p)
{
	free(*(void **)p);
}

static inline void cleanup_close(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
}

static inline void cleanup_fclose(FILE **f)
{
	if (*f)
		(void)fclose(*f);
}

/* Yields the descriptor in *@fd and leaves -1 behind. */
static inline int take_fd(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

/*
 * A growing list of strings. v[n] is always NULL once anything was added, so
 * that v can serve as an argument vector. The strings belong to the list.
 */
struct strv {
	char **v;
	size_t n;
};

/* Appends a copy of @text. Returns 0 or -ENOMEM (the list is unchanged then). */
int strv_add(struct strv *list, const char *text);

/* Appends printf-formatted text. Returns 0 or -ENOMEM. */
int strv_addf(struct strv *list, const char *format, ...) PRINTF_LIKE(2, 3);

/* Replaces the contents of @to by copies of those of @from. Returns 0 or -ENOMEM. */
int strv_copy(struct strv *to, const struct strv *from);

/* Whether some string of the list equals @text, by letter or without regard to case. */
bool strv_has(const struct strv *list, const char *text);
bool strv_has_nocase(const struct strv *list, const char *text);

/* Whether both lists hold equal strings in the same order. */
bool strv_equal(const struct strv *a, const struct strv *b);

/* Frees the strings and the list's own memory; the list is empty and usable afterwards. */
void strv_done(struct strv *list);

/* Whether both are NULL, or both are equal strings. */
bool str_equal(const char *a, const char *b);

/* The same without regard to case (C locale letters). */
bool str_equal_nocase(const char *a, const char *b);

/*
 * Makes room for one more element in a growing array: *@array holds @n elements
 * of @size bytes; memory doubles whenever n is a power of two.
 * Returns 0 or -ENOMEM (the array is unchanged then).
 */
int array_grow(void *array, size_t n, size_t size);

/*
 * Reads a whole number that fills the entire text: optional sign, digits of
 * @base (8, 10 or 16, no prefix). Returns 0, -EINVAL when the text is not such
 * a number, or -ERANGE when it is outside @min..@max.
 */
int parse_number(const char *text, int base, long long min, long long max, long long *ret);

/*
 * The name in @names (@n of them) that somebody who wrote @word most likely
 * meant: at most two edits (a third of the word's length for short ones) away,
 * without regard to case. Returns NULL when nothing is near.
 */
const char *nearest_name(const char *word, const char *const *names, size_t n);

/*
 * Writes @text into @out (@size bytes, always ended by NUL) with every byte that
 * is not printable ASCII, and every backslash, as \xNN: what a peer or a file
 * supplied never reaches a terminal or a log raw. Returns @out.
 */
char *escape_text(char *out, size_t size, const char *text);

/* The digits of the largest number. */
#define DECIMAL_MAX 20

/* Writes @value in decimal, without a NUL, where there is room for DECIMAL_MAX bytes. Returns the end. */
char *put_decimal(char *out, uint64_t value);

/* A hash of the bytes that goes on from @seed; for tables whose keys nobody chooses to do harm. */
uint32_t hash_bytes(uint32_t seed, const void *bytes, size_t n);

/* Microseconds of CLOCK_MONOTONIC. */
uint64_t now_usec(void);

/* Sets or clears O_NONBLOCK on @fd. Returns 0 or -errno. */
int fd_set_nonblock(int fd, bool on);
