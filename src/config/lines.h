/* SPDX-License-Identifier: ISC */
/* Lines of stanzas that were read before: the same text means the same attribute with the same words. */
#pragma once

#include <stddef.h>

#include "config/stanza.h"

struct lines_slot;

/* Of all files of a load. Starts zeroed but for its pool. */
struct lines {
	struct intern_pool *pool; /* for what lines consist of; or NULL */
	struct lines_slot *slots;
	size_t n;
};

/* What a line of this text was the last time, or NULL; its line number means nothing. */
const struct attribute *lines_find(const struct lines *lines, const char *text, size_t length);

/*
 * Remembers what a line of this text is. Those that many stanzas have come early: when a
 * table's worth is known, or memory runs out, no more are taken.
 */
void lines_add(struct lines *lines, const char *text, size_t length,
	       const struct attribute *attribute);

void lines_done(struct lines *lines);
