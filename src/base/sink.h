/* SPDX-License-Identifier: ISC */
/* The base of all places that log lines go to: what a kind of sink does, and how long one lives. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/line_queue.h"

struct sink;

/* What a queue holds by default, counted with what each line costs beyond its text. */
#define SINK_LIMIT_BYTES (4u << 20)
/* What one call of a sink's write gets. */
#define SINK_BATCH_LINES   256
#define SINK_SCRATCH_BYTES 32768

/* Lines in their order, and SINK_SCRATCH_BYTES that the sink may use until it returns. */
struct batch {
	const struct line *const *lines;
	size_t n;
	char *scratch;
};

/*
 * What a kind of sink does. write and reopen run in the writer's thread only,
 * and neither may block. free runs wherever the last reference goes.
 */
struct sink_ops {
	/*
	 * Writes the lines in order as far as that goes now. Returns how many were
	 * dealt with; where that is less than all, *@ret_error is the -errno that
	 * stopped it. The rest comes again, first line first, after a back-off.
	 */
	size_t (*write)(struct sink *sink, const struct batch *batch, int *ret_error);
	/* Lets go of what is open and opens it anew; NULL where that means nothing. @batch is what write gets next. */
	void (*reopen)(struct sink *sink, const struct batch *batch);
	void (*free)(struct sink *sink);
};

enum sink_state {
	SINK_IDLE,    /* not in the thread's hands */
	SINK_READY,   /* has its turn soon */
	SINK_WAITING, /* backs off */
};

/* The base of every sink: put it first in the structure of the kind. */
struct sink {
	const struct sink_ops *ops;
	char *name; /* for messages: "common", or a service's id */
	atomic_uint refs;
	bool daemon;       /* carries the daemon's own messages; set by daemon_log_open() */
	bool wants_fields; /* records come with their fields: lines behind the first one */
	struct line_queue
		queue; /* filled under the writer's lock; what was taken is the thread's own */

	/* Under the writer's lock. */
	uint64_t written; /* lines */
	uint64_t lost;    /* lines not yet told of; while there are any, all others are lost too */
	uint64_t lost_total; /* lines */
	int error;           /* the last failure: -errno; 0 once it works */
	int why;             /* the failure to name when the loss is told */
	bool busy;           /* the thread, or its list of the new, has it and holds a reference */
	bool listed;         /* in the list of the new */
	bool reopen;
	STAILQ_ENTRY(sink) news;

	/* The thread's own. */
	enum sink_state state;
	unsigned failures;
	unsigned level;
	uint64_t retry_usec;
	TAILQ_ENTRY(sink) link;

	/* Set by write and reopen: lines taken but thrown away, and whether that goes on (then nothing is told yet). */
	uint64_t discarded;
	bool discarding;
	int discard_error;
	uint64_t withheld;
};

/*
 * Makes @sink, which the caller zeroed, a sink with one reference. @name is
 * copied. Returns 0 or -ENOMEM.
 */
int sink_init(struct sink *sink, const struct sink_ops *ops, const char *name);

/* Frees what sink_init() allocated; for the kinds' free. */
void sink_done(struct sink *sink);

/* References, from any thread. sink_unref() frees with the last one and accepts NULL. Lines in the queue hold one. */
struct sink *sink_ref(struct sink *sink);
void sink_unref(struct sink *sink);

/*
 * Moves a log's descriptor (taken over) above those that connections use, as
 * children copy the table up to their own. Returns where it is now: where there
 * is no room above, where it was.
 */
int sink_place_fd(int fd);
