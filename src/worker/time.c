/* SPDX-License-Identifier: ISC */
/* The time service, RFC 868. */
#include "config.h"

#include <time.h>

#include "worker/builtin.h"

/* Seconds from 1900 to 1970. */
#define EPOCH UINT32_C(2208988800)

static void time_bytes(struct shared *shared)
{
	/* Wraps in 2036, as the protocol does. */
	uint32_t now = (uint32_t)time(NULL) + EPOCH;

	for (unsigned i = 0; i < 4; i++)
		shared->time[i] = (uint8_t)(now >> (24 - 8 * i));
}

static int time_stream(struct stream *stream, struct shared *shared, unsigned ready)
{
	(void)ready;
	time_bytes(shared);
	return say_and_close(stream, shared->time, sizeof(shared->time));
}

static size_t time_dgram(struct shared *shared, void *payload, size_t length,
			 struct iovec parts[static ANSWER_PARTS])
{
	(void)payload;
	(void)length;
	time_bytes(shared);
	parts[0] = (struct iovec){ .iov_base = shared->time, .iov_len = sizeof(shared->time) };
	return 1;
}

const struct builtin time_builtin = {
	.starts_at_once = true,
	.stream = time_stream,
	.dgram = time_dgram,
};
