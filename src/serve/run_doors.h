/* SPDX-License-Identifier: ISC */
/* All doors of a hosted service at once: rests (cps), pauses, and whether there is room in it. */
#pragma once

#include <stdbool.h>

struct service_run;

/* Datagrams of one service whose senders are asked about; what comes beyond waits in the socket, and is dropped by the kernel where that is full. */
#define ASKED_DGRAMS_MAX 16

/* Closes all doors of the service for @seconds (cps), with xinetd's message. */
void run_rest(struct service_run *run, unsigned seconds, const char *why);

/*
 * Stops taking connections for a second, as taking them cannot work now; they
 * wait in the kernel's queue. Says so, in xinetd's words, with @why.
 */
void run_pause(struct service_run *run, const char *why);

/* Neither a rest nor a pause ends by itself any more. */
void run_disarm(struct service_run *run);

/*
 * Where the service has as many sessions as it may, and its clients wait for their
 * turn (overload = queue), or too many clients are asked about: stops watching its doors and returns true.
 */
bool run_is_full(struct service_run *run);

/* A session is over: whoever waits for room gets it. */
void run_has_room(struct service_run *run);
