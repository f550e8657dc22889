/* SPDX-License-Identifier: ISC */
/* The life of a hosted service, but for what stands behind one that is intercepted (serve/host.h). */
#pragma once

#include "serve/place.h"
#include "serve/starts.h"
#include "serve/state.h"

/* What a run has of its service besides its places. */
struct run_form {
	struct sink *sink;
	struct starts starts;
};

/*
 * Opens the log of @service, and finds all reasons why it could not be served.
 * Returns 0; -ENOMEM; or another -errno after saying in the log why the service
 * cannot run. A form is for one run_adopt() or run_form_discard().
 */
int run_form_new(struct server *server, const struct service *service, struct run_form *ret);
void run_form_discard(struct server *server, struct run_form *form);

/*
 * Makes the run of @service (referenced) with closed places. Returns as
 * run_form_new().
 */
int run_new(struct server *server, const struct service *service, struct service_run **ret);

/*
 * Gives a run its service of a new configuration: log, plans and service are
 * replaced; its places still refer to the service before, to which they need a reference,
 * and are the caller's to move. Counters and sessions stay.
 */
void run_adopt(struct service_run *run, const struct service *service, struct run_form *form);

/* The same where nothing has changed that a client could notice; only @service's place in the files may be another. */
void run_adopt_same(struct service_run *run, const struct service *service);

/*
 * Where the endpoints of the run's service are those of its places, which stay:
 * their sockets get its settings. Where it is the @same as before (serve/plan.h), only what may
 * have changed behind it is looked after: socket files, and sockets that servers have had.
 */
void run_renew_places(struct service_run *run, bool same);

/* Frees a run without sessions; its places are closed. */
void run_free(struct service_run *run);

/* How it is started; NULL where memory is short now. */
struct spawn *run_plan(struct service_run *run, enum start which);
