/* SPDX-License-Identifier: ISC */
/* One endpoint of a hosted service: opened, watched, lent to a server, closed. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/service.h"
#include "serve/listener.h"

struct rpc_door;
struct server;
struct service_run;
struct session;

enum place_state {
	PLACE_CLOSED, /* not open: resting, or the address is taken and tried again by timer */
	PLACE_OPEN,   /* watched */
	PLACE_PAUSED, /* open, not watched for a moment: descriptors or processes ran out */
	PLACE_FULL,   /* open, not watched until a session ends (overload = queue) */
	PLACE_LENT,   /* a server has the socket (wait = yes), or an internal session its turn */
};

/* A socket that is lent to servers of datagrams, by which it is told whether they read. */
struct place_loan {
	struct listener_mark mark; /* the queue when the server was started */
	bool suspect;              /* the last server seemed to read nothing: mark exactly */
};

struct place_retry;

struct place {
	struct service_run *run;
	const struct endpoint *endpoint; /* of the service whose place it was made for */
	struct session *holder;          /* PLACE_LENT */
	struct place_retry *retry;       /* NULL: its address was never taken */
	struct place_loan *loan;         /* NULL: it was never lent to a server of datagrams */
	struct rpc_door *rpc; /* an open RPC service, as rpcbind knows it; NULL for others */
	int fd;
	uint8_t state;   /* enum place_state */
	uint8_t singles; /* turns in which one connection was taken without a look for more */
	bool crowded;    /* at the last look there were more */
	bool for_worker; /* PLACE_OPEN: it is one of the worker's doors */
};

/*
 * Closed places for the endpoints of @service, owned by @run, or NULL; and their end, with place_close().
 * They refer to @service's endpoints without a reference of their own.
 */
struct place *places_new(struct service_run *run, const struct service *service);
void places_free(struct place *places, size_t n, bool remove);

/*
 * Opens a closed place and watches it. Where the address is taken (or memory or
 * descriptors are short) the error is logged once and a timer tries again with
 * back-off. Returns 0 or -errno.
 */
int place_open(struct place *place);

/* Whether its address was taken, or else not to be had, when it was last tried; a timer tries again. */
bool place_is_retried(const struct place *place);

/* Something is wrong with the socket itself (a server has shut it down): closes it, and opens it anew after a pause. */
void place_reopen(struct place *place);

/* Stops watching and closes; with @remove a Unix socket's file goes, too. */
void place_close(struct place *place, bool remove);

/* An open place is not watched for a while, in the given state; and watched again. */
void place_stop(struct place *place, enum place_state state);
void place_go_on(struct place *place);

/*
 * Takes over descriptor and state of @from, which is closed afterwards; adjusts it to @to's service.
 * Where @from is not open, @to stays closed, too: place_open() is the caller's.
 */
void place_move(struct place *from, struct place *to);

/*
 * An open place whose service has got a new form, of which @endpoint is equal to its own: gives
 * the socket its settings. Where the form is the @same as before, only what others may
 * have changed is set again. One that is closed stays as it is, but is tried at once.
 */
void place_renew(struct place *place, const struct endpoint *endpoint, bool same);

/* The socket goes to @holder; nothing is watched until place_return(). */
void place_lend(struct place *place, struct session *holder);

/* Notes what a server of datagrams finds, before it is started. Returns 0 or -ENOMEM. */
int place_mark(struct place *place);

/* The server that had the socket is gone: watch again. */
void place_return(struct place *place);
