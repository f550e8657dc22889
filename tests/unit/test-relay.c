/* SPDX-License-Identifier: ISC */
/* Relays in usherd-worker, and its limit of idle time. */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "serve/worker_link.h"
#include "worker_fixture.h"

/* The far ends of a relayed pair of connections. */
struct ends {
	int client;
	int target;
};

/* The kernel would give each megabytes, and all connections of the machine stall when these are too many. */
static void bound_buffers(int fd)
{
	const int size = 128 * 1024;

	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)), 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)), 0);
}

static struct ends relay_between(struct fixture *f, uint64_t session, uint32_t idle_sec,
				 bool unix_client)
{
	struct ends ends;
	int near_client, near_target;

	if (unix_client) {
		int pair[2];

		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
		ends.client = pair[0];
		near_client = pair[1];
		set_deadline(ends.client);
	} else {
		ends.client = connection(AF_INET, &near_client);
	}
	ends.target = connection(AF_INET, &near_target);
	assert_true(ends.client >= 0 && ends.target >= 0);
	set_deadline(ends.target);
	bound_buffers(ends.client);
	bound_buffers(ends.target);
	bound_buffers(near_client);
	bound_buffers(near_target);
	assert_int_equal(fd_set_nonblock(near_client, true), 0);
	assert_int_equal(fd_set_nonblock(near_target, true), 0);
	assert_int_equal(worker_link_relay(f->link, session, idle_sec, near_client, near_target),
			 0);
	return ends;
}

static void close_ends(struct ends ends)
{
	(void)close(ends.client);
	(void)close(ends.target);
}

static unsigned char byte_at(uint64_t seed, size_t i)
{
	return (unsigned char)(seed * 31 + i * 7 + i / 1021);
}

/* Bytes on their way from one end to the other. */
struct stream_test {
	uint64_t seed;
	size_t size;
	size_t sent;
	size_t got;
	bool ended;
};

/* Sends what goes, and the end after the last. */
static bool push(struct stream_test *s, int fd)
{
	static unsigned char block[70000];
	size_t n = s->size - s->sent < sizeof(block) ? s->size - s->sent : sizeof(block);
	ssize_t put;

	for (size_t i = 0; i < n; i++)
		block[i] = byte_at(s->seed, s->sent + i);
	put = send(fd, block, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (put <= 0)
		return false;
	s->sent += (size_t)put;
	if (s->sent == s->size)
		assert_int_equal(shutdown(fd, SHUT_WR), 0);
	return true;
}

/* Reads and compares what is there. */
static void pull(struct stream_test *s, int fd)
{
	static unsigned char block[70000];
	ssize_t n = recv(fd, block, sizeof(block), MSG_DONTWAIT);

	if (n < 0) {
		assert_int_equal(errno, EAGAIN);
		return;
	}
	s->ended = n == 0;
	for (ssize_t i = 0; i < n; i++)
		if (block[i] != byte_at(s->seed, s->got + (size_t)i))
			fail_msg("wrong at byte %zu", s->got + (size_t)i);
	s->got += (size_t)n;
}

static void passes_both_ways_at_once(struct fixture *f, bool unix_client)
{
	enum {
		SIZE = 5000000
	};
	struct ends ends = relay_between(f, 1, 0, unix_client);
	struct stream_test there = { .seed = 1, .size = SIZE },
			   back = { .seed = 2, .size = SIZE - 1 };

	worker_link_flush(f->link);
	while (!there.ended || !back.ended) {
		struct pollfd p[] = {
			{ .fd = ends.client,
			  .events = (short)(POLLIN | (there.sent < SIZE ? POLLOUT : 0)) },
			{ .fd = ends.target,
			  .events = (short)(POLLIN | (back.sent < SIZE - 1 ? POLLOUT : 0)) }
		};

		p[0].events = (short)(back.ended ? p[0].events & ~POLLIN : p[0].events);
		p[1].events = (short)(there.ended ? p[1].events & ~POLLIN : p[1].events);
		assert_true(poll(p, 2, 20000) > 0);
		if (p[0].revents & POLLOUT)
			(void)push(&there, ends.client);
		if (p[1].revents & POLLOUT)
			(void)push(&back, ends.target);
		if (p[0].revents & POLLIN)
			pull(&back, ends.client);
		if (p[1].revents & POLLIN)
			pull(&there, ends.target);
	}
	assert_int_equal(there.got, SIZE);
	assert_int_equal(back.got, SIZE - 1);
	close_ends(ends);
	UNTIL(f, f->outcomes[1].done);
	assert_int_equal(f->outcomes[1].error, 0);
	assert_int_equal(f->outcomes[1].in_bytes, SIZE);
	assert_int_equal(f->outcomes[1].out_bytes, SIZE - 1);
}

static void passes_all_bytes_both_ways_at_once(void **state)
{
	passes_both_ways_at_once(fixture_of(state), false);
}

static void passes_all_bytes_of_a_unix_socket(void **state)
{
	passes_both_ways_at_once(fixture_of(state), true);
}

static void passes_the_end_of_either_side_on(void **state)
{
	struct fixture *f = fixture_of(state);
	char text[8];

	for (uint64_t id = 1; id <= 2; id++) {
		struct ends ends = relay_between(f, id, 0, false);
		int first = id == 1 ? ends.client : ends.target;
		int second = id == 1 ? ends.target : ends.client;

		worker_link_flush(f->link);
		assert_int_equal(send(first, "ask", 3, 0), 3);
		assert_int_equal(shutdown(first, SHUT_WR), 0);
		assert_int_equal(recv(second, text, sizeof(text), MSG_WAITALL), 3);
		assert_int_equal(send(second, "reply", 5, 0), 5);
		(void)close(second);
		assert_int_equal(recv(first, text, sizeof(text), MSG_WAITALL), 5);
		(void)close(first);
		UNTIL(f, f->outcomes[id].done);
		assert_int_equal(f->outcomes[id].error, 0);
		assert_int_equal(f->outcomes[id].in_bytes, id == 1 ? 3 : 5);
		assert_int_equal(f->outcomes[id].out_bytes, id == 1 ? 5 : 3);
	}
}

static void reset(int fd)
{
	const struct linger at_once = { .l_onoff = 1, .l_linger = 0 };

	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)), 0);
	(void)close(fd);
}

static void passes_a_reset_on(void **state)
{
	struct fixture *f = fixture_of(state);
	char c = 'x';

	for (uint64_t id = 1; id <= 3; id++) {
		struct ends ends = relay_between(f, id, 0, false);
		int first = id == 2 ? ends.target : ends.client;
		int second = id == 2 ? ends.client : ends.target;
		int error = 0;
		socklen_t length = sizeof(error);

		worker_link_flush(f->link);
		assert_int_equal(send(first, &c, 1, 0), 1);
		read_exactly(second, &c, 1);
		/* The third has ended its side before. */
		if (id == 3) {
			assert_int_equal(shutdown(first, SHUT_WR), 0);
			assert_int_equal(recv(second, &c, 1, 0), 0);
		}
		reset(first);
		UNTIL(f, f->outcomes[id].done);
		assert_true(f->outcomes[id].error == ECONNRESET || f->outcomes[id].error == EPIPE);
		assert_int_equal(getsockopt(second, SOL_SOCKET, SO_ERROR, &error, &length), 0);
		assert_true(error == ECONNRESET || error == EPIPE);
		(void)close(second);
	}
}

/* Many at once that nobody reads from: there are fewer pipes, and each takes something else with it. */
static void loses_nothing_when_nobody_reads_for_a_while(void **state)
{
	struct fixture *f = fixture_of(state);
	enum {
		RELAYS = 100,
		SIZE = 12000000
	};
	static struct ends ends[RELAYS];
	static struct stream_test streams[RELAYS];
	struct rlimit files;
	unsigned moving;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &files), 0);
	if (files.rlim_cur < 6 * RELAYS) {
		print_message("the limit of open files is too low\n");
		skip();
	}
	for (unsigned i = 0; i < RELAYS; i++) {
		ends[i] = relay_between(f, i, 0, i % 10 == 9);
		streams[i] = (struct stream_test){ .seed = i, .size = SIZE };
	}
	worker_link_flush(f->link);
	/* Until all buffers are full; in one go, so that much is there at once. */
	do {
		moving = 0;
		for (unsigned i = 0; i < RELAYS; i++) {
			struct pollfd p = { .fd = ends[i].client, .events = POLLOUT };

			while (streams[i].sent < SIZE && poll(&p, 1, 5) == 1 &&
			       push(&streams[i], ends[i].client))
				moving++;
		}
	} while (moving > 0);
	for (unsigned i = 0; i < RELAYS; i++) {
		/* Some are never read, and what they have filled is to be of use for others. */
		if (i % 7 == 3) {
			reset(ends[i].target);
			(void)close(ends[i].client);
			continue;
		}
		streams[i].size = streams[i].sent;
		assert_int_equal(shutdown(ends[i].client, SHUT_WR), 0);
		while (!streams[i].ended) {
			struct pollfd p = { .fd = ends[i].target, .events = POLLIN };

			assert_int_equal(poll(&p, 1, 20000), 1);
			pull(&streams[i], ends[i].target);
		}
		assert_int_equal(streams[i].got, streams[i].size);
		close_ends(ends[i]);
	}
	UNTIL(f, f->ended == RELAYS);
	for (unsigned i = 0; i < RELAYS; i++) {
		assert_int_equal(f->outcomes[i].done, 1);
		if (i % 7 != 3)
			assert_int_equal(f->outcomes[i].in_bytes, streams[i].size);
	}
}

static void lets_a_target_answer_without_reading_all(void **state)
{
	struct fixture *f = fixture_of(state);
	struct ends ends = relay_between(f, 1, 0, false);
	static char block[300000];
	char text[16];

	worker_link_flush(f->link);
	assert_int_equal(send(ends.client, block, 100, 0), 100);
	read_exactly(ends.target, text, 10);
	(void)send(ends.client, block, sizeof(block), MSG_DONTWAIT);
	assert_int_equal(send(ends.target, "too much", 8, 0), 8);
	(void)close(ends.target);
	read_exactly(ends.client, text, 8);
	assert_memory_equal(text, "too much", 8);
	UNTIL(f, f->outcomes[1].done);
	assert_int_equal(f->outcomes[1].out_bytes, 8);
	(void)close(ends.client);
}

static void ends_what_is_idle_and_nothing_else(void **state)
{
	struct fixture *f = fixture_of(state);
	struct ends quiet = relay_between(f, 1, 1, false), busy = relay_between(f, 2, 1, false),
		    free_of_it = relay_between(f, 3, 0, false);
	uint64_t began = now_usec();
	int echo[2];
	char c = 'x';

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, echo), 0);
	set_deadline(echo[0]);
	assert_int_equal(worker_link_stream(f->link, 4, BUILTIN_ECHO, 1, echo[1]), 0);
	worker_link_flush(f->link);
	while (!f->outcomes[1].done || !f->outcomes[4].done) {
		assert_int_equal(send(busy.client, &c, 1, 0), 1);
		read_exactly(busy.target, &c, 1);
		turn(f);
		assert_true(now_usec() - began < DEADLINE_USEC);
	}
	assert_true(now_usec() - began >= USEC_PER_SEC);
	assert_int_equal(f->outcomes[1].error, ETIMEDOUT);
	assert_int_equal(f->outcomes[4].error, ETIMEDOUT);
	assert_int_equal(recv(echo[0], &c, 1, 0), 0);
	assert_int_equal(f->ended, 2);
	UNTIL(f, f->outcomes[2].done);
	assert_int_equal(f->outcomes[2].error, ETIMEDOUT);
	assert_int_equal(f->ended, 3);
	worker_link_cancel(f->link, 3);
	UNTIL(f, f->outcomes[3].done);
	assert_int_equal(f->outcomes[3].error, ECANCELED);
	close_ends(quiet);
	close_ends(busy);
	close_ends(free_of_it);
	(void)close(echo[0]);
}

/* More than one message takes, and others in between. */
static void begins_many_in_one_go(void **state)
{
	struct fixture *f = fixture_of(state);
	enum {
		RELAYS = 63
	};
	struct ends ends[RELAYS];
	char c;

	for (unsigned i = 0; i < RELAYS; i++) {
		if (i % 5 == 2) {
			ends[i] = (struct ends){ .target = -1 };
			ends[i].client = client(f, AF_INET, i, BUILTIN_ECHO);
		} else {
			ends[i] = relay_between(f, i, 0, false);
		}
	}
	worker_link_flush(f->link);
	for (unsigned i = 0; i < RELAYS; i++) {
		c = (char)i;
		assert_int_equal(send(ends[i].client, &c, 1, 0), 1);
		read_exactly(ends[i].target >= 0 ? ends[i].target : ends[i].client, &c, 1);
		assert_int_equal(c, (char)i);
		close_ends(ends[i]);
	}
	UNTIL(f, f->ended == RELAYS);
}

static void closes_both_sides_where_it_cannot_begin(void **state)
{
	struct fixture *f = fixture_of(state);
	struct ends ends = relay_between(f, 1, 0, false);
	int near_client, near_target, client_end = connection(AF_INET, &near_client),
				      target_end = connection(AF_INET, &near_target);
	char c;

	set_deadline(target_end);
	assert_int_equal(worker_link_relay(f->link, 1, 0, near_client, near_target), -EEXIST);
	assert_int_equal(recv(client_end, &c, 1, 0), 0);
	assert_int_equal(recv(target_end, &c, 1, 0), 0);
	/* Still queued: there is no worker. */
	worker_link_cancel(f->link, 1);
	assert_int_equal(f->outcomes[1].error, ECANCELED);
	assert_int_equal(recv(ends.client, &c, 1, 0), 0);
	assert_int_equal(recv(ends.target, &c, 1, 0), 0);
	close_ends(ends);
	(void)close(client_end);
	(void)close(target_end);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_WORKER(passes_all_bytes_both_ways_at_once),
		WITH_WORKER(passes_all_bytes_of_a_unix_socket),
		WITH_WORKER(passes_the_end_of_either_side_on),
		WITH_WORKER(passes_a_reset_on),
		WITH_WORKER(loses_nothing_when_nobody_reads_for_a_while),
		WITH_WORKER(lets_a_target_answer_without_reading_all),
		WITH_WORKER(ends_what_is_idle_and_nothing_else),
		WITH_WORKER(begins_many_in_one_go),
		WITHOUT(closes_both_sides_where_it_cannot_begin),
	};

	return cmocka_run_group_tests_name("relay", tests, NULL, NULL);
}
