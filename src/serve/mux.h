/* SPDX-License-Identifier: ISC */
/* tcpmux, RFC 1078: a connection waits until the worker has read a name, and goes to the service of that name. */
#pragma once

#include <stdbool.h>

struct log_limit;
struct mux;
struct server;
struct service;
struct service_run;
struct session;

/* Seconds that a client of tcpmux has to name its service, where its stanza has no idle_timeout. */
#define MUX_TIMEOUT_SEC 30

/*
 * Looks anew which services stand behind tcpmux; called when those that are
 * hosted have changed. Without memory nothing stands behind it, and the log says so.
 */
void mux_renew(struct server *server);

/* NULL is fine. */
void mux_free(struct mux *mux);

/*
 * Gives the connection of @session, which was begun, to the worker for a name to
 * be read. Takes over @fd, of which a duplicate is kept: of what comes back,
 * nothing but the name is believed. Returns as worker_link_stream(), or another -errno.
 */
int mux_begin(struct session *session, int fd);

/*
 * The worker has read @name, and has nothing to do with the connection any more:
 * @session, known by its number, ends, and the service of that name begins; or it
 * goes on with an answer. Both are recorded as any others.
 */
void mux_named(struct session *session, const char *name);

/* Closes what is kept of a session that ends; nothing where its service is not tcpmux. */
void mux_end(struct session *session);

/* Whether a client of @service gets its positive answer before its server starts. */
bool mux_speaks(const struct service *service);

/* That answer, and behind it the banner, which others get before it is known whether they are admitted. */
void mux_greet(int fd, const struct service *service, struct log_limit *limit);
