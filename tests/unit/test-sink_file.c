/* SPDX-License-Identifier: ISC */
/* Logs in files: envelopes, limits, full disks, FIFOs without a reader, rotation. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/daemon_log.h"
#include "base/log.h"
#include "base/sink.h"
#include "base/util.h"
#include "base/writer.h"
#include "record/sink_file.h"

/* 2026-01-09 03:04:05 and 2026-11-20 23:50:30, UTC. */
#define JANUARY  1767927845
#define NOVEMBER 1795218630

struct fixture {
	struct writer *writer;
	char folder[32];
	char path[64];
};

static int set_up(void **state)
{
	static struct fixture fixture;

	(void)setenv("TZ", "UTC", 1);
	tzset();
	(void)strcpy(fixture.folder, "/tmp/usherd-test-XXXXXX");
	if (!mkdtemp(fixture.folder))
		return -1;
	(void)snprintf(fixture.path, sizeof(fixture.path), "%s/log", fixture.folder);
	*state = &fixture;
	return writer_new(&fixture.writer) < 0 ? -1 : writer_start(fixture.writer);
}

static void unmount_small(struct fixture *fixture)
{
	char place[64];

	(void)snprintf(place, sizeof(place), "%s/small", fixture->folder);
	(void)umount2(place, MNT_DETACH);
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;
	char command[64];

	(void)writer_free(fixture->writer, now_usec());
	unmount_small(fixture);
	(void)snprintf(command, sizeof(command), "rm -rf %s", fixture->folder);
	return system(command);
}

static uint64_t in_ten_seconds(void)
{
	return now_usec() + 10 * USEC_PER_SEC;
}

#define WAIT_FOR(expression)                                 \
	do {                                                 \
		uint64_t until_ = in_ten_seconds();          \
		while (!(expression) && now_usec() < until_) \
			(void)poll(NULL, 0, 1);              \
		assert_true(expression);                     \
	} while (0)

static bool submit(struct fixture *fixture, struct sink *sink, time_t second, const char *text)
{
	const struct timespec wall = { .tv_sec = second };

	return writer_submit(fixture->writer, sink, &wall, LINE_PRIORITY_SINK, text, strlen(text));
}

static struct sink_stats stats_of(struct fixture *fixture, struct sink *sink)
{
	struct sink_stats stats;

	writer_stats(fixture->writer, sink, &stats);
	return stats;
}

static void drain(struct fixture *fixture, struct sink *sink)
{
	WAIT_FOR(stats_of(fixture, sink).queued == 0);
}

static struct sink *open_log(struct fixture *fixture, uint64_t soft_bytes, uint64_t hard_bytes)
{
	struct sink *sink;

	assert_int_equal(sink_file_new(fixture->path, "echo", ENVELOPE_SERVICE, soft_bytes,
				       hard_bytes, &sink),
			 0);
	return sink;
}

/* The contents of the file; the caller frees. */
static char *contents(const char *path)
{
	FILE *f = fopen(path, "re");
	char *text = NULL;
	size_t size = 0;

	assert_non_null(f);
	if (getdelim(&text, &size, '\0', f) < 0) {
		free(text);
		text = strdup("");
	}
	(void)fclose(f);
	assert_non_null(text);
	return text;
}

static void assert_contents(const char *path, const char *expected)
{
	char *text = contents(path);

	assert_string_equal(text, expected);
	free(text);
}

/* Opens the daemon's log on a file of its own. */
static struct sink *open_daemon_log(struct fixture *fixture, char path[static 64])
{
	struct sink *sink;

	(void)snprintf(path, 64, "%s/daemon", fixture->folder);
	assert_int_equal(sink_file_new(path, "daemon", ENVELOPE_DAEMON, 0, 0, &sink), 0);
	daemon_log_open(fixture->writer, sink, LOG_STYLE_TERMINAL, LOG_LEVEL_DEBUG);
	return sink;
}

static void envelopes_are_xinetds(void **state)
{
	struct fixture *fixture = *state;
	struct sink *sink = open_log(fixture, 0, 0), *other;
	struct stat st;

	assert_true(submit(fixture, sink, NOVEMBER, "START: echo pid=1771"));
	assert_true(submit(fixture, sink, JANUARY, "EXIT: echo"));
	drain(fixture, sink);
	assert_contents(fixture->path,
			"26/11/20@23:50:30: START: echo pid=1771\n26/1/9@03:04:05: EXIT: echo\n");
	assert_int_equal(stat(fixture->path, &st), 0);
	assert_int_equal(st.st_mode & 0777 & ~0644u, 0);
	sink_unref(sink);

	/* A second sink appends; the daemon's lines have no colon there. */
	assert_int_equal(sink_file_new(fixture->path, "daemon", ENVELOPE_DAEMON, 0, 0, &other), 0);
	assert_true(submit(fixture, other, JANUARY, "usherd[1]: ERROR: x"));
	drain(fixture, other);
	assert_contents(fixture->path,
			"26/11/20@23:50:30: START: echo pid=1771\n26/1/9@03:04:05: EXIT: echo\n"
			"26/1/9@03:04:05 usherd[1]: ERROR: x\n");
	sink_unref(other);
}

static void a_log_that_cannot_be_opened_says_why(void **state)
{
	struct fixture *fixture = *state;
	struct sink *sink = NULL;
	char path[96];

	assert_int_equal(sink_file_new(fixture->folder, "echo", ENVELOPE_SERVICE, 0, 0, &sink),
			 -EISDIR);
	(void)snprintf(path, sizeof(path), "%s/no/log", fixture->folder);
	assert_int_equal(sink_file_new(path, "echo", ENVELOPE_SERVICE, 0, 0, &sink), -ENOENT);
	assert_int_equal(sink_fd_new(-1, "echo", ENVELOPE_SERVICE, &sink), -EBADF);
	assert_null(sink);
}

static void a_hundred_thousand_lines_are_in_the_file_in_order(void **state)
{
	struct fixture *fixture = *state;
	struct sink *sink = open_log(fixture, 0, 0);
	char text[32], expected[64], *line = NULL;
	size_t size = 0;
	FILE *f;

	for (int i = 0; i < 100000; i++) {
		(void)snprintf(text, sizeof(text), "line %d", i);
		if (i % 1000 == 0)
			WAIT_FOR(stats_of(fixture, sink).queued < 50000);
		assert_true(submit(fixture, sink, NOVEMBER + i / 1000, text));
	}
	drain(fixture, sink);
	f = fopen(fixture->path, "re");
	assert_non_null(f);
	for (int i = 0; i < 100000; i++) {
		time_t second = NOVEMBER + i / 1000;
		struct tm tm;

		assert_non_null(gmtime_r(&second, &tm));
		(void)snprintf(expected, sizeof(expected), "26/11/20@23:%02d:%02d: line %d\n",
			       tm.tm_min, tm.tm_sec, i);
		assert_true(getline(&line, &size, f) > 0);
		assert_string_equal(line, expected);
	}
	assert_true(getline(&line, &size, f) < 0);
	free(line);
	(void)fclose(f);
	sink_unref(sink);
}

static void limits_are_told_once_and_hold(void **state)
{
	struct fixture *fixture = *state;
	struct sink *sink = open_log(fixture, 50, 80), *daemon_log;
	char path[64], *text;

	daemon_log = open_daemon_log(fixture, path);
	/* Each line has 26 bytes: the second passes 50, the fourth passes 80. */
	for (int i = 0; i < 6; i++)
		assert_true(submit(fixture, sink, NOVEMBER, "line 1"));
	drain(fixture, sink);
	assert_contents(fixture->path, "26/11/20@23:50:30: line 1\n26/11/20@23:50:30: line 1\n"
				       "26/11/20@23:50:30: line 1\n26/11/20@23:50:30: line 1\n");
	assert_true(submit(fixture, sink, NOVEMBER, "dropped quietly"));
	drain(fixture, sink);
	assert_int_equal(stats_of(fixture, sink).written, 4);
	assert_int_equal(stats_of(fixture, sink).lost, 3);

	/* The file is as large as it was: nothing changes. */
	writer_reopen(fixture->writer, sink);
	assert_true(submit(fixture, sink, NOVEMBER, "dropped, too"));
	WAIT_FOR(stats_of(fixture, sink).lost == 4);

	/* A new file: what was lost is told, and the log goes on. */
	assert_int_equal(unlink(fixture->path), 0);
	writer_reopen(fixture->writer, sink);
	WAIT_FOR(stats_of(fixture, sink).written == 5);
	assert_true(submit(fixture, sink, NOVEMBER, "on"));
	drain(fixture, sink);
	text = contents(fixture->path);
	assert_non_null(strstr(text, ": 4 records lost: File too large\n26/11/20@23:50:30: on\n"));
	free(text);

	WAIT_FOR(stats_of(fixture, daemon_log).written >= 4);
	text = contents(path);
	assert_non_null(strstr(text, " WARNING: Size of echo log exceeded soft limit\n"));
	assert_non_null(strstr(text, " ERROR: Size of echo log exceeded hard limit\n"));
	assert_non_null(strstr(text, " WARNING: log echo: 4 records lost: File too large\n"));
	assert_null(strstr(strstr(text, "hard limit") + 1, "hard limit"));
	free(text);
	log_close();
	sink_unref(daemon_log);
	sink_unref(sink);
}

static void a_limit_counts_what_the_file_holds_already(void **state)
{
	struct fixture *fixture = *state;
	struct sink *sink;
	FILE *f = fopen(fixture->path, "we");

	assert_non_null(f);
	assert_int_equal(fprintf(f, "%0100d\n", 0), 101);
	(void)fclose(f);
	sink = open_log(fixture, 110, 120);
	assert_true(submit(fixture, sink, NOVEMBER, "passes"));
	assert_true(submit(fixture, sink, NOVEMBER, "no"));
	drain(fixture, sink);
	assert_int_equal(stats_of(fixture, sink).written, 1);
	sink_unref(sink);

	sink = open_log(fixture, 10, 20);
	assert_true(submit(fixture, sink, NOVEMBER, "no"));
	drain(fixture, sink);
	assert_int_equal(stats_of(fixture, sink).written, 0);
	sink_unref(sink);
}

static void a_reopen_follows_rotation(void **state)
{
	struct fixture *fixture = *state;
	struct sink *sink = open_log(fixture, 0, 0);
	char old[80];

	(void)snprintf(old, sizeof(old), "%s.1", fixture->path);
	assert_true(submit(fixture, sink, NOVEMBER, "one"));
	drain(fixture, sink);
	assert_int_equal(rename(fixture->path, old), 0);
	assert_true(submit(fixture, sink, NOVEMBER, "two"));
	drain(fixture, sink);
	writer_reopen(fixture->writer, sink);
	assert_true(submit(fixture, sink, NOVEMBER, "three"));
	drain(fixture, sink);
	assert_contents(old, "26/11/20@23:50:30: one\n26/11/20@23:50:30: two\n");
	assert_contents(fixture->path, "26/11/20@23:50:30: three\n");
	sink_unref(sink);
}

static void a_reopen_that_fails_goes_on_with_the_old_file(void **state)
{
	struct fixture *fixture = *state;
	struct sink *sink = open_log(fixture, 0, 0), *daemon_log;
	char old[80], path[64], *text;

	daemon_log = open_daemon_log(fixture, path);
	(void)snprintf(old, sizeof(old), "%s.1", fixture->path);
	assert_int_equal(rename(fixture->path, old), 0);
	assert_int_equal(mkdir(fixture->path, 0755), 0);
	writer_reopen(fixture->writer, sink);
	assert_true(submit(fixture, sink, NOVEMBER, "kept"));
	drain(fixture, sink);
	assert_contents(old, "26/11/20@23:50:30: kept\n");
	WAIT_FOR(stats_of(fixture, daemon_log).written == 1);
	text = contents(path);
	assert_non_null(strstr(text, "ERROR: reopening of echo log failed: "));
	assert_non_null(strstr(text, ": Is a directory (errno = 21)\n"));
	free(text);
	log_close();
	sink_unref(daemon_log);
	sink_unref(sink);
}

static void a_full_device_keeps_the_lines_until_it_is_replaced(void **state)
{
	struct fixture *fixture = *state;
	struct sink *sink;

	assert_int_equal(symlink("/dev/full", fixture->path), 0);
	sink = open_log(fixture, 0, 0);
	assert_true(submit(fixture, sink, NOVEMBER, "one"));
	WAIT_FOR(stats_of(fixture, sink).error == -ENOSPC);
	assert_true(submit(fixture, sink, NOVEMBER, "two"));
	assert_int_equal(stats_of(fixture, sink).queued, 2);
	assert_int_equal(unlink(fixture->path), 0);
	writer_reopen(fixture->writer, sink);
	drain(fixture, sink);
	assert_contents(fixture->path, "26/11/20@23:50:30: one\n26/11/20@23:50:30: two\n");
	assert_int_equal(stats_of(fixture, sink).lost, 0);
	sink_unref(sink);
}

/* Whether the text is lines "26/11/20@23:50:30: NUMBER xxx…" that count from @first; returns how many. */
static unsigned count_whole_lines(const char *text, unsigned first)
{
	char start[64];
	unsigned n = 0;

	for (const char *end; (end = strchr(text, '\n')); text = end + 1, n++) {
		(void)snprintf(start, sizeof(start), "26/11/20@23:50:30: %u ", first + n);
		assert_memory_equal(text, start, strlen(start));
		assert_int_equal(end - text - (ptrdiff_t)strlen(start), 900);
	}
	assert_int_equal(*text, '\0');
	return n;
}

static void submit_long_lines(struct fixture *fixture, struct sink *sink, unsigned n)
{
	char text[1000];

	for (unsigned i = 0; i < n; i++) {
		int at = snprintf(text, sizeof(text), "%u ", i);

		memset(text + at, 'x', 900);
		text[at + 900] = '\0';
		assert_true(submit(fixture, sink, NOVEMBER, text));
	}
}

static void mount_small(struct fixture *fixture)
{
	char *place = fixture->path;

	(void)snprintf(place, sizeof(fixture->path), "%s/small", fixture->folder);
	assert_int_equal(mkdir(place, 0755), 0);
	if (mount("none", place, "tmpfs", 0, "size=64k") < 0)
		skip();
	(void)strcat(place, "/log");
}

static void no_line_is_torn_or_doubled_when_the_disk_is_full_for_a_while(void **state)
{
	struct fixture *fixture = *state;
	char other[80], *text;
	struct sink *sink;
	int fd;

	mount_small(fixture);
	(void)snprintf(other, sizeof(other), "%s/small/other", fixture->folder);
	fd = open(other, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	assert_int_equal(posix_fallocate(fd, 0, 32768), 0);
	(void)close(fd);
	sink = open_log(fixture, 0, 0);
	submit_long_lines(fixture, sink, 60);
	WAIT_FOR(stats_of(fixture, sink).error == -ENOSPC);
	assert_int_equal(unlink(other), 0);
	drain(fixture, sink);
	text = contents(fixture->path);
	assert_int_equal(count_whole_lines(text, 0), 60);
	free(text);
	sink_unref(sink);
}

static void a_line_that_the_full_disk_cut_is_whole_in_the_new_file(void **state)
{
	struct fixture *fixture = *state;
	char moved[64], *text, *torn;
	struct sink *sink;
	unsigned old;

	mount_small(fixture);
	sink = open_log(fixture, 0, 0);
	submit_long_lines(fixture, sink, 100);
	WAIT_FOR(stats_of(fixture, sink).error == -ENOSPC);
	text = contents(fixture->path);
	torn = strrchr(text, '\n');
	assert_non_null(torn);
	assert_int_not_equal(torn[1], '\0');
	torn[1] = '\0';
	old = count_whole_lines(text, 0);
	free(text);

	/* The mount point goes out of the way, so that the path names a file elsewhere. */
	(void)snprintf(moved, sizeof(moved), "%s/small", fixture->folder);
	assert_int_equal(umount2(moved, MNT_DETACH), 0);
	writer_reopen(fixture->writer, sink);
	drain(fixture, sink);
	text = contents(fixture->path);
	assert_int_equal(old + count_whole_lines(text, old), 100);
	free(text);
	sink_unref(sink);
}

static void a_fifo_without_a_reader_delays_nobody(void **state)
{
	struct fixture *fixture = *state;
	struct sink *stuck, *well, *daemon_log;
	char path[64], fifo_path[64], line[512], *text;
	uint64_t begin, kept = 0, got = 0, longest = 0, lost;
	struct sink_stats stats;
	bool told = false;
	FILE *f;
	int fd;

	daemon_log = open_daemon_log(fixture, path);
	(void)snprintf(fifo_path, sizeof(fifo_path), "%s/fifo", fixture->folder);
	assert_int_equal(mkfifo(fifo_path, 0600), 0);
	assert_int_equal(sink_file_new(fifo_path, "fifo", ENVELOPE_SERVICE, 0, 0, &stuck), 0);
	well = open_log(fixture, 0, 0);
	assert_true(submit(fixture, stuck, NOVEMBER, "line"));
	drain(fixture, stuck);
	do {
		begin = now_usec();
		kept += submit(fixture, stuck, NOVEMBER, "line");
		if (now_usec() - begin > longest)
			longest = now_usec() - begin;
		stats = stats_of(fixture, stuck);
	} while (stats.lost < 1000);
	assert_true(longest < 10 * USEC_PER_SEC);
	lost = stats.lost;
	assert_true(submit(fixture, well, NOVEMBER, "well"));
	drain(fixture, well);
	assert_contents(fixture->path, "26/11/20@23:50:30: well\n");

	/* A reader comes: it gets all that was kept, whole, and then how much was not. */
	fd = open(fifo_path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	f = fdopen(fd, "r");
	assert_non_null(f);
	while (!told && fgets(line, sizeof(line), f)) {
		told = strstr(line, " records lost: not read fast enough\n") != NULL;
		if (told)
			break;
		assert_string_equal(line, "26/11/20@23:50:30: line\n");
		got++;
	}
	assert_true(told);
	assert_int_equal(got, kept + 1);
	assert_int_equal(strtoull(strstr(line, ": ") + 2, NULL, 10), lost);
	(void)fclose(f);
	WAIT_FOR(stats_of(fixture, daemon_log).written == 1);
	text = contents(path);
	assert_non_null(strstr(text, "WARNING: log fifo: "));
	free(text);
	log_close();
	sink_unref(daemon_log);
	sink_unref(stuck);
	sink_unref(well);
}

static void a_descriptor_is_written_without_changing_its_flags(void **state)
{
	struct fixture *fixture = *state;
	struct sink *sink;
	char text[64] = "";
	int fds[2];

	for (int i = 0; i < 2; i++) {
		if (i == 0)
			assert_int_equal(pipe(fds), 0);
		else
			assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
		assert_int_equal(sink_fd_new(fds[1], "terminal", ENVELOPE_DAEMON, &sink), 0);
		assert_int_equal(fcntl(fds[1], F_GETFL) & O_NONBLOCK, 0);
		assert_true(submit(fixture, sink, JANUARY, "ERROR: x"));
		drain(fixture, sink);
		assert_int_equal(read(fds[0], text, sizeof(text) - 1),
				 strlen("26/1/9@03:04:05 ERROR: x\n"));
		assert_string_equal(text, "26/1/9@03:04:05 ERROR: x\n");

		/* Nobody reads on: the thread does not hang, or the end of this test would. */
		for (int j = 0; j < 30000; j++)
			assert_true(submit(fixture, sink, JANUARY, "ERROR: x"));
		WAIT_FOR(stats_of(fixture, sink).error == -EAGAIN);
		(void)close(fds[0]);
		WAIT_FOR(stats_of(fixture, sink).error == -EPIPE);
		(void)close(fds[1]);
		sink_unref(sink);
	}
}

static void a_pipe_that_cannot_be_opened_once_more_does_not_block_either(void **state)
{
	struct fixture *fixture = *state;
	struct sink *sink;
	int fds[2];

	/* Without a reader, a FIFO is not opened for writing; later there is one, that does not read. */
	assert_int_equal(mkfifo(fixture->path, 0600), 0);
	fds[0] = open(fixture->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	fds[1] = open(fixture->path, O_WRONLY | O_CLOEXEC);
	assert_true(fds[0] >= 0 && fds[1] >= 0);
	(void)close(fds[0]);
	assert_int_equal(sink_fd_new(fds[1], "terminal", ENVELOPE_DAEMON, &sink), 0);
	fds[0] = open(fixture->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	assert_true(fds[0] >= 0);
	for (int i = 0; i < 10000; i++)
		assert_true(submit(fixture, sink, JANUARY, "ERROR: x"));
	WAIT_FOR(stats_of(fixture, sink).error == -EAGAIN);
	assert_int_equal(fcntl(fds[1], F_GETFL) & O_NONBLOCK, 0);
	(void)close(fds[0]);
	(void)close(fds[1]);
	sink_unref(sink);
}

static void standard_output_may_be_a_log(void **state)
{
	struct fixture *fixture = *state;
	int fd = open(fixture->path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644), saved;
	struct sink *sink;
	int r;

	assert_true(fd >= 0);
	(void)fflush(stdout);
	saved = dup(STDOUT_FILENO);
	assert_true(dup2(fd, STDOUT_FILENO) >= 0);
	r = sink_file_new("/dev/stdout", "echo", ENVELOPE_SERVICE, 0, 0, &sink);
	assert_true(dup2(saved, STDOUT_FILENO) >= 0);
	assert_int_equal(r, 0);
	assert_true(submit(fixture, sink, NOVEMBER, "out"));
	writer_reopen(fixture->writer, sink);
	assert_true(submit(fixture, sink, NOVEMBER, "put"));
	drain(fixture, sink);
	assert_contents(fixture->path, "26/11/20@23:50:30: out\n26/11/20@23:50:30: put\n");
	sink_unref(sink);
	(void)close(saved);
	(void)close(fd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(envelopes_are_xinetds),
		TEST(a_log_that_cannot_be_opened_says_why),
		TEST(a_hundred_thousand_lines_are_in_the_file_in_order),
		TEST(limits_are_told_once_and_hold),
		TEST(a_limit_counts_what_the_file_holds_already),
		TEST(a_reopen_follows_rotation),
		TEST(a_reopen_that_fails_goes_on_with_the_old_file),
		TEST(a_full_device_keeps_the_lines_until_it_is_replaced),
		TEST(no_line_is_torn_or_doubled_when_the_disk_is_full_for_a_while),
		TEST(a_line_that_the_full_disk_cut_is_whole_in_the_new_file),
		TEST(a_fifo_without_a_reader_delays_nobody),
		TEST(a_descriptor_is_written_without_changing_its_flags),
		TEST(a_pipe_that_cannot_be_opened_once_more_does_not_block_either),
		TEST(standard_output_may_be_a_log),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
