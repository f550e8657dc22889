/* SPDX-License-Identifier: ISC */
/* A table that finds what belongs to an endpoint. */
#include "config.h"

#include "config/endpoint_map.h"

#include <errno.h>
#include <string.h>

#include "base/util.h"

struct endpoint_slot {
	struct endpoint endpoint;
	const void *value; /* NULL: free */
};

/* What endpoint_equal() compares; the members stand side by side. */
#define KEY_BYTES offsetof(struct endpoint, optional)
_Static_assert(KEY_BYTES == sizeof(struct addr) + sizeof(uint16_t) + 2 * sizeof(uint8_t),
	       "no padding in what is hashed");

static uint32_t hash_of(const struct endpoint *endpoint)
{
	uint32_t hash = hash_bytes(0, endpoint, KEY_BYTES);

	return endpoint->path ? hash_bytes(hash, endpoint->path, strlen(endpoint->path)) : hash;
}

static bool is_taken(const void *slot)
{
	return ((const struct endpoint_slot *)slot)->value;
}

static uint32_t hash_slot(const struct open_table *table, const void *slot)
{
	(void)table;
	return hash_of(&((const struct endpoint_slot *)slot)->endpoint);
}

static const struct open_table_kind kind = { sizeof(struct endpoint_slot), 16, is_taken,
					     hash_slot };

static bool is_at(const void *slot, const void *endpoint)
{
	return endpoint_equal(&((const struct endpoint_slot *)slot)->endpoint, endpoint);
}

static struct endpoint_slot *slot_of(const struct endpoint_map *map,
				     const struct endpoint *endpoint)
{
	return open_table_slot(&map->places, &kind, hash_of(endpoint), is_at, endpoint);
}

int endpoint_map_add(struct endpoint_map *map, const struct endpoint *endpoint, const void *value)
{
	struct endpoint_slot *slot;

	if (open_table_reserve(&map->places, &kind) < 0)
		return -ENOMEM;
	slot = slot_of(map, endpoint);
	if (slot->value)
		return 0;
	*slot = (struct endpoint_slot){ .endpoint = *endpoint, .value = value };
	map->places.n++;
	return 0;
}

const void *endpoint_map_find(const struct endpoint_map *map, const struct endpoint *endpoint)
{
	return map->places.n ? slot_of(map, endpoint)->value : NULL;
}

void endpoint_map_done(struct endpoint_map *map)
{
	open_table_done(&map->places);
}
