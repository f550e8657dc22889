/* SPDX-License-Identifier: ISC */
/* Datagrams for internal services whose senders have to be asked about one by one. */
#include "config.h"

#include "serve/asked_dgrams.h"

#include <errno.h>

#include "record/record.h"
#include "serve/admission.h"
#include "serve/finish.h"
#include "serve/gate.h"
#include "serve/gate_plan.h"
#include "serve/run.h"
#include "serve/run_doors.h"
#include "serve/worker_dgrams.h"

/* Datagrams taken from one door before others get their turn. */
#define DGRAMS_A_TURN 32

static bool consider(struct service_run *run, struct worker_dgram *dgram);

/* Nobody waits for the answer to a datagram: its session ends when it is on its way to the worker. */
static void answer(struct session *session, struct worker_dgram *dgram)
{
	struct service_run *run = session->run;
	int r = worker_dgrams_give(run->server->worker, run->service->builtin, dgram);

	session->in_bytes = worker_dgrams_length(dgram);
	worker_dgrams_drop(dgram);
	if (r < 0) {
		admission_abandon(session, VERDICT_FORK);
		return;
	}
	record_start(run->server->writer, session->sink, session);
	finish_session(session, 0);
}

static void on_allowed(struct session *session, int fd, void *data)
{
	struct service_run *run = session->run;

	(void)fd;
	run->asked_dgrams--;
	if (admission_answer_holds(session)) {
		answer(session, data);
		return;
	}
	/* What was asked is not what the files say since a reload. */
	if (run->service->builtin == BUILTIN_NONE) {
		worker_dgrams_drop(data);
		admission_abandon(session, VERDICT_FORK);
		return;
	}
	admission_release(session);
	(void)consider(run, data);
}

static void on_refused(struct session *session, int fd, void *data)
{
	(void)fd;
	session->run->asked_dgrams--;
	worker_dgrams_drop(data);
}

/* Decides about @dgram, which is taken over. Returns whether others can be taken. */
static bool consider(struct service_run *run, struct worker_dgram *dgram)
{
	static const struct gate_ops ops = { .go_on = on_allowed, .turn_away = on_refused };
	const struct addr peer = worker_dgrams_peer(dgram);
	uint64_t now = now_usec();
	struct decision decision = admission_decide(run, &peer, now);
	struct session *session;

	if (decision.verdict == VERDICT_CPS)
		admission_rest(run);
	session = decision.verdict == VERDICT_ALLOW ? admission_begin(run, &peer, &decision, now)
						    : NULL;
	if (!session) {
		worker_dgrams_drop(dgram);
		return true;
	}
	if (session->question == GATE_ASKS_NOTHING) {
		answer(session, dgram);
		return true;
	}
	if (gate_begin(session, &ops, -1, dgram) < 0) {
		worker_dgrams_drop(dgram);
		run_pause(run, "no available processes");
		return false;
	}
	run->asked_dgrams++;
	return true;
}

void asked_dgrams_receive(struct place *place)
{
	struct service_run *run = place->run;

	for (unsigned i = 0; i < DGRAMS_A_TURN && place->state == PLACE_OPEN; i++) {
		struct worker_dgram *dgram;
		int r;

		if (run_is_full(run))
			return;
		r = worker_dgrams_take(run->server->worker, place->fd, &dgram);
		if (r == -EMSGSIZE)
			continue;
		if (r < 0 || !consider(run, dgram))
			return;
	}
}
