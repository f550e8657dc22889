/* SPDX-License-Identifier: ISC */
/* Hears that sessions are over: of children by their pids, of the worker by its word. */
#pragma once

struct server;
struct worker_link_ops;

/* How the worker's sessions end; for worker_link_new() with the server as argument. */
extern const struct worker_link_ops reap_worker_ops;

/* Reaps every child that has ended: records EXIT, gives sockets back, tells the worker link. */
void reap_children(struct server *server);
