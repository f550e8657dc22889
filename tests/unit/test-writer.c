/* SPDX-License-Identifier: ISC */
/* The writer: order, bounds, sinks that fail or are stuck, losses that are told, the end. */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include <cmocka.h>

#include "base/daemon_log.h"
#include "base/log.h"
#include "base/sink.h"
#include "base/util.h"
#include "base/writer.h"

/* Writes to memory while its error is 0; read kept only when the writer is gone, or by what the atomics say. */
struct probe {
	struct sink sink;
	atomic_int error;
	atomic_int calls;
	atomic_int reopened;
	atomic_int freed;
	atomic_size_t lines;
	size_t at_most; /* lines a call; 0 = all */
	bool number;    /* expect lines that count from 0, keep none */
	bool in_order;
	bool signals_open; /* some signal was not blocked */
	size_t len;
	char kept[4096];
};

static size_t probe_write(struct sink *sink, const struct batch *batch, int *ret_error)
{
	struct probe *probe = (struct probe *)(void *)sink;
	size_t n = probe->at_most && probe->at_most < batch->n ? probe->at_most : batch->n;
	sigset_t mask;

	(void)sigemptyset(&mask);
	(void)pthread_sigmask(SIG_BLOCK, NULL, &mask);
	if (!sigismember(&mask, SIGTERM) || !sigismember(&mask, SIGCHLD) ||
	    !sigismember(&mask, SIGPIPE))
		probe->signals_open = true;
	atomic_fetch_add(&probe->calls, 1);
	*ret_error = atomic_load(&probe->error);
	if (*ret_error)
		return 0;
	for (size_t i = 0; i < n; i++) {
		const struct line *line = batch->lines[i];

		if (probe->number) {
			char text[24];
			int len = snprintf(text, sizeof(text), "%zu", atomic_load(&probe->lines));

			if (line->len != (size_t)len || memcmp(line->text, text, line->len) != 0)
				probe->in_order = false;
		} else if (probe->len + line->len + 1 < sizeof(probe->kept)) {
			memcpy(probe->kept + probe->len, line->text, line->len);
			probe->len += line->len;
			probe->kept[probe->len++] = '\n';
		}
		atomic_fetch_add(&probe->lines, 1);
	}
	if (n < batch->n)
		*ret_error = -EAGAIN;
	return n;
}

static void probe_reopen(struct sink *sink, const struct batch *batch)
{
	(void)batch;
	atomic_fetch_add(&((struct probe *)(void *)sink)->reopened, 1);
}

static void probe_free(struct sink *sink)
{
	sink_done(sink);
	atomic_fetch_add(&((struct probe *)(void *)sink)->freed, 1);
}

static const struct sink_ops probe_ops = { .write = probe_write,
					   .reopen = probe_reopen,
					   .free = probe_free };

static void probe_init(struct probe *probe, const char *name)
{
	memset(probe, 0, sizeof(*probe));
	probe->in_order = true;
	assert_int_equal(sink_init(&probe->sink, &probe_ops, name), 0);
}

static uint64_t in_ten_seconds(void)
{
	return now_usec() + 10 * USEC_PER_SEC;
}

static struct writer *new_writer(void)
{
	struct writer *writer;

	assert_int_equal(writer_new(&writer), 0);
	assert_int_equal(writer_start(writer), 0);
	return writer;
}

static bool submit(struct writer *writer, struct sink *sink, const char *text)
{
	const struct timespec wall = { .tv_sec = 1 };

	return writer_submit(writer, sink, &wall, LOG_INFO, text, strlen(text));
}

/* Waits for @expression, ten seconds at most. */
#define WAIT_FOR(expression)                                      \
	do {                                                      \
		uint64_t until_ = now_usec() + 30 * USEC_PER_SEC; \
		while (!(expression) && now_usec() < until_)      \
			(void)poll(NULL, 0, 1);                   \
		assert_true(expression);                          \
	} while (0)

static uint64_t queued(struct writer *writer, struct sink *sink)
{
	struct sink_stats stats;

	writer_stats(writer, sink, &stats);
	return stats.queued;
}

static void a_hundred_thousand_lines_arrive_in_order(void **unused)
{
	struct writer *writer = new_writer();
	struct sink_stats stats;
	struct probe probe;
	char text[24];

	(void)unused;
	probe_init(&probe, "a");
	probe.number = true;
	for (int i = 0; i < 100000; i++) {
		(void)snprintf(text, sizeof(text), "%d", i);
		WAIT_FOR(queued(writer, &probe.sink) < 50000);
		assert_true(submit(writer, &probe.sink, text));
	}
	WAIT_FOR(queued(writer, &probe.sink) == 0);
	writer_stats(writer, &probe.sink, &stats);
	assert_int_equal(stats.written, 100000);
	assert_int_equal(stats.lost, 0);
	assert_int_equal(writer_free(writer, in_ten_seconds()), 0);
	assert_int_equal(atomic_load(&probe.lines), 100000);
	assert_true(probe.in_order);
	sink_unref(&probe.sink);
}

static void the_end_waits_for_what_is_queued(void **unused)
{
	struct writer *writer = new_writer();
	struct probe probe;
	char text[24];

	(void)unused;
	probe_init(&probe, "a");
	probe.number = true;
	for (int i = 0; i < 20000; i++) {
		(void)snprintf(text, sizeof(text), "%d", i);
		assert_true(submit(writer, &probe.sink, text));
	}
	assert_int_equal(writer_free(writer, in_ten_seconds()), 0);
	assert_int_equal(atomic_load(&probe.lines), 20000);
	assert_true(probe.in_order);
	assert_false(probe.signals_open);
	sink_unref(&probe.sink);
	assert_int_equal(atomic_load(&probe.freed), 1);
}

static void lines_wait_for_the_thread(void **unused)
{
	struct writer *writer;
	struct probe probe;

	(void)unused;
	probe_init(&probe, "a");
	probe.number = true;
	assert_int_equal(writer_new(&writer), 0);
	assert_true(submit(writer, &probe.sink, "0"));
	assert_true(submit(writer, &probe.sink, "1"));
	assert_int_equal(queued(writer, &probe.sink), 2);
	assert_int_equal(writer_start(writer), 0);
	assert_true(submit(writer, &probe.sink, "2"));
	assert_int_equal(writer_free(writer, in_ten_seconds()), 0);
	assert_int_equal(atomic_load(&probe.lines), 3);
	assert_true(probe.in_order);
	sink_unref(&probe.sink);

	/* And are counted where there never was one. */
	probe_init(&probe, "a");
	assert_int_equal(writer_new(&writer), 0);
	assert_true(submit(writer, &probe.sink, "0"));
	assert_int_equal(writer_free(writer, in_ten_seconds()), 1);
	sink_unref(&probe.sink);
	assert_int_equal(atomic_load(&probe.freed), 1);
}

static void the_end_is_bounded_and_counts_what_is_left(void **unused)
{
	struct writer *writer = new_writer();
	struct probe probe;
	uint64_t begin;

	(void)unused;
	probe_init(&probe, "a");
	atomic_store(&probe.error, -EIO);
	for (int i = 0; i < 3; i++)
		assert_true(submit(writer, &probe.sink, "x"));
	WAIT_FOR(atomic_load(&probe.calls) > 0);
	begin = now_usec();
	assert_int_equal(writer_free(writer, begin + 50 * USEC_PER_MSEC), 3);
	assert_true(now_usec() - begin >= 50 * USEC_PER_MSEC);
	assert_true(now_usec() - begin < 5 * USEC_PER_SEC);
	sink_unref(&probe.sink);
	assert_int_equal(atomic_load(&probe.freed), 1);
}

static void a_sink_that_backs_off_is_tried_once_more_at_the_end(void **unused)
{
	struct writer *writer = new_writer();
	uint64_t begin = now_usec();
	struct probe probe;

	(void)unused;
	probe_init(&probe, "a");
	atomic_store(&probe.error, -EIO);
	assert_true(submit(writer, &probe.sink, "x"));
	/* After 20, 40, 80, 160, 320 and 640 ms; the next would come after a second. */
	WAIT_FOR(atomic_load(&probe.calls) >= 7);
	assert_true(now_usec() - begin >= 1260 * USEC_PER_MSEC);
	atomic_store(&probe.error, 0);
	assert_int_equal(writer_free(writer, now_usec() + 800 * USEC_PER_MSEC), 0);
	assert_string_equal(probe.kept, "x\n");
	sink_unref(&probe.sink);
}

static void a_stuck_sink_delays_no_other_and_its_lines_are_kept(void **unused)
{
	struct writer *writer = new_writer();
	struct probe stuck, well;

	(void)unused;
	probe_init(&stuck, "stuck");
	probe_init(&well, "well");
	atomic_store(&stuck.error, -EAGAIN);
	assert_true(submit(writer, &stuck.sink, "one"));
	assert_true(submit(writer, &stuck.sink, "two"));
	WAIT_FOR(atomic_load(&stuck.calls) > 2);
	assert_true(submit(writer, &well.sink, "here"));
	WAIT_FOR(atomic_load(&well.lines) == 1);
	atomic_store(&stuck.error, 0);
	WAIT_FOR(atomic_load(&stuck.lines) == 2);
	assert_int_equal(writer_free(writer, in_ten_seconds()), 0);
	assert_string_equal(stuck.kept, "one\ntwo\n");
	sink_unref(&stuck.sink);
	sink_unref(&well.sink);
}

static void a_sink_that_takes_little_at_a_time_gets_all(void **unused)
{
	struct writer *writer = new_writer();
	struct probe probe;
	char text[24];

	(void)unused;
	probe_init(&probe, "a");
	probe.number = true;
	probe.at_most = 7;
	for (int i = 0; i < 500; i++) {
		(void)snprintf(text, sizeof(text), "%d", i);
		assert_true(submit(writer, &probe.sink, text));
	}
	assert_int_equal(writer_free(writer, in_ten_seconds()), 0);
	assert_int_equal(atomic_load(&probe.lines), 500);
	assert_true(probe.in_order);
	sink_unref(&probe.sink);
}

static void losses_are_told_at_their_place_and_to_the_daemon(void **unused)
{
	struct writer *writer = new_writer();
	struct probe probe, daemon_log;
	struct sink_stats stats;
	unsigned kept = 0, lost = 0;
	char expected[256];

	(void)unused;
	probe_init(&daemon_log, "daemon");
	daemon_log_open(writer, &daemon_log.sink, LOG_STYLE_TERMINAL, LOG_LEVEL_DEBUG);
	probe_init(&probe, "echo");
	/* Twelve lines of 32 bytes, and room for a line without text. */
	probe.sink.queue.limit_bytes = 410;
	atomic_store(&probe.error, -ENOSPC);
	assert_true(submit(writer, &probe.sink, "line"));
	WAIT_FOR(atomic_load(&probe.calls) > 0);
	WAIT_FOR((writer_stats(writer, &probe.sink, &stats), stats.error == -ENOSPC));
	for (int i = 0; i < 50; i++)
		if (submit(writer, &probe.sink, "line"))
			kept++;
		else
			lost++;
	/* What comes after a loss is lost, too, even where it would fit: one gap. */
	assert_false(submit(writer, &probe.sink, ""));
	lost++;
	assert_int_equal(kept, 11);
	writer_stats(writer, &probe.sink, &stats);
	assert_int_equal(stats.lost, lost);
	atomic_store(&probe.error, 0);
	WAIT_FOR(atomic_load(&probe.lines) == kept + 2);
	assert_true(submit(writer, &probe.sink, "after"));
	assert_int_equal(writer_free(writer, in_ten_seconds()), 0);
	log_close();

	(void)snprintf(expected, sizeof(expected),
		       "line\n%u records lost: No space left on device\nafter\n", lost);
	assert_string_equal(probe.kept + (size_t)kept * 5, expected);
	(void)snprintf(
		expected, sizeof(expected),
		"ERROR: log echo cannot be written: No space left on device (errno = 28); keeping its lines\n"
		"WARNING: log echo: %u records lost: No space left on device\n",
		lost);
	assert_string_equal(daemon_log.kept, expected);
	sink_unref(&probe.sink);
	sink_unref(&daemon_log.sink);
}

static void the_daemons_own_log_tells_its_losses_once_and_in_its_form(void **unused)
{
	struct writer *writer = new_writer();
	struct sink_stats stats;
	struct probe probe;
	char expected[128];

	(void)unused;
	probe_init(&probe, "daemon");
	probe.sink.queue.limit_bytes = 800;
	atomic_store(&probe.error, -EAGAIN);
	daemon_log_open(writer, &probe.sink, LOG_STYLE_TERMINAL, LOG_LEVEL_DEBUG);
	log_info("x");
	WAIT_FOR(atomic_load(&probe.calls) > 1);
	for (int i = 0; i < 99; i++)
		log_info("x");
	writer_stats(writer, &probe.sink, &stats);
	assert_int_equal(stats.queued + stats.lost, 100);
	assert_true(stats.queued > 10 && stats.lost > 10);
	atomic_store(&probe.error, 0);
	WAIT_FOR(atomic_load(&probe.lines) == stats.queued + 1);
	assert_int_equal(writer_free(writer, in_ten_seconds()), 0);
	log_close();
	(void)snprintf(expected, sizeof(expected),
		       "INFO: x\nWARNING: log daemon: %llu records lost: not read fast enough\n",
		       (unsigned long long)stats.lost);
	assert_string_equal(probe.kept + (stats.queued - 1) * strlen("INFO: x\n"), expected);
	sink_unref(&probe.sink);
}

static void one_full_queue_leaves_the_others_their_room(void **unused)
{
	struct writer *writer = new_writer();
	struct probe stuck, well;
	char big[LINE_TEXT_MAX + 1];
	size_t kept = 0;

	(void)unused;
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	probe_init(&stuck, "stuck");
	probe_init(&well, "well");
	atomic_store(&stuck.error, -EAGAIN);
	while (submit(writer, &stuck.sink, big))
		kept++;
	assert_in_range(kept, 1000, 1024);
	for (size_t i = 0; i < 900; i++)
		assert_true(submit(writer, &well.sink, big));
	WAIT_FOR(atomic_load(&well.lines) == 900);
	assert_true(writer_free(writer, now_usec()) >= kept);
	sink_unref(&stuck.sink);
	sink_unref(&well.sink);
}

static void many_full_queues_are_bounded_together_and_leave_others_some_room(void **unused)
{
	enum {
		SINKS = 20
	};
	struct writer *writer = new_writer();
	struct probe *stuck = calloc(SINKS, sizeof(*stuck)), well;
	char big[LINE_TEXT_MAX + 1];
	size_t kept = 0;

	(void)unused;
	assert_non_null(stuck);
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	for (size_t i = 0; i < SINKS; i++) {
		probe_init(&stuck[i], "stuck");
		atomic_store(&stuck[i].error, -EAGAIN);
		while (submit(writer, &stuck[i].sink, big))
			kept++;
	}
	/* 64 MiB, and a little for each; on their own they would hold 80 MiB. */
	assert_in_range(kept * sizeof(big), 30 << 20, 70 << 20);
	probe_init(&well, "well");
	for (size_t i = 0; i < 100; i++) {
		assert_true(submit(writer, &well.sink, "line"));
		WAIT_FOR(atomic_load(&well.lines) == i + 1);
	}
	assert_true(writer_free(writer, now_usec()) >= kept);
	for (size_t i = 0; i < SINKS; i++)
		sink_unref(&stuck[i].sink);
	sink_unref(&well.sink);
	free(stuck);
}

static void a_reopen_comes_before_the_next_line_and_ends_a_back_off(void **unused)
{
	struct writer *writer = new_writer();
	struct probe probe;
	uint64_t begin;

	(void)unused;
	probe_init(&probe, "a");
	writer_reopen(writer, &probe.sink);
	WAIT_FOR(atomic_load(&probe.reopened) == 1);
	assert_int_equal(atomic_load(&probe.calls), 0);
	atomic_store(&probe.error, -ENOENT);
	assert_true(submit(writer, &probe.sink, "x"));
	WAIT_FOR(atomic_load(&probe.calls) >= 7);
	atomic_store(&probe.error, 0);
	begin = now_usec();
	writer_reopen(writer, &probe.sink);
	WAIT_FOR(atomic_load(&probe.lines) == 1);
	/* The back-off would have been a second. */
	assert_true(now_usec() - begin < 900 * USEC_PER_MSEC);
	assert_int_equal(atomic_load(&probe.reopened), 2);
	assert_int_equal(writer_free(writer, in_ten_seconds()), 0);
	sink_unref(&probe.sink);
}

static void a_queue_keeps_its_sink_alive(void **unused)
{
	struct writer *writer = new_writer();
	struct probe probe;

	(void)unused;
	probe_init(&probe, "a");
	atomic_store(&probe.error, -EAGAIN);
	assert_true(submit(writer, &probe.sink, "x"));
	sink_unref(&probe.sink);
	WAIT_FOR(atomic_load(&probe.calls) > 2);
	assert_int_equal(atomic_load(&probe.freed), 0);
	atomic_store(&probe.error, 0);
	WAIT_FOR(atomic_load(&probe.freed) == 1);
	assert_int_equal(atomic_load(&probe.lines), 1);
	assert_int_equal(writer_free(writer, in_ten_seconds()), 0);
}

static void ten_thousand_sinks_take_turns(void **unused)
{
	enum {
		SINKS = 10000
	};
	struct writer *writer = new_writer();
	struct probe *probes = calloc(SINKS, sizeof(*probes));

	(void)unused;
	assert_non_null(probes);
	for (size_t i = 0; i < SINKS; i++)
		probe_init(&probes[i], "n");
	for (int round = 0; round < 3; round++)
		for (size_t i = 0; i < SINKS; i++)
			assert_true(submit(writer, &probes[i].sink, "x"));
	assert_int_equal(writer_free(writer, now_usec() + 60 * USEC_PER_SEC), 0);
	for (size_t i = 0; i < SINKS; i++) {
		assert_string_equal(probes[i].kept, "x\nx\nx\n");
		sink_unref(&probes[i].sink);
	}
	free(probes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_hundred_thousand_lines_arrive_in_order),
		cmocka_unit_test(the_end_waits_for_what_is_queued),
		cmocka_unit_test(lines_wait_for_the_thread),
		cmocka_unit_test(the_end_is_bounded_and_counts_what_is_left),
		cmocka_unit_test(a_sink_that_backs_off_is_tried_once_more_at_the_end),
		cmocka_unit_test(a_stuck_sink_delays_no_other_and_its_lines_are_kept),
		cmocka_unit_test(a_sink_that_takes_little_at_a_time_gets_all),
		cmocka_unit_test(losses_are_told_at_their_place_and_to_the_daemon),
		cmocka_unit_test(the_daemons_own_log_tells_its_losses_once_and_in_its_form),
		cmocka_unit_test(one_full_queue_leaves_the_others_their_room),
		cmocka_unit_test(many_full_queues_are_bounded_together_and_leave_others_some_room),
		cmocka_unit_test(a_reopen_comes_before_the_next_line_and_ends_a_back_off),
		cmocka_unit_test(a_queue_keeps_its_sink_alive),
		cmocka_unit_test(ten_thousand_sinks_take_turns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
