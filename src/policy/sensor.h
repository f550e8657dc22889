/* SPDX-License-Identifier: ISC */
/* Who touched a sensor and is shut out for a while: addresses with an end, of the whole server. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

/* Most addresses that are kept, as in xinetd. */
#define SENSOR_MAX 10240

struct sensor_entry;

/*
 * xinetd's global_no_access list. It keeps addresses, not texts: 10.0.0.0 is one
 * host, and a client is the same one by whatever socket it comes (D19). Nothing
 * runs while nobody comes: entries that are over count for nothing and go when
 * there is need for their room.
 */
struct sensor {
	struct sensor_entry *entries; /* by address */
	size_t n;
	uint64_t next_end_usec; /* none ends earlier */
};

enum sensor_result {
	SENSOR_ADDED,
	SENSOR_EXTENDED, /* it was on the list; the longer time counts */
	SENSOR_FULL,
	SENSOR_NO_MEMORY,
};

void sensor_init(struct sensor *sensor);
void sensor_done(struct sensor *sensor);

/*
 * Shuts @peer out for @minutes (UNLIMITED: for ever) from @now_usec on. A hit
 * while it is shut out extends the time (in xinetd it does not, by an inverted
 * test: D19), and never shortens it. Ports and zones do not count.
 */
enum sensor_result sensor_add(struct sensor *sensor, const struct addr *peer, int minutes,
			      uint64_t now_usec);

/* Whether @peer is shut out at @now_usec. Takes the same time however many are. */
bool sensor_has(const struct sensor *sensor, const struct addr *peer, uint64_t now_usec);
