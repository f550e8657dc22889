/* SPDX-License-Identifier: ISC */
/* Values that are never changed and that many have in common: equal ones are kept once, and counted. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * A value made here ends with its last reference. The count is not atomic: what
 * shares values lives in one thread at a time, and goes from one to the next as
 * a whole.
 */

/* Finds equal values while they are made; without it (NULL) each is one of its own. */
struct intern_pool;

/* A new, empty pool, or NULL when memory ran out. */
struct intern_pool *intern_pool_new(void);

/* Lets go of what the pool has found; values in use stay. */
void intern_pool_free(struct intern_pool *pool);

/* A list of texts. v[n] is NULL, so that v can serve as an argument vector. */
struct words {
	size_t n;
	size_t bytes; /* where the texts stand behind each other: all of them, with their NULs; else 0 */
	char *const *v;
};

/* What stands before a value. */
struct intern_head {
	unsigned refs; /* 0: a constant, there for ever */
	unsigned tag;
};

/* Defines the constant @name of @type, which counts as a value. */
#define INTERN_CONSTANT(type, name, ...)              \
	static const struct {                         \
		struct intern_head head;              \
		type value;                           \
	} name##_constant = { .value = __VA_ARGS__ }; \
	const type *const name = &name##_constant.value

/* The list without words. */
extern const struct intern_words_constant {
	struct intern_head head;
	struct words value;
} intern_no_words;
#define WORDS_NONE (&intern_no_words.value)

/* Whether both hold equal texts in the same order. */
bool words_equal(const struct words *a, const struct words *b);

/* The text, the list of @n words, as a value with one reference; NULL when memory ran out. */
const char *intern_text(struct intern_pool *pool, const char *text);
const struct words *intern_words(struct intern_pool *pool, const char *const *v, size_t n);

/* Lets go of the values that the value at @value refers to, before it is freed itself. */
typedef void intern_done(void *value);

/*
 * A value of the @n bytes at @draft, padding included, with one reference; NULL
 * when memory ran out. The references in the draft go over to it; @done (or NULL) lets go of
 * them where they are not needed, and must be given to intern_drop(), too.
 */
const void *intern_value(struct intern_pool *pool, void *draft, size_t n, intern_done *done);

/* A value of @n zeroed bytes that nobody else finds, to be filled in; NULL when memory ran out. */
void *intern_alloc(size_t n);

/* One reference more; yields the value. NULL is fine. */
const void *intern_ref(const void *value);

/*
 * A number that whoever has found out what a value means may leave with it, for the next
 * one who asks; 0 to begin with. One meaning for all values of a pool. Constants take none.
 */
unsigned intern_tag(const void *value);
void intern_set_tag(const void *value, unsigned tag);

/* One reference less. NULL is fine. */
void intern_unref(const void *value);
void intern_drop(const void *value, intern_done *done);
