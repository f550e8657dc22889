/* SPDX-License-Identifier: ISC */
/* Moves bytes from one connection to another. */
#include "config.h"

#include "worker/flow.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/util.h"
#include "worker/builtin.h"

/*
 * A flow holds no bytes of its own: they are copied out of the one socket by
 * MSG_PEEK and leave it when the other has taken them. Where there were COPY_BYTES
 * more is to be expected, and the direction goes over to
 * splice(2), which takes half the time for much at once and half as long again
 * for little. Its pipe is borrowed, and kept only while something is in it.
 */

/* Pipes at most, how much each takes, and what part of our descriptors they may be. */
#define PIPES      64
#define PIPE_BYTES (256 * 1024)
#define PIPE_SHARE 32

/* What is copied at once, of the scratch buffer. */
#define COPY_BYTES ((size_t)64 * 1024)

/* Less than this at once, and copying is cheaper. */
#define SPLICE_WORTH 16384

/* How often one direction is served at one wake-up. */
#define TURNS 4

struct flow_pipe {
	int in;
	int out;
	struct flow_pipe *next; /* in the list of free ones */
};

struct flow_pool {
	char *scratch;
	struct flow_pipe pipes[PIPES];
	struct flow_pipe *free;
};

struct flow_pool *flow_pool_new(char *scratch)
{
	struct flow_pool *pool = calloc(1, sizeof(*pool));
	struct rlimit files;
	size_t n = PIPES;

	if (!pool)
		return NULL;
	pool->scratch = scratch;
	if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur / PIPE_SHARE < n)
		n = files.rlim_cur / PIPE_SHARE;
	for (size_t i = 0; i < n; i++) {
		int ends[2];

		if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
			break;
		/* Refused to users that have many; the usual size will do. */
		(void)fcntl(ends[1], F_SETPIPE_SZ, PIPE_BYTES);
		pool->pipes[i] =
			(struct flow_pipe){ .in = ends[1], .out = ends[0], .next = pool->free };
		pool->free = &pool->pipes[i];
	}
	return pool;
}

static void return_pipe(struct flow_pool *pool, struct flow_pipe *pipe)
{
	pipe->next = pool->free;
	pool->free = pipe;
}

/* Gives the flow's pipe back, empty. */
static void leave_pipe(struct flow_pool *pool, struct flow *flow)
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

/* Passes the end of one side on to the other. */
static void finish(struct flow *flow)
{
	flow->done = true;
	/* It fails where the other is gone, which is found out there. */
	(void)shutdown(flow->to, SHUT_WR);
}

/*
 * The other side takes no more. What it has sent before is still passed on, as
 * a server may well answer, and close, without reading everything.
 */
static int lose(struct flow_pool *pool, struct flow *flow, int error)
{
	if (error != EPIPE && error != ECONNRESET)
		return -error;
	flow->lost = error;
	flow->done = true;
	flow->stalled = false;
	leave_pipe(pool, flow);
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
static ssize_t move_copied(struct flow_pool *pool, struct flow *flow)
{
	char *scratch = pool->scratch;
	ssize_t got, put;
	int r;

	got = recv(flow->from, scratch, COPY_BYTES, MSG_PEEK | MSG_DONTWAIT);
	if (got < 0)
		return would_block(errno) ? 0 : -errno;
	if (got == 0) {
		finish(flow);
		return 0;
	}
	put = send(flow->to, scratch, (size_t)got, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (put < 0 && !would_block(errno))
		return lose(pool, flow, errno);
	flow->stalled = put < got;
	if (put <= 0)
		return 0;
	r = consume(flow->from, scratch, (size_t)put);
	if (r < 0)
		return r;
	*flow->bytes += (uint64_t)put;
	flow->bulk = (size_t)got == COPY_BYTES;
	return got;
}

/* The same into a pipe. Copies where there is none, or where the kernel cannot do it. */
static ssize_t move_spliced(struct flow_pool *pool, struct flow *flow)
{
	struct flow_pipe *pipe = pool->free;
	ssize_t got;

	flow->bulk = false;
	if (!pipe)
		return move_copied(pool, flow);
	got = splice(flow->from, NULL, pipe->in, NULL, PIPE_BYTES,
		     SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
	if (got < 0 && !would_block(errno))
		return move_copied(pool, flow);
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
static int drain(struct flow_pool *pool, struct flow *flow)
{
	while (flow->in_pipe > 0) {
		ssize_t put = splice(flow->pipe->out, NULL, flow->to, NULL, flow->in_pipe,
				     SPLICE_F_MOVE | SPLICE_F_NONBLOCK);

		if (put < 0 && would_block(errno)) {
			flow->stalled = true;
			return 0;
		}
		if (put <= 0)
			return lose(pool, flow, put < 0 ? errno : EPIPE);
		flow->in_pipe -= (size_t)put;
		*flow->bytes += (uint64_t)put;
	}
	leave_pipe(pool, flow);
	return 0;
}

int flow_pump(struct flow_pool *pool, struct flow *flow)
{
	for (unsigned i = 0; i < TURNS && !flow->done && !flow->stalled; i++) {
		ssize_t moved = flow->bulk ? move_spliced(pool, flow) : move_copied(pool, flow);
		int r = moved < 0 ? (int)moved : drain(pool, flow);

		if (r < 0)
			return r;
		/* A buffer that was not full is a socket that is empty. */
		if (moved == 0 || !flow->bulk)
			return 0;
	}
	return 0;
}

int flow_resume(struct flow_pool *pool, struct flow *flow)
{
	int r;

	flow->stalled = false;
	r = drain(pool, flow);
	return r < 0 ? r : flow_pump(pool, flow);
}

void flow_done(struct flow_pool *pool, struct flow *flow)
{
	leave_pipe(pool, flow);
}
