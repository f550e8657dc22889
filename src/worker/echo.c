/* SPDX-License-Identifier: ISC */
/* The echo service, RFC 862. */
#include "config.h"

#include <sys/socket.h>

#include "worker/builtin.h"

/*
 * Input stays in the socket until its copy has been taken by the other
 * direction. So a client that does not read costs no memory here, its own
 * sending stalls by TCP's flow control, and at its end of file nothing is
 * left to be sent.
 */
static int echo_stream(struct stream *stream, struct shared *shared, unsigned ready)
{
	ssize_t got, put;

	(void)ready;
	got = recv(stream->fd, shared->scratch, sizeof(shared->scratch), MSG_PEEK | MSG_DONTWAIT);
	if (got < 0)
		return would_block(errno) ? WANT_READ : -errno;
	if (got == 0)
		return 0;
	put = send(stream->fd, shared->scratch, (size_t)got, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (put < 0)
		return would_block(errno) ? WANT_WRITE : -errno;

	/* MSG_TRUNC spares the copy where the socket is TCP and means nothing on a Unix stream. */
	for (size_t left = (size_t)put; left > 0;) {
		ssize_t n = recv(stream->fd, shared->scratch, left, MSG_TRUNC | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0 || (size_t)n > left)
			return -EIO;
		left -= (size_t)n;
	}
	stream->in_bytes += (size_t)put;
	stream->out_bytes += (size_t)put;
	return put < got ? WANT_WRITE : WANT_READ;
}

static size_t echo_dgram(struct shared *shared, void *payload, size_t length,
			 struct iovec parts[static ANSWER_PARTS])
{
	(void)shared;
	parts[0] = (struct iovec){ .iov_base = payload, .iov_len = length };
	return 1;
}

const struct builtin echo_builtin = { .stream = echo_stream, .dgram = echo_dgram };
