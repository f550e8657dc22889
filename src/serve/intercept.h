/* SPDX-License-Identifier: ISC */
/* The run behind an intercepted service: that of its server (xinetd.conf(5) "INTERCEPT"). */
#pragma once

#include <stdbool.h>

#include "config/service.h"

struct addr;
struct service_run;

/*
 * An intercepted service has two runs. Its own has the places of the stanza;
 * usherd takes the clients there, with all checks and records, and passes what
 * they send on to a private place on loopback. That place, and nothing else, is
 * the inner run's, which is hosted as any service with wait = yes: its server
 * gets the socket when the first client has been let in, and again when it has
 * ended and there is more. START and EXIT are recorded of each client, and of
 * the server, which has no address.
 * Whoever is on this machine can find the private port and pass the checks by.
 */
struct intercept;

/*
 * Makes @run->intercept what @service wants: makes the inner run, gives it its new
 * form, or lets go of it. Returns 0, or -errno with nothing changed.
 */
int intercept_adopt(struct service_run *run, const struct service *service);

/* Lets go of the inner run: a server that runs goes on with the clients it has. NULL is fine. */
void intercept_free(struct intercept *intercept);

/* The run of the server, or NULL where @run is not intercepted. */
struct service_run *intercept_inner(const struct service_run *run);

/* Whether the next client needs a new process. */
bool intercept_needs_server(const struct service_run *run);

/* The address and port of the private place. Returns 0, or -EAGAIN while it is closed, or another -errno. */
int intercept_target(const struct service_run *run, struct addr *ret);
