/* SPDX-License-Identifier: ISC */
/* A hosted service and its doors: opened, watched, lent to a server, shut for a rest, closed. */
#include "config.h"

#include "serve/run.h"

#include <errno.h>

#include "base/log.h"
#include "config/support.h"
#include "serve/asked_dgrams.h"
#include "serve/gate.h"
#include "serve/gate_plan.h"
#include "serve/intercept.h"
#include "serve/intercept_dgrams.h"
#include "serve/ready.h"
#include "serve/rpc.h"
#include "serve/sinks.h"
#include "serve/spawn.h"

/* Pauses between attempts to bind: one second, doubled up to a minute. */
#define RETRY_MAX_SEC 60
/* While descriptors, processes or memory are short. */
#define PAUSE_SEC 1

/* --- the service --------------------------------------------------------------- */

/* What a run has of its service besides its places. */
struct prepared {
	struct sink *sink;
	struct spawn *spawn;
	struct spawn *gate;
	struct spawn *inquirer;
};

static int prepare(struct server *server, const struct service *service, struct prepared *ret)
{
	struct spawn *spawn = NULL;
	struct sink *sink = NULL;
	const char *why;
	int r;

	/* That it is not hosted, and why, was said when it was read. */
	if (!support_can_host(service, &why))
		return -ENOTSUP;
	r = sinks_get(server->sinks, service, &sink);
	if (r < 0) {
		log_write_errno(
			LOG_LEVEL_ERROR, r, "creation of %s log failed: %s: %m [file=%s] [line=%u]",
			service->log->common ? "default" : service->id,
			service->log->path ? service->log->path : "", service->file, service->line);
		goto failed;
	}
	if (service->server && !(service->flags & FLAG_INTERCEPT)) {
		r = spawn_new(server->spawner, service, &spawn);
		if (r == -EPERM)
			log_error(
				"service %s wants user %s and group %s, but usherd may not change identities here; run "
				"it as root or as that user [file=%s] [line=%u]",
				service->id, service->user,
				service->group ? service->group : "of the user", service->file,
				service->line);
		if (r < 0)
			goto failed;
		if (service->user && service->uid == 0 && !spawner_has_privilege(server->spawner))
			log_warning(
				"service %s wants user %s; as usherd does not run as root, its servers run as "
				"usherd does",
				service->id, service->user);
	}
	r = gate_plan_new(server->spawner, service, server->options.gate_path,
			  gates_account(server->gates), &ret->gate);
	if (r == -E2BIG)
		log_error(
			"service %s: only_from and no_access have more host names than can be checked; a domain "
			"(.example.org) stands for many [file=%s] [line=%u]",
			service->id, service->file, service->line);
	if (r == 0)
		r = gate_plan_new_inquirer(server->spawner, service, server->options.gate_path,
					   gates_account(server->gates), &ret->inquirer);
	if (r < 0)
		goto failed;
	if (service->builtin != BUILTIN_NONE || service->redirect_host ||
	    (service->flags & FLAG_INTERCEPT))
		server_want_worker(server);
	ret->spawn = spawn;
	ret->sink = sink;
	return 0;

failed:
	spawn_free(spawn);
	spawn_free(ret->gate);
	sinks_put(server->sinks, sink);
	return r;
}

static void adopt(struct service_run *run, const struct prepared *prepared)
{
	run->sink = prepared->sink;
	run->spawn = prepared->spawn;
	run->gate = prepared->gate;
	run->inquirer = prepared->inquirer;
}

static void discard(struct server *server, const struct prepared *prepared)
{
	spawn_free(prepared->spawn);
	spawn_free(prepared->gate);
	spawn_free(prepared->inquirer);
	sinks_put(server->sinks, prepared->sink);
}

static void let_go(struct service_run *run)
{
	discard(run->server, &(struct prepared){ run->sink, run->spawn, run->gate, run->inquirer });
}

static void on_rest_over(evutil_socket_t fd, short what, void *arg)
{
	struct service_run *run = arg;

	(void)fd;
	(void)what;
	run->resting = false;
	log_error("Activating service %s", run->service->name);
	for (size_t i = 0; i < run->n_places; i++)
		if (run->places[i].state == PLACE_CLOSED)
			(void)place_open(&run->places[i]);
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

struct place *places_new(struct service_run *run, const struct service *service)
{
	struct place *places = calloc(service->n_endpoints + 1, sizeof(*places));

	for (size_t i = 0; places && i < service->n_endpoints; i++) {
		places[i].run = run;
		places[i].endpoint = endpoint_copy(&service->endpoints[i]);
		places[i].fd = -1;
	}
	return places;
}

int run_new(struct server *server, const struct service *service, struct service_run **ret)
{
	struct service_run *run = calloc(1, sizeof(*run));
	struct prepared prepared = { 0 };
	int r;

	if (!run)
		return -ENOMEM;
	run->server = server;
	TAILQ_INIT(&run->sessions);
	TAILQ_INIT(&run->namings);
	limits_init(&run->limits);
	r = prepare(server, service, &prepared);
	if (r < 0) {
		if (r != -ENOTSUP)
			log_error("Service %s failed to start and is deactivated.", service->id);
		free(run);
		return r;
	}
	adopt(run, &prepared);
	run->service = service_ref(service);
	run->places = places_new(run, service);
	r = run->places ? intercept_adopt(run, service) : -ENOMEM;
	if (r < 0) {
		run_free(run);
		return r;
	}
	run->n_places = service->n_endpoints;
	if (!service->front)
		log_debug("added service %s", service->id);
	*ret = run;
	return 0;
}

int run_replace(struct service_run *run, const struct service *service)
{
	struct prepared prepared = { 0 };
	int r = prepare(run->server, service, &prepared);

	if (r == 0) {
		r = intercept_adopt(run, service);
		if (r < 0)
			discard(run->server, &prepared);
	}
	if (r < 0) {
		log_error("service %s goes on in its old form", run->service->id);
		return r;
	}
	let_go(run);
	adopt(run, &prepared);
	(void)service_ref(service);
	service_unref(run->service);
	run->service = service;
	return 0;
}

void places_free(struct place *places, size_t n, bool remove)
{
	for (size_t i = 0; i < n; i++) {
		if (places[i].holder)
			places[i].holder->place = NULL;
		place_close(&places[i], remove);
		if (places[i].event)
			event_free(places[i].event);
		if (places[i].retry)
			event_free(places[i].retry);
		endpoint_done(&places[i].endpoint);
	}
	free(places);
}

void run_free(struct service_run *run)
{
	if (!run)
		return;
	places_free(run->places, run->n_places, true);
	intercept_free(run->intercept);
	if (run->timer)
		event_free(run->timer);
	if (run->pause)
		event_free(run->pause);
	gate_forget_run(run);
	let_go(run);
	limits_done(&run->limits);
	service_unref(run->service);
	free(run);
}

/* Arms a timer that is made when it is first needed: most services never have one. */
static int arm(struct event **timer, struct event_base *base, event_callback_fn fn, void *arg,
	       unsigned seconds)
{
	struct timeval pause = { .tv_sec = seconds };

	if (!*timer)
		*timer = event_new(base, -1, 0, fn, arg);
	return *timer && event_add(*timer, &pause) == 0 ? 0 : -ENOMEM;
}

void run_rest(struct service_run *run, unsigned seconds, const char *why)
{
	if (run->resting)
		return;
	log_error("Deactivating service %s due to %s.  Restarting in %u seconds.",
		  run->service->name, why, seconds);
	for (size_t i = 0; i < run->n_places; i++)
		if (run->places[i].state != PLACE_LENT)
			place_close(&run->places[i], false);
	run->resting = true;
	if (arm(&run->timer, run->server->base, on_rest_over, run, seconds) < 0) {
		log_error("service %s: no memory for a timer; it goes on at once",
			  run->service->id);
		on_rest_over(-1, 0, run);
	}
}

/* --- its places ------------------------------------------------------------------ */

static int watch(struct place *place)
{
	struct event_base *base = place->run->server->base;

	if (place->event)
		(void)event_assign(place->event, base, place->fd, EV_READ | EV_PERSIST, ready_place,
				   place);
	else
		place->event = event_new(base, place->fd, EV_READ | EV_PERSIST, ready_place, place);
	if (!place->event || event_add(place->event, NULL) < 0)
		return -ENOMEM;
	place->state = PLACE_OPEN;
	return 0;
}

static void on_pause_over(evutil_socket_t fd, short what, void *arg)
{
	struct service_run *run = arg;

	(void)fd;
	(void)what;
	for (size_t i = 0; i < run->n_places; i++) {
		if (run->places[i].state != PLACE_PAUSED)
			continue;
		run->places[i].state = PLACE_OPEN;
		(void)event_add(run->places[i].event, NULL);
	}
}

void run_pause(struct service_run *run, const char *why)
{
	log_limited(&run->errors, LOG_LEVEL_ERROR,
		    "Deactivating service %s due to %s.  Restarting in %d seconds.",
		    run->service->name, why, PAUSE_SEC);
	if (arm(&run->pause, run->server->base, on_pause_over, run, PAUSE_SEC) < 0)
		return;
	for (size_t i = 0; i < run->n_places; i++) {
		if (run->places[i].state != PLACE_OPEN)
			continue;
		(void)event_del(run->places[i].event);
		run->places[i].state = PLACE_PAUSED;
	}
}

static bool is_full(struct service_run *run)
{
	const struct service *service = run->service;

	if (gate_is_busy(run) || run->asked_dgrams >= ASKED_DGRAMS_MAX)
		return true;
	return service->queues && service->instances != UNLIMITED &&
	       run->limits.running >= (unsigned)service->instances;
}

bool run_is_full(struct service_run *run)
{
	if (!is_full(run))
		return false;
	for (size_t i = 0; i < run->n_places; i++) {
		if (run->places[i].state != PLACE_OPEN)
			continue;
		(void)event_del(run->places[i].event);
		run->places[i].state = PLACE_FULL;
	}
	return true;
}

void run_has_room(struct service_run *run)
{
	if (is_full(run))
		return;
	for (size_t i = 0; i < run->n_places; i++) {
		if (run->places[i].state != PLACE_FULL)
			continue;
		run->places[i].state = PLACE_OPEN;
		(void)event_add(run->places[i].event, NULL);
	}
}

static void try_later(struct place *place, int error)
{
	const struct service *service = place->run->service;
	char text[ENDPOINT_TEXT_MAX];
	unsigned pause = place->tries < 6 ? 1u << place->tries : RETRY_MAX_SEC;

	if (place->tries++ == 0)
		log_write_errno(
			LOG_LEVEL_ERROR, error,
			"bind failed (%m). service = %s (%s) [file=%s] [line=%u]; it is tried again until it works",
			service->id, endpoint_format(&place->endpoint, text), service->file,
			service->line);
	else
		log_write_errno(LOG_LEVEL_DEBUG, error, "bind retry attempt %u for service %s: %m",
				place->tries - 1, service->id);
	if (arm(&place->retry, place->run->server->base, on_retry, place, pause) < 0)
		log_error("service %s: no memory to try %s again", service->id, text);
}

int place_open(struct place *place)
{
	const struct service *service = place->run->service;
	char text[ENDPOINT_TEXT_MAX];
	bool fell_back;
	int fd = listener_open(&place->endpoint, service, &fell_back);

	if ((fd == -EAFNOSUPPORT || fd == -EADDRNOTAVAIL) && place->endpoint.optional) {
		log_info("service %s: %s is not available on this machine", service->id,
			 endpoint_format(&place->endpoint, text));
		return fd;
	}
	if (fd >= 0) {
		place->fd = fd;
		if (watch(place) < 0) {
			listener_close(fd, &place->endpoint, true);
			place->fd = -1;
			fd = -ENOMEM;
		}
	}
	if (fd < 0) {
		try_later(place, fd);
		return fd;
	}
	if (fell_back)
		log_notice("IPv6 socket creation failed for service %s, trying IPv4", service->id);
	if (place->tries)
		log_notice("service %s: listening on %s at last", service->id,
			   endpoint_format(&place->endpoint, text));
	place->tries = 0;
	rpc_announce(place->run->server->rpc, service, place->fd, &place->rpc);
	return 0;
}

void place_close(struct place *place, bool remove)
{
	if (place->retry)
		(void)event_del(place->retry);
	if (place->event)
		(void)event_del(place->event);
	intercept_dgrams_end(place);
	rpc_withdraw(place->run->server->rpc, &place->rpc);
	if (place->fd >= 0)
		listener_close(place->fd, &place->endpoint, remove);
	place->fd = -1;
	place->state = PLACE_CLOSED;
	place->tries = 0;
}

/*
 * Gives an open socket the settings of its service as it is now. Returns false
 * where it had to be opened anew, which has been done.
 */
static bool adjust(struct place *place)
{
	const struct service *service = place->run->service;
	int r = listener_adjust(place->fd, &place->endpoint, service);

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
	if (watch(place) == 0)
		return;
	place_close(place, false);
	try_later(place, -ENOMEM);
}

void place_reopen(struct place *place)
{
	log_error("service %s: the socket has been shut down; it is opened anew",
		  place->run->service->id);
	place_close(place, true);
	place->tries = 1;
	try_later(place, -ESHUTDOWN);
}

void place_lend(struct place *place, struct session *holder)
{
	(void)event_del(place->event);
	place->state = PLACE_LENT;
	place->holder = holder;
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
	to->fd = from->fd;
	to->holder = from->holder;
	to->mark = from->mark;
	to->suspect = from->suspect;
	if (to->holder)
		to->holder->place = to;
	if (from->event)
		(void)event_del(from->event);
	to->state = from->state;
	if (to->fd >= 0)
		rpc_announce(to->run->server->rpc, to->run->service, to->fd, &to->rpc);
	from->fd = -1;
	from->holder = NULL;
	place_close(from, false);
	if (to->fd < 0) {
		/*
		 * It was waiting for its address, or the old service rested. The
		 * reload opens it once everything that is to be closed is.
		 */
		to->state = PLACE_CLOSED;
		return;
	}
	if (to->state == PLACE_LENT) {
		/* A server that has the socket shares its settings: they wait until it is back. */
		if (!to->event)
			to->event = event_new(to->run->server->base, to->fd, EV_READ | EV_PERSIST,
					      ready_place, to);
		return;
	}
	if (adjust(to))
		watch_or_retry(to);
}
