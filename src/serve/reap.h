/* SPDX-License-Identifier: ISC */
/* The end of sessions: time limits, signals, reaped children, the worker's word. */
#pragma once

#include "serve/server.h"
#include "serve/spawn.h"

struct worker_link_ops;

/* How the worker's sessions end; for worker_link_new() with the server as argument. */
extern const struct worker_link_ops reap_worker_ops;

/* Reaps every child that has ended: records EXIT, gives sockets back, tells the worker link. */
void reap_children(struct server *server);

/* Ends the session in @seconds as reap_stop() does. */
void reap_arm(struct session *session, unsigned seconds);

/*
 * Ends a session before its time: SIGTERM to its server, SIGKILL five seconds
 * later; the worker is told, and may end it before this returns. A session that
 * is ending already is left alone.
 */
void reap_stop(struct session *session);

/* SIGKILL to the session's server. */
void reap_kill(struct session *session);

/*
 * The server that ran a session, or the worker, has let go of it: records,
 * counts down, frees. Where this was the last session of a run that the
 * configuration has dropped, the run is freed, unless somebody holds it.
 */
void reap_finish(struct server *server, struct session *session, int wait_status);

/* Says in the log why a server could not become one. */
void reap_report_failure(const struct session *session, const struct spawn_failure *failure);
