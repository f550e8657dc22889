/* SPDX-License-Identifier: ISC */
/* The time service, RFC 868. */
#include "config.h"

#include <time.h>

#include "base/clock_text.h"
#include "worker/builtin.h"

static int time_stream(struct stream *stream, struct shared *shared, unsigned ready)
{
	(void)ready;
	clock_seconds(time(NULL), shared->time);
	return say_and_close(stream, shared->time, sizeof(shared->time));
}

static size_t time_dgram(struct shared *shared, void *payload, size_t length,
			 struct iovec parts[static ANSWER_PARTS])
{
	(void)payload;
	(void)length;
	clock_seconds(time(NULL), shared->time);
	parts[0] = (struct iovec){ .iov_base = shared->time, .iov_len = sizeof(shared->time) };
	return 1;
}

const struct builtin time_builtin = {
	.starts_at_once = true,
	.stream = time_stream,
	.dgram = time_dgram,
};
