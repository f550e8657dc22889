/* SPDX-License-Identifier: ISC */
/* Lets others have the processor before more is taken on, as long as that takes no time. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Others had it for so long: they do not only do what they were given. */
#define GIVE_WAY_LONG_USEC 1000

/* Then nobody is let first for so long. */
#define GIVE_WAY_REST_USEC 1000000

/* All zero at the start. */
struct give_way {
	uint64_t rests_until_usec;
};

/*
 * To be called when several things at once have been given to another process, and more are
 * likely to come. Whoever is ready to run on this processor, that process above all, runs now. So
 * what comes meanwhile is here all at once, and wakes nobody: to be woken costs more than to take
 * on a connection. On a processor that programs fight over it would be given away for too long;
 * whether it is shows by how long this takes.
 */
void give_way(struct give_way *way);

/* Of that, the decisions: whether to do it at @now_usec, and that it took from @from_usec to @to_usec. */
bool give_way_may(const struct give_way *way, uint64_t now_usec);
void give_way_took(struct give_way *way, uint64_t from_usec, uint64_t to_usec);
