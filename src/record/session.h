/* SPDX-License-Identifier: ISC */
/* One served request, from its admission to its end. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

#include "base/addr.h"
#include "base/ident.h"
#include "config/service.h"

struct event;
struct gate;
struct place;
struct service_run;
struct session;
struct sink;

/*
 * What a session holds until it is served, or while, as the first member of what
 * the module has that has made it. A service is of one kind, so it is one at most.
 */
struct holding {
	const struct holding_ops *ops;
};

/* What becomes of it; and by the address of these one kind is told from another. */
struct holding_ops {
	/* Frees @held, which the session does not hold any more, as it is over. */
	void (*end)(struct session *session, struct holding *held);
	/* Ends the session before its time, and frees it. NULL: whoever serves it is told to end it. */
	void (*stop)(struct session *session);
};

/* There may be tens of thousands: members are ordered so that nothing lies between them. */
struct session {
	uint64_t number; /* unique while the daemon lives */
	const struct service *service;
	struct addr peer;
	uint64_t start_usec;
	uint64_t in_bytes; /* from the client */
	uint64_t out_bytes;
	char *userid; /* what the client's ident server says; NULL: nothing */
	pid_t pid;    /* 0: served by the worker */
	int status;   /* as wait(2) gives it; valid once it has ended */

	/* For whoever keeps the sessions. */
	struct service_run *run;
	struct place *place; /* the socket that its server was lent, or NULL */
	struct event *timeout;
	struct gate *gate;    /* while it is asked who the client is */
	struct holding *held; /* what the kind of its service needs meanwhile, or NULL */
	struct sink *
		sink; /* where its START went, and its EXIT goes, whatever a reload changes; a reference */
	TAILQ_ENTRY(session) of_run;

	uint8_t ident; /* enum ident_outcome of asking who the client is, before it was to be served */
	uint8_t question; /* enum gate_question: what has to be known before it may start */
	bool counted;     /* against per_source, as admit_source() of its service and peer */
	bool greeted;     /* has got what the client is told first */
	bool ending;      /* told to end before its time */
	bool starting;    /* being handed to the worker */
	bool ended;       /* the worker has let go of it */
	bool seeking;     /* its target is looked for, so that nothing can have passed yet */
};

/* What the session holds of the kind that has these @ops, or NULL. */
void *session_held(const struct session *session, const struct holding_ops *ops);

/* The same; the session holds it no more. */
void *session_let_go(struct session *session, const struct holding_ops *ops);

/* A session of @service (a reference is taken) that starts at @start_usec (now_usec()), or NULL when memory ran out. */
struct session *session_new(const struct service *service, uint64_t number, const struct addr *peer,
			    uint64_t start_usec);

/* Lets go of the service and frees; NULL is fine. */
void session_free(struct session *session);

/* Notes what came of asking who the client is; @text (copied) is what its ident server says, with IDENT_ANSWERED. */
void session_identify(struct session *session, enum ident_outcome outcome, const char *text);
