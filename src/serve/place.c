/* SPDX-License-Identifier: ISC */
/* One endpoint of a hosted service: opened, watched, lent to a server, closed. */
#include "config.h"

#include "serve/place.h"

#include <errno.h>

#include "base/log.h"
#include "serve/doors.h"
#include "serve/rpc.h"
#include "serve/state.h"
#include "serve/timer.h"

/* Pauses between attempts to bind: one second, doubled up to a minute. */
#define RETRY_MAX_SEC 60

/* A place whose address could not be had. */
struct place_retry {
	struct event *timer;
	unsigned tries;
};

struct place *places_new(struct service_run *run, const struct service *service)
{
	size_t n = service->n_endpoints;
	struct place *places = calloc(n ? n : 1, sizeof(*places));

	for (size_t i = 0; places && i < n; i++) {
		places[i].run = run;
		places[i].endpoint = &service->endpoints[i];
		places[i].fd = -1;
	}
	return places;
}

void places_free(struct place *places, size_t n, bool remove)
{
	for (size_t i = 0; i < n; i++) {
		if (places[i].holder)
			places[i].holder->place = NULL;
		place_close(&places[i], remove);
		free(places[i].loan);
	}
	free(places);
}

/* Where it is watched, or will be. */
static struct doors *doors_of(const struct place *place)
{
	const struct server *server = place->run->server;

	return place->for_worker ? server->worker_doors : server->doors;
}

/* Whether what comes there is for the worker, datagram by datagram. */
static bool is_for_worker(const struct place *place)
{
	const struct service_run *run = place->run;

	return place->endpoint->socktype == SOCK_DGRAM && !run_wants(run, START_SERVER) &&
	       !(run->service->flags & FLAG_SENSOR);
}

static int watch(struct place *place)
{
	int r;

	place->for_worker = is_for_worker(place);
	r = doors_watch(doors_of(place), place->fd, place);
	if (r == 0)
		place->state = PLACE_OPEN;
	return r;
}

static void unwatch(struct place *place)
{
	if (place->state == PLACE_OPEN)
		doors_unwatch(doors_of(place), place->fd, place);
}

/* --- tried again ----------------------------------------------------------------- */

static void forget_retry(struct place *place)
{
	if (!place->retry)
		return;
	timer_free(place->retry->timer);
	free(TAKE_PTR(place->retry));
}

static void on_retry(evutil_socket_t fd, short what, void *arg)
{
	struct place *place = arg;

	(void)fd;
	(void)what;
	/* When the rest is over, all doors are opened. */
	if (!place->run->resting)
		(void)place_open(place);
}

bool place_is_retried(const struct place *place)
{
	return place->retry;
}

/* @known: that it cannot be had now has been told. */
static void try_later(struct place *place, int error, bool known)
{
	const struct service *service = place->run->service;
	struct event_base *base = place->run->server->base;
	char text[ENDPOINT_TEXT_MAX];
	struct place_retry *retry;
	unsigned pause;

	(void)endpoint_format(place->endpoint, text);
	if (!place->retry)
		place->retry = calloc(1, sizeof(*place->retry));
	retry = place->retry;
	if (retry && known && retry->tries == 0)
		retry->tries = 1;
	if (!retry || retry->tries == 0)
		log_write_errno(
			LOG_LEVEL_ERROR, error,
			"bind failed (%m). service = %s (%s) [file=%s] [line=%u]; it is tried again until it works",
			service->id, text, service->file, service->line);
	else
		log_write_errno(LOG_LEVEL_DEBUG, error, "bind retry attempt %u for service %s: %m",
				retry->tries, service->id);
	pause = !retry ? 0 : retry->tries < 6 ? 1u << retry->tries : RETRY_MAX_SEC;
	if (!retry || timer_arm(&retry->timer, base, on_retry, place, pause) < 0) {
		log_error("service %s: no memory to try %s again", service->id, text);
		return;
	}
	retry->tries++;
}

/* --- open and closed ----------------------------------------------------------------- */

int place_open(struct place *place)
{
	const struct service *service = place->run->service;
	char text[ENDPOINT_TEXT_MAX];
	bool fell_back;
	int fd = listener_open(place->endpoint, service, &fell_back);

	if ((fd == -EAFNOSUPPORT || fd == -EADDRNOTAVAIL) && place->endpoint->optional) {
		log_info("service %s: %s is not available on this machine", service->id,
			 endpoint_format(place->endpoint, text));
		return fd;
	}
	if (fd >= 0) {
		int r;

		place->fd = fd;
		r = watch(place);
		if (r < 0) {
			listener_close(fd, place->endpoint, true);
			place->fd = -1;
			fd = r;
		}
	}
	if (fd < 0) {
		try_later(place, fd, false);
		return fd;
	}
	if (fell_back)
		log_notice("IPv6 socket creation failed for service %s, trying IPv4", service->id);
	if (place->retry)
		log_notice("service %s: listening on %s at last", service->id,
			   endpoint_format(place->endpoint, text));
	forget_retry(place);
	rpc_announce(place->run->server->rpc, service, place->fd, &place->rpc);
	return 0;
}

void place_close(struct place *place, bool remove)
{
	forget_retry(place);
	unwatch(place);
	if (place->run->clients)
		place->run->server->place_closes(place);
	rpc_withdraw(place->run->server->rpc, &place->rpc);
	if (place->fd >= 0)
		listener_close(place->fd, place->endpoint, remove);
	place->fd = -1;
	place->state = PLACE_CLOSED;
}

void place_reopen(struct place *place)
{
	log_error("service %s: the socket has been shut down; it is opened anew",
		  place->run->service->id);
	place_close(place, true);
	try_later(place, -ESHUTDOWN, true);
}

/*
 * Gives an open socket the settings of its service as it is now. Returns false
 * where it had to be opened anew, which has been done.
 */
static bool adjust(struct place *place)
{
	const struct service *service = place->run->service;
	int r = listener_adjust(place->fd, place->endpoint, service);

	if (r == -ESTALE) {
		log_error("service %s: the file of its socket is gone; it is made anew",
			  service->id);
		place_close(place, false);
		(void)place_open(place);
		return false;
	}
	if (r < 0)
		log_write_errno(LOG_LEVEL_ERROR, r, "service %s: new socket settings failed: %m",
				service->id);
	return true;
}

static void watch_or_retry(struct place *place)
{
	int r = watch(place);

	if (r == 0)
		return;
	place_close(place, false);
	try_later(place, r, false);
}

/* Its service may be another one for rpcbind now. */
static void announce_anew(struct place *place)
{
	struct rpc *rpc = place->run->server->rpc;
	struct rpc_door *before = TAKE_PTR(place->rpc);

	/* In this order, as what both have in common is to stay. */
	rpc_announce(rpc, place->run->service, place->fd, &place->rpc);
	rpc_withdraw(rpc, &before);
}

void place_renew(struct place *place, const struct endpoint *endpoint, bool same)
{
	place->endpoint = endpoint;
	if (place->fd < 0)
		forget_retry(place);
	else if (!same)
		announce_anew(place);
	/* A server that has the socket shares its settings: they wait until it is back. */
	if (place->fd < 0 || place->state == PLACE_LENT)
		return;
	if (same && !listener_is_shared(endpoint, place->run->service))
		return;
	if (!adjust(place) || same)
		return;
	if (place->state == PLACE_OPEN && place->for_worker == is_for_worker(place))
		return;
	unwatch(place);
	watch_or_retry(place);
}

/* --- not watched ---------------------------------------------------------------------- */

void place_stop(struct place *place, enum place_state state)
{
	unwatch(place);
	place->state = state;
}

void place_go_on(struct place *place)
{
	watch_or_retry(place);
}

void place_lend(struct place *place, struct session *holder)
{
	place_stop(place, PLACE_LENT);
	place->holder = holder;
}

int place_mark(struct place *place)
{
	if (!place->loan)
		place->loan = calloc(1, sizeof(*place->loan));
	if (!place->loan)
		return -ENOMEM;
	listener_mark(place->fd, place->loan->suspect, &place->loan->mark);
	return 0;
}

void place_return(struct place *place)
{
	place->holder = NULL;
	if (place->fd < 0)
		return;
	if (place->run->resting || place->run->ended) {
		place_close(place, place->run->ended);
		return;
	}
	if (listener_is_shut(place->fd)) {
		place_reopen(place);
		return;
	}
	/* The server shared the socket's settings, and may have changed them. */
	if (adjust(place))
		watch_or_retry(place);
}

void place_move(struct place *from, struct place *to)
{
	unwatch(from);
	to->fd = from->fd;
	to->state = from->state;
	to->holder = TAKE_PTR(from->holder);
	to->loan = TAKE_PTR(from->loan);
	if (to->holder)
		to->holder->place = to;
	if (to->fd >= 0)
		rpc_announce(to->run->server->rpc, to->run->service, to->fd, &to->rpc);
	from->fd = -1;
	from->state = PLACE_CLOSED;
	place_close(from, false);
	if (to->fd < 0) {
		/*
		 * It was waiting for its address, or the old service rested. The
		 * reload opens it once everything that is to be closed is.
		 */
		to->state = PLACE_CLOSED;
		return;
	}
	/* A server that has the socket shares its settings: they wait until it is back. */
	if (to->state != PLACE_LENT && adjust(to))
		watch_or_retry(to);
}
