/* SPDX-License-Identifier: ISC */
/* Tests of tcpmux in the real worker: it reads a name and not a byte more, says no when it must, and waits no longer than told. */
#include "config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "serve/worker_link.h"
#include "worker_fixture.h"

/* A connection whose name is being read; *@ret_kept is our duplicate of the server's end. */
static int naming(struct fixture *f, uint64_t session, uint32_t idle_sec, int *ret_kept)
{
	int server, fd = connection(AF_INET, &server);

	*ret_kept = dup(server);
	set_deadline(*ret_kept);
	assert_int_equal(worker_link_stream(f->link, session, BUILTIN_TCPMUX, idle_sec, server), 0);
	worker_link_flush(f->link);
	return fd;
}

static void say(int fd, const char *text, size_t length)
{
	assert_int_equal(send(fd, text, length, MSG_NOSIGNAL), (ssize_t)length);
}

/* What is left in @fd, up to its end, is @text. */
static void gives(int fd, const char *text)
{
	char got[256];
	ssize_t n = recv(fd, got, sizeof(got), MSG_WAITALL);

	assert_int_equal(n, (ssize_t)strlen(text));
	assert_memory_equal(got, text, strlen(text));
}

static void reads_the_name_and_leaves_what_follows(void **state)
{
	struct fixture *f = fixture_of(state);
	int kept, fd = naming(f, 1, 0, &kept);

	say(fd, "Ftp\r\nUSER a\r\n", 13);
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	UNTIL(f, f->outcomes[1].named);
	assert_string_equal(f->name, "Ftp");
	assert_int_equal(f->outcomes[1].in_bytes, 5);
	assert_int_equal(f->outcomes[1].done, 0);
	assert_int_equal(worker_link_sessions(f->link), 0);
	gives(kept, "USER a\r\n");
	/* The worker has let go of it: ours is the last end. */
	(void)close(kept);
	gives(fd, "");
	(void)close(fd);
}

static void reads_a_name_that_comes_byte_by_byte(void **state)
{
	static const char line[] = "some-service\r\n";
	struct fixture *f = fixture_of(state);
	int kept, fd = naming(f, 1, 0, &kept);

	for (size_t i = 0; i < sizeof(line) - 1; i++) {
		assert_int_equal(f->ended, 0);
		say(fd, line + i, 1);
		turn(f);
	}
	say(fd, "x", 1);
	UNTIL(f, f->outcomes[1].named);
	assert_string_equal(f->name, "some-service");
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	gives(kept, "x");
	(void)close(kept);
	(void)close(fd);
}

static void refuses_what_is_no_name(void **state)
{
	static const struct {
		const char *said;
		size_t length;
		const char *answer;
	} cases[] = {
		{ "a b\r\nmore", 9, "-Service name malformed\r\n" },
		{ "\r\n", 2, "-Service name malformed\r\n" },
		{ "\0\0\r\n", 4, "-Service name malformed\r\n" },
		{ NULL, 5000, "-Service name too long\r\n" },
	};
	struct fixture *f = fixture_of(state);
	char longer[5000];

	memset(longer, 'a', sizeof(longer));
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		int kept, fd = naming(f, i, 0, &kept);

		(void)close(kept);
		say(fd, cases[i].said ? cases[i].said : longer, cases[i].length);
		gives(fd, cases[i].answer);
		(void)close(fd);
		UNTIL(f, f->outcomes[i].done);
		assert_int_equal(f->outcomes[i].named, 0);
		assert_int_equal(f->outcomes[i].error, 0);
		assert_int_equal(f->outcomes[i].out_bytes, strlen(cases[i].answer));
	}
}

static void ends_with_a_client_that_leaves(void **state)
{
	struct fixture *f = fixture_of(state);
	int kept, fd = naming(f, 1, 0, &kept);

	say(fd, "ft", 2);
	(void)close(fd);
	UNTIL(f, f->outcomes[1].done);
	assert_int_equal(f->outcomes[1].named, 0);
	(void)close(kept);
}

static void does_not_wait_longer_for_one_that_drips(void **state)
{
	struct fixture *f = fixture_of(state);
	int kept, fd = naming(f, 1, 2, &kept);
	uint64_t start = now_usec(), next = start;

	while (!f->outcomes[1].done) {
		assert_true(now_usec() - start < DEADLINE_USEC);
		if (now_usec() >= next) {
			(void)send(fd, "x", 1, MSG_NOSIGNAL);
			next += USEC_PER_SEC / 10;
		}
		turn(f);
	}
	assert_true(now_usec() - start >= 2 * USEC_PER_SEC - USEC_PER_SEC / 10);
	assert_int_equal(f->outcomes[1].error, ETIMEDOUT);
	(void)close(kept);
	(void)close(fd);
}

static void cancels_while_a_name_is_awaited(void **state)
{
	struct fixture *f = fixture_of(state);
	int kept, fd = naming(f, 1, 0, &kept);

	(void)close(kept);
	worker_link_cancel(f->link, 1);
	UNTIL(f, f->outcomes[1].done);
	assert_int_equal(f->outcomes[1].error, ECANCELED);
	gives(fd, "");
	(void)close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_WORKER(reads_the_name_and_leaves_what_follows),
		WITH_WORKER(reads_a_name_that_comes_byte_by_byte),
		WITH_WORKER(refuses_what_is_no_name),
		WITH_WORKER(ends_with_a_client_that_leaves),
		WITH_WORKER(does_not_wait_longer_for_one_that_drips),
		WITH_WORKER(cancels_while_a_name_is_awaited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
