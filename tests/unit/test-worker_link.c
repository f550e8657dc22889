/* SPDX-License-Identifier: ISC */
/* The link to the worker: many sessions, cancelling, the queue's bound, the worker's death. */
#include "config.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "serve/worker_link.h"
#include "worker_fixture.h"

static void serves_a_thousand_sessions_at_once(void **state)
{
	struct fixture *f = fixture_of(state);
	enum {
		MANY = 1000
	};
	static int fds[MANY];
	struct rlimit files;
	char c;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &files), 0);
	files.rlim_cur = files.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &files);
	if (files.rlim_max < 2 * MANY + 100) {
		print_message("the limit of open files is too low\n");
		skip();
	}
	for (unsigned i = 0; i < MANY; i++) {
		int server;

		fds[i] = connection(AF_INET, &server);
		assert_int_equal(worker_link_stream(f->link, i, BUILTIN_ECHO, 0, server), 0);
		/* The last batch is incomplete. */
		if (i == MANY - 1)
			worker_link_flush(f->link);
	}
	assert_int_equal(worker_link_sessions(f->link), MANY);
	for (unsigned i = 0; i < MANY; i++) {
		c = (char)i;
		assert_int_equal(send(fds[i], &c, 1, 0), 1);
	}
	for (unsigned i = 0; i < MANY; i++) {
		read_exactly(fds[i], &c, 1);
		assert_int_equal(c, (char)i);
		(void)close(fds[i]);
	}
	UNTIL(f, f->ended == MANY);
	for (unsigned i = 0; i < MANY; i++) {
		assert_int_equal(f->outcomes[i].done, 1);
		assert_int_equal(f->outcomes[i].in_bytes, 1);
	}
}

static void cancels_a_session(void **state)
{
	struct fixture *f = fixture_of(state);
	int fd = client(f, AF_INET, 7, BUILTIN_ECHO);
	char c = 'x';

	assert_int_equal(send(fd, &c, 1, 0), 1);
	read_exactly(fd, &c, 1);
	worker_link_cancel(f->link, 6);
	worker_link_cancel(f->link, 7);
	worker_link_cancel(f->link, 7);
	UNTIL(f, f->ended == 1);
	assert_int_equal(recv(fd, &c, 1, 0), 0);
	assert_int_equal(f->outcomes[7].done, 1);
	assert_int_equal(f->outcomes[7].error, ECANCELED);
	(void)close(fd);
}

static void queues_up_to_its_bound_while_no_worker_runs(void **state)
{
	struct fixture *f = fixture_of(state);
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	assert_int_equal(worker_link_stream(f->link, 0, BUILTIN_SERVICES, 0, dup(pair[1])),
			 -EPROTONOSUPPORT);
	for (unsigned i = 0; i < WORKER_LINK_QUEUE; i++)
		assert_int_equal(worker_link_stream(f->link, i, BUILTIN_DISCARD, 0, dup(pair[1])),
				 0);
	assert_int_equal(
		worker_link_stream(f->link, WORKER_LINK_QUEUE, BUILTIN_DISCARD, 0, dup(pair[1])),
		-EAGAIN);
	assert_int_equal(f->ended, 0);
	worker_link_cancel(f->link, 5);
	assert_int_equal(f->outcomes[5].error, ECANCELED);
	assert_int_equal(worker_link_stream(f->link, 6, BUILTIN_DISCARD, 0, dup(pair[1])), -EEXIST);
	(void)close(pair[0]);
	(void)close(pair[1]);
	assert_true(worker_link_start(f->link) > 0);
	UNTIL(f, f->ended == WORKER_LINK_QUEUE);
	for (unsigned i = 0; i < WORKER_LINK_QUEUE; i++)
		assert_int_equal(f->outcomes[i].done, 1);
}

static void reports_what_a_killed_worker_had_and_starts_another(void **state)
{
	struct fixture *f = fixture_of(state);
	int first = client(f, AF_INET, 1, BUILTIN_ECHO);
	int second = client(f, AF_INET, 2, BUILTIN_DISCARD);
	pid_t pid = worker_link_pid(f->link);
	int fd, status = 0;
	char c = 'x';

	assert_int_equal(send(first, &c, 1, 0), 1);
	read_exactly(first, &c, 1);
	assert_false(worker_link_exited(f->link, getpid(), 0));
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(worker_link_exited(f->link, pid, status));
	assert_int_equal(f->outcomes[1].lost, 1);
	assert_int_equal(f->outcomes[2].lost, 1);
	assert_int_equal(worker_link_pid(f->link), 0);
	/* End of file, or a reset where it had not quite done with the byte. */
	assert_true(recv(first, &c, 1, 0) <= 0);

	/* One that comes meanwhile is served by the next. */
	fd = client(f, AF_INET, 3, BUILTIN_ECHO);
	UNTIL(f, f->restarts == 1);
	assert_int_not_equal(worker_link_pid(f->link), pid);
	assert_int_equal(send(fd, &c, 1, 0), 1);
	read_exactly(fd, &c, 1);
	(void)close(fd);
	(void)close(first);
	(void)close(second);
	UNTIL(f, f->outcomes[3].done);
	assert_int_equal(f->ended, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_WORKER(serves_a_thousand_sessions_at_once),
		WITH_WORKER(cancels_a_session),
		WITHOUT(queues_up_to_its_bound_while_no_worker_runs),
		WITH_WORKER(reports_what_a_killed_worker_had_and_starts_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
