/* SPDX-License-Identifier: ISC */
/* The run-time counters of one service: running sessions, per source, and the rate of arrivals. */
#include "config.h"

#include "policy/limit.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Without memory a connection is dropped, not the daemon. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "base/util.h"

/* Arrivals that the first ring has room for, and those whose memory is kept over a quiet second. */
#define RING_FIRST 8
#define RING_KEPT  64

/* What tells sources apart, without padding, as it is hashed as bytes. */
struct source_key {
	sa_family_t family;
	uint8_t bytes[16];
};

static_assert(sizeof(struct source_key) == sizeof(sa_family_t) + 16, "padding would be hashed");

struct limit_source {
	struct source_key key;
	unsigned running;
	UT_hash_handle hh;
};

static struct limit_source *find_source(const struct limits *limits, const struct addr *peer)
{
	struct source_key key = { .family = peer->family };
	struct limit_source *source;

	memcpy(key.bytes, peer->bytes, sizeof(key.bytes));
	HASH_FIND(hh, limits->sources, &key, sizeof(key), source);
	return source;
}

static struct limit_source *add_source(struct limits *limits, const struct addr *peer)
{
	struct limit_source *source = calloc(1, sizeof(*source));

	if (!source)
		return NULL;
	source->key.family = peer->family;
	memcpy(source->key.bytes, peer->bytes, sizeof(source->key.bytes));
	HASH_ADD(hh, limits->sources, key, sizeof(source->key), source);
	if (!source->hh.tbl) {
		free(source);
		return NULL;
	}
	return source;
}

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
	struct limit_source *source, *next;

	HASH_ITER(hh, limits->sources, source, next)
	{
		HASH_DEL(limits->sources, source);
		free(source);
	}
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
	if (by_source) {
		struct limit_source *source = find_source(limits, peer);

		if (!source)
			source = add_source(limits, peer);
		if (!source)
			return -ENOMEM;
		source->running++;
	}
	limits->running++;
	return 0;
}

void limits_release(struct limits *limits, const struct addr *peer, bool by_source)
{
	assert(limits->running > 0);
	limits->running--;
	if (by_source) {
		struct limit_source *source = find_source(limits, peer);

		assert(source && source->running > 0);
		if (--source->running == 0) {
			HASH_DEL(limits->sources, source);
			free(source);
		}
	}
}

unsigned limits_running_from(const struct limits *limits, const struct addr *peer)
{
	const struct limit_source *source = find_source(limits, peer);

	return source ? source->running : 0;
}
