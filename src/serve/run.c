/* SPDX-License-Identifier: ISC */
/* A hosted service: what it has besides its places, its rests and pauses, and whether there is room in it. */
#include "config.h"

#include "serve/run.h"

#include <errno.h>

#include "base/log.h"
#include "config/support.h"
#include "serve/asked_dgrams.h"
#include "serve/gate.h"
#include "serve/intercept.h"
#include "serve/sinks.h"
#include "serve/timer.h"

/* While descriptors, processes or memory are short. */
#define PAUSE_SEC 1

/* --- its life ------------------------------------------------------------------ */

/* What a run has of its service besides its places. */
struct prepared {
	struct sink *sink;
	struct starts starts;
};

static int prepare(struct server *server, const struct service *service, struct prepared *ret)
{
	struct sink *sink = NULL;
	const char *why;
	int r;

	/* That it is not hosted, and why, was said when it was read. */
	if (!support_can_host(service, &why))
		return -ENOTSUP;
	r = sinks_get(server->sinks, service, &sink);
	if (r < 0)
		return log_write_errno(
			LOG_LEVEL_ERROR, r, "creation of %s log failed: %s: %m [file=%s] [line=%u]",
			service->log->common ? "default" : service->id,
			service->log->path ? service->log->path : "", service->file, service->line);
	r = starts_new(server, service, &ret->starts);
	if (r < 0) {
		sinks_put(server->sinks, sink);
		return r;
	}
	if (service->builtin != BUILTIN_NONE || service->redirect_host ||
	    (service->flags & FLAG_INTERCEPT))
		server_want_worker(server);
	ret->sink = sink;
	return 0;
}

static void adopt(struct service_run *run, const struct prepared *prepared)
{
	run->sink = prepared->sink;
	run->starts = prepared->starts;
}

static void discard(struct server *server, struct prepared *prepared)
{
	starts_done(&prepared->starts);
	sinks_put(server->sinks, prepared->sink);
}

static void let_go(struct service_run *run)
{
	struct prepared had = { .sink = run->sink, .starts = run->starts };

	discard(run->server, &had);
}

static void set_service(struct service_run *run, const struct service *service)
{
	(void)service_ref(service);
	service_unref(run->service);
	run->service = service;
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
	run->n_places = (unsigned)service->n_endpoints;
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
	set_service(run, service);
	return 0;
}

int run_renew(struct service_run *run, const struct service *service, bool same)
{
	const struct service *before = service_ref(run->service);
	int r = 0;

	if (service == before) {
		/* All that there is to look after is in its places. */
	} else if (same) {
		/* What has been laid out tells the service before. */
		starts_forget(&run->starts);
		set_service(run, service);
	} else {
		r = run_replace(run, service);
	}
	for (size_t i = 0; i < run->n_places && r == 0; i++)
		place_renew(&run->places[i], &service->endpoints[i], same);
	service_unref(before);
	return r;
}

void run_free(struct service_run *run)
{
	if (!run)
		return;
	places_free(run->places, run->n_places, true);
	intercept_free(run->intercept);
	timer_free(run->timer);
	timer_free(run->pause);
	free(run->namings);
	gate_forget_run(run);
	let_go(run);
	limits_done(&run->limits);
	service_unref(run->service);
	free(run);
}

struct spawn *run_plan(struct service_run *run, enum start which)
{
	return starts_plan(&run->starts, run->server, run->service, which);
}

/* --- rests and pauses ------------------------------------------------------------ */

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
	if (timer_arm(&run->timer, run->server->base, on_rest_over, run, seconds) < 0) {
		log_error("service %s: no memory for a timer; it goes on at once",
			  run->service->id);
		on_rest_over(-1, 0, run);
	}
}

/* From one state in which doors are open into another; what is open is watched in PLACE_OPEN alone. */
static void change_doors(struct service_run *run, enum place_state from, enum place_state to)
{
	for (size_t i = 0; i < run->n_places; i++) {
		if (run->places[i].state != from)
			continue;
		if (to == PLACE_OPEN)
			place_go_on(&run->places[i]);
		else
			place_stop(&run->places[i], to);
	}
}

static void on_pause_over(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	change_doors(arg, PLACE_PAUSED, PLACE_OPEN);
}

void run_pause(struct service_run *run, const char *why)
{
	log_limited(&run->errors, LOG_LEVEL_ERROR,
		    "Deactivating service %s due to %s.  Restarting in %d seconds.",
		    run->service->name, why, PAUSE_SEC);
	if (timer_arm(&run->pause, run->server->base, on_pause_over, run, PAUSE_SEC) == 0)
		change_doors(run, PLACE_OPEN, PLACE_PAUSED);
}

void run_disarm(struct service_run *run)
{
	timer_disarm(run->timer);
	timer_disarm(run->pause);
}

/* --- room ------------------------------------------------------------------------- */

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
	change_doors(run, PLACE_OPEN, PLACE_FULL);
	return true;
}

void run_has_room(struct service_run *run)
{
	if (!is_full(run))
		change_doors(run, PLACE_FULL, PLACE_OPEN);
}
