/* SPDX-License-Identifier: ISC */
/* Proves that echo gives back every byte, however they come: little, much, by turns, faster than they are read, or up to an end. */
#include "config.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "serve/worker_link.h"
#include "worker_fixture.h"

#define MOST 400000

static char out[MOST], in[MOST];

static int echo_client(struct fixture *f, uint64_t session)
{
	int fd = client(f, AF_INET, session, BUILTIN_ECHO);

	assert_true(fd >= 0);
	set_deadline(fd);
	for (size_t i = 0; i < MOST; i++)
		out[i] = (char)(i * 7 + i / 4093 + session);
	return fd;
}

/* Sends @n bytes and reads as many, by turns, so that both sides may be full in between. */
static void send_and_read(int fd, size_t n)
{
	size_t put = 0, got = 0;

	while (got < n) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		ssize_t r;

		if (put < n)
			p.events |= POLLOUT;
		assert_true(poll(&p, 1, 20000) > 0);
		if (p.revents & POLLOUT) {
			r = send(fd, out + put, n - put, MSG_DONTWAIT | MSG_NOSIGNAL);
			assert_true(r > 0 || errno == EAGAIN);
			put += r > 0 ? (size_t)r : 0;
		}
		if (p.revents & POLLIN) {
			r = recv(fd, in + got, n - got, MSG_DONTWAIT);
			assert_true(r > 0);
			got += (size_t)r;
		}
	}
	assert_memory_equal(in, out, n);
}

/* What must come back before more is sent: so its input runs dry after each piece. */
static void echoes_pieces_of_every_size(void **state)
{
	static const size_t sizes[] = { 1,     16383, 1,     16384,  1,     16385,  4095, 4097,
					65536, 10,    65537, 300000, 20000, 262144, 1,    MOST };
	struct fixture *f = fixture_of(state);
	int fd = echo_client(f, 1), at_once = 1;
	size_t total = 0;

	assert_int_equal(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof(at_once)), 0);
	for (unsigned round = 0; round < 3; round++)
		for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
			send_and_read(fd, sizes[i]);
			total += sizes[i];
		}
	for (unsigned i = 0; i < 500; i++)
		send_and_read(fd, 1);
	total += 500;
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	assert_int_equal(recv(fd, in, 1, 0), 0);
	(void)close(fd);
	UNTIL(f, f->outcomes[1].done);
	assert_int_equal(f->outcomes[1].in_bytes, total);
	assert_int_equal(f->outcomes[1].out_bytes, total);
	assert_int_equal(f->outcomes[1].error, 0);
}

/* Sends, @most at once, until nothing more is taken; @sent bytes went before. Returns how much. */
static size_t fill(int fd, size_t sent, size_t most)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	size_t filled = 0;

	/* What the worker takes meanwhile makes room again; it takes no more when its own output is stuck. */
	while (poll(&p, 1, 300) > 0) {
		size_t at = (sent + filled) % MOST;
		size_t piece = most < MOST - at ? most : MOST - at;
		ssize_t n = send(fd, out + at, piece, MSG_DONTWAIT | MSG_NOSIGNAL);

		assert_true(n > 0 || errno == EAGAIN);
		filled += n > 0 ? (size_t)n : 0;
	}
	return filled;
}

static void read_back(int fd, size_t from, size_t n)
{
	while (n > 0) {
		size_t at = from % MOST, most = n < MOST - at ? n : MOST - at;
		ssize_t got = recv(fd, in, most, 0);

		assert_true(got > 0);
		assert_memory_equal(in, out + at, (size_t)got);
		from += (size_t)got;
		n -= (size_t)got;
	}
}

static void goes_on_when_a_client_reads_again(void **state)
{
	struct fixture *f = fixture_of(state);
	int fd = echo_client(f, 2);
	size_t sent = 0;
	const int at_once = 1;

	/* Little at a time first: the worker's output is full before its input is crowded. */
	assert_int_equal(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof(at_once)), 0);
	for (unsigned round = 0; round < 3; round++) {
		size_t n = fill(fd, sent, round == 0 ? 1000 : MOST);

		assert_true(n > 0);
		/* All of it the last time, after the end of our side. */
		if (round == 2)
			assert_int_equal(shutdown(fd, SHUT_WR), 0);
		read_back(fd, sent, n);
		sent += n;
	}
	assert_int_equal(recv(fd, in, 1, 0), 0);
	(void)close(fd);
	UNTIL(f, f->outcomes[2].done);
	assert_int_equal(f->outcomes[2].in_bytes, sent);
	assert_int_equal(f->outcomes[2].out_bytes, sent);
	assert_int_equal(f->outcomes[2].error, 0);
}

static void forgets_who_leaves_without_reading(void **state)
{
	struct fixture *f = fixture_of(state);

	for (uint64_t i = 3; i < 6; i++) {
		int fd = echo_client(f, i);

		assert_true(fill(fd, 0, MOST) > 0);
		/* With unread input this resets the connection; where the worker has been slow it is an end. */
		(void)close(fd);
		UNTIL(f, f->outcomes[i].done);
		assert_true(f->outcomes[i].error == ECONNRESET || f->outcomes[i].error == EPIPE ||
			    f->outcomes[i].error == 0);
		assert_true(f->outcomes[i].out_bytes <= f->outcomes[i].in_bytes);
	}
	assert_int_equal(worker_link_sessions(f->link), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_WORKER(echoes_pieces_of_every_size),
		WITH_WORKER(goes_on_when_a_client_reads_again),
		WITH_WORKER(forgets_who_leaves_without_reading),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
