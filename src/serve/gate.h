/* SPDX-License-Identifier: ISC */
/* Sessions that wait for what usherd-gate finds out about their client: host name, tcp_wrappers. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

struct gates;
struct server;
struct session;

/*
 * Checks that may block run beside the daemon: a process for each connection
 * that needs one is started with the connection, answers, and ends (base/gate_wire.h).
 * It does not become the server: an answer serves spawned, internal and
 * redirected services alike, leaves what a server finds (root directory, limits, environment)
 * untouched, and lets a gate run with less than the server has. The session has
 * begun meanwhile, so that all limits count it, but nothing of it is recorded
 * until it is known what becomes of it. No answer within GATE_PATIENCE_SEC, or
 * none at all, is a refusal, but where nothing was to be found out that keeps
 * anybody out. Ident servers have GATE_IDENT_SEC more.
 */
#define GATE_PATIENCE_SEC 30

/* Makes the table of gates; @server must outlive it. Returns 0 or -ENOMEM. */
int gates_new(struct server *server, struct gates **ret);

/* Ends and records all sessions that wait; NULL is fine. What "twist" has started goes on, as servers do. */
void gates_end(struct gates *gates);

/* After gates_end(), and when there are no more runs. NULL is fine. */
void gates_free(struct gates *gates);

/* What becomes of whoever was asked about; each begins a session of another kind. */
struct gate_ops {
	/* The session may start, and is the callee's, as are @fd and @data. */
	void (*go_on)(struct session *session, int fd, void *data);
	/* It is refused: the client is told, or its datagram dropped. The session stays the caller's; @fd and @data go. */
	void (*turn_away)(struct session *session, int fd, void *data);
};

/*
 * Asks about @session, whose question is not GATE_ASKS_NOTHING; afterwards one
 * of @ops is called, later than this returns. Of a stream @fd is the connection,
 * and is taken over in every case; for others it is -1. A stream may also be
 * answered by hosts.allow itself ("twist"): then nothing of @ops is called.
 * Returns 0, or -errno where the session has been abandoned at once; @data
 * is the caller's then.
 */
int gate_begin(struct session *session, const struct gate_ops *ops, int fd, void *data);

/* Ends a session that is asked about: its gate is killed, the client refused. */
void gate_stop(struct session *session);

/* To be called with each reaped pid: whether it was a gate. */
bool gates_reaped(struct gates *gates, pid_t pid, int wait_status);
