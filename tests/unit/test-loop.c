/* SPDX-License-Identifier: ISC */
/* Proves that the worker's loop calls whom it should, in the order of time, and never one that has just been ended. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/util.h"
#include "worker/loop.h"

#define MANY     100
#define DEADLINE (20 * USEC_PER_SEC)

struct party {
	struct watch watch; /* first, so that a watch is its party */
	struct loop *loop;
	struct party *other; /* ended by this one when it is called */
	int peer;
	unsigned calls;
	uint32_t ready;
};

static void on_ready(struct watch *watch, uint32_t ready)
{
	struct party *party = (struct party *)watch;

	party->calls++;
	party->ready = ready;
	if (party->other)
		assert_int_equal(loop_watch(party->loop, &party->other->watch, 0), 0);
}

static void open_party(struct loop *loop, struct party *party)
{
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	*party = (struct party){ .watch = { .fn = on_ready, .fd = pair[0] },
				 .loop = loop,
				 .peer = pair[1] };
}

static void close_party(struct party *party)
{
	(void)loop_watch(party->loop, &party->watch, 0);
	(void)close(party->watch.fd);
	if (party->peer >= 0)
		(void)close(party->peer);
}

static void calls_for_what_is_waited_for(void **state)
{
	struct loop *loop = loop_new();
	struct party party;

	(void)state;
	assert_non_null(loop);
	open_party(loop, &party);
	assert_int_equal(loop_watch(loop, &party.watch, EPOLLIN), 0);
	assert_int_equal(loop_turn(loop, false), 0);
	assert_int_equal(write(party.peer, "x", 1), 1);
	assert_int_equal(loop_turn(loop, true), 1);
	assert_int_equal(party.ready, EPOLLIN);
	assert_int_equal(loop_watch(loop, &party.watch, EPOLLIN | EPOLLOUT), 0);
	assert_int_equal(loop_turn(loop, true), 1);
	assert_int_equal(party.ready, EPOLLIN | EPOLLOUT);
	assert_int_equal(loop_watch(loop, &party.watch, 0), 0);
	assert_int_equal(loop_turn(loop, false), 0);
	assert_int_equal(party.calls, 2);
	/* Who has gone is ready for whatever is waited for. */
	(void)close(party.peer);
	party.peer = -1;
	assert_int_equal(loop_watch(loop, &party.watch, EPOLLOUT), 0);
	assert_int_equal(loop_turn(loop, true), 1);
	assert_int_equal(party.ready, EPOLLOUT);
	close_party(&party);
	loop_free(loop);
}

static void does_not_call_who_was_ended_in_the_same_turn(void **state)
{
	struct loop *loop = loop_new();
	struct party one, other;

	(void)state;
	assert_non_null(loop);
	open_party(loop, &one);
	open_party(loop, &other);
	one.other = &other;
	other.other = &one;
	assert_int_equal(loop_watch(loop, &one.watch, EPOLLIN), 0);
	assert_int_equal(loop_watch(loop, &other.watch, EPOLLIN), 0);
	assert_int_equal(write(one.peer, "x", 1), 1);
	assert_int_equal(write(other.peer, "x", 1), 1);
	assert_int_equal(loop_turn(loop, true), 1);
	assert_int_equal(one.calls + other.calls, 1);
	close_party(&one);
	close_party(&other);
	loop_free(loop);
}

struct bell {
	struct alarm alarm;
	struct loop *loop;
	unsigned rung;
};

static uint64_t last_due;

static void on_bell(struct alarm *alarm)
{
	struct bell *bell = (struct bell *)alarm;

	assert_true(alarm->due_usec >= last_due);
	assert_true(alarm->due_usec <= now_usec());
	last_due = alarm->due_usec;
	bell->rung++;
}

static void rings_in_the_order_of_time(void **state)
{
	static struct bell bells[MANY];
	struct loop *loop = loop_new();
	uint64_t start = now_usec(), random = 1;
	unsigned rung = 0, wanted = 0;

	(void)state;
	assert_non_null(loop);
	for (unsigned round = 0; round < 4; round++) {
		/* Some are set, some anew, and some are taken back. */
		for (unsigned i = 0; i < MANY; i++) {
			random = random * UINT64_C(6364136223846793005) + 1442695040888963407u;
			bells[i].alarm.fn = on_bell;
			if ((random >> 40) % 4 == 0)
				loop_unset(loop, &bells[i].alarm);
			else
				assert_int_equal(loop_set(loop, &bells[i].alarm,
							  start + (random >> 33) % 50000),
						 0);
		}
	}
	for (unsigned i = 0; i < MANY; i++)
		wanted += bells[i].alarm.at != 0;
	assert_in_range(wanted, 1, MANY);
	while (rung < wanted && now_usec() < start + DEADLINE) {
		assert_int_equal(loop_turn(loop, true), 0);
		rung = 0;
		for (unsigned i = 0; i < MANY; i++) {
			assert_in_range(bells[i].rung, 0, 1);
			rung += bells[i].rung;
		}
	}
	assert_int_equal(rung, wanted);
	assert_int_equal(loop_turn(loop, false), 0);
	loop_free(loop);
}

static void on_again(struct alarm *alarm)
{
	struct bell *bell = (struct bell *)alarm;
	/* The next one is due at once, in a moment, and then no more. */
	static const uint64_t pauses_usec[] = { 0, 2000 };

	on_bell(alarm);
	if (bell->rung <= ARRAY_SIZE(pauses_usec))
		assert_int_equal(
			loop_set(bell->loop, alarm, now_usec() + pauses_usec[bell->rung - 1]), 0);
}

static void rings_what_is_set_while_it_rings(void **state)
{
	struct loop *loop = loop_new();
	struct bell bell = { .alarm.fn = on_again, .loop = loop };

	(void)state;
	last_due = 0;
	assert_non_null(loop);
	assert_int_equal(loop_set(loop, &bell.alarm, 0), 0);
	while (bell.rung < 3)
		assert_int_equal(loop_turn(loop, true), 0);
	assert_int_equal(bell.alarm.at, 0);
	loop_free(loop);
}

/* The timer of the first goes off for nobody. */
static void rings_later_where_the_earlier_was_taken_back(void **state)
{
	struct loop *loop = loop_new();
	struct bell early = { .alarm.fn = on_bell }, late = { .alarm.fn = on_bell };
	uint64_t start = now_usec();

	(void)state;
	last_due = 0;
	assert_non_null(loop);
	assert_int_equal(loop_set(loop, &early.alarm, start + 1000), 0);
	assert_int_equal(loop_set(loop, &late.alarm, start + 30000), 0);
	loop_unset(loop, &early.alarm);
	while (!late.rung)
		assert_int_equal(loop_turn(loop, true), 0);
	assert_int_equal(early.rung, 0);
	assert_true(now_usec() >= start + 30000);
	loop_free(loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(calls_for_what_is_waited_for),
		cmocka_unit_test(does_not_call_who_was_ended_in_the_same_turn),
		cmocka_unit_test(rings_in_the_order_of_time),
		cmocka_unit_test(rings_what_is_set_while_it_rings),
		cmocka_unit_test(rings_later_where_the_earlier_was_taken_back),
	};

	/* A wait that never ends is a failure, too. */
	(void)alarm(60);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
