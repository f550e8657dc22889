/* SPDX-License-Identifier: ISC */
/* What waits at a door: connections to accept, a socket to lend, datagrams to forward or to throw away. */
#include "config.h"

#include "serve/ready.h"

#include <errno.h>

#include "base/log.h"
#include "serve/admission.h"
#include "serve/asked_dgrams.h"
#include "serve/gate.h"
#include "serve/gate_plan.h"
#include "serve/intercept_dgrams.h"
#include "serve/launch.h"
#include "serve/reap.h"
#include "serve/redirect.h"
#include "serve/run.h"
#include "serve/worker_dgrams.h"

/*
 * What one door gets before it is others' turn: many connections that cost little, such as those that are refused, or
 * as many as this time is enough for, which a single server that is started may exceed.
 */
#define ACCEPTS_A_TURN 64
#define TURN_USEC      200

/* --- connections --------------------------------------------------------------------- */

/* What accept() says when it is not about the daemon but about one client, or nobody. */
static bool is_passing(int error)
{
	switch (-error) {
	case EAGAIN:
	case EINTR:
	case ECONNABORTED:
	case EPROTO:
	case ENETDOWN:
	case ENOPROTOOPT:
	case EHOSTDOWN:
	case ENONET:
	case EHOSTUNREACH:
	case EOPNOTSUPP:
	case ENETUNREACH:
	case EPERM:
		return true;
	default:
		return false;
	}
}

static void accept_failed(struct place *place, int error)
{
	struct service_run *run = place->run;

	if (error == -EMFILE || error == -ENFILE || error == -ENOMEM || error == -ENOBUFS) {
		/* The connection stays in the queue; to look again at once would only spin. */
		run_pause(run, "no available descriptors");
		return;
	}
	log_write_errno(LOG_LEVEL_ERROR, error, "service %s, accept: %m", run->service->id);
	if (error == -EINVAL || error == -EBADF) {
		/* Somebody who shared the socket shut it down (D30). */
		place_reopen(place);
	}
}

/* Takes what waits at the door, one turn's worth. */
static void accept_some(struct place *place)
{
	struct service_run *run = place->run;
	bool internal = !run->spawn;
	uint64_t end = now_usec() + TURN_USEC;

	for (unsigned i = 0; i < ACCEPTS_A_TURN && place->state == PLACE_OPEN; i++) {
		struct session *session;
		struct addr peer;
		int fd;

		if (run_is_full(run))
			return;
		if ((run->service->redirect_host || run->intercept) && !redirect_has_room(run)) {
			run_pause(run, "too many connections that wait for their target");
			return;
		}
		fd = listener_accept(place->fd, internal, &peer);

		if (fd == -EAGAIN)
			return;
		if (fd < 0) {
			if (!is_passing(fd)) {
				accept_failed(place, fd);
				return;
			}
			continue;
		}
		session = launch_connection(run, fd, &peer);
		/* An internal stream service with wait = yes has one session at a time. */
		if (session && run->service->wait && !run->intercept) {
			session->place = place;
			place_lend(place, session);
		}
		if (now_usec() >= end)
			return;
	}
}

/* --- wait = yes ------------------------------------------------------------------------ */

/* Drops the datagram or connection at the head of the queue. */
static void turn_away(struct place *place)
{
	struct addr peer;
	int fd;

	if (place->endpoint.socktype != SOCK_STREAM && place->endpoint.socktype != SOCK_SEQPACKET) {
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

	if (place->endpoint.socktype == SOCK_DGRAM)
		listener_mark(place->fd, place->suspect, &place->mark);
	if (!launch_server(session, place->fd)) {
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

	return place->endpoint.socktype != SOCK_DGRAM ||
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
	else if (!gate_answer_holds(session))
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

/* Lends the socket itself to a server (xinetd.conf(5) "wait"). */
static void lend(struct place *place)
{
	static const struct gate_ops ops = {
		.go_on = on_lender_allowed,
		.turn_away = on_lender_refused,
	};
	struct service_run *run = place->run;
	bool dgram = place->endpoint.socktype == SOCK_DGRAM;
	struct addr peer = { .family = AF_UNSPEC };
	uint64_t now = now_usec();
	struct decision decision;
	struct session *session;
	bool waits;

	if (place->endpoint.addr.family == AF_UNIX)
		peer.family = AF_UNIX;
	if (run_is_full(run))
		return;
	waits = !dgram || listener_peek(place->fd, &peer) == 0;
	/* Who sent something is proof enough that a datagram socket is as it should be. */
	if ((!waits || (peer.family != AF_INET && peer.family != AF_INET6)) &&
	    listener_is_shut(place->fd)) {
		/* By a server (D30). */
		place_reopen(place);
		return;
	}
	/* A datagram with a wrong checksum, say, was there and is gone. */
	if (!waits)
		return;
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
		return;
	}
	session = admission_begin(run, &peer, &decision, now);
	if (!session) {
		run_pause(run, "lack of memory");
		return;
	}
	if (session->question == GATE_ASKS_NOTHING) {
		lend_to_server(place, session);
		return;
	}
	if (gate_begin(session, &ops, -1, NULL) < 0) {
		run_pause(run, "no available processes");
		return;
	}
	session->place = place;
	place_lend(place, session);
}

/* --- internal datagram services ------------------------------------------------------------ */

struct datagram_turn {
	struct place *place;
	uint64_t now;
	bool tripped; /* the socket is still needed for those admitted before */
};

/* What admit_datagram() leaves for outcome_of_datagram(): admitted, and whether its source was counted. */
enum {
	TOKEN_ADMITTED = 1,
	TOKEN_COUNTED = 2
};

static bool admit_datagram(void *arg, const struct sockaddr *from, socklen_t length,
			   uint64_t *ret_token)
{
	struct datagram_turn *turn = arg;
	struct service_run *run = turn->place->run;
	struct decision decision;
	struct addr peer;

	addr_from_sockaddr(&peer, from, length);
	if (turn->tripped)
		return false;
	decision = admission_decide(run, &peer, turn->now);
	turn->tripped = decision.verdict == VERDICT_CPS;
	*ret_token = TOKEN_ADMITTED | (decision.source_was_taken ? TOKEN_COUNTED : 0);
	return decision.verdict == VERDICT_ALLOW;
}

/* Nobody waits for the answer to a datagram: its session begins and ends when it is on its way to the worker. */
static void outcome_of_datagram(void *arg, const struct sockaddr *from, socklen_t length,
				uint64_t token, size_t bytes, int error)
{
	struct datagram_turn *turn = arg;
	struct service_run *run = turn->place->run;
	struct decision decision = { .source_was_taken = token & TOKEN_COUNTED };
	struct session *session;
	struct addr peer;

	addr_from_sockaddr(&peer, from, length);
	session = admission_begin(run, &peer, &decision, turn->now);
	if (!session)
		return;
	if (error) {
		admission_abandon(session, VERDICT_FORK);
		return;
	}
	session->in_bytes = bytes;
	record_start(run->server->writer, session->sink, session);
	reap_finish(run->server, session, 0);
}

static void receive_some(struct place *place)
{
	static const struct worker_dgrams_ops ops = {
		.admit = admit_datagram,
		.outcome = outcome_of_datagram,
	};
	struct datagram_turn turn = { .place = place, .now = now_usec() };
	struct service_run *run = place->run;
	struct worker_dgrams_counts counts;

	(void)worker_dgrams_forward(run->server->worker, run->service->builtin, place->fd, &ops,
				    &turn, &counts);
	if (turn.tripped)
		admission_rest(run);
}

/* A sensor answers nothing: each datagram is refused and thrown away. */
static void sense_some(struct place *place)
{
	struct service_run *run = place->run;

	for (unsigned i = 0; i < ACCEPTS_A_TURN && place->state == PLACE_OPEN; i++) {
		struct addr peer;

		if (listener_peek(place->fd, &peer) < 0)
			return;
		listener_drop(place->fd);
		if (admission_decide(run, &peer, now_usec()).verdict == VERDICT_CPS)
			admission_rest(run);
	}
}

void ready_place(evutil_socket_t fd, short what, void *arg)
{
	struct place *place = arg;
	struct service_run *run = place->run;

	(void)fd;
	(void)what;
	if (run->spawn && run->service->wait)
		lend(place);
	else if ((run->service->flags & FLAG_SENSOR) && place->endpoint.socktype != SOCK_STREAM &&
		 place->endpoint.socktype != SOCK_SEQPACKET)
		sense_some(place);
	else if (place->endpoint.socktype == SOCK_DGRAM && run->intercept)
		intercept_dgrams(place);
	else if (place->endpoint.socktype == SOCK_DGRAM && run->gate)
		asked_dgrams_receive(place);
	else if (place->endpoint.socktype == SOCK_DGRAM)
		receive_some(place);
	else
		accept_some(place);
}
