/* SPDX-License-Identifier: ISC */
/* The worker's end of the pair of sockets between it and usherd: one message at a time. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/wire.h"

/* Whether @fd is such a socket. */
bool pair_is(int fd);

/*
 * Receives one message of up to @size bytes into @message, and its descriptors,
 * which are the caller's; the rest of @fds is -1. Where the table of descriptors
 * is full the kernel hands over only the first of them (MSG_CTRUNC). Returns the
 * message's size, 0 at the end, -1 where none is there.
 */
ssize_t pair_receive(int fd, void *message, size_t size, int fds[static WIRE_MAX_FDS]);
