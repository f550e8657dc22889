/* SPDX-License-Identifier: ISC */
/* Values that are never changed and that many have in common: equal ones are kept once, and counted. */
#include "config.h"

#include "base/intern.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/open_table.h"
#include "base/util.h"

/* How equal values are told. */
enum kind {
	KIND_BYTES,
	KIND_WORDS,
};

struct slot {
	const void *value; /* NULL: free */
	intern_done *done;
	size_t bytes; /* KIND_BYTES */
	uint32_t hash;
	enum kind kind;
};

struct intern_pool {
	struct open_table slots;
};

const struct intern_words_constant intern_no_words = { .value = { .v = (char *const[]){ NULL } } };

static struct intern_head *head_of(const void *value)
{
	uintptr_t at = (uintptr_t)value - sizeof(struct intern_head);

	/* The count is not part of the value, so it may change behind const. */
	return (struct intern_head *)at;
}

void *intern_alloc(size_t n)
{
	struct intern_head *head = calloc(1, sizeof(*head) + n);

	if (!head)
		return NULL;
	head->refs = 1;
	return head + 1;
}

const void *intern_ref(const void *value)
{
	if (value && head_of(value)->refs)
		head_of(value)->refs++;
	return value;
}

unsigned intern_tag(const void *value)
{
	return head_of(value)->tag;
}

void intern_set_tag(const void *value, unsigned tag)
{
	if (head_of(value)->refs)
		head_of(value)->tag = tag;
}

void intern_drop(const void *value, intern_done *done)
{
	struct intern_head *head = value ? head_of(value) : NULL;

	if (!head || head->refs == 0 || --head->refs > 0)
		return;
	if (done)
		done(head + 1);
	free(head);
}

void intern_unref(const void *value)
{
	intern_drop(value, NULL);
}

/* --- the pool ------------------------------------------------------------------- */

static uint32_t hash_words(const char *const *v, size_t n)
{
	uint32_t hash = (uint32_t)n + 1;

	for (size_t i = 0; i < n; i++)
		hash = hash_bytes(hash, v[i], strlen(v[i]) + 1);
	return hash;
}

static bool is_taken(const void *slot)
{
	return ((const struct slot *)slot)->value;
}

static uint32_t hash_slot(const struct open_table *table, const void *slot)
{
	(void)table;
	return ((const struct slot *)slot)->hash;
}

static const struct open_table_kind kind = { sizeof(struct slot), 64, is_taken, hash_slot };

struct intern_pool *intern_pool_new(void)
{
	struct intern_pool *pool = calloc(1, sizeof(*pool));

	/* So that there always is room to look in. */
	if (pool && open_table_reserve(&pool->slots, &kind) < 0)
		free(TAKE_PTR(pool));
	return pool;
}

void intern_pool_free(struct intern_pool *pool)
{
	const struct slot *slot;
	size_t at = 0;

	if (!pool)
		return;
	while ((slot = open_table_next(&pool->slots, &kind, &at)))
		intern_drop(slot->value, slot->done);
	open_table_done(&pool->slots);
	free(pool);
}

static bool is_never_it(const void *slot, const void *key)
{
	(void)slot;
	(void)key;
	return false;
}

/* Has the pool find the value from now on. Where there is no memory for that, equal ones are kept twice. */
static void remember(struct intern_pool *pool, const struct slot *slot)
{
	struct slot *place;

	if (open_table_reserve(&pool->slots, &kind) < 0)
		return;
	place = open_table_slot(&pool->slots, &kind, slot->hash, is_never_it, NULL);
	*place = *slot;
	(void)intern_ref(slot->value);
	pool->slots.n++;
}

/* Whether a slot has the value of the bytes in another. */
static bool has_bytes(const void *slot, const void *key)
{
	const struct slot *a = slot, *b = key;

	return a->hash == b->hash && a->kind == KIND_BYTES && a->bytes == b->bytes &&
	       a->done == b->done && memcmp(a->value, b->value, a->bytes) == 0;
}

static const void *find_bytes(const struct intern_pool *pool, const void *bytes, size_t n,
			      uint32_t hash, intern_done *done)
{
	const struct slot key = { bytes, done, n, hash, KIND_BYTES };
	const struct slot *slot = open_table_slot(&pool->slots, &kind, hash, has_bytes, &key);

	return intern_ref(slot->value);
}

static bool holds(const struct words *words, const char *const *v, size_t n)
{
	if (words->n != n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (strcmp(words->v[i], v[i]) != 0)
			return false;
	return true;
}

bool words_equal(const struct words *a, const struct words *b)
{
	if (a == b || a->n != b->n)
		return a == b;
	if (a->bytes && b->bytes)
		return a->bytes == b->bytes && memcmp(a->v[0], b->v[0], a->bytes) == 0;
	return holds(a, (const char *const *)b->v, b->n);
}

/* A list that is looked for. */
struct words_key {
	const char *const *v;
	size_t n;
	uint32_t hash;
};

static bool has_words(const void *slot, const void *key)
{
	const struct slot *a = slot;
	const struct words_key *b = key;

	return a->hash == b->hash && a->kind == KIND_WORDS && holds(a->value, b->v, b->n);
}

static const struct words *find_words(const struct intern_pool *pool, const char *const *v,
				      size_t n, uint32_t hash)
{
	const struct words_key key = { v, n, hash };
	const struct slot *slot = open_table_slot(&pool->slots, &kind, hash, has_words, &key);

	return intern_ref(slot->value);
}

const void *intern_value(struct intern_pool *pool, void *draft, size_t n, intern_done *done)
{
	uint32_t hash = pool ? hash_bytes(0, draft, n) : 0;
	const void *known = pool ? find_bytes(pool, draft, n, hash, done) : NULL;
	void *value;

	if (known) {
		if (done)
			done(draft);
		return known;
	}
	value = intern_alloc(n);
	if (!value) {
		if (done)
			done(draft);
		return NULL;
	}
	memcpy(value, draft, n);
	if (pool)
		remember(pool, &(struct slot){ value, done, n, hash, KIND_BYTES });
	return value;
}

const char *intern_text(struct intern_pool *pool, const char *text)
{
	size_t n = strlen(text) + 1;
	uint32_t hash = pool ? hash_bytes(0, text, n) : 0;
	const char *known = pool ? find_bytes(pool, text, n, hash, NULL) : NULL;
	char *value;

	if (known)
		return known;
	value = intern_alloc(n);
	if (!value)
		return NULL;
	memcpy(value, text, n);
	if (pool)
		remember(pool, &(struct slot){ value, NULL, n, hash, KIND_BYTES });
	return value;
}

/* One block: the list, the pointers, the texts. */
static struct words *copy_words(const char *const *v, size_t n)
{
	struct words *words;
	size_t bytes = 0;
	char **at, *text;

	for (size_t i = 0; i < n; i++)
		bytes += strlen(v[i]) + 1;
	words = intern_alloc(sizeof(*words) + (n + 1) * sizeof(*at) + bytes);
	if (!words)
		return NULL;
	at = (char **)(words + 1);
	text = (char *)(at + n + 1);
	for (size_t i = 0; i < n; i++) {
		at[i] = text;
		text = stpcpy(text, v[i]) + 1;
	}
	*words = (struct words){ .n = n, .bytes = bytes, .v = at };
	return words;
}

const struct words *intern_words(struct intern_pool *pool, const char *const *v, size_t n)
{
	uint32_t hash = pool ? hash_words(v, n) : 0;
	const struct words *known = n == 0 ? WORDS_NONE
				    : pool ? find_words(pool, v, n, hash)
					   : NULL;

	if (known)
		return known;
	known = copy_words(v, n);
	if (known && pool)
		remember(pool, &(struct slot){ known, NULL, 0, hash, KIND_WORDS });
	return known;
}
