/* SPDX-License-Identifier: ISC */
/* SIGHUP: read and compared beside the running loop, then carried out by it. */
#include "config.h"

#include "serve/reload.h"

#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>

#include <systemd/sd-daemon.h>

#include "base/log.h"
#include "serve/plan.h"
#include "serve/sinks.h"
#include "serve/state.h"
#include "serve/swap.h"

/* Who frees a reload: the loop, unless it has gone while the thread still read. */
enum reading {
	READING_ON,
	READING_OVER, /* what is left for the thread to do does not take long */
	READING_ABANDONED
};

/* Services of the configuration that was read that are freed at once. */
#define SHED_A_TURN 256

struct reload {
	struct server *server;
	_Atomic(enum reading) reading;
	pthread_t thread;
	int fd; /* eventfd: the thread is done */
	struct event *event;
	char *file, *directory, *inetd_file; /* the thread may outlive the server's options */
	const struct service *
		*running; /* those of the server's runs, which stay the same meanwhile */
	size_t n_running;
	struct diag diag;
	struct conf *conf;
	struct plan plan;
	struct swap *swap; /* being carried out; NULL: still read */
	int result;
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

/* --- reading ------------------------------------------------------------------------- */

static void reload_free(struct reload *reload)
{
	swap_free(reload->swap);
	plan_done(&reload->plan);
	if (reload->event)
		event_free(reload->event);
	if (reload->fd >= 0)
		(void)close(reload->fd);
	diag_done(&reload->diag);
	conf_free(reload->conf);
	free(reload->file);
	free(reload->directory);
	free(reload->inetd_file);
	free(reload->running);
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
	enum reading on = READING_ON;
	uint64_t one = 1;

	reload->result = conf_load(&source, &reload->diag, &reload->conf);
	if (!atomic_compare_exchange_strong(&reload->reading, &on, READING_OVER)) {
		reload_free(reload);
		return NULL;
	}
	if (reload->result == 0)
		reload->result =
			plan_make(reload->running, reload->n_running, reload->conf, &reload->plan);
	(void)!write(reload->fd, &one, sizeof(one));
	return NULL;
}

/* --- in the loop --------------------------------------------------------------------- */

/* The server is as it is to be now, and nothing is left of what that took. */
static void conclude(struct reload *reload)
{
	struct server *server = reload->server;

	server->reload = NULL;
	reload_free(reload);
	/* What the configuration before took would be kept for the next one otherwise. */
	(void)malloc_trim(0);
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

/* Frees what was read and is not needed, a little at a time. */
static void on_rest(evutil_socket_t fd, short what, void *arg)
{
	const struct timeval at_once = { 0 };
	struct reload *reload = arg;

	(void)fd;
	(void)what;
	/* Where there is no timer to be had, the rest is freed without a break. */
	if (!conf_shed(reload->conf, SHED_A_TURN) || event_add(reload->event, &at_once) < 0)
		conclude(reload);
}

static void on_swapped(void *arg, const struct swap_counts *counts)
{
	struct reload *reload = arg;

	log_notice("Reconfigured: new=%zu old=%zu dropped=%zu (services)", counts->fresh,
		   counts->old, counts->dropped);
	(void)event_assign(reload->event, reload->server->base, -1, 0, on_rest, reload);
	on_rest(-1, 0, reload);
}

static void on_read(evutil_socket_t fd, short what, void *arg)
{
	struct reload *reload = arg;
	int r;

	(void)fd;
	(void)what;
	(void)pthread_join(reload->thread, NULL);
	reload_log_findings(&reload->diag);
	r = reload->result;
	if (r == 0)
		r = swap_begin(reload->server, &reload->plan, on_swapped, reload, &reload->swap);
	if (r < 0) {
		log_warning("reconfiguration failed; everything goes on as it was");
		conclude(reload);
	}
}

/* What runs, for the thread to compare with. */
static int note_running(struct reload *reload, const struct server *server)
{
	reload->running = calloc(server->n_runs + 1, sizeof(*reload->running));
	if (!reload->running)
		return -ENOMEM;
	reload->n_running = server->n_runs;
	for (size_t i = 0; i < server->n_runs; i++)
		reload->running[i] = server->runs[i]->service;
	return 0;
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
	    reload->event && note_running(reload, server) == 0 &&
	    event_add(reload->event, NULL) == 0)
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
	enum reading on = READING_ON;

	if (!reload)
		return;
	server->reload = NULL;
	if (reload->swap) {
		reload_free(reload);
		return;
	}
	event_free(TAKE_PTR(reload->event));
	if (!atomic_compare_exchange_strong(&reload->reading, &on, READING_ABANDONED)) {
		(void)pthread_join(reload->thread, NULL);
		reload_free(reload);
		return;
	}
	/* It may wait for a name server for long: the end of the daemon does not. */
	(void)pthread_detach(reload->thread);
}
