/* SPDX-License-Identifier: ISC */
/* Whether somebody on this machine listens where a registration says so. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* The port of a universal address ("0.0.0.0.3.241" has 1009), or -EINVAL. */
int ports_of_address(const char *address);

/*
 * Whether a socket of the protocol of @netid has the port of @address, by proc(5).
 * True as well where that cannot be told: what may be alive is not touched.
 */
bool ports_are_used(const char *netid, const char *address);
