/* SPDX-License-Identifier: ISC */
/* The processes that a service's clients may need: found when it is loaded, laid out when the first one is needed. */
#pragma once

#include "serve/state.h"

/*
 * Finds what @service may have to start. Returns 0; -ENOMEM; or another -errno
 * after saying in the log why it cannot be hosted: everything that can be wrong
 * with it but a shortage of memory is found here. *@ret is set with 0 only.
 */
int starts_new(struct server *server, const struct service *service, struct starts *ret);

/*
 * The plan of what is wanted, for spawn_run() or spawn_run_gate(), laid out unless
 * it is. Returns NULL where memory is short now; @service is that of starts_new().
 */
struct spawn *starts_plan(struct starts *starts, struct server *server,
			  const struct service *service, enum start which);

/* Forgets the plans, but not what is wanted; they are laid out anew for the next client. */
void starts_forget(struct starts *starts);

/* Forgets all, also where children still read their plans. */
void starts_done(struct starts *starts);
