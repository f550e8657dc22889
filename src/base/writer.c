/* SPDX-License-Identifier: ISC */
/* The one thread that writes to logs: what is queued for each, back-off, and losses told. */
#include "config.h"

#include "base/writer.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <syslog.h>

#include "base/line_queue.h"
#include "base/log.h"
#include "base/sink.h"
#include "base/util.h"

/* A thread that was idle lets lines gather this long, so that a busy daemon does not pay a wake-up a line. */
#define GATHER_USEC (5 * USEC_PER_MSEC)
/* After about this many seconds of failures a sink that nobody else refers to is given up. */
#define ORPHAN_FAILURES 60
/* How long beyond its deadline writer_free() waits for a thread that is inside a system call. */
#define GRACE_USEC (200 * USEC_PER_MSEC)

/* Back-off by level; the first is for a sink that took something and then was full. */
static const uint64_t backoff_usec[] = {
	1000, 20000, 40000, 80000, 160000, 320000, 640000, 1000000
};

STAILQ_HEAD(news, sink);
TAILQ_HEAD(sinks, sink);

struct writer {
	pthread_mutex_t lock;
	pthread_cond_t wake;
	pthread_cond_t ended;
	pthread_t thread;
	bool started;

	/* Under the lock. */
	struct news news; /* sinks that have something to do and did not before */
	bool sleeping;
	bool stopping;
	bool finished;
	uint64_t stop_usec;
	uint64_t left; /* lines not written when it finished */
	struct line_pool pool;

	/* The thread's own. */
	struct sinks ready;
	struct sinks waiting[ARRAY_SIZE(
		backoff_usec)]; /* one delay a list, so each is in the order of time */
	struct log_limit complaints;
	const struct line *lines[SINK_BATCH_LINES];
	char scratch[SINK_SCRATCH_BYTES];
};

/* --- for all threads --- */

/* Puts the sink before the thread. Returns whether the thread sleeps and must be woken, once the lock is free. */
static bool announce(struct writer *writer, struct sink *sink)
{
	bool asleep = writer->sleeping;

	if (!sink->busy) {
		sink->busy = true;
		(void)sink_ref(sink);
	}
	if (!sink->listed) {
		sink->listed = true;
		STAILQ_INSERT_TAIL(&writer->news, sink, news);
	}
	writer->sleeping = false;
	return asleep;
}

bool writer_submit(struct writer *writer, struct sink *sink, const struct timespec *wall,
		   int priority, const char *text, size_t len)
{
	bool wake = false;
	int r = -ENOBUFS;

	if (len > LINE_TEXT_MAX)
		len = LINE_TEXT_MAX;
	(void)pthread_mutex_lock(&writer->lock);
	/* One gap, told at its place, says more than many small ones. */
	if (!sink->lost)
		r = line_queue_push(&sink->queue, &writer->pool, wall, priority, text, len);
	if (r < 0) {
		sink->lost++;
		sink->lost_total++;
		if (sink->error)
			sink->why = sink->error;
		else if (r == -ENOMEM)
			sink->why = r;
	}
	if (!sink->busy)
		wake = announce(writer, sink);
	(void)pthread_mutex_unlock(&writer->lock);
	if (wake)
		(void)pthread_cond_signal(&writer->wake);
	return r == 0;
}

void writer_reopen(struct writer *writer, struct sink *sink)
{
	bool wake;

	(void)pthread_mutex_lock(&writer->lock);
	sink->reopen = true;
	wake = announce(writer, sink);
	(void)pthread_mutex_unlock(&writer->lock);
	if (wake)
		(void)pthread_cond_signal(&writer->wake);
}

void writer_stats(struct writer *writer, struct sink *sink, struct sink_stats *ret)
{
	(void)pthread_mutex_lock(&writer->lock);
	*ret = (struct sink_stats){
		.queued = sink->queue.lines,
		.written = sink->written,
		.lost = sink->lost_total,
		.error = sink->error,
	};
	(void)pthread_mutex_unlock(&writer->lock);
}

/* --- the thread ------------------------------------------------------------ */

/* What one turn of a sink came to. */
struct turn {
	size_t done;
	int error;
	bool first_failure;
	bool gave_up;
	bool idle;
	uint64_t lost;
	char why[96];
};

static void why_text(char *out, size_t size, int error)
{
	if (error == 0)
		(void)snprintf(out, size, "more at once than the queue holds");
	else if (error == -EAGAIN)
		(void)snprintf(out, size, "not read fast enough");
	else
		(void)snprintf(out, size, "%s", strerrordesc_np(-error) ?: "unknown error");
}

/*
 * Once the sink works and half the queue is free, puts a line that tells of the
 * loss where the gap is. The daemon's own log gets it from tell() alone, in its
 * own form. Under the lock.
 */
static void close_gap(struct writer *writer, struct sink *sink, struct turn *turn)
{
	struct timespec wall;
	char text[160];
	int n;

	if (!sink->discarding && sink->withheld) {
		sink->lost += sink->withheld;
		sink->withheld = 0;
		sink->why = sink->discard_error;
	}
	if (!sink->lost || turn->error || sink->queue.bytes > sink->queue.limit_bytes / 2)
		return;
	why_text(turn->why, sizeof(turn->why), sink->why);
	(void)clock_gettime(CLOCK_REALTIME, &wall);
	n = snprintf(text, sizeof(text), "%llu records lost: %s", (unsigned long long)sink->lost,
		     turn->why);
	if (!sink->daemon &&
	    line_queue_push(&sink->queue, &writer->pool, &wall, LOG_WARNING, text, (size_t)n) < 0) {
		turn->error = -ENOMEM;
		return;
	}
	turn->lost = sink->lost;
	sink->lost = 0;
	sink->why = 0;
}

static void wait_turn(struct writer *writer, struct sink *sink, unsigned level)
{
	sink->state = SINK_WAITING;
	sink->level = level;
	sink->retry_usec = now_usec() + backoff_usec[level];
	TAILQ_INSERT_TAIL(&writer->waiting[level], sink, link);
}

/* Books what was written and decides when the sink has its next turn. Under the lock. */
static void settle(struct writer *writer, struct sink *sink, struct turn *turn)
{
	line_queue_remove(&sink->queue, &writer->pool, turn->done);
	sink->written += turn->done - sink->discarded;
	sink->lost_total += sink->discarded;
	sink->withheld += sink->discarded;
	sink->discarded = 0;
	close_gap(writer, sink, turn);

	turn->first_failure = turn->error && turn->error != -EAGAIN && !sink->error;
	sink->error = turn->error;
	if (turn->error) {
		sink->failures = turn->done ? 0 : sink->failures + 1;
		if (sink->failures < ORPHAN_FAILURES ||
		    atomic_load_explicit(&sink->refs, memory_order_acquire) > 1) {
			unsigned last = ARRAY_SIZE(backoff_usec) - 1;

			wait_turn(writer, sink, sink->failures < last ? sink->failures : last);
			return;
		}
		turn->gave_up = true;
		turn->lost = line_queue_clear(&sink->queue, &writer->pool) + sink->lost;
		sink->lost = 0;
		why_text(turn->why, sizeof(turn->why), turn->error);
	} else {
		sink->failures = 0;
	}
	if (sink->queue.lines || sink->reopen || sink->listed || sink->lost) {
		sink->state = SINK_READY;
		TAILQ_INSERT_TAIL(&writer->ready, sink, link);
		return;
	}
	sink->state = SINK_IDLE;
	sink->busy = false;
	turn->idle = true;
}

/* Tells the daemon's log about the sink; without the lock, as the daemon's log comes back to writer_submit(). */
static void tell(struct writer *writer, const struct sink *sink, const struct turn *turn)
{
	if (turn->lost)
		log_warning("log %s: %llu records lost: %s%s", sink->name,
			    (unsigned long long)turn->lost, turn->why,
			    turn->gave_up ? "; given up" : "");
	if (turn->first_failure && !sink->daemon) {
		char text[LOG_ERRNO_MAX];

		log_limited(&writer->complaints, LOG_LEVEL_ERROR,
			    "log %s cannot be written: %s; keeping its lines", sink->name,
			    log_errno_text(turn->error, text));
	}
}

static void serve(struct writer *writer, struct sink *sink)
{
	struct turn turn = { 0 };
	struct batch batch;
	bool reopen;

	(void)pthread_mutex_lock(&writer->lock);
	reopen = sink->reopen;
	sink->reopen = false;
	line_queue_take(&sink->queue);
	(void)pthread_mutex_unlock(&writer->lock);

	batch = (struct batch){ writer->lines,
				line_queue_list(&sink->queue, writer->lines,
						ARRAY_SIZE(writer->lines)),
				writer->scratch };
	if (reopen && sink->ops->reopen)
		sink->ops->reopen(sink, &batch);
	if (batch.n)
		turn.done = sink->ops->write(sink, &batch, &turn.error);

	(void)pthread_mutex_lock(&writer->lock);
	settle(writer, sink, &turn);
	(void)pthread_mutex_unlock(&writer->lock);
	/* The sink cannot go meanwhile: only this thread drops the reference of a busy sink, below. */
	tell(writer, sink, &turn);
	if (turn.idle)
		sink_unref(sink);
}

/* Makes ready what was announced. Under the lock. */
static void admit_news(struct writer *writer)
{
	while (!STAILQ_EMPTY(&writer->news)) {
		struct sink *sink = STAILQ_FIRST(&writer->news);

		STAILQ_REMOVE_HEAD(&writer->news, news);
		sink->listed = false;
		if (sink->state == SINK_READY)
			continue;
		if (sink->state == SINK_WAITING)
			TAILQ_REMOVE(&writer->waiting[sink->level], sink, link);
		sink->failures = 0;
		sink->state = SINK_READY;
		TAILQ_INSERT_TAIL(&writer->ready, sink, link);
	}
}

/* Makes ready whose back-off is over. Returns when the next one is, or UINT64_MAX. */
static uint64_t admit_waiting(struct writer *writer, uint64_t now)
{
	uint64_t next = UINT64_MAX;

	for (size_t i = 0; i < ARRAY_SIZE(writer->waiting); i++) {
		struct sink *sink;

		while ((sink = TAILQ_FIRST(&writer->waiting[i])) && sink->retry_usec <= now) {
			TAILQ_REMOVE(&writer->waiting[i], sink, link);
			sink->state = SINK_READY;
			TAILQ_INSERT_TAIL(&writer->ready, sink, link);
		}
		if (sink && sink->retry_usec < next)
			next = sink->retry_usec;
	}
	return next;
}

static struct timespec timespec_of(uint64_t usec)
{
	return (struct timespec){ .tv_sec = (time_t)(usec / USEC_PER_SEC),
				  .tv_nsec = (long)(usec % USEC_PER_SEC) * 1000 };
}

/* Sleeps until there is news, or until @until_usec. Under the lock, which it lets go of meanwhile. */
static void rest(struct writer *writer, uint64_t until_usec)
{
	struct timespec until = timespec_of(until_usec), gather;
	uint64_t now;
	int r = 0;

	writer->sleeping = true;
	while (writer->sleeping && r != ETIMEDOUT)
		r = until_usec == UINT64_MAX
			    ? pthread_cond_wait(&writer->wake, &writer->lock)
			    : pthread_cond_timedwait(&writer->wake, &writer->lock, &until);
	writer->sleeping = false;
	now = now_usec();
	if (now >= until_usec || writer->stopping)
		return;
	gather = timespec_of(until_usec - now < GATHER_USEC ? until_usec - now : GATHER_USEC);
	(void)pthread_mutex_unlock(&writer->lock);
	(void)nanosleep(&gather, NULL);
	(void)pthread_mutex_lock(&writer->lock);
}

/* Lets go of the sinks that the end came before. Under the lock. */
static void abandon(struct writer *writer)
{
	struct sink *sink;

	admit_news(writer);
	(void)admit_waiting(writer, UINT64_MAX);
	while ((sink = TAILQ_FIRST(&writer->ready))) {
		TAILQ_REMOVE(&writer->ready, sink, link);
		writer->left += line_queue_clear(&sink->queue, &writer->pool) + sink->lost;
		sink->busy = false;
		sink_unref(sink);
	}
}

static void *run(void *arg)
{
	struct writer *writer = arg;
	bool hurried = false;

	(void)prctl(PR_SET_NAME, "usherd-log");
	(void)pthread_mutex_lock(&writer->lock);
	for (;;) {
		uint64_t now = now_usec(), next;
		struct sink *sink;

		admit_news(writer);
		next = admit_waiting(writer, now);
		sink = TAILQ_FIRST(&writer->ready);
		if (writer->stopping && !hurried) {
			/* One last try for those that back off, however long they still would. */
			hurried = true;
			(void)admit_waiting(writer, UINT64_MAX);
			continue;
		}
		if (writer->stopping) {
			if (now >= writer->stop_usec || (!sink && next == UINT64_MAX))
				break;
			if (next > writer->stop_usec)
				next = writer->stop_usec;
		}
		if (!sink) {
			rest(writer, next);
			continue;
		}
		TAILQ_REMOVE(&writer->ready, sink, link);
		(void)pthread_mutex_unlock(&writer->lock);
		serve(writer, sink);
		(void)pthread_mutex_lock(&writer->lock);
	}
	abandon(writer);
	writer->finished = true;
	(void)pthread_cond_signal(&writer->ended);
	(void)pthread_mutex_unlock(&writer->lock);
	return NULL;
}

/* --- life ------------------------------------------------------------------ */

int writer_new(struct writer **ret)
{
	struct writer *writer = calloc(1, sizeof(*writer));
	pthread_condattr_t attr;

	if (!writer)
		return -ENOMEM;
	(void)pthread_mutex_init(&writer->lock, NULL);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&writer->wake, &attr);
	(void)pthread_cond_init(&writer->ended, &attr);
	(void)pthread_condattr_destroy(&attr);
	STAILQ_INIT(&writer->news);
	TAILQ_INIT(&writer->ready);
	for (size_t i = 0; i < ARRAY_SIZE(writer->waiting); i++)
		TAILQ_INIT(&writer->waiting[i]);

	*ret = writer;
	return 0;
}

int writer_start(struct writer *writer)
{
	sigset_t all, before;
	int r;

	/* The thread inherits the mask: no signal is ever delivered to it. */
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(&writer->thread, NULL, run, writer);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	writer->started = r == 0;
	return -r;
}

/* Has the thread write until then. Returns whether it has ended. */
static bool end_thread(struct writer *writer, uint64_t deadline_usec)
{
	struct timespec patience = timespec_of(deadline_usec + GRACE_USEC);
	int r = 0;

	(void)pthread_mutex_lock(&writer->lock);
	writer->stopping = true;
	writer->stop_usec = deadline_usec;
	writer->sleeping = false;
	(void)pthread_cond_signal(&writer->wake);
	while (!writer->finished && r != ETIMEDOUT)
		r = pthread_cond_timedwait(&writer->ended, &writer->lock, &patience);
	if (!writer->finished) {
		(void)pthread_detach(writer->thread);
		(void)pthread_mutex_unlock(&writer->lock);
		return false;
	}
	(void)pthread_mutex_unlock(&writer->lock);
	(void)pthread_join(writer->thread, NULL);
	return true;
}

uint64_t writer_free(struct writer *writer, uint64_t deadline_usec)
{
	uint64_t left;

	if (!writer)
		return 0;
	if (!writer->started)
		abandon(writer);
	else if (!end_thread(writer, deadline_usec))
		return UINT64_MAX;
	left = writer->left;
	line_pool_done(&writer->pool);
	(void)pthread_cond_destroy(&writer->ended);
	(void)pthread_cond_destroy(&writer->wake);
	(void)pthread_mutex_destroy(&writer->lock);
	free(writer);
	return left;
}
