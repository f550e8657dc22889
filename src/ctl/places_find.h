/* SPDX-License-Identifier: ISC */
/* Where the service that a target names can be reached: addresses, to be tried in turn. */
#pragma once

#include "ctl/failure.h"
#include "ctl/places.h"
#include "ctl/target.h"

/*
 * Finds the places of @target. A service of this machine is looked for in the
 * configuration, by id and then by name, and then in the services database; what has no
 * socket type is stream rather than dgram. Returns STATUS_CLEAN, and the caller
 * ends *@ret with places_done(); or another status, with @failure saying why.
 */
enum status places_find(const struct target *target, const struct places_source *source,
			struct places *ret, struct failure *failure);
