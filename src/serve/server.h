/* SPDX-License-Identifier: ISC */
/* The one server object: the loop, the services that run, their sessions; life from start to end. */
#pragma once

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/log.h"
#include "config/conf.h"
#include "policy/limit.h"
#include "policy/sensor.h"
#include "record/session.h"
#include "serve/spawn.h"

struct gates;
struct inquiries;
struct intercept;
struct intercept_client;
struct listings;
struct mux;
struct naming;
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

/* A service that is hosted, with all that changes while it is. */
struct service_run {
	struct server *server;
	const struct service *service;
	struct spawn *
		spawn; /* NULL where no server is started for it: internal, redirected, intercepted */
	struct spawn *gate;          /* NULL: nothing is ever asked about its clients */
	struct spawn *inquirer;      /* for refused clients; NULL where they are not asked about */
	struct intercept *intercept; /* NULL where its clients are not intercepted */
	struct intercept_client *clients; /* of datagrams that are intercepted, by address */
	bool is_inner;     /* the run of an intercepted service's server; not in server.runs */
	struct sink *sink; /* NULL: no service log */
	struct limits limits;
	struct place *places; /* one an endpoint of service, in its order */
	size_t n_places;
	TAILQ_HEAD(, session) sessions;
	unsigned seeking;             /* sessions whose target is looked for */
	unsigned waiting;             /* sessions whose server could not be started yet */
	TAILQ_HEAD(, naming) namings; /* clients of tcpmux that say no name yet, oldest first */
	unsigned n_namings;
	struct log_limit errors; /* of its own, so that no service silences another */
	struct log_limit target_errors;
	struct event *timer;   /* ends a rest (cps) */
	bool resting;          /* the doors are closed until then */
	struct event *pause;   /* ends a pause (descriptors, processes) */
	unsigned asked_dgrams; /* datagrams of internal services whose senders are asked about */
	unsigned asking;       /* sessions that gates ask about */
	bool waits_for_gate;   /* as one of a list by gate_next */
	struct service_run *gate_next;
	bool ended;   /* the configuration has dropped it; it goes with its last session */
	bool held;    /* somebody walks over its sessions: it is not freed meanwhile */
	size_t index; /* in server.runs */
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

	struct service_run **runs;
	size_t n_runs;
	struct mux *mux; /* what tcpmux leads to; NULL: nothing */
	struct session *by_pid;
	struct session *by_number;
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
