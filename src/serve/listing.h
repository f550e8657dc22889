/* SPDX-License-Identifier: ISC */
/* The internal services that tell about the daemon itself: "services" and "servers". */
#pragma once

#include <stdbool.h>

#include "config/service.h"

struct listings;
struct session;

/* A listing is made for a connection, and serves all that come within this time, so that asking often costs little. */
#define LISTING_FRESH_USEC (100 * USEC_PER_MSEC)

/* Whether the internal service is one of these. */
bool listing_is(enum builtin builtin);

/*
 * Writes the listing that @session's service stands for, as it is now, to memory,
 * and gives it to the worker with the client @fd, which is taken over in every
 * case; nothing is read from it. "services" (xinetd up to 2.3.12) has a line
 * NAME PROTOCOL PORT for each service that is hosted; where there is no port,
 * "unix" and a path. "servers" (up to 2.3.11) has the blocks of the state
 * dump's server table, numeric throughout. Returns 0 or -errno.
 */
int listing_begin(struct session *session, int fd);

/* Frees what is kept of listings; NULL is fine. */
void listings_free(struct listings *listings);
