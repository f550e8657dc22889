/* SPDX-License-Identifier: ISC */
/* What the link offers to worker_dgrams.c and to nobody else. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "config/service.h"

struct iovec;
struct worker_link;

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
