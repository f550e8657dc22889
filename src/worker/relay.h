/* SPDX-License-Identifier: ISC */
/* Moves bytes both ways between a client and the target of its redirected service. */
#pragma once

struct flow_pool;
struct loop;
struct relay;
struct stream;

/*
 * Called after each turn: 1 when the relay goes on, 0 when both sides have
 * ended, or -errno when one of them failed. After the last two it is to be
 * freed, and may be from in here.
 */
typedef void relay_turned_fn(void *arg, int result);

/*
 * Begins to relay between @stream->fd, which must stay open, and @target, which
 * is taken over in every case; both are connected and non-blocking. Counts what
 * was passed on to the target as @stream->in_bytes, and to the client as
 * out_bytes. Each side's end is passed on as such, so that a client that has
 * half-closed still gets its reply. A side that does not read stops the other
 * by TCP's flow control: nothing is kept in memory. Returns 0 or -ENOMEM.
 */
int relay_new(struct loop *loop, struct flow_pool *pool, struct stream *stream, int target,
	      relay_turned_fn *turned, void *arg, struct relay **ret);

/*
 * Closes the target. After a side has failed, this and the caller's close of
 * the client reset the connections, so that neither takes what it got for
 * complete. NULL is fine.
 */
void relay_free(struct relay *relay);
