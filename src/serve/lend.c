/* SPDX-License-Identifier: ISC */
/* Lends the socket itself to a server (xinetd.conf(5) "wait"), and throws away what is refused. */
#include "config.h"

#include "serve/lend.h"

#include "serve/admission.h"
#include "serve/child.h"
#include "serve/gate.h"
#include "serve/gate_plan.h"
#include "serve/run.h"
#include "serve/run_doors.h"
#include "serve/turn.h"

/* Drops the datagram or connection at the head of the queue. */
static void turn_away(struct place *place)
{
	struct addr peer;
	int fd;

	if (place->endpoint->socktype != SOCK_STREAM &&
	    place->endpoint->socktype != SOCK_SEQPACKET) {
		listener_drop(place->fd);
		return;
	}
	/* The socket is blocking, for the server's sake, and the client may be gone already. */
	(void)fd_set_nonblock(place->fd, true);
	fd = listener_accept(place->fd, true, &peer);
	(void)fd_set_nonblock(place->fd, false);
	if (fd >= 0)
		(void)close(fd);
}

/* Starts the server of @session, which is allowed, on the socket itself. */
static void lend_to_server(struct place *place, struct session *session)
{
	struct service_run *run = place->run;

	if (place->endpoint->socktype == SOCK_DGRAM && place_mark(place) < 0) {
		admission_abandon(session, VERDICT_FORK);
		run_pause(run, "no available memory");
		return;
	}
	if (!child_start_or_abandon(session, place->fd)) {
		/* What woke us is still there. */
		run_pause(run, "no available processes");
		return;
	}
	session->place = place;
	if (place->state != PLACE_LENT)
		place_lend(place, session);
}

/* Whether what @session was asked about still waits: a process that a server left behind may have read it. */
static bool still_waits(const struct session *session)
{
	const struct place *place = session->place;
	struct addr peer;

	return place->endpoint->socktype != SOCK_DGRAM ||
	       (listener_peek(place->fd, &peer) == 0 && addr_equal(&peer, &session->peer) &&
		peer.port == session->peer.port);
}

static void on_lender_allowed(struct session *session, int fd, void *data)
{
	(void)fd;
	(void)data;
	if (!session->place || !still_waits(session))
		admission_abandon(session, VERDICT_FORK);
	/* What was asked is not what the files say since a reload; who waits is asked about anew. */
	else if (!admission_answer_holds(session))
		admission_release(session);
	else
		lend_to_server(session->place, session);
}

static void on_lender_refused(struct session *session, int fd, void *data)
{
	(void)fd;
	(void)data;
	if (session->place)
		turn_away(session->place);
}

/* Returns whether somebody was turned away, so that there may be others. */
static bool lend(struct place *place)
{
	static const struct gate_ops ops = {
		.go_on = on_lender_allowed,
		.turn_away = on_lender_refused,
	};
	struct service_run *run = place->run;
	bool dgram = place->endpoint->socktype == SOCK_DGRAM;
	struct addr peer = { .family = AF_UNSPEC };
	uint64_t now = now_usec();
	struct decision decision;
	struct session *session;
	bool waits;

	if (place->endpoint->addr.family == AF_UNIX)
		peer.family = AF_UNIX;
	if (run_is_full(run))
		return false;
	waits = !dgram || listener_peek(place->fd, &peer) == 0;
	/* Who sent something is proof enough that a datagram socket is as it should be. */
	if ((!waits || (peer.family != AF_INET && peer.family != AF_INET6)) &&
	    listener_is_shut(place->fd)) {
		/* By a server (D30). */
		place_reopen(place);
		return false;
	}
	/* A datagram with a wrong checksum, say, was there and is gone. */
	if (!waits)
		return false;
	/* Its clients are who they are at the service's own places; here all come from this machine. */
	if (run->is_inner)
		peer = (struct addr){ .family = AF_UNSPEC };
	decision = admission_decide(run, &peer, now);
	if (decision.verdict == VERDICT_CPS)
		admission_rest(run);
	if (decision.verdict != VERDICT_ALLOW) {
		/* Only this one is refused, and the door stays open (D24). */
		if (place->state == PLACE_OPEN)
			turn_away(place);
		return dgram;
	}
	session = admission_begin(run, &peer, &decision, now);
	if (!session) {
		run_pause(run, "lack of memory");
		return false;
	}
	if (session->question == GATE_ASKS_NOTHING) {
		lend_to_server(place, session);
		return false;
	}
	if (gate_begin(session, &ops, -1, NULL) < 0) {
		run_pause(run, "no available processes");
		return false;
	}
	session->place = place;
	place_lend(place, session);
	return false;
}

void lend_ready(struct place *place)
{
	uint64_t end = now_usec() + DOOR_TURN_USEC;

	for (unsigned i = 0; i < DOOR_TURN && place->state == PLACE_OPEN; i++)
		if (!lend(place) || now_usec() >= end)
			return;
}
