/* SPDX-License-Identifier: ISC */
/* The socket of one endpoint: open, adjust, accept or peek, close. Knows descriptors, not events. */
#pragma once

#include <stdbool.h>

#include "base/addr.h"
#include "config/service.h"

/* Listeners live from here up, so that connections get small numbers. */
#define LISTENER_MIN_FD 128

/*
 * Opens, binds and (stream, seqpacket) listens as @service says: close-on-exec,
 * SO_REUSEADDR, IPV6_V6ONLY explicit, NODELAY and KEEPALIVE inherited by what is
 * accepted. Sockets that usherd itself accepts or receives from are
 * non-blocking; one that is handed to a server (wait = yes) is blocking, as the
 * server shares the setting. The descriptor is moved up, out of the range that
 * children copy. A Unix socket's stale file is replaced; one that still answers
 * is -EADDRINUSE. An IPv6 wildcard with fallback_ipv4 becomes 0.0.0.0 where the
 * machine has no IPv6, and *@ret_fell_back tells.
 * Returns the descriptor or -errno.
 */
int listener_open(const struct endpoint *endpoint, const struct service *service,
		  bool *ret_fell_back);

/*
 * Makes a descriptor that was kept over a reload, or that a server had, what
 * @service says now (backlog, flags, owner, blocking, not connected). Returns 0; -ESTALE when
 * the file of a Unix socket is gone, so that nobody can reach it; or -errno.
 */
int listener_adjust(int fd, const struct endpoint *endpoint, const struct service *service);

/*
 * Whether others may change what belongs to the open socket of @endpoint: its file,
 * or settings that it has in common with the servers that it is lent to.
 */
bool listener_is_shared(const struct endpoint *endpoint, const struct service *service);

/* Closes; with @remove, the file of a Unix socket goes too. */
void listener_close(int fd, const struct endpoint *endpoint, bool remove);

/*
 * Accepts one connection: close-on-exec; blocking unless @nonblock. An IPv4 client of an IPv6
 * socket gets a plain IPv4 socket, as servers expect from xinetd (compat.md
 * 7.1), unless the service is v6only. Returns the descriptor or -errno
 * (-EAGAIN: nobody is waiting).
 */
int listener_accept(int fd, bool nonblock, struct addr *ret_peer);

/* The sender of the datagram at the head of the queue, which stays there. Returns 0 or -errno. */
int listener_peek(int fd, struct addr *ret_peer);

/*
 * Whether a server that shared the socket has shut it down (shutdown(2), D30):
 * it is readable for ever, and nothing will come of it. It has to be opened anew.
 */
bool listener_is_shut(int fd);

/* Throws the datagram at the head of the queue away. */
void listener_drop(int fd);

/*
 * What the kernel holds for the socket: with it one can tell after a datagram
 * server's exit whether it read anything.
 */
struct listener_mark {
	unsigned queued_bytes; /* memory of the receive queue */
	bool exact;            /* stamp is set */
	uint64_t stamp_nsec;   /* when the datagram at the head came in: its name */
};

/*
 * Takes the mark. With @exact the head is named, too, which costs two more
 * system calls: for servers that seem to have read nothing.
 */
void listener_mark(int fd, bool exact, struct listener_mark *ret);

/* Whether nothing was read between the two marks; *@ret_sure is false where only an exact mark could tell. */
bool listener_untouched(const struct listener_mark *before, const struct listener_mark *after,
			bool *ret_sure);
