/* SPDX-License-Identifier: ISC */
/* The pair of sockets between usherd and its worker: making it, and one message at a time over it. */
#pragma once

#include <stddef.h>

#include "base/wire.h"

struct iovec;

/*
 * Makes the pair, non-blocking and close-on-exec, with room for many messages
 * that the worker has not read yet. The caller owns both ends. Returns 0 or -errno.
 */
int worker_pair_open(int *ret_ours, int *ret_theirs);

/*
 * Sends one message, of head and entries as in base/wire.h, with @n_fds
 * descriptors (at most WIRE_MAX_FDS), which stay the caller's. Does not wait: it
 * goes whole or not at all. Returns 0 or -errno.
 */
int worker_pair_send(int fd, struct iovec *iov, size_t n_iov, const int *fds, size_t n_fds);

/* A WIRE_DONE or WIRE_NAME message. */
struct worker_outcomes {
	struct wire_head head;
	union {
		struct wire_done done[WIRE_MAX_ENTRIES];
		struct wire_name name;
	} as;
};

/*
 * Takes one message of the worker, if one is there, of which only the form has
 * been checked: head.count entries are in as.done, or one is in as.name, whose
 * name is sound and ends in NUL. Returns 1; 0 where there was none; or -EPROTO
 * where the other end is closed or what came makes no sense.
 */
int worker_pair_receive(int fd, struct worker_outcomes *ret);
