/* SPDX-License-Identifier: ISC */
/* Logs to a syslog socket: its bytes, both kinds of socket, one that is absent, stuck or comes back. */
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
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/sink.h"
#include "base/util.h"
#include "base/writer.h"
#include "record/sink_syslog.h"

/* 2026-01-09 03:04:05 and 2026-11-20 23:50:30, UTC. */
#define JANUARY  1767927845
#define NOVEMBER 1795218630

struct fixture {
	struct writer *writer;
	struct sink *sink;
	char folder[32];
	struct sockaddr_un un;
};

static int set_up(void **state)
{
	static struct fixture fixture;

	(void)setenv("TZ", "UTC", 1);
	tzset();
	(void)strcpy(fixture.folder, "/tmp/usherd-test-XXXXXX");
	if (!mkdtemp(fixture.folder))
		return -1;
	fixture.un.sun_family = AF_UNIX;
	(void)snprintf(fixture.un.sun_path, sizeof(fixture.un.sun_path), "%s/log", fixture.folder);
	*state = &fixture;
	if (sink_syslog_new(fixture.un.sun_path, "echo", "usherd", LOG_AUTHPRIV, LOG_NOTICE,
			    &fixture.sink) < 0)
		return -1;
	return writer_new(&fixture.writer) < 0 ? -1 : writer_start(fixture.writer);
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	(void)writer_free(fixture->writer, now_usec());
	sink_unref(fixture->sink);
	(void)unlink(fixture->un.sun_path);
	return rmdir(fixture->folder);
}

#define WAIT_FOR(expression)                                      \
	do {                                                      \
		uint64_t until_ = now_usec() + 30 * USEC_PER_SEC; \
		while (!(expression) && now_usec() < until_)      \
			(void)poll(NULL, 0, 1);                   \
		assert_true(expression);                          \
	} while (0)

static bool submit(struct fixture *fixture, time_t second, int priority, const char *text)
{
	const struct timespec wall = { .tv_sec = second };

	return writer_submit(fixture->writer, fixture->sink, &wall, priority, text, strlen(text));
}

static struct sink_stats stats_of(struct fixture *fixture)
{
	struct sink_stats stats;

	writer_stats(fixture->writer, fixture->sink, &stats);
	return stats;
}

static int listen_at(struct fixture *fixture, int type)
{
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (const struct sockaddr *)&fixture->un, sizeof(fixture->un)), 0);
	if (type == SOCK_STREAM)
		assert_int_equal(listen(fd, 4), 0);
	return fd;
}

/* Receives what comes within ten seconds. Returns its length. */
static size_t receive(int fd, char *text, size_t size)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	ssize_t n;

	assert_int_equal(poll(&pfd, 1, 10000), 1);
	n = recv(fd, text, size - 1, 0);
	assert_true(n >= 0);
	text[n] = '\0';
	return (size_t)n;
}

static void assert_receives(int fd, const char *head, const char *text)
{
	char expected[128], got[256];

	(void)snprintf(expected, sizeof(expected), "%s usherd[%ld]: %s", head, (long)getpid(),
		       text);
	assert_int_equal(receive(fd, got, sizeof(got)), strlen(expected));
	assert_string_equal(got, expected);
}

static void datagrams_are_rfc_3164(void **state)
{
	struct fixture *fixture = *state;
	int fd = listen_at(fixture, SOCK_DGRAM);

	assert_true(
		submit(fixture, NOVEMBER, LINE_PRIORITY_SINK, "START: a pid=9697 from=127.0.0.1"));
	assert_true(submit(fixture, JANUARY, LOG_CRIT, "no services. Exiting..."));
	/* authpriv is 10: 10 * 8 + 5, and 10 * 8 + 2. */
	assert_receives(fd, "<85>Nov 20 23:50:30", "START: a pid=9697 from=127.0.0.1");
	assert_receives(fd, "<82>Jan  9 03:04:05", "no services. Exiting...");
	(void)close(fd);
}

static void lines_wait_for_a_socket_that_is_absent(void **state)
{
	struct fixture *fixture = *state;
	int fd;

	assert_true(submit(fixture, NOVEMBER, LOG_INFO, "one"));
	WAIT_FOR(stats_of(fixture).error == -ENOENT);
	assert_true(submit(fixture, NOVEMBER, LOG_INFO, "two"));
	fd = listen_at(fixture, SOCK_DGRAM);
	assert_receives(fd, "<86>Nov 20 23:50:30", "one");
	assert_receives(fd, "<86>Nov 20 23:50:30", "two");
	WAIT_FOR(stats_of(fixture).queued == 0);
	assert_int_equal(stats_of(fixture).lost, 0);
	(void)close(fd);
}

static void a_new_syslogd_takes_the_place_of_the_old(void **state)
{
	struct fixture *fixture = *state;
	int fd = listen_at(fixture, SOCK_DGRAM);

	assert_true(submit(fixture, NOVEMBER, LOG_INFO, "one"));
	assert_receives(fd, "<86>Nov 20 23:50:30", "one");
	(void)close(fd);
	assert_true(submit(fixture, NOVEMBER, LOG_INFO, "two"));
	WAIT_FOR(stats_of(fixture).error == -ECONNREFUSED);
	assert_int_equal(unlink(fixture->un.sun_path), 0);
	fd = listen_at(fixture, SOCK_DGRAM);
	assert_receives(fd, "<86>Nov 20 23:50:30", "two");
	(void)close(fd);
}

static void a_stream_socket_gets_lines_ended_by_nul(void **state)
{
	struct fixture *fixture = *state;
	int fd = listen_at(fixture, SOCK_STREAM), peer;
	char expected[256], got[256];
	size_t n = 0, len;

	assert_true(submit(fixture, NOVEMBER, LOG_INFO, "one"));
	assert_true(submit(fixture, NOVEMBER, LOG_INFO, "two"));
	peer = accept(fd, NULL, NULL);
	assert_true(peer >= 0);
	len = (size_t)snprintf(
		expected, sizeof(expected),
		"<86>Nov 20 23:50:30 usherd[%ld]: one%c<86>Nov 20 23:50:30 usherd[%ld]: two%c",
		(long)getpid(), 0, (long)getpid(), 0);
	while (n < len)
		n += receive(peer, got + n, sizeof(got) - n);
	assert_int_equal(n, len);
	assert_memory_equal(got, expected, len);
	(void)close(peer);
	(void)close(fd);
}

static void a_stream_that_is_not_read_loses_and_tears_nothing(void **state)
{
	enum {
		LINES = 2000
	};
	struct fixture *fixture = *state;
	int fd = listen_at(fixture, SOCK_STREAM), peer;
	char text[1001], head[64], got[4096];
	size_t at = 0, head_len, expected = 0;
	unsigned line = 0;

	memset(text, 'x', 1000);
	text[1000] = '\0';
	for (unsigned i = 0; i < LINES; i++) {
		(void)snprintf(head, sizeof(head), "%04u", i);
		memcpy(text, head, 4);
		assert_true(submit(fixture, NOVEMBER, LOG_INFO, text));
	}
	peer = accept(fd, NULL, NULL);
	assert_true(peer >= 0);
	WAIT_FOR(stats_of(fixture).error == -EAGAIN);
	head_len = (size_t)snprintf(head, sizeof(head),
				    "<86>Nov 20 23:50:30 usherd[%ld]: ", (long)getpid());
	while (line < LINES) {
		size_t n = receive(peer, got, sizeof(got));

		assert_true(n > 0);
		for (size_t i = 0; i < n; i++) {
			char c = got[i];

			/* Each line: the head, four digits, 996 times x, NUL. */
			if (at < head_len)
				assert_int_equal(c, head[at]);
			else if (at < head_len + 4)
				expected = expected * 10 + (size_t)(c - '0');
			else
				assert_int_equal(c, at < head_len + 1000 ? 'x' : 0);
			if (++at == head_len + 1001) {
				assert_int_equal(expected, line++);
				at = expected = 0;
			}
		}
	}
	(void)close(peer);
	(void)close(fd);
}

static void a_socket_that_is_not_read_delays_nobody_and_its_losses_are_told(void **state)
{
	struct fixture *fixture = *state;
	char got[256];
	size_t kept = 0;
	int fd = listen_at(fixture, SOCK_DGRAM);

	fixture->sink->queue.limit_bytes = 20000;
	/* Nothing is lost before the socket itself is full. */
	while (stats_of(fixture).error != -EAGAIN)
		if (stats_of(fixture).queued < 100)
			kept += submit(fixture, NOVEMBER, LOG_INFO, "line");
	assert_int_equal(stats_of(fixture).lost, 0);
	while (stats_of(fixture).lost < 500)
		kept += submit(fixture, NOVEMBER, LOG_INFO, "line");
	for (size_t i = 0; i < kept; i++) {
		(void)receive(fd, got, sizeof(got));
		assert_non_null(strstr(got, "]: line"));
	}
	(void)receive(fd, got, sizeof(got));
	assert_non_null(strstr(got, "]: 500 records lost: not read fast enough"));
	(void)close(fd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(datagrams_are_rfc_3164),
		TEST(lines_wait_for_a_socket_that_is_absent),
		TEST(a_new_syslogd_takes_the_place_of_the_old),
		TEST(a_stream_socket_gets_lines_ended_by_nul),
		TEST(a_stream_that_is_not_read_loses_and_tears_nothing),
		TEST(a_socket_that_is_not_read_delays_nobody_and_its_losses_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
