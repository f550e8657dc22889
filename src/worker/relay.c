/* SPDX-License-Identifier: ISC */
/* Moves bytes both ways between a client and the target of its redirected service. */
#include "config.h"

#include "worker/relay.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/util.h"
#include "worker/builtin.h"
#include "worker/flow.h"
#include "worker/loop.h"

enum {
	CLIENT,
	TARGET
};

struct side {
	struct watch watch;
	struct relay *relay;
};

struct relay {
	struct loop *loop;
	struct flow_pool *pool;
	struct side sides[2];
	struct flow flows[2]; /* by the side that they come from */
	relay_turned_fn *turned;
	void *arg;
	bool reset; /* a connection has failed: say so to the other */
};

static int await(struct relay *relay, int i)
{
	const struct flow *out = &relay->flows[i], *in = &relay->flows[!i];
	uint32_t events = 0;

	if (!out->done && !out->stalled)
		events |= EPOLLIN;
	if (!in->done && in->stalled)
		events |= EPOLLOUT;
	/* Nothing is wanted of it, but that it has failed is to be seen: each event once, then. */
	if (out->done && !events)
		events = EPOLLIN | EPOLLET;
	return loop_watch(relay->loop, &relay->sides[i].watch, events);
}

/* Whether a connection that is not read from any more has failed; recv(2) says nothing but "end" there. */
static int probe(int fd)
{
	int error = 0;
	socklen_t length = sizeof(error);

	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0 ? -errno : -error;
}

static void on_side(struct watch *watch, uint32_t ready)
{
	struct side *side = (struct side *)watch; /* its first member */
	struct relay *relay = side->relay;
	int i = side == &relay->sides[TARGET];
	struct flow *out = &relay->flows[i], *in = &relay->flows[!i];
	int r = 0;

	if (ready & EPOLLIN)
		r = out->done ? probe(watch->fd) : flow_pump(relay->pool, out);
	if (r == 0 && (ready & EPOLLOUT) && in->stalled)
		r = flow_resume(relay->pool, in);
	relay->reset = r < 0;
	if (r == 0 && out->done && in->done) {
		relay->turned(relay->arg, out->lost ? -out->lost : -in->lost);
		return;
	}
	if (r == 0)
		r = await(relay, CLIENT);
	if (r == 0)
		r = await(relay, TARGET);
	relay->turned(relay->arg, r < 0 ? r : 1);
}

int relay_new(struct loop *loop, struct flow_pool *pool, struct stream *stream, int target,
	      relay_turned_fn *turned, void *arg, struct relay **ret)
{
	CLEANUP_CLOSE int owned = target;
	struct relay *relay = calloc(1, sizeof(*relay));

	if (!relay)
		return -ENOMEM;
	relay->loop = loop;
	relay->pool = pool;
	relay->turned = turned;
	relay->arg = arg;
	relay->sides[CLIENT] =
		(struct side){ .relay = relay, .watch = { .fn = on_side, .fd = stream->fd } };
	relay->sides[TARGET] =
		(struct side){ .relay = relay, .watch = { .fn = on_side, .fd = target } };
	relay->flows[CLIENT] =
		(struct flow){ .from = stream->fd, .to = target, .bytes = &stream->in_bytes };
	relay->flows[TARGET] =
		(struct flow){ .from = target, .to = stream->fd, .bytes = &stream->out_bytes };
	(void)take_fd(&owned);
	if (await(relay, CLIENT) < 0 || await(relay, TARGET) < 0) {
		relay_free(relay);
		return -ENOMEM;
	}
	*ret = relay;
	return 0;
}

void relay_free(struct relay *relay)
{
	const struct linger at_once = { .l_onoff = 1, .l_linger = 0 };

	if (!relay)
		return;
	for (int i = 0; i < 2; i++) {
		(void)loop_watch(relay->loop, &relay->sides[i].watch, 0);
		flow_done(relay->pool, &relay->flows[i]);
		if (relay->reset)
			(void)setsockopt(relay->sides[i].watch.fd, SOL_SOCKET, SO_LINGER, &at_once,
					 sizeof(at_once));
	}
	(void)close(relay->sides[TARGET].watch.fd);
	free(relay);
}
