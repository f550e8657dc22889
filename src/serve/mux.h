/* SPDX-License-Identifier: ISC */
/* tcpmux, RFC 1078: what a client has named is found, and begins. */
#pragma once

struct mux;
struct server;
struct session;

/*
 * Looks anew which services stand behind tcpmux; called when those that are
 * hosted have changed. Without memory nothing stands behind it, and the log says so.
 */
void mux_renew(struct server *server);

/* NULL is fine. */
void mux_free(struct mux *mux);

/*
 * The worker has read @name, and has nothing to do with the connection any more:
 * @session, known by its number, ends, and the service of that name begins; or it
 * goes on with an answer. Both are recorded as any others.
 */
void mux_named(struct session *session, const char *name);
