/* SPDX-License-Identifier: ISC */
/* What the tests of the worker share: the real usherd-worker behind its link, and clients of its services. */
#include "config.h"

#include "worker_fixture.h"

#include <arpa/inet.h>
#include <event2/event.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "serve/worker_link.h"

const char *worker_path(void)
{
	const char *path = getenv("USHERD_WORKER");

	return path ? path : "./usherd-worker";
}

static void on_done(void *arg, uint64_t session, uint64_t in_bytes, uint64_t out_bytes, int error)
{
	struct fixture *f = arg;
	struct outcome *o = &f->outcomes[session];

	o->done++;
	o->in_bytes = in_bytes;
	o->out_bytes = out_bytes;
	o->error = error;
	f->ended++;
}

static void on_lost(void *arg, uint64_t session, int wait_status)
{
	struct fixture *f = arg;

	assert_true(WIFSIGNALED(wait_status));
	f->outcomes[session].lost++;
	f->ended++;
}

static void on_restarted(void *arg, pid_t pid)
{
	struct fixture *f = arg;

	assert_true(pid > 0);
	f->restarts++;
}

static void on_named(void *arg, uint64_t session, uint64_t in_bytes, const char *name)
{
	struct fixture *f = arg;

	f->outcomes[session].named++;
	f->outcomes[session].in_bytes = in_bytes;
	(void)snprintf(f->name, sizeof(f->name), "%s", name);
	f->ended++;
}

static const struct worker_link_ops ops = {
	.done = on_done,
	.lost = on_lost,
	.named = on_named,
	.restarted = on_restarted,
};

int make_link(void **state)
{
	static struct fixture fixture;
	struct fixture *f = &fixture;

	memset(f, 0, sizeof(*f));
	*state = f;
	if (access(worker_path(), X_OK) < 0)
		return 0;
	f->base = event_base_new();
	return f->base && worker_link_new(f->base, worker_path(), &ops, f, &f->link) == 0 ? 0 : -1;
}

int start_link(void **state)
{
	struct fixture *f;

	if (make_link(state) < 0)
		return -1;
	f = *state;
	return !f->link || worker_link_start(f->link) > 0 ? 0 : -1;
}

int stop_link(void **state)
{
	struct fixture *f = *state;
	pid_t pid;
	int status = 0;

	if (!f->link)
		return 0;
	pid = worker_link_pid(f->link);
	worker_link_free(f->link);
	event_base_free(f->base);
	/* Closing the pair is all it takes. */
	if (pid > 0 &&
	    (waitpid(pid, &status, 0) != pid || !WIFEXITED(status) || WEXITSTATUS(status) != 0))
		return -1;
	return 0;
}

struct fixture *fixture_of(void **state)
{
	struct fixture *f = *state;

	if (!f->link) {
		print_message("no worker at %s\n", worker_path());
		skip();
	}
	return f;
}

void turn(struct fixture *f)
{
	const struct timeval tick = { .tv_usec = 2000 };
	pid_t pid = worker_link_pid(f->link);
	int status;

	(void)event_base_loopexit(f->base, &tick);
	(void)event_base_loop(f->base, EVLOOP_ONCE);
	if (pid > 0 && waitpid(pid, &status, WNOHANG) == pid)
		assert_true(worker_link_exited(f->link, pid, status));
}

static socklen_t loopback(int family, struct sockaddr_storage *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->ss_family = (sa_family_t)family;
	if (family == AF_INET6) {
		((struct sockaddr_in6 *)ret)->sin6_addr = in6addr_loopback;
		return sizeof(struct sockaddr_in6);
	}
	((struct sockaddr_in *)ret)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return sizeof(struct sockaddr_in);
}

void set_deadline(int fd)
{
	const struct timeval limit = { .tv_sec = 20 };

	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)), 0);
}

int bound(int family, int type, struct sockaddr_storage *ret)
{
	socklen_t len = loopback(family, ret);
	int fd = socket(family, type | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	if (bind(fd, (struct sockaddr *)ret, len) < 0) {
		(void)close(fd);
		return -1;
	}
	assert_int_equal(getsockname(fd, (struct sockaddr *)ret, &len), 0);
	set_deadline(fd);
	return fd;
}

int connection(int family, int *ret)
{
	struct sockaddr_storage ss;
	int listener = bound(family, SOCK_STREAM, &ss);
	int fd;

	if (listener < 0)
		return -1;
	assert_int_equal(listen(listener, 1), 0);
	fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&ss, sizeof(ss)), 0);
	*ret = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	assert_true(*ret >= 0);
	(void)close(listener);
	set_deadline(fd);
	return fd;
}

int client(struct fixture *f, int family, uint64_t session, enum builtin builtin)
{
	int server, fd = connection(family, &server);

	if (fd < 0)
		return -1;
	assert_int_equal(worker_link_stream(f->link, session, builtin, 0, server), 0);
	worker_link_flush(f->link);
	return fd;
}

void read_exactly(int fd, void *to, size_t n)
{
	assert_int_equal(recv(fd, to, n, MSG_WAITALL), (ssize_t)n);
}

char pattern_at(size_t i)
{
	size_t line = i / 74 % 95, column = i % 74;

	return column == 72 ? '\r' : column == 73 ? '\n' : (char)('!' + (line + column) % 93);
}

void check_daytime(const char *text, size_t n)
{
	char expected[2][64];
	time_t now = time(NULL);

	for (int i = 0; i < 2; i++) {
		time_t t = now - i;
		struct tm tm;

		assert_non_null(localtime_r(&t, &tm));
		(void)strftime(expected[i], sizeof(expected[i]), "%d %b %Y %H:%M:%S %Z\r\n", &tm);
		for (char *p = expected[i] + 3; p < expected[i] + 6; p++)
			*p = (char)(*p - 'a' + 'A' > 'Z' || *p < 'a' ? *p : *p - 'a' + 'A');
	}
	assert_int_equal(n, strlen(expected[0]));
	if (memcmp(text, expected[0], n) != 0)
		assert_memory_equal(text, expected[1], n);
}

void check_time(const uint8_t bytes[4])
{
	uint32_t then = (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 |
			(uint32_t)bytes[2] << 8 | bytes[3];
	uint32_t now = (uint32_t)((uint64_t)time(NULL) + UINT64_C(2208988800));

	assert_true(now - then <= 2);
}
