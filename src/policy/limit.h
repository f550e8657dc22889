/* SPDX-License-Identifier: ISC */
/* The run-time counters of one service: running sessions, per source, and the rate of arrivals. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "policy/sources.h"

/* The arrivals that the rate is counted by. */
struct limit_ring {
	uint64_t last_usec;  /* of the latest arrival */
	unsigned capacity;   /* a power of two */
	unsigned first;      /* index of the oldest arrival */
	unsigned count;      /* arrivals in the ring */
	uint32_t arrivals[]; /* low words of their times */
};

/*
 * One per service, kept from one configuration to the next, so that a reload
 * forgets nothing. Until the first arrival it holds no memory but itself, and
 * after a quiet second no more than a few hundred bytes. Only the functions
 * below write to it.
 */
struct limits {
	struct sources sources;  /* with something running that was counted by source */
	struct limit_ring *ring; /* NULL: nothing has arrived, or it has been forgotten */
	unsigned running;        /* sessions taken and not yet released */
};

/* Sets all to nothing. */
void limits_init(struct limits *limits);

/* Frees what it holds; nothing is counted afterwards. */
void limits_done(struct limits *limits);

/*
 * Counts one arrival, refused ones too, against xinetd.conf(5) "cps": @rate
 * arrivals within any @window_sec seconds (up to SERVICE_CPS_WINDOW_MAX; 0 is 1) pass, one more trips. @rate 0 counts nothing.
 * After a trip the count starts empty. Unlike xinetd, whose average is taken
 * since the window was opened and whose window is as many seconds long as the
 * rate is high (D25), this is a true sliding second. Memory follows the arrivals
 * of the busiest second; the cost does not depend on the rate.
 * @now_usec is monotonic; an earlier time than the last counts as the last.
 * Returns 0 when it passes, 1 on a trip, or -ENOMEM (it could not be counted).
 */
int limits_arrive(struct limits *limits, unsigned rate, unsigned window_sec, uint64_t now_usec);

/*
 * Takes the counts of one session, also those of its source where @by_source is
 * set. Returns 0, or -ENOMEM with nothing taken. limits_release() is its mirror:
 * each successful take is released once, with the same address and @by_source,
 * whatever the configuration says by then.
 */
int limits_take(struct limits *limits, const struct addr *peer, bool by_source);
void limits_release(struct limits *limits, const struct addr *peer, bool by_source);

/* Sessions from the address of @peer that were taken by source; ports and zones do not count. */
unsigned limits_running_from(const struct limits *limits, const struct addr *peer);
