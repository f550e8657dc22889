/* SPDX-License-Identifier: ISC */
/* Passes the datagrams of one client to the private place of its service, and the answers back. */
#pragma once

#include <stdint.h>

struct dgram_relay;
struct loop;
struct shared;
struct stream;
struct wire_dgram;

/* Called when the target has answered or is gone: 1, or -errno; then the relay is to be freed, and may be from in here. */
typedef void dgram_relay_fn(void *arg, int result);

/*
 * Begins. @stream->fd is the service's own socket, by which the answers leave; it
 * must stay open. @target, connected to the private place, is taken over in
 * every case. Bytes are counted in @stream. Returns 0 or -ENOMEM.
 */
int dgram_relay_new(struct loop *loop, struct shared *shared, struct stream *stream, int target,
		    dgram_relay_fn *fn, void *arg, struct dgram_relay **ret);

/*
 * Passes on one datagram of the client, @dgram with its payload behind it. Answers go
 * to its sender from then on, from the address that it was sent to. One that
 * finds no room is dropped, in both directions. Returns 0, or -ECONNREFUSED when
 * the private place is gone.
 */
int dgram_relay_pass(struct dgram_relay *relay, const struct wire_dgram *dgram);

/* Closes the target; NULL is fine. */
void dgram_relay_free(struct dgram_relay *relay);
