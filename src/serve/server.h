/* SPDX-License-Identifier: ISC */
/* The one server object: the loop, the services that run, their sessions; life from start to end. */
#pragma once

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/id_table.h"
#include "base/log.h"
#include "config/conf.h"
#include "policy/limit.h"
#include "policy/sensor.h"
#include "record/session.h"
#include "serve/spawn.h"
#include "serve/starts.h"

struct doors;
struct gates;
struct inquiries;
struct intercept;
struct intercept_client;
struct listings;
struct mux;
struct namings;
struct place;
struct resolver;
struct rpc;
struct server;
struct signals;
struct sinks;
struct worker_link;
struct writer;

/* What the command line says about the daemon as a whole. */
struct server_options {
	struct conf_source source;
	const char *worker_path;
	const char *gate_path;
	const char *rpc_path;
	unsigned process_limit; /* xinetd(8) "-limit"; 0 = none */
	unsigned inquiries; /* xinetd(8) "-logprocs": ident look-ups for refused clients at once */
	unsigned check_sec; /* xinetd(8) "-cc": seconds between self checks; 0 = none */
	bool stay_alive;    /* xinetd(8) "-stayalive" */
	bool foreground;    /* SIGINT ends the daemon as SIGTERM does (D36) */
	const char *ident;  /* name in syslog lines */
};

/* A service that is hosted, with all that changes while it is. There may be very many of them, most of them idle. */
struct service_run {
	struct server *server;
	const struct service *service;
	struct starts starts;             /* its servers, and what asks about its clients */
	struct intercept *intercept;      /* NULL where its clients are not intercepted */
	struct intercept_client *clients; /* of datagrams that are intercepted, by address */
	struct sink *sink;                /* NULL: no service log */
	struct limits limits;
	struct place *places; /* one an endpoint of service, in its order */
	TAILQ_HEAD(, session) sessions;
	struct namings *namings; /* clients of tcpmux that say no name yet; NULL: there were none */
	struct log_limit errors; /* of its own, so that no service silences another */
	struct log_limit target_errors;
	struct event *timer; /* ends a rest (cps) */
	struct event *pause; /* ends a pause (descriptors, processes) */
	struct service_run *gate_next;
	unsigned n_places;
	unsigned seeking;      /* sessions whose target is looked for */
	unsigned waiting;      /* sessions whose server could not be started yet */
	unsigned asked_dgrams; /* datagrams of internal services whose senders are asked about */
	unsigned asking;       /* sessions that gates ask about */
	bool is_inner : 1;     /* the run of an intercepted service's server; not in server.runs */
	bool resting : 1;      /* the doors are closed until timer */
	bool waits_for_gate : 1; /* as one of a list by gate_next */
	bool ended : 1; /* the configuration has dropped it; it goes with its last session */
	bool held : 1;  /* somebody walks over its sessions: it is not freed meanwhile */
};

struct server {
	struct server_options options;
	struct event_base *base;
	struct writer *writer;
	struct sinks *sinks;
	struct spawner *spawner;
	struct worker_link *worker;
	struct gates *gates;
	struct inquiries *inquiries;
	struct resolver *resolver;
	struct rpc *rpc;
	struct listings *listings; /* NULL until the first is asked for */
	bool worker_started;

	struct doors *doors;
	struct service_run **runs;
	size_t n_runs;
	struct mux *mux;           /* what tcpmux leads to; NULL: nothing */
	struct id_table by_pid;    /* sessions with a process of their own */
	struct id_table by_number; /* those of the worker */
	uint64_t last_number;
	struct sensor sensor; /* outlives reloads */
	unsigned running;     /* sessions with a process of their own */
	unsigned waiting;     /* sessions that are to have one as soon as it can be had */

	struct signals *signals;
	struct reload *reload; /* a configuration that is being read; NULL otherwise */
	bool reload_again;     /* another SIGHUP came meanwhile */
	struct event *
		worker_flush; /* hands collected work to the worker once a round of the loop is done */
	struct event *self_check; /* -cc */
	int exit_status;
	bool stopping;
};

/*
 * Makes a server with nothing hosted. The writer, and the daemon's own log, must
 * be there. @environment and @nofile are what servers inherit. Returns 0 or -errno.
 */
int server_new(const struct server_options *options, struct writer *writer,
	       char *const *environment, const struct rlimit *nofile, struct server **ret);

/* Prepares the process for the doors of @conf, which is cheap as long as it has no other threads. */
void server_make_room(const struct conf *conf);

/*
 * Hosts what @conf says. Returns the number of services that are available, or
 * -ENOMEM. One whose log cannot be opened or whose identity cannot be had is
 * reported and left out; one whose address is taken is tried again by timer.
 */
int server_start(struct server *server, const struct conf *conf);

/* Runs until a signal ends it; returns the exit status of the daemon. */
int server_run(struct server *server);

/* Closes everything, ends internal sessions, leaves external servers alone (D36). NULL is fine. */
void server_free(struct server *server);

/* Leaves the loop; the daemon ends with @status. */
void server_stop(struct server *server, int status);

/* Starts the worker unless it is; called when the first internal service is hosted. */
void server_want_worker(struct server *server);
