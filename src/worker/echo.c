/* SPDX-License-Identifier: ISC */
/* The echo service, RFC 862. */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/util.h"
#include "worker/builtin.h"

/*
 * What was read is held until its client takes it, all clients' together up to MUCH_HELD: as long
 * as there is less, as much is read at once as the scratch buffer takes. That is the quickest way for
 * one busy connection and for many: splice(2) takes less of the processor, but waits more often. From
 * there on it is so little at a time that clients who never read are welcome to have it held.
 */
#define MUCH_HELD ((size_t)4 * 1024 * 1024)
#define LITTLE    ((size_t)16 * 1024)

/* What was read and has found no room yet. */
struct held {
	size_t sent;
	size_t n;
	char bytes[];
};

/* Keeps @n bytes until there is room for them. */
static int hold(struct stream *stream, struct shared *shared, const char *bytes, size_t n)
{
	struct held *held = malloc(sizeof(*held) + n);

	if (!held)
		return -ENOMEM;
	held->sent = 0;
	held->n = n;
	memcpy(held->bytes, bytes, n);
	stream->own.held = held;
	shared->held_bytes += n;
	return WANT_WRITE;
}

static void let_go(struct stream *stream, struct shared *shared)
{
	struct held *held = TAKE_PTR(stream->own.held);

	if (!held)
		return;
	shared->held_bytes -= held->n;
	free(held);
}

static int send_held(struct stream *stream, struct shared *shared)
{
	struct held *held = stream->own.held;
	ssize_t put = send(stream->fd, held->bytes + held->sent, held->n - held->sent,
			   MSG_DONTWAIT | MSG_NOSIGNAL);

	if (put < 0)
		return would_block(errno) ? WANT_WRITE : -errno;
	stream->out_bytes += (size_t)put;
	held->sent += (size_t)put;
	if (held->sent < held->n)
		return WANT_WRITE;
	let_go(stream, shared);
	return WANT_READ;
}

/*
 * What stays in the socket costs no memory here: the sending of a client that does not
 * read stalls by TCP's flow control.
 */
static int pass_on(struct stream *stream, struct shared *shared)
{
	size_t most = shared->held_bytes < MUCH_HELD ? SCRATCH_BYTES : LITTLE;
	ssize_t got = recv(stream->fd, shared->scratch, most, MSG_DONTWAIT);
	ssize_t put;

	if (got < 0)
		return would_block(errno) ? WANT_READ : -errno;
	if (got == 0)
		return 0;
	stream->in_bytes += (size_t)got;
	put = send(stream->fd, shared->scratch, (size_t)got, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (put < 0 && !would_block(errno))
		return -errno;
	if (put < 0)
		put = 0;
	stream->out_bytes += (size_t)put;
	if (put < got)
		return hold(stream, shared, shared->scratch + put, (size_t)(got - put));
	return WANT_READ;
}

static int echo_stream(struct stream *stream, struct shared *shared, unsigned ready)
{
	(void)ready;
	return stream->own.held ? send_held(stream, shared) : pass_on(stream, shared);
}

static size_t echo_dgram(struct shared *shared, void *payload, size_t length,
			 struct iovec parts[static ANSWER_PARTS])
{
	(void)shared;
	parts[0] = (struct iovec){ .iov_base = payload, .iov_len = length };
	return 1;
}

const struct builtin echo_builtin = {
	.starts_at_once = true,
	.stream = echo_stream,
	.end = let_go,
	.dgram = echo_dgram,
};
