/* SPDX-License-Identifier: ISC */
/* The daytime service, RFC 867, in the format of xinetd. */
#include "config.h"

#include <sys/socket.h>
#include <time.h>

#include "base/clock_text.h"
#include "worker/builtin.h"

/* Returns the length of shared->text, 0 on failure. The zone was read before the worker lost sight of the file system. */
static size_t daytime_text(struct shared *shared)
{
	return clock_text(time(NULL), shared->text);
}

int say_and_close(struct stream *stream, const void *text, size_t length)
{
	ssize_t n;

	/* More is to come: the end, which so goes in the same packet, and wakes the client once. */
	do
		n = send(stream->fd, text, length, MSG_DONTWAIT | MSG_NOSIGNAL | MSG_MORE);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	stream->out_bytes += (size_t)n;
	/* A fresh socket has room for a line; one that has not is not worth a buffer. */
	return (size_t)n == length ? WANT_CLOSE : -ENOBUFS;
}

static int daytime_stream(struct stream *stream, struct shared *shared, unsigned ready)
{
	size_t length = daytime_text(shared);

	(void)ready;
	return length > 0 ? say_and_close(stream, shared->text, length) : -EOVERFLOW;
}

static size_t daytime_dgram(struct shared *shared, void *payload, size_t length,
			    struct iovec parts[static ANSWER_PARTS])
{
	size_t n = daytime_text(shared);

	(void)payload;
	(void)length;
	parts[0] = (struct iovec){ .iov_base = shared->text, .iov_len = n };
	return n > 0 ? 1 : 0;
}

const struct builtin daytime_builtin = {
	.starts_at_once = true,
	.stream = daytime_stream,
	.dgram = daytime_dgram,
};
