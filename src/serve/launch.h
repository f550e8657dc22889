/* SPDX-License-Identifier: ISC */
/* The way of an admitted connection: a server is started on it, or it is handed over; then it is recorded. */
#pragma once

#include <stdbool.h>

#include "base/addr.h"

struct service_run;
struct session;

/*
 * One accepted connection of @run from @peer: greets, decides, and starts what
 * the stanza says, with all records and banners. Takes over @fd in every case.
 * Returns the session that runs now, or will once processes are to be had
 * (serve/retry.h); or NULL where none came of it.
 */
struct session *launch_connection(struct service_run *run, int fd, const struct addr *peer);

/*
 * Goes on with a session of a connection that was begun: has the question that
 * is open about it asked (serve/gate.h), then starts what the stanza says. Takes
 * over @fd in every case. Returns whether there is a session now; otherwise it has
 * been abandoned.
 */
bool launch_on(struct session *session, int fd);
