/* SPDX-License-Identifier: ISC */
/* Datagrams for internal services: off the socket in batches, decided about by peer, on to the worker. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/addr.h"
#include "config/service.h"

struct worker_link;

/*
 * Prepares a datagram socket, once: asks the kernel for the address that each
 * datagram was sent to, so that answers leave from there (D43). Returns 0 or -errno.
 */
int worker_dgrams_prepare(int fd);

/* Who decides about datagrams, and learns what became of those admitted. May not call worker_dgrams_forward(). */
struct worker_dgrams_ops {
	/* Whether the datagram from @peer may be answered. @ret_token, 0 before, is given back to outcome(). */
	bool (*admit)(void *arg, const struct sockaddr *peer, socklen_t peer_len,
		      uint64_t *ret_token);

	/*
	 * Called once for each datagram admitted: @error is 0 when it is on its
	 * way to the worker, else EMSGSIZE (longer than 65535 bytes, Unix
	 * only), ENOMEM … and it was dropped. May be NULL.
	 */
	void (*outcome)(void *arg, const struct sockaddr *peer, socklen_t peer_len, uint64_t token,
			size_t length, int error);
};

struct worker_dgrams_counts {
	unsigned received;
	unsigned refused;   /* by admit() */
	unsigned forwarded; /* to the worker */
	unsigned dropped;   /* admitted, but lost */
};

/*
 * Takes one batch of waiting datagrams off the non-blocking or blocking socket
 * @fd, unparsed, and forwards those that @ops admits, to be answered as
 * @builtin by the same socket. Nothing else queued is thrown away (D17);
 * what remains makes the socket readable again. To be called when
 * worker_link_has_room(); what is taken nevertheless is kept until there is some.
 * Returns 0 with *@ret filled in; or -errno where nothing could be received.
 */
int worker_dgrams_forward(struct worker_link *link, enum builtin builtin, int fd,
			  const struct worker_dgrams_ops *ops, void *arg,
			  struct worker_dgrams_counts *ret);

/* One datagram that was taken off its socket, with what is needed to answer it. */
struct worker_dgram;

/*
 * Takes one datagram off the socket @fd, which may be closed afterwards. Returns
 * 0; -EAGAIN: there is none; -EMSGSIZE: it was too long and is gone; -ENOMEM or -EMFILE: it is gone.
 */
int worker_dgrams_take(struct worker_link *link, int fd, struct worker_dgram **ret);

/* Has it answered as @builtin, or not at all. It stays the caller's. Returns 0 or -errno, as outcome() has it. */
int worker_dgrams_give(struct worker_link *link, enum builtin builtin, struct worker_dgram *dgram);

/* The same for one that belongs to a session of worker_link_dgrams(). */
int worker_dgrams_pass(struct worker_link *link, uint64_t session, struct worker_dgram *dgram);

/* Its sender, and its bytes. */
struct addr worker_dgrams_peer(const struct worker_dgram *dgram);
size_t worker_dgrams_length(const struct worker_dgram *dgram);

void worker_dgrams_drop(struct worker_dgram *dgram);
/*
 * The same for clients that the worker has as sessions of worker_link_dgrams():
 * the token that admit() gives is the number of the session that a datagram belongs to.
 */
int worker_dgrams_relay(struct worker_link *link, int fd, const struct worker_dgrams_ops *ops,
			void *arg, struct worker_dgrams_counts *ret);
