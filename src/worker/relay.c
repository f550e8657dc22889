/* SPDX-License-Identifier: ISC */
/* Moves bytes both ways between a client and the target of its redirected service. */
#include "config.h"

#include "worker/relay.h"

#include <event2/event.h>
#include <event2/event_struct.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/util.h"
#include "worker/builtin.h"

/*
 * A relay holds no bytes of its own: they are copied out of the one socket by
 * MSG_PEEK and leave it when the other has taken them. Where a whole scratch
 * buffer was full more is to be expected, and the direction goes over to
 * splice(2), which takes half the time for much at once and half as long again
 * for little. Its pipe is borrowed, and kept only while something is in it.
 */

/* Pipes at most, how much each takes, and what part of our descriptors they may be. */
#define PIPES      64
#define PIPE_BYTES (256 * 1024)
#define PIPE_SHARE 32

/* Less than this at once, and copying is cheaper. */
#define SPLICE_WORTH 16384

/* How often one direction is served at one wake-up. */
#define TURNS 4

enum {
	CLIENT,
	TARGET
};

struct relay_pipe {
	int in;
	int out;
	struct relay_pipe *next; /* in the list of free ones */
};

struct relay_pool {
	struct event_base *base;
	char *scratch;
	struct relay_pipe pipes[PIPES];
	struct relay_pipe *free;
};

struct side {
	struct relay *relay;
	int fd;
	short events; /* what event waits for; 0 while it is not added */
	struct event event;
};

/* What comes from one side and goes to the other. */
struct flow {
	int from;
	int to;
	uint64_t *bytes;
	struct relay_pipe *pipe; /* while something is in it */
	size_t in_pipe;
	bool ended;   /* there is no more to come */
	bool done;    /* and all has been passed on; or it cannot be any more */
	bool stalled; /* the other side has to read first */
	bool bulk;
};

struct relay {
	struct relay_pool *pool;
	struct side sides[2];
	struct flow flows[2]; /* by the side that they come from */
	relay_turned_fn *turned;
	void *arg;
	int lost;   /* errno of a side that takes no more */
	bool reset; /* a connection has failed: say so to the other */
};

/* --- pipes --- */

struct relay_pool *relay_pool_new(struct event_base *base, struct shared *shared)
{
	struct relay_pool *pool = calloc(1, sizeof(*pool));
	struct rlimit files;
	size_t n = PIPES;

	if (!pool)
		return NULL;
	pool->base = base;
	pool->scratch = shared->scratch;
	if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur / PIPE_SHARE < n)
		n = files.rlim_cur / PIPE_SHARE;
	for (size_t i = 0; i < n; i++) {
		int ends[2];

		if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
			break;
		/* Refused to users that have many; the usual size will do. */
		(void)fcntl(ends[1], F_SETPIPE_SZ, PIPE_BYTES);
		pool->pipes[i] =
			(struct relay_pipe){ .in = ends[1], .out = ends[0], .next = pool->free };
		pool->free = &pool->pipes[i];
	}
	return pool;
}

static void return_pipe(struct relay_pool *pool, struct relay_pipe *pipe)
{
	pipe->next = pool->free;
	pool->free = pipe;
}

/* Gives the flow's pipe back, empty. */
static void leave_pipe(struct relay_pool *pool, struct flow *flow)
{
	if (!flow->pipe)
		return;
	while (flow->in_pipe > 0) {
		ssize_t n = read(flow->pipe->out, pool->scratch, SCRATCH_BYTES);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		flow->in_pipe -= (size_t)n < flow->in_pipe ? (size_t)n : flow->in_pipe;
	}
	return_pipe(pool, TAKE_PTR(flow->pipe));
	flow->in_pipe = 0;
}

/* --- one direction --- */

/* Passes the end of one side on to the other. */
static void finish(struct flow *flow)
{
	flow->ended = true;
	flow->done = true;
	/* It fails where the other is gone, which is found out there. */
	(void)shutdown(flow->to, SHUT_WR);
}

/*
 * The other side takes no more. What it has sent before is still passed on, as
 * a server may well answer, and close, without reading everything.
 */
static int lose(struct relay *relay, struct flow *flow, int error)
{
	if (error != EPIPE && error != ECONNRESET)
		return -error;
	relay->lost = error;
	flow->done = true;
	flow->stalled = false;
	leave_pipe(relay->pool, flow);
	return 0;
}

/* Throws away what was peeked at and has been passed on. */
static int consume(int fd, char *scratch, size_t left)
{
	/* MSG_TRUNC spares the copy where the socket is TCP and means nothing on a Unix stream. */
	while (left > 0) {
		ssize_t n = recv(fd, scratch, left, MSG_TRUNC | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0 || (size_t)n > left)
			return -EIO;
		left -= (size_t)n;
	}
	return 0;
}

/* Moves what is there, a buffer at most. Returns how much was there; 0 where nothing was, or -errno. */
static ssize_t move_copied(struct relay *relay, struct flow *flow)
{
	char *scratch = relay->pool->scratch;
	ssize_t got, put;
	int r;

	got = recv(flow->from, scratch, SCRATCH_BYTES, MSG_PEEK | MSG_DONTWAIT);
	if (got < 0)
		return would_block(errno) ? 0 : -errno;
	if (got == 0) {
		finish(flow);
		return 0;
	}
	put = send(flow->to, scratch, (size_t)got, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (put < 0 && !would_block(errno))
		return lose(relay, flow, errno);
	flow->stalled = put < got;
	if (put <= 0)
		return 0;
	r = consume(flow->from, scratch, (size_t)put);
	if (r < 0)
		return r;
	*flow->bytes += (uint64_t)put;
	flow->bulk = (size_t)got == SCRATCH_BYTES;
	return got;
}

/* The same into a pipe. Copies where there is none, or where the kernel cannot do it. */
static ssize_t move_spliced(struct relay *relay, struct flow *flow)
{
	struct relay_pool *pool = relay->pool;
	struct relay_pipe *pipe = pool->free;
	ssize_t got;

	flow->bulk = false;
	if (!pipe)
		return move_copied(relay, flow);
	got = splice(flow->from, NULL, pipe->in, NULL, PIPE_BYTES,
		     SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
	if (got < 0 && !would_block(errno))
		return move_copied(relay, flow);
	if (got < 0)
		return 0;
	if (got == 0) {
		finish(flow);
		return 0;
	}
	pool->free = pipe->next;
	flow->pipe = pipe;
	flow->in_pipe = (size_t)got;
	flow->bulk = got >= SPLICE_WORTH;
	return got;
}

/* Empties the pipe as far as the other side takes it. Returns 0 or -errno. */
static int drain(struct relay *relay, struct flow *flow)
{
	while (flow->in_pipe > 0) {
		ssize_t put = splice(flow->pipe->out, NULL, flow->to, NULL, flow->in_pipe,
				     SPLICE_F_MOVE | SPLICE_F_NONBLOCK);

		if (put < 0 && would_block(errno)) {
			flow->stalled = true;
			return 0;
		}
		if (put <= 0)
			return lose(relay, flow, put < 0 ? errno : EPIPE);
		flow->in_pipe -= (size_t)put;
		*flow->bytes += (uint64_t)put;
	}
	leave_pipe(relay->pool, flow);
	return 0;
}

/* Moves a bounded amount. Returns 0 or -errno. */
static int pump(struct relay *relay, struct flow *flow)
{
	for (unsigned i = 0; i < TURNS && !flow->done && !flow->stalled; i++) {
		ssize_t moved = flow->bulk ? move_spliced(relay, flow) : move_copied(relay, flow);
		int r = moved < 0 ? (int)moved : drain(relay, flow);

		if (r < 0)
			return r;
		/* A buffer that was not full is a socket that is empty. */
		if (moved == 0 || !flow->bulk)
			return 0;
	}
	return 0;
}

/* The other side reads again. */
static int resume(struct relay *relay, struct flow *flow)
{
	int r;

	flow->stalled = false;
	r = drain(relay, flow);
	return r < 0 ? r : pump(relay, flow);
}

/* --- both --- */

static void on_side(evutil_socket_t fd, short what, void *arg);

static int await(struct relay *relay, int i)
{
	const struct flow *out = &relay->flows[i], *in = &relay->flows[!i];
	struct side *side = &relay->sides[i];
	short events = EV_PERSIST;

	if (!out->done && !out->stalled)
		events |= EV_READ;
	if (!in->done && in->stalled)
		events |= EV_WRITE;
	/* Nothing is wanted of it, but that it has failed is to be seen: each event once, then. */
	if (out->done && events == EV_PERSIST)
		events |= EV_READ | EV_ET;
	if (events == side->events)
		return 0;
	if (side->events)
		(void)event_del(&side->event);
	side->events = 0;
	if (events == EV_PERSIST)
		return 0;
	if (event_assign(&side->event, relay->pool->base, side->fd, events, on_side, side) < 0 ||
	    event_add(&side->event, NULL) < 0)
		return -ENOMEM;
	side->events = events;
	return 0;
}

/* Whether a connection that is not read from any more has failed; recv(2) says nothing but "end" there. */
static int probe(int fd)
{
	int error = 0;
	socklen_t length = sizeof(error);

	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0 ? -errno : -error;
}

static void on_side(evutil_socket_t fd, short what, void *arg)
{
	struct side *side = arg;
	struct relay *relay = side->relay;
	int i = side == &relay->sides[TARGET];
	struct flow *out = &relay->flows[i], *in = &relay->flows[!i];
	int r = 0;

	if (what & EV_READ)
		r = out->done ? probe(fd) : pump(relay, out);
	if (r == 0 && (what & EV_WRITE) && in->stalled)
		r = resume(relay, in);
	relay->reset = r < 0;
	if (r == 0 && out->done && in->done) {
		relay->turned(relay->arg, -relay->lost);
		return;
	}
	if (r == 0)
		r = await(relay, CLIENT);
	if (r == 0)
		r = await(relay, TARGET);
	relay->turned(relay->arg, r < 0 ? r : 1);
}

int relay_new(struct relay_pool *pool, struct stream *stream, int target, relay_turned_fn *turned,
	      void *arg, struct relay **ret)
{
	CLEANUP_CLOSE int owned = target;
	struct relay *relay = calloc(1, sizeof(*relay));

	if (!relay)
		return -ENOMEM;
	relay->pool = pool;
	relay->turned = turned;
	relay->arg = arg;
	relay->sides[CLIENT] = (struct side){ .relay = relay, .fd = stream->fd };
	relay->sides[TARGET] = (struct side){ .relay = relay, .fd = target };
	relay->flows[CLIENT] =
		(struct flow){ .from = stream->fd, .to = target, .bytes = &stream->in_bytes };
	relay->flows[TARGET] =
		(struct flow){ .from = target, .to = stream->fd, .bytes = &stream->out_bytes };
	if (await(relay, CLIENT) < 0 || await(relay, TARGET) < 0) {
		relay->sides[TARGET].fd = -1; /* owned here */
		relay_free(relay);
		return -ENOMEM;
	}
	(void)take_fd(&owned);
	*ret = relay;
	return 0;
}

void relay_free(struct relay *relay)
{
	const struct linger at_once = { .l_onoff = 1, .l_linger = 0 };

	if (!relay)
		return;
	for (int i = 0; i < 2; i++) {
		if (relay->sides[i].events)
			(void)event_del(&relay->sides[i].event);
		leave_pipe(relay->pool, &relay->flows[i]);
		if (relay->reset)
			(void)setsockopt(relay->sides[i].fd, SOL_SOCKET, SO_LINGER, &at_once,
					 sizeof(at_once));
	}
	if (relay->sides[TARGET].fd >= 0)
		(void)close(relay->sides[TARGET].fd);
	free(relay);
}
