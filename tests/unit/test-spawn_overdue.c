/* SPDX-License-Identifier: ISC */
/* Proves that a start and a reap cost the same however many children have not run their programs, and lose none of them. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "serve/spawn_private.h"
#include "service_fixture.h"

#define CHILDREN  200
#define FIRST_PID (1 << 30)

/* Each in pages of its own, so that access to it can be forbidden: whoever walks over all of them does not survive. */
static struct slot *slots[CHILDREN];
static size_t slot_bytes;

static pid_t pid_of(int i)
{
	return FIRST_PID + i;
}

/* Children that have been left to themselves and share our memory still. */
static void add_children(struct overdue *overdue, struct spawn *spawn)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	slot_bytes = (sizeof(struct slot) + page - 1) / page * page;
	for (int i = 0; i < CHILDREN; i++) {
		slots[i] = mmap(NULL, slot_bytes, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		assert_ptr_not_equal(slots[i], MAP_FAILED);
		slots[i]->bytes = slot_bytes;
		slots[i]->pid = pid_of(i);
		slots[i]->child.tid = 1;
		slots[i]->spawn = spawn;
		assert_int_equal(overdue_reserve(overdue), 0);
		overdue_add(overdue, slots[i]);
	}
}

static void remove_children(struct overdue *overdue)
{
	struct slot *slot;

	for (int i = 0; i < CHILDREN; i++) {
		slot = overdue_take(overdue, pid_of(i));
		if (slot)
			assert_int_equal(munmap(slot, slot->bytes), 0);
	}
	assert_int_equal(overdue_count(overdue), 0);
}

/* Nobody may touch those from @first up to @last then. */
static void forbid(int first, int last, bool forbidden)
{
	for (int i = first; i <= last; i++)
		assert_int_equal(mprotect(slots[i], slot_bytes,
					  forbidden ? PROT_NONE : PROT_READ | PROT_WRITE),
				 0);
}

static void settle(struct slot *slot, int error)
{
	slot->child.failure.error = error;
	slot->child.tid = 0;
}

static void one_is_looked_at_at_a_time(void **state)
{
	struct overdue overdue;

	(void)state;
	overdue_init(&overdue);
	assert_null(overdue_look(&overdue));
	add_children(&overdue, NULL);
	settle(slots[70], 0);
	for (int round = 0; round < 70; round++) {
		forbid(round + 2, CHILDREN - 1 - (round == 0), true);
		assert_null(overdue_look(&overdue));
		forbid(round + 2, CHILDREN - 1, false);
	}
	assert_ptr_equal(overdue_look(&overdue), slots[70]);
	assert_int_equal(munmap(slots[70], slot_bytes), 0);
	assert_int_equal(overdue_count(&overdue), CHILDREN - 1);
	assert_null(overdue_take(&overdue, pid_of(70)));
	for (int round = 0; round < 2 * CHILDREN; round++)
		assert_null(overdue_look(&overdue));
	remove_children(&overdue);
	overdue_done(&overdue);
}

static void the_one_that_ended_is_found_without_the_others(void **state)
{
	struct overdue overdue;
	struct slot *slot;

	(void)state;
	overdue_init(&overdue);
	assert_null(overdue_take(&overdue, 1));
	add_children(&overdue, NULL);
	/* Its neighbours have to learn that it is gone. */
	forbid(0, CHILDREN / 2 - 2, true);
	forbid(CHILDREN / 2 + 2, CHILDREN - 1, true);
	slot = overdue_take(&overdue, pid_of(CHILDREN / 2));
	assert_ptr_equal(slot, slots[CHILDREN / 2]);
	assert_null(overdue_take(&overdue, pid_of(CHILDREN / 2)));
	assert_null(overdue_take(&overdue, 1));
	forbid(0, CHILDREN / 2 - 2, false);
	forbid(CHILDREN / 2 + 2, CHILDREN - 1, false);
	assert_int_equal(munmap(slot, slot_bytes), 0);
	remove_children(&overdue);
	overdue_done(&overdue);
}

static void why_one_failed_stays_until_it_is_asked_for(void **state)
{
	struct overdue overdue;
	struct slot *slot;

	(void)state;
	overdue_init(&overdue);
	add_children(&overdue, NULL);
	settle(slots[0], ENOENT);
	settle(slots[1], 0);
	assert_null(overdue_look(&overdue));
	/* It is not looked at again. */
	forbid(0, 0, true);
	assert_ptr_equal(overdue_look(&overdue), slots[1]);
	assert_int_equal(munmap(slots[1], slot_bytes), 0);
	for (int round = 0; round < 2 * CHILDREN; round++)
		assert_null(overdue_look(&overdue));
	forbid(0, 0, false);
	slot = overdue_take(&overdue, pid_of(0));
	assert_ptr_equal(slot, slots[0]);
	assert_int_equal(slot->child.failure.error, ENOENT);
	assert_int_equal(munmap(slot, slot_bytes), 0);
	remove_children(&overdue);
	overdue_done(&overdue);
}

/* Starts true(1) and waits for its end. */
static void start_server(struct spawn *spawn)
{
	const struct addr peer = { .family = AF_UNIX };
	struct spawn_failure failure;
	int ends[2], status;
	pid_t pid;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid = spawn_run(spawn, ends[0], &peer, &failure);
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	(void)spawn_reaped(spawn->spawner, pid, &failure);
	assert_int_equal(failure.error, 0);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	(void)close(ends[0]);
	(void)close(ends[1]);
}

static void starts_cost_the_same_beside_many(void **state)
{
	char *environment[] = { NULL };
	const struct rlimit nofile = { .rlim_cur = 1024, .rlim_max = 1024 };
	struct service *service = make_service("a", "/bin/true");
	struct spawn_failure failure;
	struct spawner *spawner;
	struct spawn *spawn;
	size_t before;

	(void)state;
	assert_int_equal(spawner_new(environment, &nofile, &spawner), 0);
	spawner_note_signals(spawner);
	assert_int_equal(spawn_new(spawner, service, &spawn), 0);
	add_children(&spawner->overdue, spawn);
	spawn->overdue = CHILDREN;

	/* A start looks at a few, and these go last. */
	forbid(20, CHILDREN - 20, true);
	for (int i = 0; i < 4; i++)
		start_server(spawn);
	assert_int_equal(overdue_count(&spawner->overdue), CHILDREN);
	/* The end of one finds it without the others. */
	settle(slots[CHILDREN - 10], EACCES);
	assert_true(spawn_reaped(spawner, pid_of(CHILDREN - 10), &failure));
	assert_int_equal(failure.error, EACCES);
	assert_false(spawn_reaped(spawner, pid_of(CHILDREN - 10), &failure));
	assert_false(spawn_reaped(spawner, 1, &failure));
	assert_int_equal(spawn->overdue, CHILDREN - 1);
	forbid(20, CHILDREN - 20, false);

	/* All run their programs: with each start some are forgotten, in the end all. */
	for (int i = 0; i < CHILDREN; i++)
		if (i != CHILDREN - 10)
			settle(slots[i], 0);
	for (int i = 0; overdue_count(&spawner->overdue) > 0; i++) {
		before = overdue_count(&spawner->overdue);
		start_server(spawn);
		assert_in_range(before - overdue_count(&spawner->overdue), before > 1 ? 2 : 1, 2);
	}
	assert_int_equal(spawn->overdue, 0);
	spawn_free(spawn);
	spawner_free(spawner);
	service_unref(service);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_is_looked_at_at_a_time),
		cmocka_unit_test(the_one_that_ended_is_found_without_the_others),
		cmocka_unit_test(why_one_failed_stays_until_it_is_asked_for),
		cmocka_unit_test(starts_cost_the_same_beside_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
