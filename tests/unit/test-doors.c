/* SPDX-License-Identifier: ISC */
/* Many doors behind one event: who is ready is served, in turns, and nobody who is not watched any more. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "base/util.h"
#include "serve/doors.h"
#include "serve/place.h"

#define DOORS (2 * DOORS_A_TURN)

static struct {
	struct event_base *base;
	struct doors *doors;
	struct place places[DOORS];
	int others[DOORS];       /* the ends by which somebody comes */
	unsigned calls[DOORS];   /* of each place */
	bool takes;              /* takes what waits */
	bool closes_others;      /* unwatches all others */
	bool asks;               /* whether others wait */
	bool others_wait[DOORS]; /* what was the answer in the turn of each */
} world;

static void on_ready(struct place *place)
{
	char byte;

	world.calls[place - world.places]++;
	if (world.takes)
		assert_int_equal(read(place->fd, &byte, 1), 1);
	if (world.asks)
		world.others_wait[place - world.places] = doors_others_wait(world.doors);
	for (size_t i = 0; world.closes_others && i < DOORS; i++)
		if (&world.places[i] != place)
			doors_unwatch(world.doors, world.places[i].fd, &world.places[i]);
}

static int begin(void **state)
{
	(void)state;
	memset(&world, 0, sizeof(world));
	world.base = event_base_new();
	assert_non_null(world.base);
	assert_int_equal(doors_new(world.base, on_ready, &world.doors), 0);
	for (size_t i = 0; i < DOORS; i++) {
		int ends[2];

		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
		world.places[i].fd = ends[0];
		world.others[i] = ends[1];
		assert_int_equal(doors_watch(world.doors, ends[0], &world.places[i]), 0);
	}
	return 0;
}

static int end(void **state)
{
	(void)state;
	for (size_t i = 0; i < DOORS; i++) {
		doors_unwatch(world.doors, world.places[i].fd, &world.places[i]);
		(void)close(world.places[i].fd);
		(void)close(world.others[i]);
	}
	doors_free(world.doors);
	event_base_free(world.base);
	return 0;
}

static void come(size_t i)
{
	assert_int_equal(write(world.others[i], "x", 1), 1);
}

static void round_of_the_loop(void)
{
	assert_true(event_base_loop(world.base, EVLOOP_ONCE | EVLOOP_NONBLOCK) >= 0);
}

static unsigned all_calls(void)
{
	unsigned sum = 0;

	for (size_t i = 0; i < DOORS; i++)
		sum += world.calls[i];
	return sum;
}

static void serves_who_is_ready_and_nobody_else(void **state)
{
	(void)state;
	world.takes = true;
	round_of_the_loop();
	assert_int_equal(all_calls(), 0);
	come(3);
	come(7);
	round_of_the_loop();
	assert_int_equal(world.calls[3], 1);
	assert_int_equal(world.calls[7], 1);
	assert_int_equal(all_calls(), 2);
	round_of_the_loop();
	assert_int_equal(all_calls(), 2);
}

static void comes_back_for_what_was_left(void **state)
{
	(void)state;
	come(5);
	for (unsigned i = 1; i <= 3; i++) {
		round_of_the_loop();
		assert_int_equal(world.calls[5], i);
	}
}

static void gives_everybody_a_turn(void **state)
{
	(void)state;
	for (size_t i = 0; i < DOORS; i++)
		come(i);
	/* Each is still ready after its turn, and yet waits for the others. */
	for (unsigned turn = 1; turn <= 3; turn++) {
		for (unsigned i = 0; i < DOORS / DOORS_A_TURN; i++)
			round_of_the_loop();
		for (size_t i = 0; i < DOORS; i++)
			assert_int_equal(world.calls[i], turn);
	}
}

static void forgets_at_once_who_is_not_watched_any_more(void **state)
{
	(void)state;
	for (size_t i = 0; i < DOORS_A_TURN; i++)
		come(i);
	world.closes_others = true;
	round_of_the_loop();
	assert_int_equal(all_calls(), 1);
	round_of_the_loop();
	assert_int_equal(all_calls(), 2);
}

static void tells_whether_others_wait(void **state)
{
	(void)state;
	world.asks = true;
	assert_false(doors_others_wait(world.doors));
	come(3);
	assert_true(doors_others_wait(world.doors));
	/* The one that is served is not another, though more wait there. */
	round_of_the_loop();
	assert_int_equal(world.calls[3], 1);
	assert_false(world.others_wait[3]);
	/* The first of two leaves the other waiting, and comes again itself as far as the second knows. */
	come(7);
	round_of_the_loop();
	assert_int_equal(world.calls[7], 1);
	assert_true(world.others_wait[3] && world.others_wait[7]);
	/* Outside of a turn all are others. */
	assert_true(doors_others_wait(world.doors));
}

static void tells_what_cannot_be_watched(void **state)
{
	(void)state;
	assert_true(doors_watch(world.doors, -1, &world.places[0]) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(serves_who_is_ready_and_nobody_else, begin, end),
		cmocka_unit_test_setup_teardown(comes_back_for_what_was_left, begin, end),
		cmocka_unit_test_setup_teardown(gives_everybody_a_turn, begin, end),
		cmocka_unit_test_setup_teardown(forgets_at_once_who_is_not_watched_any_more, begin,
						end),
		cmocka_unit_test_setup_teardown(tells_whether_others_wait, begin, end),
		cmocka_unit_test_setup_teardown(tells_what_cannot_be_watched, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
