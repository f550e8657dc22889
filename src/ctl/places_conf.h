/* SPDX-License-Identifier: ISC */
/* The places of a service that a configuration names. */
#pragma once

#include "ctl/failure.h"
#include "ctl/places.h"
#include "ctl/target.h"

/*
 * Why a service has no place that could be called, or NULL: raw sockets, those
 * behind tcpmux, and ports that only rpcbind knows.
 */
const char *places_refuse(const struct service *service);

/*
 * Looks for target->service in the configuration. Returns STATUS_CLEAN, with
 * @places empty where there is no such service or, if none was asked for, no
 * configuration; or another status where there is one that cannot be used.
 */
enum status places_find_in_conf(const struct target *target, const struct places_source *source,
				struct places *places, struct failure *failure);
