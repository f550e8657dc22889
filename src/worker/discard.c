/* SPDX-License-Identifier: ISC */
/* The discard service, RFC 863. */
#include "config.h"

#include <sys/socket.h>

#include "worker/builtin.h"

int discard_input(struct stream *stream, struct shared *shared)
{
	/* MSG_TRUNC spares the copy where the socket is TCP and means nothing on a Unix stream. */
	ssize_t n = recv(stream->fd, shared->scratch, sizeof(shared->scratch),
			 MSG_TRUNC | MSG_DONTWAIT);

	if (n < 0)
		return would_block(errno) ? 0 : -errno;
	if (n == 0)
		stream->eof = true;
	stream->in_bytes += (size_t)n;
	return 0;
}

static int discard_stream(struct stream *stream, struct shared *shared, unsigned ready)
{
	int r = discard_input(stream, shared);

	(void)ready;
	if (r < 0)
		return r;
	return stream->eof ? 0 : WANT_READ;
}

static size_t discard_dgram(struct shared *shared, void *payload, size_t length,
			    struct iovec parts[static ANSWER_PARTS])
{
	(void)shared;
	(void)payload;
	(void)length;
	(void)parts;
	return 0;
}

const struct builtin discard_builtin = { .stream = discard_stream, .dgram = discard_dgram };
