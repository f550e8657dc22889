/* SPDX-License-Identifier: ISC */
/* A table that finds what belongs to an endpoint. */
#pragma once

#include "base/open_table.h"
#include "config/endpoint.h"

/* Starts zeroed. */
struct endpoint_map {
	struct open_table places;
};

/*
 * Adds @value (not NULL) for an endpoint equal to @endpoint, whose path must stay
 * as long as the map; where there is one already, that one stays. Returns 0 or -ENOMEM.
 */
int endpoint_map_add(struct endpoint_map *map, const struct endpoint *endpoint, const void *value);

/* The value of an equal endpoint, or NULL. */
const void *endpoint_map_find(const struct endpoint_map *map, const struct endpoint *endpoint);

void endpoint_map_done(struct endpoint_map *map);
