/* SPDX-License-Identifier: ISC */
/* Lets others have the processor before more is taken on, as long as that takes no time. */
#include "config.h"

#include "serve/give_way.h"

#include <sched.h>

#include "base/util.h"

bool give_way_may(const struct give_way *way, uint64_t now_usec)
{
	return now_usec >= way->rests_until_usec;
}

void give_way_took(struct give_way *way, uint64_t from_usec, uint64_t to_usec)
{
	if (to_usec - from_usec >= GIVE_WAY_LONG_USEC)
		way->rests_until_usec = to_usec + GIVE_WAY_REST_USEC;
}

void give_way(struct give_way *way)
{
	uint64_t now = now_usec();

	if (!give_way_may(way, now))
		return;
	(void)sched_yield();
	give_way_took(way, now, now_usec());
}
