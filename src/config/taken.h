/* SPDX-License-Identifier: ISC */
/* Who listens where: finds two services that want the same place, before the kernel does. */
#pragma once

#include "config/endpoint_map.h"
#include "config/service.h"

/* Starts zeroed. */
struct taken_places {
	struct endpoint_map
		exactly; /* by endpoint; wildcards of IPv6 that take IPv4 are there twice */
	struct endpoint_map beneath; /* by the wildcard that the endpoint would be part of */
};

/*
 * The first service, of those added, that stands in the way of @service: it
 * listens at the same address, or one of both at all addresses of the same
 * port. NULL when there is none. Ports of the kernel's choice are in nobody's way.
 */
const struct service *taken_by(const struct taken_places *places, const struct service *service);

/* Adds the endpoints of @service, which must stay as long as @places. Without memory, some are not found later. */
void taken_add(struct taken_places *places, const struct service *service);

void taken_done(struct taken_places *places);
