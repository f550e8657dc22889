/* SPDX-License-Identifier: ISC */
/* May this peer have this service by its address, and at this time of day? */
#pragma once

#include <stdbool.h>

#include "base/addr.h"
#include "config/service.h"

enum access_verdict {
	ACCESS_ALLOW,
	ACCESS_DENY,
	ACCESS_DENY_EQUAL, /* refused, but both lists match: xinetd says so in an ERROR */
	ACCESS_IF_LISTED, /* allowed where a name of only_from is the peer's, and none of no_access */
	ACCESS_UNLESS_BARRED, /* allowed unless a name of no_access is the peer's */
};

/*
 * Decides by only_from and no_access alone (xinetd.conf(5); compat.md 2.4
 * "Precedence"): a match in no_access refuses, whatever only_from says (D13: the
 * manual's "better match" was never true); only_from set without a match
 * refuses, set and empty it refuses everybody.
 *
 * The lists speak of IP addresses. A peer without one (a Unix socket's, or
 * unknown) matches nothing: only_from refuses it, no_access does not. Who may
 * use a Unix socket is for the modes of its file to say.
 *
 * Host names are not looked up. Where one of them could still change the answer,
 * it is ACCESS_IF_LISTED or ACCESS_UNLESS_BARRED; never where numeric words have decided, nor for a peer
 * that has no address to look up.
 */
enum access_verdict access_check(const struct service *service, const struct addr *peer);

/*
 * Whether @minute_of_day (local time, 0 to 1439) lies in one of the intervals,
 * both ends inclusive, or there are none. An interval that starts after its end
 * goes over midnight.
 */
bool access_time_allows(const struct time_rules *rules, unsigned minute_of_day);
