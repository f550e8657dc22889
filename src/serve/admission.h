/* SPDX-License-Identifier: ISC */
/* The daemon's side of admission: what admit() must know, and what follows from its word. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "policy/admit.h"

struct service_run;
struct session;

/*
 * Decides about @peer, records FAIL where it is refused, and says in the log what
 * xinetd says. After VERDICT_CPS the caller lets the service rest; after
 * VERDICT_ALLOW it owes an admission_begin() or admission_take_back().
 */
struct decision admission_decide(struct service_run *run, const struct addr *peer, uint64_t now);

/* Closes the doors of a service whose rate was exceeded, for as long as its stanza says (cps). */
void admission_rest(struct service_run *run);

/*
 * A session of @run that was admitted by @decision, with the question that is still open about it. Returns NULL when memory is
 * short: what the decision took is given back then, and FAIL is recorded.
 */
struct session *admission_begin(struct service_run *run, const struct addr *peer,
				const struct decision *decision, uint64_t now);

/* Instead of that, for one who does not stay: gives back what the @decision took. */
void admission_take_back(struct service_run *run, const struct addr *peer,
			 const struct decision *decision);

/* Whether what was asked about @session is still what its service is about: a reload may have changed that meanwhile. */
bool admission_answer_holds(const struct session *session);

/*
 * Decides once more about a session that was begun but for which nothing was started,
 * by the service as it is now, whose it becomes; it does not count as a new
 * arrival. Where that has been replaced since, its question is open again. Where it is refused FAIL is recorded, the session is freed, and false returned.
 */
bool admission_again(struct session *session);

/* Records FAIL with the reason of @verdict, and with VERDICT_IDENT NOID, for a session of which nothing was started. */
void admission_refuse(const struct session *session, enum verdict verdict);

/*
 * Undoes admission_begin(), and records nothing: counts down, gives back what the session
 * holds, frees it. Where this was the last session of a run that the configuration has
 * dropped, the run is freed, unless somebody holds it.
 */
void admission_release(struct session *session);

/* Of one of which nothing was started: admission_refuse() and admission_release(). */
void admission_abandon(struct session *session, enum verdict verdict);
