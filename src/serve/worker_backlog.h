/* SPDX-License-Identifier: ISC */
/* Messages of datagrams that were taken off their sockets when the pair to the worker was full. */
#pragma once

#include <stddef.h>
#include <sys/queue.h>

struct iovec;
struct worker_message;

/* Oldest first; TAILQ_INIT() begins it. */
TAILQ_HEAD(worker_backlog, worker_message);

/*
 * Keeps a copy of the message in @iov, and of the descriptor @fd, which stays
 * the caller's. Returns 0, -ENOMEM or -EMFILE.
 */
int worker_backlog_add(struct worker_backlog *backlog, const struct iovec *iov, size_t n_iov,
		       int fd);

/* Sends the oldest over @pair, and has it kept no more where that went well. Returns 0 or -errno. */
int worker_backlog_send(struct worker_backlog *backlog, int pair);

/* Throws the oldest away. */
void worker_backlog_drop(struct worker_backlog *backlog);
