/* SPDX-License-Identifier: ISC */
/* What the daemon knows while it runs: the one server object, and the services that it hosts. */
#pragma once

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/account.h"
#include "base/id_table.h"
#include "base/log.h"
#include "config/conf.h"
#include "policy/limit.h"
#include "policy/sensor.h"
#include "record/session.h"
#include "serve/give_way.h"
#include "serve/spawn.h"

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
struct spawn;
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

/* The processes that clients of a service may need (serve/starts.h). */
enum start {
	START_SERVER,   /* not where it is internal, redirected or intercepted */
	START_GATE,     /* asks about a client before it is served */
	START_INQUIRER, /* finds out who a refused client is */
	STARTS,
};

/* Of one run. Few of many services are ever used: until then this is all that their processes take. */
struct starts {
	bool wanted[STARTS];
	struct spawn **plans; /* by enum start; NULL until there is one */
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
	struct event *timer;           /* ends a rest (cps) */
	struct event *pause;           /* ends a pause (descriptors, processes) */
	struct service_run *gate_next; /* in the list of those that wait for gates */
	unsigned n_places;
	unsigned seeking;      /* sessions whose target is looked for */
	unsigned waiting;      /* sessions whose server could not be started yet */
	unsigned asked_dgrams; /* datagrams of internal services whose senders are asked about */
	unsigned asking;       /* sessions that gates ask about */
	bool is_inner : 1;     /* the run of an intercepted service's server; not in server.runs */
	bool resting : 1;      /* the doors are closed until timer */
	bool waits_for_gate : 1; /* serve/gate_room.h */
	bool ended : 1; /* the configuration has dropped it; it goes with its last session */
	bool held : 1;  /* somebody walks over its sessions: it is not freed meanwhile */
};

/* How many gates there are (serve/gate_room.h). */
struct gate_room {
	unsigned asking;   /* gates whose answer is waited for */
	unsigned sessions; /* that gates hold */
	unsigned servers;  /* of these, those that take a process of their own when they start */
	struct service_run *waiting; /* for room; by their gate_next */
};

struct server {
	struct server_options options;
	struct event_base *base;
	struct writer *writer;
	struct sinks *sinks;
	struct spawner *spawner;
	struct worker_link *worker;
	struct gates *gates;
	struct gate_room gate_room;
	struct account gate_account; /* what gates run as where they do not run as a server */
	struct inquiries *inquiries;
	struct resolver *resolver;
	struct rpc *rpc;
	struct listings *listings; /* NULL until the first is asked for */
	bool worker_started;

	struct doors *doors;        /* all but the next */
	struct doors *worker_doors; /* where datagrams come that the worker answers or passes on */
	void (*place_closes)(struct place *place); /* ends what holds its socket */
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
	struct give_way way;      /* for the worker, when it has been given several connections */
	struct event *self_check; /* -cc */
	int exit_status;
	bool stopping;
};

/* Whether clients of @run may need such a process. */
static inline bool run_wants(const struct service_run *run, enum start which)
{
	return run->starts.wanted[which];
}

/* Leaves the loop; the daemon ends with @status. */
static inline void server_stop(struct server *server, int status)
{
	server->exit_status = status;
	server->stopping = true;
}
