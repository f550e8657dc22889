/* SPDX-License-Identifier: ISC */
/* The run-time counters of one service: running sessions, per source, and the rate of arrivals. */
#include "config.h"

#include "policy/limit.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/util.h"

/* Arrivals that the first ring has room for, and those whose memory is kept over a quiet second. */
#define RING_FIRST 8
#define RING_KEPT  64

/* A ring of twice the room, with the arrivals laid out from the start. Returns 0 or -ENOMEM. */
static int grow_ring(struct limits *limits)
{
	struct limit_ring *old = limits->ring, *ring;
	unsigned capacity = old ? 2 * old->capacity : RING_FIRST;

	if (capacity == 0)
		return -ENOMEM;
	ring = malloc(sizeof(*ring) + capacity * sizeof(ring->arrivals[0]));
	if (!ring)
		return -ENOMEM;
	*ring = (struct limit_ring){ .capacity = capacity };
	if (old) {
		ring->last_usec = old->last_usec;
		ring->count = old->count;
	}
	for (unsigned i = 0; i < ring->count; i++)
		ring->arrivals[i] = old->arrivals[(old->first + i) & (old->capacity - 1)];
	free(old);
	limits->ring = ring;
	return 0;
}

static void forget_arrivals(struct limits *limits)
{
	free(limits->ring);
	limits->ring = NULL;
}

/* Lets go of the arrivals that are older than @window_usec at @now_usec. */
static void age(struct limits *limits, uint64_t window_usec, uint64_t now_usec)
{
	struct limit_ring *ring = limits->ring;
	uint32_t now = (uint32_t)now_usec;

	if (now_usec - ring->last_usec >= window_usec) {
		ring->count = 0;
		if (ring->capacity > RING_KEPT)
			forget_arrivals(limits);
		return;
	}
	/* All that is left is less than two windows old, so low words suffice to tell ages. */
	while (ring->count > 0 && now - ring->arrivals[ring->first] >= window_usec) {
		ring->first = (ring->first + 1) & (ring->capacity - 1);
		ring->count--;
	}
}

void limits_init(struct limits *limits)
{
	*limits = (struct limits){ 0 };
}

void limits_done(struct limits *limits)
{
	sources_done(&limits->sources);
	forget_arrivals(limits);
	limits_init(limits);
}

int limits_arrive(struct limits *limits, unsigned rate, unsigned window_sec, uint64_t now_usec)
{
	uint64_t window_usec = (window_sec ? window_sec : 1) * USEC_PER_SEC;
	struct limit_ring *ring;

	if (rate == 0)
		return 0;
	/* A time read a little earlier than the last one must not pass for one long after it. */
	if (limits->ring && now_usec < limits->ring->last_usec)
		now_usec = limits->ring->last_usec;
	if (limits->ring)
		age(limits, window_usec, now_usec);
	if (limits->ring && limits->ring->count >= rate) {
		forget_arrivals(limits);
		return 1;
	}
	if ((!limits->ring || limits->ring->count == limits->ring->capacity) &&
	    grow_ring(limits) < 0)
		return -ENOMEM;
	ring = limits->ring;
	ring->arrivals[(ring->first + ring->count++) & (ring->capacity - 1)] = (uint32_t)now_usec;
	ring->last_usec = now_usec;
	return 0;
}

int limits_take(struct limits *limits, const struct addr *peer, bool by_source)
{
	int r = by_source ? sources_take(&limits->sources, peer) : 0;

	if (r < 0)
		return r;
	limits->running++;
	return 0;
}

void limits_release(struct limits *limits, const struct addr *peer, bool by_source)
{
	assert(limits->running > 0);
	limits->running--;
	if (by_source)
		sources_release(&limits->sources, peer);
}

unsigned limits_running_from(const struct limits *limits, const struct addr *peer)
{
	return sources_running(&limits->sources, peer);
}
