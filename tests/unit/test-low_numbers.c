/* SPDX-License-Identifier: ISC */
/* What many listeners find when they are opened: their numbers, and room for all of them. */
#include "config.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "base/util.h"
#include "serve/low_numbers.h"

#define MANY 3000

static int allow_descriptors(void **state)
{
	struct rlimit limit;

	(void)state;
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return -1;
	limit.rlim_cur = limit.rlim_max;
	return setrlimit(RLIMIT_NOFILE, &limit);
}

/* How many descriptors the kernel's table has room for (proc(5)), or 0 where it does not say. */
static unsigned table_size(void)
{
	CLEANUP_FCLOSE FILE *status = fopen("/proc/self/status", "re");
	char line[256];
	unsigned size = 0;

	while (status && fgets(line, sizeof(line), status))
		if (sscanf(line, "FDSize: %u", &size) == 1)
			break;
	return size;
}

static int next_number(void)
{
	CLEANUP_CLOSE int fd = open("/", O_PATH | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static void few_listeners_change_nothing(void **state)
{
	unsigned size = table_size();
	int next = next_number();
	struct low_numbers low;

	(void)state;
	low_numbers_make_room(LISTENER_MIN_FD);
	low_numbers_take(&low, LISTENER_MIN_FD);
	assert_int_equal(low.n, 0);
	assert_int_equal(next_number(), next);
	assert_int_equal(table_size(), size);
	low_numbers_give_back(&low);
}

static void many_find_their_numbers_and_room(void **state)
{
	int next = next_number();
	struct rlimit limit;
	struct low_numbers low;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	if (limit.rlim_cur <= MANY + 2 * LISTENER_MIN_FD || table_size() > MANY)
		skip();
	low_numbers_make_room(MANY);
	assert_int_equal(next_number(), next);
	low_numbers_take(&low, MANY);
	assert_int_equal(next_number(), LISTENER_MIN_FD);
	if (table_size())
		assert_true(table_size() >= MANY + LISTENER_MIN_FD);
	low_numbers_give_back(&low);
	assert_int_equal(next_number(), next);
}

static void where_numbers_are_scarce_none_is_taken(void **state)
{
	int next = next_number();
	struct rlimit limit;
	struct low_numbers low;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	low_numbers_make_room(limit.rlim_cur - LISTENER_MIN_FD);
	low_numbers_take(&low, limit.rlim_cur - LISTENER_MIN_FD);
	assert_int_equal(low.n, 0);
	assert_int_equal(next_number(), next);
	low_numbers_give_back(&low);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(few_listeners_change_nothing),
		cmocka_unit_test(many_find_their_numbers_and_room),
		cmocka_unit_test(where_numbers_are_scarce_none_is_taken),
	};

	return cmocka_run_group_tests(tests, allow_descriptors, NULL);
}
