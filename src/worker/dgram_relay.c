/* SPDX-License-Identifier: ISC */
/* Passes the datagrams of one client to the private place of its service, and the answers back. */
#include "config.h"

#include "worker/dgram_relay.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/util.h"
#include "base/wire.h"
#include "worker/builtin.h"
#include "worker/dgrams.h"
#include "worker/loop.h"

/* Answers taken at one wake-up. */
#define ANSWERS_AT_ONCE 16

struct dgram_relay {
	struct watch watch; /* of the target */
	struct loop *loop;
	struct shared *shared;
	struct stream *stream;
	struct wire_dgram client; /* the last one that came from there, for its addresses */
	dgram_relay_fn *fn;
	void *arg;
};

static void on_answer(struct watch *watch, uint32_t ready)
{
	struct dgram_relay *relay = (struct dgram_relay *)watch; /* its first member */
	struct stream *stream = relay->stream;

	(void)ready;
	for (unsigned i = 0; i < ANSWERS_AT_ONCE; i++) {
		ssize_t n = recv(watch->fd, relay->shared->scratch, sizeof(relay->shared->scratch),
				 MSG_DONTWAIT);

		if (n < 0 && !would_block(errno)) {
			relay->fn(relay->arg, -errno);
			return;
		}
		if (n < 0)
			break;
		if (dgrams_send(stream->fd, &relay->client, relay->shared->scratch, (size_t)n) == 0)
			stream->out_bytes += (uint64_t)n;
	}
	relay->fn(relay->arg, 1);
}

int dgram_relay_new(struct loop *loop, struct shared *shared, struct stream *stream, int target,
		    dgram_relay_fn *fn, void *arg, struct dgram_relay **ret)
{
	CLEANUP_CLOSE int owned = target;
	CLEANUP_FREE struct dgram_relay *relay = calloc(1, sizeof(*relay));

	if (!relay)
		return -ENOMEM;
	relay->watch = (struct watch){ .fn = on_answer, .fd = target };
	relay->loop = loop;
	relay->shared = shared;
	relay->stream = stream;
	relay->fn = fn;
	relay->arg = arg;
	if (loop_watch(loop, &relay->watch, EPOLLIN) < 0)
		return -ENOMEM;
	(void)take_fd(&owned);
	*ret = TAKE_PTR(relay);
	return 0;
}

int dgram_relay_pass(struct dgram_relay *relay, const struct wire_dgram *dgram)
{
	relay->client = *dgram;
	if (send(relay->watch.fd, dgram + 1, dgram->length, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		return errno == ECONNREFUSED ? -errno : 0;
	relay->stream->in_bytes += dgram->length;
	return 0;
}

void dgram_relay_free(struct dgram_relay *relay)
{
	if (!relay)
		return;
	(void)loop_watch(relay->loop, &relay->watch, 0);
	(void)close(relay->watch.fd);
	free(relay);
}
