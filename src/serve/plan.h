/* SPDX-License-Identifier: ISC */
/* Old configuration against new: what to keep, replace, open and end. Pure: decides, does nothing. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "config/conf.h"

#define PLAN_NONE ((size_t)-1)

/* One service that will run. */
struct plan_service {
	const struct service *
		service; /* of the new configuration; the one that runs where that is identical, or kept is set */
	size_t old;    /* index of the running service that it continues, or PLAN_NONE */
	bool kept;     /* its stanza is broken or its file unreadable now: it keeps its old form */
	bool in_place; /* it goes on at the doors that it has: none of them moves */
	bool same;     /* in_place, and all that was made for its old form serves the new one */
	size_t first_endpoint; /* its endpoints' places in plan.endpoints */
};

/* Where the descriptor of an endpoint comes from. */
struct plan_endpoint {
	size_t old; /* index of the running service that has it open, or PLAN_NONE: to be opened */
	size_t old_endpoint; /* index among that service's endpoints */
};

struct plan {
	struct plan_service *services;
	size_t n;
	struct plan_endpoint *endpoints; /* of all services, in order */
	size_t n_endpoints;
	size_t *dropped; /* running services that end */
	size_t n_dropped;
};

/*
 * Compares the services that run with a new configuration. A service continues
 * the one of the same id, socket type and protocol (by endpoint where several
 * have these); an endpoint continues the equal one of any running service, so
 * that a renamed service does not close its door (D56). What runs and is broken
 * or unreadable now is kept (design: a bad file on reload changes nothing), but
 * for endpoints that another service has taken.
 * The pointers in the plan live as long as @running and @conf.
 * Returns 0 or -ENOMEM.
 */
int plan_make(const struct service *const *running, size_t n_running, const struct conf *conf,
	      struct plan *ret);

void plan_done(struct plan *plan);
