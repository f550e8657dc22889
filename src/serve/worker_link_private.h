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

struct event;
struct event_base;
struct iovec;
struct wire_done;
struct worker_link_ops;

enum state {
	STATE_QUEUED,    /* in the list queue; fd and target are open */
	STATE_AT_WORKER, /* in no list, they are closed, as they are from now on */
	STATE_TO_CANCEL, /* in the list cancels */
	STATE_CANCELLED, /* in no list; the worker knows */
};

struct link_session {
	uint64_t id;
	TAILQ_ENTRY(link_session) entry;
	int fd;
	int target; /* of services with two descriptors; else -1 */
	uint32_t idle_sec;
	uint16_t service; /* enum wire_service */
	uint8_t state;    /* enum state */
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

	struct id_table sessions;
	struct link_sessions queue;
	struct link_sessions cancels;
	size_t n_queue;
	void *scratch; /* of worker_link_scratch() */
};

/* The session of that number, or NULL. */
struct link_session *worker_link_find(struct worker_link *link, uint64_t id);

/* Forgets the session, where it is still known, and tells the owner. */
void worker_link_conclude(struct worker_link *link, const struct wire_done *done);

/* Closes the descriptors of a session. */
void link_session_close(struct link_session *s);

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
 * Sends one message with the descriptor @fd, which stays the caller's, at once
 * or not at all. Returns 0; -EAGAIN where no worker is there, the pair has no
 * room or streams wait for some; or another -errno.
 */
int worker_link_send(struct worker_link *link, struct iovec *iov, size_t n_iov, int fd);
