/* SPDX-License-Identifier: ISC */
/* The connections that the worker serves, from the message that brings them to the one that tells of their end. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/wire.h"

struct loop;
struct sessions;
struct shared;

/* Returns NULL when memory ran out. */
struct sessions *sessions_new(struct loop *loop, struct shared *shared);

/*
 * Begins to serve what @entry says. @fd and @target are taken over; they are -1
 * where none came. Whatever goes wrong ends the session with an error; only
 * without memory for the session itself does the worker end.
 */
void sessions_start(struct sessions *all, const struct wire_stream *entry, int fd, int target);

/* Gives a datagram, its payload behind it, to the relay of its client; dropped where that has ended. */
void sessions_pass(struct sessions *all, const struct wire_dgram *dgram);

/* Ends a session; unknown ones have ended already. */
void sessions_cancel(struct sessions *all, uint64_t id);

/* Those that have ended and have not been told of. */
size_t sessions_n_ended(const struct sessions *all);

/* Whether the client of one of them waits for what usherd does then. */
bool sessions_are_urgent(const struct sessions *all);

/* A WIRE_DONE or WIRE_NAME message. */
struct report {
	struct wire_head head;
	union {
		struct wire_done done[WIRE_MAX_ENTRIES];
		struct wire_name name;
	} as;
};

/* Lays out one message about the oldest of them, as many as it takes; there is one at least. Returns its size. */
size_t sessions_report(const struct sessions *all, struct report *ret);

/* That message has been sent: lets go of the @n sessions in it. */
void sessions_reported(struct sessions *all, size_t n);
