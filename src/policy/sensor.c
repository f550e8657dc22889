/* SPDX-License-Identifier: ISC */
/* Who touched a sensor and is shut out for a while: addresses with an end, of the whole server. */
#include "config.h"

#include "policy/sensor.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Without memory somebody is not shut out; the daemon goes on. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "config/service.h"

/* What tells addresses apart, without padding, as it is hashed as bytes. */
struct sensor_key {
	sa_family_t family;
	uint8_t bytes[16];
};

static_assert(sizeof(struct sensor_key) == sizeof(sa_family_t) + 16, "padding would be hashed");

struct sensor_entry {
	struct sensor_key key;
	uint64_t end_usec;
	UT_hash_handle hh;
};

void sensor_init(struct sensor *sensor)
{
	*sensor = (struct sensor){ .next_end_usec = UINT64_MAX };
}

static void drop(struct sensor *sensor, struct sensor_entry *entry)
{
	HASH_DEL(sensor->entries, entry);
	free(entry);
	sensor->n--;
}

void sensor_done(struct sensor *sensor)
{
	struct sensor_entry *entry, *next;

	HASH_ITER(hh, sensor->entries, entry, next)
	{
		drop(sensor, entry);
	}
	sensor_init(sensor);
}

static struct sensor_entry *find(const struct sensor *sensor, const struct addr *peer)
{
	struct sensor_key key = { .family = peer->family };
	struct sensor_entry *entry;

	memcpy(key.bytes, peer->bytes, sizeof(key.bytes));
	HASH_FIND(hh, sensor->entries, &key, sizeof(key), entry);
	return entry;
}

/* Makes room, where something is over: otherwise nothing is walked over. */
static void sweep(struct sensor *sensor, uint64_t now_usec)
{
	struct sensor_entry *entry, *next;

	if (now_usec < sensor->next_end_usec)
		return;
	sensor->next_end_usec = UINT64_MAX;
	HASH_ITER(hh, sensor->entries, entry, next)
	{
		if (entry->end_usec <= now_usec)
			drop(sensor, entry);
		else if (entry->end_usec < sensor->next_end_usec)
			sensor->next_end_usec = entry->end_usec;
	}
}

enum sensor_result sensor_add(struct sensor *sensor, const struct addr *peer, int minutes,
			      uint64_t now_usec)
{
	uint64_t end = minutes == UNLIMITED ? UINT64_MAX
					    : now_usec + (uint64_t)minutes * 60 * USEC_PER_SEC;
	struct sensor_entry *entry = find(sensor, peer);
	bool was_over;

	if (end < sensor->next_end_usec)
		sensor->next_end_usec = end;
	if (entry) {
		was_over = entry->end_usec <= now_usec;
		if (entry->end_usec < end)
			entry->end_usec = end;
		return was_over ? SENSOR_ADDED : SENSOR_EXTENDED;
	}
	if (sensor->n >= SENSOR_MAX)
		sweep(sensor, now_usec);
	if (sensor->n >= SENSOR_MAX)
		return SENSOR_FULL;
	entry = calloc(1, sizeof(*entry));
	if (!entry)
		return SENSOR_NO_MEMORY;
	entry->key.family = peer->family;
	memcpy(entry->key.bytes, peer->bytes, sizeof(entry->key.bytes));
	entry->end_usec = end;
	HASH_ADD(hh, sensor->entries, key, sizeof(entry->key), entry);
	if (!entry->hh.tbl) {
		free(entry);
		return SENSOR_NO_MEMORY;
	}
	sensor->n++;
	return SENSOR_ADDED;
}

bool sensor_has(const struct sensor *sensor, const struct addr *peer, uint64_t now_usec)
{
	const struct sensor_entry *entry = find(sensor, peer);

	return entry && entry->end_usec > now_usec;
}
