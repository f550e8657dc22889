/* SPDX-License-Identifier: ISC */
/* What waits at a door: connections to accept, a socket to lend, datagrams to forward or to throw away. */
#include "config.h"

#include "serve/ready.h"

#include <errno.h>

#include "base/log.h"
#include "serve/admission.h"
#include "serve/asked_dgrams.h"
#include "serve/doors.h"
#include "serve/intercept_dgrams.h"
#include "serve/launch.h"
#include "serve/lend.h"
#include "serve/plain_dgrams.h"
#include "serve/redirect.h"
#include "serve/run.h"
#include "serve/run_doors.h"
#include "serve/turn.h"
#include "serve/worker_link.h"

/* Turns in which one connection is taken before it is looked whether there are more. */
#define SINGLES_A_LOOK 8

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

/* Takes one connection. Returns whether it is worth while to look for another. */
static bool accept_one(struct place *place)
{
	struct service_run *run = place->run;
	bool internal = !run_wants(run, START_SERVER);
	struct session *session;
	struct addr peer;
	int fd;

	if (run_is_full(run))
		return false;
	if ((run->service->redirect_host || run->intercept) && !redirect_has_room(run)) {
		run_pause(run, "too many connections that wait for their target");
		return false;
	}
	fd = listener_accept(place->fd, internal, &peer);
	if (fd == -EAGAIN)
		return false;
	if (fd < 0 && !is_passing(fd)) {
		accept_failed(place, fd);
		return false;
	}
	if (fd < 0)
		return true;
	session = launch_connection(run, fd, &peer);
	/* An internal stream service with wait = yes has one session at a time. */
	if (session && run->service->wait && !run->intercept) {
		session->place = place;
		place_lend(place, session);
	}
	return place->state == PLACE_OPEN;
}

/*
 * Takes what waits at the door, one turn's worth. That nobody else waits costs a
 * system call to learn, and when somebody does, the loop tells it, too: so where clients come
 * one by one, only one is taken, and only now and then it is looked whether more come now.
 */
static void accept_some(struct place *place)
{
	bool looks = place->crowded || ++place->singles >= SINGLES_A_LOOK;
	uint64_t end = looks ? now_usec() + DOOR_TURN_USEC : 0;
	unsigned n = 0;

	while (n < DOOR_TURN && accept_one(place)) {
		n++;
		if (!looks || now_usec() >= end)
			break;
	}
	if (!looks)
		return;
	place->singles = 0;
	place->crowded = n > 1;
}

/* --- datagrams --------------------------------------------------------------------- */

/* A sensor answers nothing: each datagram is refused and thrown away. */
static void sense_some(struct place *place)
{
	struct service_run *run = place->run;

	for (unsigned i = 0; i < DOOR_TURN && place->state == PLACE_OPEN; i++) {
		struct addr peer;

		if (listener_peek(place->fd, &peer) < 0)
			return;
		listener_drop(place->fd);
		if (admission_decide(run, &peer, now_usec()).verdict == VERDICT_CPS)
			admission_rest(run);
	}
}

void ready_place(struct place *place)
{
	struct service_run *run = place->run;

	if (run_wants(run, START_SERVER) && run->service->wait)
		lend_ready(place);
	else if ((run->service->flags & FLAG_SENSOR) && place->endpoint->socktype != SOCK_STREAM &&
		 place->endpoint->socktype != SOCK_SEQPACKET)
		sense_some(place);
	else if (place->endpoint->socktype == SOCK_DGRAM && run->intercept)
		intercept_dgrams(place);
	else if (place->endpoint->socktype == SOCK_DGRAM && run_wants(run, START_GATE))
		asked_dgrams_receive(place);
	else if (place->endpoint->socktype == SOCK_DGRAM)
		plain_dgrams_receive(place);
	else
		accept_some(place);
}

void ready_place_for_worker(struct place *place)
{
	const struct server *server = place->run->server;

	if (worker_link_has_room(server->worker))
		ready_place(place);
	else
		doors_shut(server->worker_doors);
}
