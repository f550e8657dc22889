/* SPDX-License-Identifier: ISC */
/* Hears that sessions are over: of children by their pids, of the worker by its word. */
#pragma once

#include <stdbool.h>

struct server;
struct worker_link_ops;

/* How the worker's sessions end; for worker_link_new() with the server as argument. */
extern const struct worker_link_ops reap_worker_ops;

/*
 * Reaps children that have ended: records EXIT, gives sockets back, tells the worker link. Not all where thousands end
 * at once, as nobody else is served meanwhile: returns whether there may be more, and whoever called calls again then.
 */
bool reap_children(struct server *server);
