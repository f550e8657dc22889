/* SPDX-License-Identifier: ISC */
/* The way of a connection: accept, admit, start or hand over, record. */
#include "config.h"

#include "serve/launch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Without memory a connection is dropped, not the daemon. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "base/log.h"
#include "base/sink.h"
#include "policy/admit.h"
#include "serve/greet.h"
#include "serve/reap.h"
#include "serve/redirect.h"
#include "serve/run.h"
#include "serve/worker_dgrams.h"
#include "serve/worker_link.h"

/* Connections taken from one door before others get their turn. */
#define ACCEPTS_A_TURN 64

/* --- admission ------------------------------------------------------------------- */

static unsigned local_minute(void)
{
	time_t now = time(NULL);
	struct tm local;

	if (!localtime_r(&now, &local))
		return 0;
	return (unsigned)(local.tm_hour * 60 + local.tm_min);
}

static double load_average(void)
{
	double load;

	return getloadavg(&load, 1) == 1 ? load : -1;
}

/*
 * Shuts out who touched a sensor. Not the sender of a datagram, which may be
 * anybody's address: one could have others shut out (D19).
 */
static void shut_out(struct service_run *run, const struct addr *peer, uint64_t now)
{
	const struct service *service = run->service;
	char text[ADDR_TEXT_MAX];

	if (!service->deny_time_min ||
	    (service->socktype != SOCK_STREAM && service->socktype != SOCK_SEQPACKET) ||
	    (peer->family != AF_INET && peer->family != AF_INET6))
		return;
	switch (sensor_add(&run->server->sensor, peer, service->deny_time_min, now)) {
	case SENSOR_ADDED:
		log_critical("Adding %s to the global_no_access list for %d minutes",
			     addr_format(peer, text), service->deny_time_min);
		break;
	case SENSOR_EXTENDED:
		break;
	case SENSOR_FULL:
		log_limited(&run->server->accept_errors, LOG_LEVEL_CRITICAL,
			    "Maximum global_no_access count reached.");
		break;
	case SENSOR_NO_MEMORY:
		log_limited(&run->server->accept_errors, LOG_LEVEL_ERROR,
			    "service %s: no memory to shut %s out", service->id,
			    addr_format(peer, text));
		break;
	}
}

/* Decides, and says in the log what xinetd says. After VERDICT_CPS the caller lets the service rest. */
static struct decision decide(struct service_run *run, const struct addr *peer, uint64_t now)
{
	const struct service *service = run->service;
	struct admit_request request = {
		.service = service,
		.limits = &run->limits,
		.sensor = &run->server->sensor,
		.peer = peer,
		.now_usec = now,
		.minute_of_day = service->access_times.n ? local_minute() : 0,
		.load = service->max_load > 0 || service->max_load < 0 ? load_average() : -1,
		.running_total = run->server->running,
		.process_limit = run->spawn ? run->server->options.process_limit : 0,
	};
	struct decision decision = admit(&request);
	char text[ADDR_TEXT_MAX];

	if (decision.verdict == VERDICT_ALLOW)
		return decision;
	record_fail(run->server->writer, run->sink, service, peer,
		    verdict_reason(decision.verdict));
	if (decision.sensed)
		shut_out(run, peer, now);
	if (decision.equal_match)
		log_limited(
			&run->server->accept_errors, LOG_LEVEL_ERROR,
			"Service=%s: only_from list and no_access list match equally the address %s",
			service->id, addr_format(peer, text));
	if (decision.needs_lookup)
		log_limited(
			&run->server->accept_errors, LOG_LEVEL_ERROR,
			"service %s: %s is refused, as its host name would have to be looked up, which this version "
			"does not do",
			service->id, addr_format(peer, text));
	if (decision.verdict == VERDICT_LOAD)
		log_limited(&run->server->accept_errors, LOG_LEVEL_ERROR,
			    "refused connect from %s due to excessive load",
			    addr_format(peer, text));
	return decision;
}

static void rest_after_trip(struct service_run *run)
{
	run_rest(run, run->service->cps_wait_sec, "excessive incoming connections");
}

/* --- sessions ---------------------------------------------------------------------- */

/* A session that was admitted. When memory is short what was taken is given back, and FAIL is recorded. */
static struct session *begin(struct service_run *run, const struct addr *peer,
			     const struct decision *decision, uint64_t now)
{
	struct server *server = run->server;
	struct session *session = session_new(run->service, ++server->last_number, peer, now);
	struct addr source = admit_source(run->service, peer);

	if (!session) {
		limits_release(&run->limits, &source, decision->source_was_taken);
		record_fail(server->writer, run->sink, run->service, peer,
			    verdict_reason(VERDICT_FORK));
		return NULL;
	}
	session->run = run;
	session->sink = run->sink ? sink_ref(run->sink) : NULL;
	session->counted = decision->source_was_taken;
	session->source = source;
	TAILQ_INSERT_TAIL(&run->sessions, session, of_run);
	return session;
}

/* Undoes begin(): nothing was started. */
static void abandon(struct session *session, enum verdict verdict)
{
	struct service_run *run = session->run;

	TAILQ_REMOVE(&run->sessions, session, of_run);
	limits_release(&run->limits, &session->source, session->counted);
	record_fail(run->server->writer, session->sink, session->service, &session->peer,
		    verdict_reason(verdict));
	sink_unref(session->sink);
	session_free(session);
	run_has_room(run);
}

/* --- starting servers --------------------------------------------------------------- */

/* Starts the server of @session on @fd. Returns whether there is a child now. */
static bool start_server(struct session *session, int fd)
{
	struct service_run *run = session->run;
	struct server *server = run->server;
	struct spawn_failure failure;
	pid_t pid = spawn_run(run->spawn, fd, &session->peer, &failure);

	if (pid < 0) {
		log_limited(&server->accept_errors, LOG_LEVEL_ERROR,
			    "%s: fork failed: %s (errno = %d)", session->service->id,
			    strerror(-pid), -pid);
		abandon(session, VERDICT_FORK);
		return false;
	}
	session->pid = pid;
	HASH_ADD(by_pid, server->by_pid, pid, sizeof(session->pid), session);
	server->running++;
	record_start(server->writer, session->sink, session);
	if (failure.error)
		reap_report_failure(session, &failure);
	else if (session->service->session_timeout_sec)
		reap_arm(session, session->service->session_timeout_sec);
	return true;
}

/*
 * Gives the connection of @session to the worker, or first to the search for its
 * target, which owns @fd from here on. The link may tell at once that it has ended: that is heard when START is written.
 */
static bool hand_over(struct session *session, int fd)
{
	struct server *server = session->run->server;
	const struct service *service = session->service;
	int r;

	HASH_ADD(by_number, server->by_number, number, sizeof(session->number), session);
	if (!session->by_number.tbl) {
		/* Without memory for its entry the worker's word about it would not be heard. */
		(void)close(fd);
		abandon(session, VERDICT_FORK);
		return false;
	}
	session->starting = true;
	r = service->redirect_host
		    ? redirect_begin(session, fd)
		    : worker_link_stream(server->worker, session->number, service->builtin,
					 service->idle_timeout_sec, fd);
	session->starting = false;
	if (r < 0) {
		log_limited(&server->accept_errors, LOG_LEVEL_ERROR,
			    "service %s: the worker cannot take a connection (error %d)",
			    session->service->id, -r);
		HASH_DELETE(by_number, server->by_number, session);
		abandon(session, VERDICT_FORK);
		return false;
	}
	record_start(server->writer, session->sink, session);
	if (session->ended) {
		reap_finish(server, session, session->status);
		return false;
	}
	if (session->service->session_timeout_sec)
		reap_arm(session, session->service->session_timeout_sec);
	event_active(server->worker_flush, EV_TIMEOUT, 1);
	return true;
}

/* One accepted connection. Takes over @fd. Returns the session where one came of it. */
static struct session *serve_connection(struct service_run *run, int fd, const struct addr *peer)
{
	CLEANUP_CLOSE int connection = fd;
	const struct service *service = run->service;
	struct log_limit *limit = &run->server->accept_errors;
	uint64_t now = now_usec();
	struct decision decision;
	struct session *session;

	greet(connection, service, GREETING_ALWAYS, limit);
	decision = decide(run, peer, now);
	if (decision.verdict == VERDICT_CPS)
		rest_after_trip(run);
	session = decision.verdict == VERDICT_ALLOW ? begin(run, peer, &decision, now) : NULL;
	if (!session) {
		greet_refused(connection, service, limit);
		return NULL;
	}
	greet(connection, service, GREETING_SUCCESS, limit);
	if (run->spawn && start_server(session, connection))
		return session;
	if (run->spawn) {
		greet_refused(connection, service, limit);
		return NULL;
	}
	return hand_over(session, take_fd(&connection)) ? session : NULL;
}

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

	for (unsigned i = 0; i < ACCEPTS_A_TURN && place->state == PLACE_OPEN; i++) {
		struct session *session;
		struct addr peer;
		int fd;

		if (run_is_full(run))
			return;
		if (run->service->redirect_host && !redirect_has_room(run)) {
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
		session = serve_connection(run, fd, &peer);
		/* An internal stream service with wait = yes has one session at a time. */
		if (session && run->service->wait) {
			session->place = place;
			place_lend(place, session);
		}
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

/* Lends the socket itself to a server (xinetd.conf(5) "wait"). */
static void lend(struct place *place)
{
	struct service_run *run = place->run;
	bool dgram = place->endpoint.socktype == SOCK_DGRAM;
	struct addr peer = { .family = AF_UNSPEC };
	uint64_t now = now_usec();
	struct decision decision;
	struct session *session;

	if (place->endpoint.addr.sa.sa_family == AF_UNIX)
		peer.family = AF_UNIX;
	if (run_is_full(run))
		return;
	/* A datagram with a wrong checksum, say, was there and is gone; or a server has shut the socket down (D30). */
	if (listener_is_shut(place->fd)) {
		place_reopen(place);
		return;
	}
	if (dgram && listener_peek(place->fd, &peer) < 0)
		return;
	decision = decide(run, &peer, now);
	if (decision.verdict == VERDICT_CPS)
		rest_after_trip(run);
	if (decision.verdict != VERDICT_ALLOW) {
		/* Only this one is refused, and the door stays open (D24). */
		if (place->state == PLACE_OPEN)
			turn_away(place);
		return;
	}
	session = begin(run, &peer, &decision, now);
	if (!session) {
		run_pause(run, "lack of memory");
		return;
	}
	if (dgram)
		listener_mark(place->fd, place->suspect, &place->mark);
	if (!start_server(session, place->fd)) {
		/* What woke us is still there. */
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
	decision = decide(run, &peer, turn->now);
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
	session = begin(run, &peer, &decision, turn->now);
	if (!session)
		return;
	if (error) {
		abandon(session, VERDICT_FORK);
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
		rest_after_trip(run);
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
		if (decide(run, &peer, now_usec()).verdict == VERDICT_CPS)
			rest_after_trip(run);
	}
}

void launch_ready(evutil_socket_t fd, short what, void *arg)
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
	else if (place->endpoint.socktype == SOCK_DGRAM)
		receive_some(place);
	else
		accept_some(place);
}
