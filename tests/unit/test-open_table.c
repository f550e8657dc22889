/* SPDX-License-Identifier: ISC */
/* Proves that open tables find what is there and nothing else: in clusters, round the end, as they grow and shrink, and without memory. */
#include "config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "base/open_table.h"

#define MANY 100000

/* The first number of a slot that is taken is not 0. */
struct pair {
	uint32_t key;
	uint32_t value;
};

static bool is_taken(const void *slot)
{
	return ((const struct pair *)slot)->key;
}

static bool has_key(const void *slot, const void *key)
{
	return ((const struct pair *)slot)->key == *(const uint32_t *)key;
}

/* The low bits, so that tests decide who meets whom. */
static uint32_t plain_hash(const struct open_table *table, const void *slot)
{
	(void)table;
	return ((const struct pair *)slot)->key;
}

/* All have one home. */
static uint32_t same_hash(const struct open_table *table, const void *slot)
{
	(void)table;
	(void)slot;
	return 14;
}

static uint32_t mixed_hash(const struct open_table *table, const void *slot)
{
	(void)table;
	return (uint32_t)((((const struct pair *)slot)->key * UINT64_C(0x9e3779b97f4a7c15)) >> 32);
}

/* Other homes wherever the slots lie. */
static uint32_t moving_hash(const struct open_table *table, const void *slot)
{
	return mixed_hash(table, slot) ^ (uint32_t)((uintptr_t)table->slots >> 4);
}

static const struct open_table_kind plain = { sizeof(struct pair), 16, is_taken, plain_hash },
				    same = { sizeof(struct pair), 16, is_taken, same_hash },
				    mixed = { sizeof(struct pair), 16, is_taken, mixed_hash },
				    moving = { sizeof(struct pair), 16, is_taken, moving_hash };

static struct pair *pair_of(const struct open_table *table, const struct open_table_kind *kind,
			    uint32_t key)
{
	const struct pair wanted = { .key = key };

	return open_table_slot(table, kind, kind->hash(table, &wanted), has_key, &key);
}

static void add(struct open_table *table, const struct open_table_kind *kind, uint32_t key)
{
	struct pair *pair;

	assert_int_equal(open_table_reserve(table, kind), 0);
	pair = pair_of(table, kind, key);
	assert_false(is_taken(pair));
	*pair = (struct pair){ key, ~key };
	table->n++;
}

static void drop(struct open_table *table, const struct open_table_kind *kind, uint32_t key)
{
	struct pair *pair = pair_of(table, kind, key);

	assert_int_equal(pair->key, key);
	open_table_remove(table, kind, pair);
}

/* @there tells of the keys from 1 to @n. */
static void holds(const struct open_table *table, const struct open_table_kind *kind,
		  const bool *there, uint32_t n)
{
	const struct pair *pair;
	size_t at = 0;
	uint32_t count = 0, seen = 0;

	for (uint32_t key = 1; key <= n; key++) {
		pair = pair_of(table, kind, key);
		assert_int_equal(pair->key, there[key] ? key : 0);
		assert_int_equal(pair->value, there[key] ? ~key : 0);
		count += there[key];
	}
	while ((pair = open_table_next(table, kind, &at))) {
		assert_true(there[pair->key]);
		seen++;
	}
	assert_int_equal(count, table->n);
	assert_int_equal(seen, count);
}

static void an_empty_one_has_nothing(void **state)
{
	struct open_table table = { 0 };
	size_t at = 0;

	(void)state;
	assert_null(open_table_next(&table, &plain, &at));
	open_table_done(&table);
	assert_int_equal(open_table_reserve(&table, &plain), 0);
	assert_int_equal(table.room, 16);
	assert_null(open_table_next(&table, &plain, &at));
	open_table_done(&table);
	assert_int_equal(table.room, 0);
}

/* Each of a cluster is taken out in turn; it goes round the end of the slots. */
static void a_cluster_closes_its_gaps(void **state)
{
	(void)state;
	for (uint32_t gone = 1; gone <= 12; gone++) {
		struct open_table table = { 0 };
		bool there[17] = { false };

		for (uint32_t key = 1; key <= 12; key++) {
			add(&table, &same, key);
			there[key] = true;
		}
		assert_int_equal(table.room, 16);
		drop(&table, &same, gone);
		there[gone] = false;
		holds(&table, &same, there, 12);
		open_table_done(&table);
	}
}

/* Whoever is at home behind the gap must not be moved before its home. */
static void nobody_is_moved_before_home(void **state)
{
	/* Homes 14, 14, 15, 0, 2: the last stands alone, those before in one cluster round the end. */
	static const uint32_t keys[] = { 14, 30, 15, 16, 2 };
	struct open_table table = { 0 };
	bool there[33] = { false };

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		add(&table, &plain, keys[i]);
		there[keys[i]] = true;
	}
	for (size_t i = 0; i < 5; i++) {
		drop(&table, &plain, keys[i]);
		there[keys[i]] = false;
		holds(&table, &plain, there, 32);
	}
	open_table_done(&table);
}

static void many_come_and_go(void **state)
{
	static bool there[MANY + 1];
	static const struct open_table_kind *const kinds[] = { &mixed, &moving };

	(void)state;
	for (size_t k = 0; k < 2; k++) {
		struct open_table table = { 0 };
		uint64_t random = 7;

		for (uint32_t key = 1; key <= MANY; key++) {
			add(&table, kinds[k], key);
			there[key] = true;
		}
		assert_int_equal(table.n, MANY);
		assert_true(table.room <= 3 * MANY);
		holds(&table, kinds[k], there, MANY);
		for (uint32_t i = 0; i < 3 * MANY; i++) {
			uint32_t key;

			random = random * UINT64_C(6364136223846793005) + 1442695040888963407u;
			key = (uint32_t)(random >> 33) % MANY + 1;
			if (there[key])
				drop(&table, kinds[k], key);
			else if (i % 4 == 0)
				add(&table, kinds[k], key);
			else
				continue;
			there[key] = !there[key];
		}
		holds(&table, kinds[k], there, MANY);
		for (uint32_t key = 1; key <= MANY; key++) {
			if (there[key])
				drop(&table, kinds[k], key);
			there[key] = false;
		}
		assert_int_equal(table.n, 0);
		assert_int_equal(table.room, 16);
		holds(&table, kinds[k], there, MANY);
		open_table_done(&table);
	}
}

static void without_memory_all_stays(void **state)
{
#ifdef SANITIZED
	(void)state;
	skip();
#else
	/* So much at once that the heap has not got it. */
	enum {
		FULL = 3 * 1024 * 1024 / 4
	};
	struct open_table table = { 0 };
	struct rlimit before, none = { 0 };
	int r;

	(void)state;
	for (uint32_t key = 1; key <= FULL; key++)
		add(&table, &mixed, key);
	assert_int_equal(table.room, 1024 * 1024);
	assert_int_equal(getrlimit(RLIMIT_AS, &before), 0);
	none.rlim_max = before.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_AS, &none), 0);
	r = open_table_reserve(&table, &mixed);
	assert_int_equal(setrlimit(RLIMIT_AS, &before), 0);
	assert_int_equal(r, -ENOMEM);
	assert_int_equal(table.n, FULL);
	for (uint32_t key = 1; key <= FULL; key++)
		assert_int_equal(pair_of(&table, &mixed, key)->value, ~key);
	add(&table, &mixed, FULL + 1);
	/* And where it cannot be made smaller it stays as large. */
	for (uint32_t key = 1; key < FULL; key++)
		if (table.n * 8 > table.room + 8)
			drop(&table, &mixed, key);
	assert_int_equal(table.room, 2 * 1024 * 1024);
	assert_int_equal(setrlimit(RLIMIT_AS, &none), 0);
	for (uint32_t key = FULL; table.n * 8 >= table.room; key--)
		drop(&table, &mixed, key);
	r = (int)table.room;
	assert_int_equal(setrlimit(RLIMIT_AS, &before), 0);
	assert_int_equal(r, 2 * 1024 * 1024);
	assert_int_equal(pair_of(&table, &mixed, FULL + 1)->value, ~(uint32_t)(FULL + 1));
	open_table_done(&table);
#endif
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_one_has_nothing),
		cmocka_unit_test(a_cluster_closes_its_gaps),
		cmocka_unit_test(nobody_is_moved_before_home),
		cmocka_unit_test(many_come_and_go),
		cmocka_unit_test(without_memory_all_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
