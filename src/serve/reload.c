/* SPDX-License-Identifier: ISC */
/* SIGHUP: read anew beside the running loop, compare, open what is new, swap in one step. */
#include "config.h"

#include "serve/reload.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>

#include <systemd/sd-daemon.h>

#include "base/log.h"
#include "serve/intercept.h"
#include "serve/mux.h"
#include "serve/plan.h"
#include "serve/reap.h"
#include "serve/run.h"
#include "serve/sinks.h"

/* Who frees a reload: the loop, unless it has gone while the thread still read. */
enum reading {
	READING_ON,
	READING_DONE,
	READING_ABANDONED
};

struct reload {
	struct server *server;
	_Atomic(enum reading) reading;
	pthread_t thread;
	int fd; /* eventfd: the thread is done */
	struct event *event;
	char *file, *directory, *inetd_file; /* the thread may outlive the server's options */
	struct diag diag;
	struct conf *conf;
	int result;
};

/* What the swap has made ready before it touches anything that runs. */
struct successor {
	struct service_run *run;      /* new, or the one that goes on; NULL: there is none */
	bool end;                     /* run goes on no more: its new form cannot be hosted */
	struct place *places;         /* of the new service, for a run that goes on */
	const struct service *before; /* which its places still refer to; referenced */
};

void reload_log_findings(const struct diag *diag)
{
	static const enum log_level levels[] = {
		[SEVERITY_ERROR] = LOG_LEVEL_ERROR,
		[SEVERITY_WARNING] = LOG_LEVEL_WARNING,
		[SEVERITY_NOTICE] = LOG_LEVEL_INFO,
	};

	for (size_t i = 0; i < diag->n; i++) {
		const struct finding *f = &diag->v[i];

		log_write(levels[f->severity], "%s%s%s [file=%s] [line=%u]",
			  f->service ? f->service : "", f->service ? ": " : "", f->text,
			  f->file ? f->file : "-", f->line);
	}
}

/* --- the swap ---------------------------------------------------------------------- */

/* The first session that is not ending yet, or NULL. */
static struct session *next_to_stop(const struct service_run *run)
{
	struct session *session;

	TAILQ_FOREACH(session, &run->sessions, of_run)
		if (!session->ending)
			return session;
	return NULL;
}

static void end_run(struct service_run *run)
{
	struct session *session;

	log_notice("service %s deactivated", run->service->id);
	run->ended = true;
	for (size_t i = 0; i < run->n_places; i++) {
		if (run->places[i].holder)
			run->places[i].holder->place = NULL;
		run->places[i].holder = NULL;
		place_close(&run->places[i], true);
	}
	run_disarm(run);
	/* Stopping one may end others, too: begin anew each time. */
	run->held = true;
	while ((session = next_to_stop(run)))
		reap_stop(session);
	run->held = false;
	intercept_stop(run);
	if (TAILQ_EMPTY(&run->sessions))
		run_free(run);
}

/* Makes the run of one planned service, or readies the old one; nothing that runs is touched but its log and spawn. */
static void prepare(struct server *server, const struct plan_service *planned,
		    struct successor *ret)
{
	struct service_run *run = planned->old == PLAN_NONE ? NULL : server->runs[planned->old];
	int r;

	if (!run) {
		(void)run_new(server, planned->service, &ret->run);
		return;
	}
	ret->run = run;
	if (planned->kept) {
		log_error("service %s: its stanza cannot be used now; it goes on in its old form",
			  run->service->id);
		return;
	}
	ret->places = places_new(run, planned->service);
	ret->before = service_ref(run->service);
	r = ret->places ? run_replace(run, planned->service) : -ENOMEM;
	if (r == 0)
		return;
	service_unref(TAKE_PTR(ret->before));
	/* What runs goes on as it was, its doors among them; unless it is to be what this version cannot host. */
	places_free(ret->places, planned->service->n_endpoints, false);
	ret->places = NULL;
	ret->end = r == -ENOTSUP;
}

/* Moves the descriptors that stay to their new places. */
static void move_places(struct server *server, const struct plan *plan,
			struct successor *successors)
{
	for (size_t i = 0; i < plan->n; i++) {
		const struct plan_service *planned = &plan->services[i];
		struct successor *s = &successors[i];
		struct place *places = s->places ? s->places : s->run ? s->run->places : NULL;

		if (!s->run || planned->kept || (planned->old != PLAN_NONE && !s->places))
			continue;
		for (size_t e = 0; e < planned->service->n_endpoints; e++) {
			const struct plan_endpoint *from =
				&plan->endpoints[planned->first_endpoint + e];

			if (from->old != PLAN_NONE)
				place_move(&server->runs[from->old]->places[from->old_endpoint],
					   &places[e]);
		}
	}
}

/* Replaces the places of the runs that go on; what was not moved is closed. */
static void adopt_places(const struct plan *plan, struct successor *successors)
{
	for (size_t i = 0; i < plan->n; i++) {
		struct successor *s = &successors[i];

		if (!s->places)
			continue;
		places_free(s->run->places, s->run->n_places, true);
		service_unref(s->before);
		s->run->places = s->places;
		s->run->n_places = (unsigned)plan->services[i].service->n_endpoints;
	}
}

static void open_places(struct service_run *run)
{
	for (size_t i = 0; i < run->n_places; i++)
		if (run->places[i].state == PLACE_CLOSED && !run->resting &&
		    !place_is_retried(&run->places[i]))
			(void)place_open(&run->places[i]);
}

static size_t carry_out(struct server *server, const struct plan *plan,
			struct successor *successors, struct service_run **runs)
{
	size_t n = 0;

	move_places(server, plan, successors);
	adopt_places(plan, successors);
	for (size_t i = 0; i < plan->n_dropped; i++)
		end_run(server->runs[plan->dropped[i]]);
	for (size_t i = 0; i < plan->n; i++) {
		if (successors[i].end)
			end_run(successors[i].run);
		if (!successors[i].run || successors[i].end)
			continue;
		if (plan->services[i].old != PLAN_NONE && !plan->services[i].kept)
			log_notice("readjusting service %s", successors[i].run->service->id);
		open_places(successors[i].run);
		runs[n++] = successors[i].run;
	}
	return n;
}

/* Makes @conf what runs. Returns 0, or -ENOMEM with everything as it was but logs reopened. */
static int swap(struct server *server, const struct conf *conf)
{
	CLEANUP_FREE const struct service **running = calloc(server->n_runs + 1, sizeof(*running));
	CLEANUP_FREE struct successor *successors = NULL;
	struct service_run **runs;
	size_t fresh = 0, old = 0;
	struct plan plan;
	int r = running ? 0 : -ENOMEM;

	for (size_t i = 0; i < server->n_runs && r == 0; i++)
		running[i] = server->runs[i]->service;
	if (r == 0)
		r = plan_make(running, server->n_runs, conf, &plan);
	if (r < 0)
		return r;
	successors = calloc(plan.n + 1, sizeof(*successors));
	runs = calloc(plan.n + 1, sizeof(*runs));
	if (!successors || !runs) {
		free(runs);
		plan_done(&plan);
		return -ENOMEM;
	}
	for (size_t i = 0; i < plan.n; i++) {
		prepare(server, &plan.services[i], &successors[i]);
		fresh += successors[i].run && plan.services[i].old == PLAN_NONE;
		old += plan.services[i].old != PLAN_NONE;
	}
	log_notice("Swapping defaults");
	server->n_runs = carry_out(server, &plan, successors, runs);
	free(server->runs);
	server->runs = runs;
	mux_renew(server);
	log_notice("Reconfigured: new=%zu old=%zu dropped=%zu (services)", fresh, old,
		   plan.n_dropped);
	plan_done(&plan);
	return 0;
}

/* --- reading ------------------------------------------------------------------------- */

static void reload_free(struct reload *reload)
{
	if (reload->event)
		event_free(reload->event);
	if (reload->fd >= 0)
		(void)close(reload->fd);
	diag_done(&reload->diag);
	conf_free(reload->conf);
	free(reload->file);
	free(reload->directory);
	free(reload->inetd_file);
	free(reload);
}

static void *read_conf(void *arg)
{
	struct reload *reload = arg;
	struct conf_source source = {
		.file = reload->file,
		.directory = reload->directory,
		.inetd_file = reload->inetd_file,
	};
	uint64_t one = 1;

	reload->result = conf_load(&source, &reload->diag, &reload->conf);
	(void)!write(reload->fd, &one, sizeof(one));
	if (atomic_exchange(&reload->reading, READING_DONE) == READING_ABANDONED)
		reload_free(reload);
	return NULL;
}

static void on_read(evutil_socket_t fd, short what, void *arg)
{
	struct reload *reload = arg;
	struct server *server = reload->server;
	int r;

	(void)fd;
	(void)what;
	(void)pthread_join(reload->thread, NULL);
	server->reload = NULL;
	reload_log_findings(&reload->diag);
	r = reload->result;
	if (r == 0)
		r = swap(server, reload->conf);
	if (r < 0)
		log_warning("reconfiguration failed; everything goes on as it was");
	reload_free(reload);
	(void)sd_notifyf(0, "READY=1\nSTATUS=%zu services", server->n_runs);
	if (server->n_runs == 0 && !server->options.stay_alive) {
		log_critical("No available services. Exiting");
		server_stop(server, 1);
	}
	if (server->reload_again) {
		server->reload_again = false;
		reload_begin(server);
	}
}

static struct reload *reload_new(struct server *server)
{
	const struct conf_source *source = &server->options.source;
	struct reload *reload = calloc(1, sizeof(*reload));

	if (!reload)
		return NULL;
	reload->server = server;
	reload->file = strdup(source->file);
	reload->directory = strdup(source->directory);
	reload->inetd_file = source->inetd_file ? strdup(source->inetd_file) : NULL;
	reload->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (reload->fd >= 0)
		reload->event = event_new(server->base, reload->fd, EV_READ, on_read, reload);
	if (reload->file && reload->directory && (reload->inetd_file || !source->inetd_file) &&
	    reload->event && event_add(reload->event, NULL) == 0)
		return reload;
	reload_free(reload);
	return NULL;
}

void reload_begin(struct server *server)
{
	struct reload *reload;
	sigset_t all, old;
	int r;

	/* Whatever comes of the files: who rotates logs must not find them in use by their old names. */
	log_reopen();
	sinks_reopen(server->sinks);
	if (server->reload) {
		server->reload_again = true;
		return;
	}
	log_notice("Starting reconfiguration");
	reload = reload_new(server);
	if (!reload) {
		log_error("reconfiguration failed: no descriptor or memory for it");
		return;
	}
	/* Signals are for the loop's thread. */
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &old);
	r = pthread_create(&reload->thread, NULL, read_conf, reload);
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (r) {
		log_write_errno(LOG_LEVEL_ERROR, r,
				"reconfiguration failed: no thread to read it: %m");
		reload_free(reload);
		return;
	}
	(void)sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%llu", (unsigned long long)now_usec());
	server->reload = reload;
}

void reload_cancel(struct server *server)
{
	struct reload *reload = server->reload;
	pthread_t thread;

	if (!reload)
		return;
	thread = reload->thread;
	server->reload = NULL;
	event_free(reload->event);
	reload->event = NULL;
	if (atomic_exchange(&reload->reading, READING_ABANDONED) == READING_DONE) {
		(void)pthread_join(reload->thread, NULL);
		reload_free(reload);
		return;
	}
	/* It may wait for a name server for long: the end of the daemon does not. */
	(void)pthread_detach(thread);
}
