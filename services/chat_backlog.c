/* SPDX-License-Identifier: ISC */
/* What has been said lately, kept once for all who have yet to get it. */
#include "chat_backlog.h"

#include <stdlib.h>
#include <string.h>

/* Records begin at multiples of this, so that the first two words of one always fit before the ring's end. */
#define ALIGNMENT 8

/* A line in the ring, never across its end; the text follows. */
struct record {
	uint32_t size; /* bytes in the ring, up to the next record */
	uint32_t
		length; /* of the text; 0 for what fills the ring up to its end, of which no more is there */
	struct audience audience;
	char stamp[STAMP_BYTES];
	char text[];
};

/* Places count bytes from the beginning of time; modulo @bytes they are places in ring[]. */
struct backlog {
	size_t bytes;
	uint64_t first;
	uint64_t end;
	_Alignas(ALIGNMENT) char ring[];
};

static size_t aligned(size_t bytes)
{
	return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

struct backlog *backlog_new(size_t bytes)
{
	struct backlog *backlog;

	bytes = aligned(bytes);
	backlog = malloc(sizeof(*backlog) + bytes);
	if (!backlog)
		return NULL;
	backlog->bytes = bytes;
	backlog->first = backlog->end = 0;
	return backlog;
}

void backlog_free(struct backlog *backlog)
{
	free(backlog);
}

static void *place_of(const struct backlog *backlog, uint64_t place)
{
	return (char *)(uintptr_t)backlog->ring + place % backlog->bytes;
}

static const struct record *record_at(const struct backlog *backlog, uint64_t place)
{
	return place_of(backlog, place);
}

/* Room for a record of @size bytes at the end, at the cost of the oldest. */
static struct record *make_room(struct backlog *backlog, size_t size)
{
	struct record *record;

	while (backlog->end + size - backlog->first > backlog->bytes)
		backlog->first += record_at(backlog, backlog->first)->size;
	record = place_of(backlog, backlog->end);
	record->size = (uint32_t)size;
	backlog->end += size;
	return record;
}

void backlog_add(struct backlog *backlog, struct audience audience, const char stamp[STAMP_BYTES],
		 const char *text, size_t length)
{
	size_t size = aligned(sizeof(struct record) + length);
	size_t to_edge = backlog->bytes - (size_t)(backlog->end % backlog->bytes);
	struct record *record;

	if (to_edge < size) {
		record = make_room(backlog, to_edge);
		record->length = 0;
	}
	record = make_room(backlog, size);
	record->length = (uint32_t)length;
	record->audience = audience;
	memcpy(record->stamp, stamp, STAMP_BYTES);
	memcpy(record->text, text, length);
}

uint64_t backlog_end(const struct backlog *backlog)
{
	return backlog->end;
}

size_t backlog_size(const struct backlog *backlog)
{
	return backlog->bytes;
}

bool backlog_lost(const struct backlog *backlog, const struct reader *reader)
{
	return reader->at < backlog->first;
}

/* What @reader gets of a record. Returns its length, 0 when it is not for this reader. */
static size_t view(const struct record *record, const struct reader *reader, const char **ret_text)
{
	const struct audience *audience = &record->audience;

	if (record->length == 0 || audience->except == reader->id ||
	    (audience->only && audience->only != reader->id))
		return 0;
	*ret_text = reader->stamps ? record->stamp : record->text;
	return record->length + (reader->stamps ? STAMP_BYTES : 0);
}

size_t backlog_read(const struct backlog *backlog, struct reader *reader, uint64_t end,
		    char *buffer, size_t size)
{
	uint64_t at = reader->at;
	size_t sent = reader->sent;
	size_t used = 0;

	if (sent == 0)
		reader->stamps = reader->wants_stamps;
	while (at < end && used < size) {
		const struct record *record = record_at(backlog, at);
		const char *text;
		size_t length = view(record, reader, &text);

		if (length) {
			size_t part = length - sent;

			if (part > size - used)
				part = size - used;
			memcpy(buffer + used, text + sent, part);
			used += part;
		}
		at += record->size;
		sent = 0;
		if (used == 0)
			reader->at = at;
	}
	return used;
}

void backlog_taken(const struct backlog *backlog, struct reader *reader, size_t length)
{
	while (length) {
		const struct record *record = record_at(backlog, reader->at);
		const char *text;
		size_t left = view(record, reader, &text);

		if (left > reader->sent + length) {
			reader->sent += length;
			return;
		}
		if (left)
			length -= left - reader->sent;
		reader->sent = 0;
		reader->at += record->size;
	}
}
