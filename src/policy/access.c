/* SPDX-License-Identifier: ISC */
/* May this peer have this service by its address, and at this time of day? */
#include "config.h"

#include "policy/access.h"

enum access_verdict access_check(const struct service *service, const struct addr *peer)
{
	const struct addr_rules *only = service->only_from, *no = service->no_access;
	bool has_address = peer->family == AF_INET || peer->family == AF_INET6;
	bool listed;

	if (!has_address)
		return only->given ? ACCESS_DENY : ACCESS_ALLOW;
	listed = only->given && prefixset_has(&only->blocks, peer);
	if (prefixset_has(&no->blocks, peer))
		return listed ? ACCESS_DENY_EQUAL : ACCESS_DENY;
	if (only->given && !listed)
		return only->names.n ? ACCESS_IF_LISTED : ACCESS_DENY;
	return no->names.n ? ACCESS_UNLESS_BARRED : ACCESS_ALLOW;
}

bool access_time_allows(const struct time_rules *rules, unsigned minute_of_day)
{
	for (size_t i = 0; i < rules->n; i++) {
		bool started = minute_of_day >= rules->v[i].start_min;
		bool over = minute_of_day > rules->v[i].end_min;

		if (rules->v[i].start_min <= rules->v[i].end_min ? started && !over
								 : started || !over)
			return true;
	}
	return rules->n == 0;
}
