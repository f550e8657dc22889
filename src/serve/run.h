/* SPDX-License-Identifier: ISC */
/* A hosted service: what it has besides its places, its rests and pauses, and whether there is room in it. */
#pragma once

#include "serve/place.h"
#include "serve/server.h"
#include "serve/starts.h"

/*
 * Makes the run of @service (referenced) with closed places, its log open and
 * all reasons found why it could not be served. Returns 0; -ENOMEM; or another -errno after saying in the log
 * why the service cannot run.
 */
int run_new(struct server *server, const struct service *service, struct service_run **ret);

/*
 * Gives a run its service of a new configuration: log, plans and service are
 * replaced; its places still refer to the service before, to which they need a reference,
 * and are the caller's to move. Counters and sessions stay. Returns as run_new();
 * on failure nothing has changed.
 */
int run_replace(struct service_run *run, const struct service *service);

/*
 * The same where the endpoints of @service are those of the run's places, which stay:
 * their sockets get its settings. Where it is the @same as before (serve/plan.h), only what may
 * have changed behind it is looked after: socket files, and sockets that servers have had.
 */
int run_renew(struct service_run *run, const struct service *service, bool same);

/* Frees a run without sessions; its places are closed. */
void run_free(struct service_run *run);

/* Whether clients of @run may need such a process. */
static inline bool run_wants(const struct service_run *run, enum start which)
{
	return run->starts.wanted[which];
}

/* How it is started; NULL where memory is short now. */
struct spawn *run_plan(struct service_run *run, enum start which);

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
