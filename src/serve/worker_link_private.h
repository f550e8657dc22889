/* SPDX-License-Identifier: ISC */
/* What worker_link.c, worker_streams.c and worker_dgrams.c know of each other, and nobody else. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

#include "base/id_table.h"
#include "config/service.h"
#include "serve/worker_backlog.h"

struct event;
struct event_base;
struct iovec;
struct wire_done;
struct worker_link_ops;

/*
 * What the link knows of a session that the worker has. There may be tens of
 * thousands, so they share a few of these, which nobody writes to.
 */
struct link_mark {
	bool is_queued; /* the worker has not got it yet: it is the first member of a struct link_session */
	bool may_name; /* it may end with a name */
	bool is_cancelled;
};

/* One that waits to be sent. */
struct link_session {
	struct link_mark mark;
	uint64_t id;
	TAILQ_ENTRY(link_session) entry;
	int fd;
	int target; /* of services with two descriptors; else -1 */
	uint32_t service;
	uint32_t idle_sec;
};

TAILQ_HEAD(link_sessions, link_session);

struct worker_link {
	struct event_base *base;
	char *path;
	const struct worker_link_ops *ops;
	void *arg;

	pid_t pid; /* 0 while none runs */
	int fd;    /* our end of the pair, -1 while there is none or the other has been closed */
	struct event *in;
	struct event *out;
	struct event *timer; /* to restart, or to send again after a shortage */
	bool blocked;        /* out or timer will call worker_link_flush() */
	uint64_t started_usec;
	unsigned backoff_sec; /* before the next restart */

	struct id_table sessions;   /* by number: struct link_mark */
	struct link_sessions queue; /* oldest first */
	size_t n_queue;
	uint64_t *cancels; /* numbers of those that it is still to be told to end */
	size_t n_cancels;
	struct worker_backlog backlog;
	bool awaited;  /* somebody was told that there is no room for datagrams */
	void *scratch; /* of worker_link_scratch() */
};

/* Takes @s out of the queue, and frees it; its descriptors are closed. The table is the caller's business. */
void worker_link_unqueue(struct worker_link *link, struct link_session *s);

/* Tells the owner that a session, which the link has forgotten, has ended. */
void worker_link_tell(struct worker_link *link, const struct wire_done *done);

/*
 * Hangs up and kills the worker: the other end is closed, or what comes from it
 * makes no sense. That it has ended is heard when it is reaped.
 */
void worker_link_give_up(struct worker_link *link);

/* Whether the worker has such a service. */
bool worker_link_serves(enum builtin builtin);

/*
 * Memory of @size bytes, the same number each time, that lasts as long as the
 * link: zeroed at the first call and left alone since. NULL where there is none.
 */
void *worker_link_scratch(struct worker_link *link, size_t size);

/*
 * Sends one message with the descriptor @fd, which stays the caller's, after all that waits.
 * Where no worker is there or the pair has no room it is kept until that changes.
 * Returns 0 or -errno.
 */
int worker_link_send(struct worker_link *link, struct iovec *iov, size_t n_iov, int fd);
