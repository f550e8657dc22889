/* SPDX-License-Identifier: ISC */
/* A table that finds what belongs to an endpoint. */
#include "config.h"

#include "config/endpoint_map.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

#define FIRST_SLOTS 16

/* One place of a hash table with open addresses; its size is a power of two. */
struct endpoint_slot {
	struct endpoint endpoint;
	const void *value; /* NULL: free */
	uint32_t hash;
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

/* Where the endpoint stands, or would. */
static struct endpoint_slot *slot_of(const struct endpoint_map *map,
				     const struct endpoint *endpoint, uint32_t hash)
{
	size_t i = hash & (map->n_slots - 1);

	while (map->slots[i].value &&
	       (map->slots[i].hash != hash || !endpoint_equal(&map->slots[i].endpoint, endpoint)))
		i = (i + 1) & (map->n_slots - 1);
	return &map->slots[i];
}

static int grow(struct endpoint_map *map)
{
	struct endpoint_map bigger = { .n_slots = map->n_slots ? 2 * map->n_slots : FIRST_SLOTS };

	bigger.slots = calloc(bigger.n_slots, sizeof(*bigger.slots));
	if (!bigger.slots)
		return -ENOMEM;
	for (size_t i = 0; i < map->n_slots; i++)
		if (map->slots[i].value)
			*slot_of(&bigger, &map->slots[i].endpoint, map->slots[i].hash) =
				map->slots[i];
	free(map->slots);
	map->slots = bigger.slots;
	map->n_slots = bigger.n_slots;
	return 0;
}

int endpoint_map_add(struct endpoint_map *map, const struct endpoint *endpoint, const void *value)
{
	uint32_t hash = hash_of(endpoint);
	struct endpoint_slot *slot;

	if (4 * (map->n + 1) > 3 * map->n_slots && grow(map) < 0)
		return -ENOMEM;
	slot = slot_of(map, endpoint, hash);
	if (slot->value)
		return 0;
	*slot = (struct endpoint_slot){ .endpoint = *endpoint, .value = value, .hash = hash };
	map->n++;
	return 0;
}

const void *endpoint_map_find(const struct endpoint_map *map, const struct endpoint *endpoint)
{
	return map->n ? slot_of(map, endpoint, hash_of(endpoint))->value : NULL;
}

void endpoint_map_done(struct endpoint_map *map)
{
	free(map->slots);
	*map = (struct endpoint_map){ 0 };
}
