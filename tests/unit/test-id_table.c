/* SPDX-License-Identifier: ISC */
/* Proves that the table of numbers finds what is there and nothing else, whatever was added and removed before. */
#include "config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/id_table.h"

#define IDS 3000

static void test_empty(void **state)
{
	struct id_table table = { 0 };
	size_t at = 0;

	(void)state;
	assert_null(id_table_find(&table, 1));
	assert_null(id_table_remove(&table, 1));
	assert_null(id_table_next(&table, &at));
	id_table_done(&table);
}

static void test_twice(void **state)
{
	struct id_table table = { 0 };
	int one, other;

	(void)state;
	assert_int_equal(id_table_add(&table, 7, &one), 0);
	assert_int_equal(id_table_add(&table, 7, &other), -EEXIST);
	assert_ptr_equal(id_table_find(&table, 7), &one);
	id_table_replace(&table, 7, &other);
	assert_ptr_equal(id_table_find(&table, 7), &other);
	assert_int_equal(id_table_count(&table), 1);
	assert_ptr_equal(id_table_remove(&table, 7), &other);
	assert_null(id_table_find(&table, 7));
	assert_int_equal(id_table_count(&table), 0);
	id_table_done(&table);
}

/* What was made room for is added without asking for memory. */
static void test_reserve(void **state)
{
	struct id_table table = { 0 };
	char objects[IDS];

	(void)state;
	for (size_t i = 0; i < IDS; i++) {
		size_t room;

		assert_int_equal(id_table_reserve(&table), 0);
		room = table.entries.room;
		assert_int_equal(id_table_add(&table, i, &objects[i]), 0);
		assert_int_equal(table.entries.room, room);
	}
	id_table_done(&table);
}

/* Against an array that cannot be wrong. */
static void check_all(const struct id_table *table, char *objects, const bool *there)
{
	size_t n = 0, seen = 0, at = 0;
	const struct id_entry *entry;

	for (size_t i = 0; i < IDS; i++) {
		assert_ptr_equal(id_table_find(table, i * 64), there[i] ? &objects[i] : NULL);
		n += there[i];
	}
	while ((entry = id_table_next(table, &at))) {
		assert_ptr_equal(entry->value, &objects[entry->id / 64]);
		assert_true(there[entry->id / 64]);
		seen++;
	}
	assert_int_equal(n, id_table_count(table));
	assert_int_equal(n, seen);
	assert_true(table->entries.room <= 16 || table->entries.room <= 8 * (n + 1));
}

static void test_any_order(void **state)
{
	static char objects[IDS];
	static bool there[IDS];
	struct id_table table = { 0 };
	uint64_t random = 1;

	(void)state;
	for (unsigned step = 0; step < 40000; step++) {
		/* Filled in the first half, emptied in the second. */
		unsigned share = step < 20000 ? 70 : 25;
		size_t i;

		random = random * UINT64_C(6364136223846793005) + 1442695040888963407u;
		i = (size_t)(random >> 33) % IDS;
		if ((random >> 20) % 100 < share) {
			assert_int_equal(id_table_add(&table, i * 64, &objects[i]),
					 there[i] ? -EEXIST : 0);
			there[i] = true;
		} else {
			assert_ptr_equal(id_table_remove(&table, i * 64),
					 there[i] ? &objects[i] : NULL);
			there[i] = false;
		}
		if (step % 500 == 0)
			check_all(&table, objects, there);
	}
	for (size_t i = 0; i < IDS; i++) {
		(void)id_table_remove(&table, i * 64);
		there[i] = false;
	}
	check_all(&table, objects, there);
	id_table_done(&table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_twice),
		cmocka_unit_test(test_reserve),
		cmocka_unit_test(test_any_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
