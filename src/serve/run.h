/* SPDX-License-Identifier: ISC */
/* A hosted service and its doors: opened, watched, lent to a server, shut for a rest, closed. */
#pragma once

#include <event2/event.h>

#include "serve/listener.h"
#include "serve/server.h"

enum place_state {
	PLACE_CLOSED, /* not open: resting, or the address is taken and tried again by timer */
	PLACE_OPEN,   /* watched */
	PLACE_PAUSED, /* open, not watched for a moment: descriptors or processes ran out */
	PLACE_FULL,   /* open, not watched until a session ends (overload = queue) */
	PLACE_LENT,   /* a server has the socket (wait = yes), or an internal session its turn */
};

struct rpc_door;

/* One endpoint of a hosted service. */
struct place {
	struct service_run *run;
	struct endpoint endpoint;
	enum place_state state;
	int fd;
	struct event *event; /* readable */
	struct event *retry; /* bind again */
	unsigned tries;
	struct session *holder;    /* PLACE_LENT */
	struct listener_mark mark; /* datagram servers: the queue when the server was started */
	bool suspect;              /* the last server seemed to read nothing: mark exactly */
	struct rpc_door *rpc;      /* an open RPC service, as rpcbind knows it; NULL for others */
};

/*
 * Makes the run of @service (referenced) with closed places, its log open and
 * its servers laid out. Returns 0; -ENOMEM; or another -errno after saying in the log
 * why the service cannot run.
 */
int run_new(struct server *server, const struct service *service, struct service_run **ret);

/*
 * Gives a run its service of a new configuration: log, spawn and service are
 * replaced; places are the caller's to move. Counters and sessions stay. Returns as run_new();
 * on failure nothing has changed.
 */
int run_replace(struct service_run *run, const struct service *service);

/* Frees a run without sessions; its places are closed. */
void run_free(struct service_run *run);

/* Closed places for the endpoints of @service, owned by @run, or NULL; and their end, with place_close(). */
struct place *places_new(struct service_run *run, const struct service *service);
void places_free(struct place *places, size_t n, bool remove);

/*
 * Opens a closed place and watches it. Where the address is taken (or memory or
 * descriptors are short) the error is logged once and a timer tries again with
 * back-off. Returns 0 or -errno.
 */
int place_open(struct place *place);

/* Something is wrong with the socket itself (a server has shut it down): closes it, and opens it anew after a pause. */
void place_reopen(struct place *place);

/* Stops watching and closes; with @remove a Unix socket's file goes, too. */
void place_close(struct place *place, bool remove);

/*
 * Takes over descriptor and state of @from, which is closed afterwards; adjusts it to @to's service.
 * Where @from is not open, @to stays closed, too: place_open() is the caller's.
 */
void place_move(struct place *from, struct place *to);

/* The socket goes to @holder; nothing is watched until place_return(). */
void place_lend(struct place *place, struct session *holder);

/* The server that had the socket is gone: watch again. */
void place_return(struct place *place);

/* Closes all doors of the service for @seconds (cps), with xinetd's message. */
void run_rest(struct service_run *run, unsigned seconds, const char *why);

/*
 * Stops taking connections for a second, as taking them cannot work now; they
 * wait in the kernel's queue. Says so, in xinetd's words, with @why.
 */
void run_pause(struct service_run *run, const char *why);

/*
 * Where the service has as many sessions as it may, and its clients wait for their
 * turn (overload = queue), or too many clients are asked about: stops watching its doors and returns true.
 */
bool run_is_full(struct service_run *run);

/* A session is over: whoever waits for room gets it. */
void run_has_room(struct service_run *run);
