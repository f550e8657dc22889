/* SPDX-License-Identifier: ISC */
/* The clients of an intercepted datagram service: one session each, as long as they are not quiet for too long. */
#pragma once

struct place;

/* Seconds without a datagram either way after which a client is forgotten, unless idle_timeout says otherwise. */
#define INTERCEPT_IDLE_SEC 120

/* Clients of one service at a time; who comes then is refused (FAIL service_limit). */
#define INTERCEPT_CLIENTS 1024

/*
 * Takes datagrams that wait at the open place, one turn's worth. Those of clients that are known,
 * or are let in now, go to the worker, which passes them on to the private place. Where
 * somebody has to be asked about a client (serve/gate.h) its first datagram is
 * held, and others of it are dropped until that is known.
 */
void intercept_dgrams(struct place *place);

/* Ends the sessions of all clients that came by this place, whose socket they would hold open. */
void intercept_dgrams_end(struct place *place);
