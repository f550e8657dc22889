/* SPDX-License-Identifier: ISC */
/* The echo service, RFC 862. */
#include "config.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/util.h"
#include "worker/builtin.h"
#include "worker/flow.h"

/* Up to here one recv(2) and one send(2) are the quickest; and so much is held, at most, for a client that does not read. */
#define LITTLE ((size_t)16 * 1024)

/* What was read and has found no room yet. */
struct held {
	size_t sent;
	size_t n;
	char bytes[];
};

/* Keeps @n bytes until there is room for them. */
static int hold(struct stream *stream, const char *bytes, size_t n)
{
	struct held *held = malloc(sizeof(*held) + n);

	if (!held)
		return -ENOMEM;
	held->sent = 0;
	held->n = n;
	memcpy(held->bytes, bytes, n);
	stream->own.held = held;
	return WANT_WRITE;
}

static int send_held(struct stream *stream)
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
	free(TAKE_PTR(stream->own.held));
	return WANT_READ;
}

/* Goes over to a flow; without memory for one it stays as it is. */
static void begin_bulk(struct stream *stream)
{
	struct flow *flow;

	/* splice(2) has no other way to be told that it must not wait for a socket. */
	if (fcntl(stream->fd, F_SETFL, O_NONBLOCK) < 0)
		return;
	flow = calloc(1, sizeof(*flow));
	if (!flow)
		return;
	*flow = (struct flow){
		.from = stream->fd, .to = stream->fd, .bytes = &stream->out_bytes, .bulk = true
	};
	stream->own.flow = flow;
	stream->bulk = true;
}

static int echo_little(struct stream *stream, struct shared *shared)
{
	ssize_t got = recv(stream->fd, shared->scratch, LITTLE, MSG_DONTWAIT);
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
		return hold(stream, shared->scratch + put, (size_t)(got - put));
	if ((size_t)got == LITTLE)
		begin_bulk(stream);
	return WANT_READ;
}

static void end_bulk(struct stream *stream, struct shared *shared)
{
	flow_done(shared->flows, stream->own.flow);
	free(TAKE_PTR(stream->own.flow));
	stream->bulk = false;
}

/*
 * Input stays in the socket until there is room for it in the other direction. So
 * a client that does not read costs no memory here, its own sending stalls by
 * TCP's flow control, and at its end of file nothing is left to be sent.
 */
static int echo_much(struct stream *stream, struct shared *shared)
{
	struct flow *flow = stream->own.flow;
	int r = flow->stalled ? flow_resume(shared->flows, flow) : flow_pump(shared->flows, flow);

	stream->in_bytes = stream->out_bytes + flow->in_pipe;
	if (r < 0)
		return r;
	if (flow->done)
		return -flow->lost;
	if (flow->stalled)
		return WANT_WRITE;
	if (!flow->bulk)
		end_bulk(stream, shared);
	return WANT_READ;
}

static int echo_stream(struct stream *stream, struct shared *shared, unsigned ready)
{
	(void)ready;
	if (stream->bulk)
		return echo_much(stream, shared);
	return stream->own.held ? send_held(stream) : echo_little(stream, shared);
}

static void echo_end(struct stream *stream, struct shared *shared)
{
	if (stream->bulk)
		end_bulk(stream, shared);
	free(TAKE_PTR(stream->own.held));
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
	.end = echo_end,
	.dgram = echo_dgram,
};
