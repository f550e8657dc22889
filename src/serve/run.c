/* SPDX-License-Identifier: ISC */
/* The life of a hosted service, but for what stands behind one that is intercepted (serve/host.h). */
#include "config.h"

#include "serve/run.h"

#include <errno.h>

#include "base/log.h"
#include "config/support.h"
#include "serve/gate_room.h"
#include "serve/sinks.h"
#include "serve/timer.h"
#include "serve/worker_link.h"

/* Starts the worker with the first service that needs it. */
static void want_worker(struct server *server)
{
	pid_t pid;

	if (server->worker_started)
		return;
	server->worker_started = true;
	pid = worker_link_start(server->worker);
	if (pid < 0)
		log_write_errno(LOG_LEVEL_ERROR, pid,
				"the worker %s cannot be started: %m; it is tried again",
				server->options.worker_path);
}

int run_form_new(struct server *server, const struct service *service, struct run_form *ret)
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
		want_worker(server);
	ret->sink = sink;
	return 0;
}

void run_form_discard(struct server *server, struct run_form *form)
{
	starts_done(&form->starts);
	sinks_put(server->sinks, form->sink);
}

static void let_go(struct service_run *run)
{
	struct run_form had = { .sink = run->sink, .starts = run->starts };

	run_form_discard(run->server, &had);
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
	struct run_form form = { 0 };
	int r;

	if (!run)
		return -ENOMEM;
	run->server = server;
	TAILQ_INIT(&run->sessions);
	limits_init(&run->limits);
	r = run_form_new(server, service, &form);
	if (r < 0) {
		if (r != -ENOTSUP)
			log_error("Service %s failed to start and is deactivated.", service->id);
		free(run);
		return r;
	}
	run->sink = form.sink;
	run->starts = form.starts;
	run->service = service_ref(service);
	run->places = places_new(run, service);
	if (!run->places) {
		run_free(run);
		return -ENOMEM;
	}
	run->n_places = (unsigned)service->n_endpoints;
	*ret = run;
	return 0;
}

void run_adopt(struct service_run *run, const struct service *service, struct run_form *form)
{
	let_go(run);
	run->sink = form->sink;
	run->starts = form->starts;
	set_service(run, service);
}

void run_adopt_same(struct service_run *run, const struct service *service)
{
	/* What has been laid out tells the service before. */
	starts_forget(&run->starts);
	set_service(run, service);
}

void run_renew_places(struct service_run *run, bool same)
{
	for (size_t i = 0; i < run->n_places; i++)
		place_renew(&run->places[i], &run->service->endpoints[i], same);
}

void run_free(struct service_run *run)
{
	if (!run)
		return;
	places_free(run->places, run->n_places, true);
	timer_free(run->timer);
	timer_free(run->pause);
	free(run->namings);
	gate_room_forget(run);
	let_go(run);
	limits_done(&run->limits);
	service_unref(run->service);
	free(run);
}

struct spawn *run_plan(struct service_run *run, enum start which)
{
	return starts_plan(&run->starts, run->server, run->service, which);
}
