/* SPDX-License-Identifier: ISC */
/* What the sinks of local sockets have in common: connecting, sending line by line without blocking, coming back. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/sink.h"

/* Put it first in the structure of the kind. */
struct sink_socket {
	struct sink sink;
	char *path;
	bool datagrams_only;
	int fd; /* -1: not connected */
	bool stream;
	size_t partial; /* stream: bytes of the next line that are sent already */

	/*
	 * Writes what stands for the line, with a closing NUL, into @out, which has
	 * SINK_SCRATCH_BYTES. Returns the length without it.
	 */
	size_t (*format)(struct sink_socket *log, const struct line *line, char *out);
};

/*
 * Makes @log, which the caller zeroed but for datagrams_only and format, a sink of the
 * socket at @path (copied), which need not be there yet. @ops has the two functions below
 * and the free of the kind. Returns 0 or -ENOMEM.
 */
int sink_socket_init(struct sink_socket *log, const struct sink_ops *ops, const char *path,
		     const char *name);

/* Disconnects and frees what sink_socket_init() allocated; for the kinds' free. */
void sink_socket_done(struct sink_socket *log);

/*
 * For struct sink_ops. Each line goes as a datagram; or, where the other end
 * wants it, ended by NUL on a stream. One that is too long for a datagram is
 * counted as lost, as it would stand in the way of all others for ever.
 */
size_t sink_socket_write(struct sink *sink, const struct batch *batch, int *ret_error);
void sink_socket_reopen(struct sink *sink, const struct batch *batch);
