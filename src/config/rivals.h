/* SPDX-License-Identifier: ISC */
/* Which service of a load stands in the way of another: by its place, its RPC program, or its name in inetd.conf. */
#pragma once

#include "config/service.h"
#include "config/taken.h"

struct rival_name;
struct rival_program;

/* Starts zeroed. */
struct rivals {
	struct taken_places places;
	struct rival_name *names;
	struct rival_program *programs;
};

/* The first service added that listens where @service would, or NULL. */
const struct service *rivals_at_place(const struct rivals *rivals, const struct service *service);

/* The first service added that registers a program as @service does, or NULL. */
const struct service *rivals_of_program(const struct rivals *rivals, const struct service *service);

/* Whether a service of its kind was added that has its id as id, or its name as name, without regard to case. */
bool rivals_have_name(const struct rivals *rivals, const struct service *service);

/* Adds a service, which must stay as long as @rivals; its name only where asked for. Without memory it is not found. */
void rivals_add(struct rivals *rivals, const struct service *service, bool with_name);

void rivals_done(struct rivals *rivals);
