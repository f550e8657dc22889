/* SPDX-License-Identifier: ISC */
/* Datagrams for internal services whose senders nobody has to be asked about: decided about and handed on by the batch. */
#include "config.h"

#include "serve/plain_dgrams.h"

#include "base/util.h"
#include "record/record.h"
#include "serve/admission.h"
#include "serve/place.h"
#include "serve/state.h"
#include "serve/worker_dgrams.h"

struct turn {
	struct service_run *run;
	uint64_t now;
	bool tripped; /* the socket is still needed for those admitted before */
};

/*
 * Nobody waits for the answer to a datagram: it takes its place among those that are
 * served for no longer than the decision, and does not bar the next of its batch.
 */
static bool admit_one(void *arg, const struct sockaddr *from, socklen_t length, uint64_t *ret_token)
{
	struct turn *turn = arg;
	struct decision decision;
	struct addr peer;

	(void)ret_token;
	if (turn->tripped)
		return false;
	addr_from_sockaddr(&peer, from, length);
	decision = admission_decide(turn->run, &peer, turn->now);
	turn->tripped = decision.verdict == VERDICT_CPS;
	if (decision.verdict != VERDICT_ALLOW)
		return false;
	admission_take_back(turn->run, &peer, &decision);
	return true;
}

/* Its session begins and ends when it is on its way to the worker, and is there for the records alone. */
static void record_one(void *arg, const struct sockaddr *from, socklen_t length, uint64_t token,
		       size_t bytes, int error)
{
	const struct turn *turn = arg;
	struct service_run *run = turn->run;
	struct server *server = run->server;
	struct session session = {
		.number = ++server->last_number,
		.service = run->service,
		.start_usec = turn->now,
		.in_bytes = bytes,
		.run = run,
	};

	(void)token;
	addr_from_sockaddr(&session.peer, from, length);
	if (error) {
		record_fail(server->writer, run->sink, run->service, &session.peer,
			    verdict_reason(VERDICT_FORK));
		return;
	}
	record_start(server->writer, run->sink, &session);
	record_exit(server->writer, run->sink, &session, turn->now);
}

void plain_dgrams_receive(struct place *place)
{
	static const struct worker_dgrams_ops ops = { .admit = admit_one, .outcome = record_one };
	struct service_run *run = place->run;
	struct turn turn = { .run = run, .now = now_usec() };
	struct worker_dgrams_counts counts;

	(void)worker_dgrams_forward(run->server->worker, run->service->builtin, place->fd, &ops,
				    &turn, &counts);
	if (turn.tripped)
		admission_rest(run);
}
