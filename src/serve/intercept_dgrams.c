/* SPDX-License-Identifier: ISC */
/* The clients of an intercepted datagram service: one session each, as long as they are not quiet for too long. */
#include "config.h"

#include "serve/intercept_dgrams.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>

/* Without memory a client is refused, not the daemon ended. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "base/log.h"
#include "serve/admission.h"
#include "serve/gate.h"
#include "serve/gate_plan.h"
#include "serve/gate_room.h"
#include "serve/hand_over.h"
#include "serve/intercept.h"
#include "serve/run.h"
#include "serve/run_doors.h"
#include "serve/stop.h"
#include "serve/worker_dgrams.h"
#include "serve/worker_link.h"

/* Datagrams taken from one door before others get their turn. */
#define DGRAMS_A_TURN 32

/* Who sends, and to which socket of ours. */
struct client_key {
	struct addr peer;
	int fd;
};

_Static_assert(sizeof(struct client_key) == sizeof(struct addr) + sizeof(int) &&
		       sizeof(struct addr) == 24,
	       "keys have no padding, as they are compared as bytes");

struct intercept_client {
	struct holding holding;
	struct client_key key;
	struct session *session;
	bool asked_about; /* nothing is passed on yet */
	UT_hash_handle hh;
};

struct turn {
	struct place *place;
	uint64_t now;
	bool tripped; /* the socket is still needed for those admitted before */
};

static struct intercept_client *find_client(const struct place *place, const struct addr *peer)
{
	struct client_key key = { *peer, place->fd };
	struct intercept_client *client;

	HASH_FIND(hh, place->run->clients, &key, sizeof(key), client);
	return client;
}

static void forget(struct session *session, struct holding *held)
{
	struct intercept_client *client = (struct intercept_client *)held; /* its first member */

	HASH_DELETE(hh, session->run->clients, client);
	free(client);
}

static const struct holding_ops holding_ops = { .end = forget };

/* Makes the client of @session known. Returns 0, -ENFILE where there are too many, or -ENOMEM. */
static int remember(struct session *session, const struct place *place)
{
	struct service_run *run = session->run;
	CLEANUP_FREE struct intercept_client *client = NULL;

	if (HASH_COUNT(run->clients) >= INTERCEPT_CLIENTS)
		return -ENFILE;
	client = calloc(1, sizeof(*client));
	if (!client)
		return -ENOMEM;
	client->key = (struct client_key){ session->peer, place->fd };
	client->session = session;
	HASH_ADD(hh, run->clients, key, sizeof(client->key), client);
	if (!client->hh.tbl)
		return -ENOMEM;
	client->holding.ops = &holding_ops;
	session->held = &TAKE_PTR(client)->holding;
	return 0;
}

/* Begins the session of a client that is new. Returns it, or NULL with all said and recorded. */
static struct session *let_in(struct turn *turn, const struct addr *peer)
{
	struct service_run *run = turn->place->run;
	struct decision decision;
	struct session *session;
	int r;

	if (turn->tripped)
		return NULL;
	decision = admission_decide(run, peer, turn->now);
	turn->tripped = decision.verdict == VERDICT_CPS;
	session = decision.verdict == VERDICT_ALLOW
			  ? admission_begin(run, peer, &decision, turn->now)
			  : NULL;
	if (!session)
		return NULL;
	r = remember(session, turn->place);
	if (r == 0)
		return session;
	if (r == -ENFILE)
		log_limited(&run->errors, LOG_LEVEL_ERROR,
			    "service %s: there are %d clients already", run->service->id,
			    INTERCEPT_CLIENTS);
	admission_abandon(session, r == -ENFILE ? VERDICT_SERVICE_LIMIT : VERDICT_FORK);
	return NULL;
}

/* A socket of its own for one client, connected to the private place; or -errno. */
static int connect_target(const struct service_run *run)
{
	CLEANUP_CLOSE int fd = -1;
	struct sockaddr_storage sa;
	struct addr target;
	socklen_t length;
	int r = intercept_target(run, &target);

	if (r < 0)
		return r;
	length = addr_to_sockaddr(&target, &sa);
	fd = socket(target.family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
		    run->service->protocol);
	if (fd < 0 || connect(fd, (struct sockaddr *)&sa, length) < 0)
		return -errno;
	return take_fd(&fd);
}

/* Has the worker pass on the datagrams of @session's client, to answer by @socket, which is taken over. Returns 0 or -errno. */
static int relay(struct session *session, int socket)
{
	CLEANUP_CLOSE int owned = socket;
	CLEANUP_CLOSE int target = connect_target(session->run);
	uint32_t idle_sec = session->service->idle_timeout_sec;

	if (target < 0)
		return target;
	return worker_link_dgrams(session->run->server->worker, session->number,
				  idle_sec ? idle_sec : INTERCEPT_IDLE_SEC, take_fd(&owned),
				  take_fd(&target));
}

/* Has the worker take over a client that may be served. Returns the session where it goes on. */
static struct session *start(struct session *session)
{
	const struct intercept_client *client = session_held(session, &holding_ops);
	int fd = fcntl(client->key.fd, F_DUPFD_CLOEXEC, 0);

	if (fd < 0) {
		admission_abandon(session, VERDICT_FORK);
		return NULL;
	}
	return hand_over(session, fd, relay) ? session : NULL;
}

/* --- without questions: a batch at a time -------------------------------------------------- */

static bool admit_dgram(void *arg, const struct sockaddr *from, socklen_t length,
			uint64_t *ret_token)
{
	struct turn *turn = arg;
	const struct intercept_client *client;
	struct session *session;
	struct addr peer;

	addr_from_sockaddr(&peer, from, length);
	client = find_client(turn->place, &peer);
	if (client) {
		session = client->asked_about ? NULL : client->session;
	} else {
		session = let_in(turn, &peer);
		session = session ? start(session) : NULL;
	}
	if (!session || session->ending)
		return false;
	*ret_token = session->number;
	return true;
}

static void take_batch(struct turn *turn)
{
	static const struct worker_dgrams_ops ops = { .admit = admit_dgram };
	struct worker_dgrams_counts counts;

	(void)worker_dgrams_relay(turn->place->run->server->worker, turn->place->fd, &ops, turn,
				  &counts);
}

/* --- with questions: one by one, as each may be the first of a client to be asked about ------ */

/* Passes on @dgram, which is taken over, and may be dropped. */
static void pass(const struct session *session, struct worker_dgram *dgram)
{
	(void)worker_dgrams_pass(session->run->server->worker, session->number, dgram);
	worker_dgrams_drop(dgram);
}

static void on_allowed(struct session *session, int fd, void *data)
{
	struct intercept_client *client = session_held(session, &holding_ops);
	struct service_run *run = session->run;

	(void)fd;
	run->asked_dgrams--;
	client->asked_about = false;
	/* What was asked is not what the files say since a reload. */
	if (session->service != run->service || !run->intercept) {
		worker_dgrams_drop(data);
		admission_abandon(session, VERDICT_FORK);
		return;
	}
	session = start(session);
	if (session)
		pass(session, data);
	else
		worker_dgrams_drop(data);
}

static void on_refused(struct session *session, int fd, void *data)
{
	(void)fd;
	session->run->asked_dgrams--;
	worker_dgrams_drop(data);
}

/* Has a new client asked about. Takes over @dgram, which is held meanwhile. */
static void ask(struct session *session, struct worker_dgram *dgram)
{
	static const struct gate_ops ops = { .go_on = on_allowed, .turn_away = on_refused };
	struct intercept_client *client = session_held(session, &holding_ops);
	struct service_run *run = session->run;

	client->asked_about = true;
	if (gate_begin(session, &ops, -1, dgram) < 0)
		worker_dgrams_drop(dgram);
	else
		run->asked_dgrams++;
}

static void take_one(struct turn *turn, struct worker_dgram *dgram)
{
	struct service_run *run = turn->place->run;
	const struct addr peer = worker_dgrams_peer(dgram);
	const struct intercept_client *client = find_client(turn->place, &peer);
	struct session *session = client ? client->session : NULL;

	if (client && (client->asked_about || session->ending)) {
		worker_dgrams_drop(dgram);
		return;
	}
	/* Those that are known do not wait for others to be asked about. */
	if (!client && !gate_room_is_short(run) && run->asked_dgrams < ASKED_DGRAMS_MAX)
		session = let_in(turn, &peer);
	if (!client && session && session->question != GATE_ASKS_NOTHING) {
		ask(session, dgram);
		return;
	}
	if (!client && session)
		session = start(session);
	if (session)
		pass(session, dgram);
	else
		worker_dgrams_drop(dgram);
}

static void take_one_by_one(struct turn *turn)
{
	const struct place *place = turn->place;

	for (unsigned i = 0; i < DGRAMS_A_TURN && place->state == PLACE_OPEN; i++) {
		struct worker_dgram *dgram;
		int r = worker_dgrams_take(place->run->server->worker, place->fd, &dgram);

		if (r == 0)
			take_one(turn, dgram);
		else if (r != -EMSGSIZE)
			return;
	}
}

void intercept_dgrams(struct place *place)
{
	struct turn turn = { .place = place, .now = now_usec() };
	struct service_run *run = place->run;

	if (run_wants(run, START_GATE))
		take_one_by_one(&turn);
	else
		take_batch(&turn);
	if (turn.tripped)
		admission_rest(run);
}

/* --- the end of a place --------------------------------------------------------------------------- */

static struct session *next_to_stop(const struct place *place)
{
	for (struct intercept_client *client = place->run->clients; client;
	     client = client->hh.next)
		if (client->key.fd == place->fd && !client->session->ending)
			return client->session;
	return NULL;
}

void intercept_dgrams_end(struct place *place)
{
	struct service_run *run = place->run;
	struct session *session;
	bool held = run->held;

	/* The last session that ends would take the run along, which the caller still needs. */
	run->held = true;
	/* Stopping one may end others, too: begin anew each time. */
	while ((session = next_to_stop(place)))
		stop_session(session);
	run->held = held;
}
