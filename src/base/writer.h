/* SPDX-License-Identifier: ISC */
/* The one thread that writes to logs: lines are queued to it, and it hands them to their sinks. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

struct sink;
struct writer;

struct sink_stats {
	uint64_t queued;
	uint64_t written;
	uint64_t lost;
	int error;
};

/* Makes one to which lines can be submitted; they wait for writer_start(). Returns 0 or -ENOMEM. */
int writer_new(struct writer **ret);

/*
 * Starts the thread, with all signals blocked. Must follow the fork that makes
 * the process a daemon. Returns 0, or -EAGAIN (no thread to be had).
 */
int writer_start(struct writer *writer);

/*
 * Writes what is queued until all is out or now_usec() passes @deadline_usec,
 * ends the thread and frees @writer (NULL is fine). A thread that a system call
 * holds longer is left behind. Returns the number of lines not written, or
 * UINT64_MAX when the thread was left behind; without a thread nothing is written.
 * Nothing may be submitted any more.
 */
uint64_t writer_free(struct writer *writer, uint64_t deadline_usec);

/*
 * Queues a line; never waits for a sink. The text is copied as far as
 * LINE_TEXT_MAX, and must be safe to show already; @priority is one of syslog(3)
 * or LINE_PRIORITY_SINK. Returns false when it was dropped: the sink's queue is full
 * (4 MiB; less when all together hold 64), or was and is not yet half empty, or
 * memory ran out. The loss is counted and told in the log itself, at its place,
 * and to the daemon's log.
 */
bool writer_submit(struct writer *writer, struct sink *sink, const struct timespec *wall,
		   int priority, const char *text, size_t len);

/* Has the thread reopen the sink (SIGHUP) before it writes the next line to it. */
void writer_reopen(struct writer *writer, struct sink *sink);

void writer_stats(struct writer *writer, struct sink *sink, struct sink_stats *ret);
