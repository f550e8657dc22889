/* SPDX-License-Identifier: ISC */
/* The part of tcpmux, RFC 1078, that reads: the name of a service, and never a byte of what follows it. */
#include "config.h"

#include <string.h>
#include <sys/socket.h>

#include "worker/builtin.h"
#include "worker/mux_name.h"

static int refuse(struct stream *stream, const char *text)
{
	stream->in_bytes = stream->own.name->n;
	return say_and_close(stream, text, strlen(text));
}

/*
 * Looks first and then takes what is the line's own: the rest is for the
 * service. A partial line is taken, too, so that the socket does not stay
 * readable with nothing new. Bytes count when the line is complete: until then
 * the client is as good as quiet, however it drips.
 */
static int tcpmux_stream(struct stream *stream, struct shared *shared, unsigned ready)
{
	struct mux_name *name = stream->own.name;
	ssize_t n = recv(stream->fd, shared->scratch, sizeof(name->bytes), MSG_PEEK | MSG_DONTWAIT);

	(void)ready;
	if (n < 0)
		return would_block(errno) ? WANT_READ : -errno;
	if (n == 0)
		return 0;
	n = recv(stream->fd, shared->scratch, mux_name_share(name, shared->scratch, (size_t)n),
		 MSG_DONTWAIT);
	if (n < 0)
		return would_block(errno) ? WANT_READ : -errno;
	switch (mux_name_take(name, shared->scratch, (size_t)n)) {
	case MUX_INCOMPLETE:
		return WANT_READ;
	case MUX_NAMED:
		stream->in_bytes = name->n;
		return WANT_HAND_BACK;
	case MUX_TOO_LONG:
		return refuse(stream, "-Service name too long\r\n");
	case MUX_MALFORMED:
		return refuse(stream, "-Service name malformed\r\n");
	}
	return -EINVAL;
}

const struct builtin tcpmux_builtin = { .stream = tcpmux_stream };
