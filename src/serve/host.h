/* SPDX-License-Identifier: ISC */
/* Hosts services: their runs, and with an intercepted one the run behind it. */
#pragma once

#include <stdbool.h>

struct server;
struct service;
struct service_run;

/*
 * Makes the run of @service (referenced) with closed places, its log open and
 * all reasons found why it could not be served. Returns 0; -ENOMEM; or another -errno after saying in the log
 * why the service cannot run.
 */
int host_new(struct server *server, const struct service *service, struct service_run **ret);

/*
 * Gives a run its service of a new configuration, as run_adopt(), whose rules about the
 * places hold. Returns as host_new(); on failure nothing has changed, which the log says.
 */
int host_replace(struct service_run *run, const struct service *service);

/*
 * The same where the endpoints of @service are those of the run's places, as
 * run_renew_places().
 */
int host_renew(struct service_run *run, const struct service *service, bool same);

/* Lets go of a run without sessions, and of what stands behind it. NULL is fine. */
void host_free(struct service_run *run);

/*
 * To be called when a session of @run has gone: where that was the last one of a run that
 * the configuration has dropped, it is freed, unless somebody holds it.
 */
void host_free_if_over(struct service_run *run);
