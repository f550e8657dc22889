/* SPDX-License-Identifier: ISC */
/* Lines of stanzas that were read before: the same text means the same attribute with the same words. */
#include "config.h"

#include "config/lines.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

/* The table has open addresses; its size is a power of two, and half of it is enough. */
#define SLOTS     2048
#define MAX_LINES (SLOTS / 2)

struct lines_slot {
	char *text; /* NULL: free */
	size_t length;
	struct attribute attribute;
	uint32_t hash;
};

static struct lines_slot *slot_of(const struct lines *lines, const char *text, size_t length,
				  uint32_t hash)
{
	size_t i = hash % SLOTS;

	for (;; i = (i + 1) % SLOTS) {
		struct lines_slot *slot = &lines->slots[i];

		if (!slot->text || (slot->hash == hash && slot->length == length &&
				    memcmp(slot->text, text, length) == 0))
			return slot;
	}
}

const struct attribute *lines_find(const struct lines *lines, const char *text, size_t length)
{
	const struct lines_slot *slot;

	if (lines->n == 0)
		return NULL;
	slot = slot_of(lines, text, length, hash_bytes(0, text, length));
	return slot->text ? &slot->attribute : NULL;
}

void lines_add(struct lines *lines, const char *text, size_t length,
	       const struct attribute *attribute)
{
	uint32_t hash = hash_bytes(0, text, length);
	struct lines_slot *slot;

	if (!lines->slots)
		lines->slots = calloc(SLOTS, sizeof(*lines->slots));
	if (!lines->slots || lines->n == MAX_LINES)
		return;
	slot = slot_of(lines, text, length, hash);
	if (slot->text)
		return;
	slot->text = malloc(length + 1);
	if (!slot->text)
		return;
	memcpy(slot->text, text, length);
	slot->length = length;
	slot->hash = hash;
	slot->attribute = *attribute;
	attribute_ref(attribute);
	lines->n++;
}

void lines_done(struct lines *lines)
{
	for (size_t i = 0; lines->slots && i < SLOTS; i++) {
		if (!lines->slots[i].text)
			continue;
		attribute_unref(&lines->slots[i].attribute);
		free(lines->slots[i].text);
	}
	free(lines->slots);
	lines->slots = NULL;
	lines->n = 0;
}
