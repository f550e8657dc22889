/* SPDX-License-Identifier: ISC */
/* Hears that sessions are over: of children by their pids, of the worker by its word. */
#include "config.h"

#include "serve/reap.h"

#include <sys/wait.h>

#include "base/log.h"
#include "serve/child.h"
#include "serve/doors.h"
#include "serve/finish.h"
#include "serve/gate.h"
#include "serve/inquiry.h"
#include "serve/mux.h"
#include "serve/place.h"
#include "serve/rpc.h"
#include "serve/state.h"
#include "serve/worker_link.h"

/* How many are reaped before others get their turn. */
#define REAP_TURN 64

/* A datagram server that ends without having read would be started for ever: one datagram is dropped then (D17). */
static void drop_unread(struct place *place)
{
	struct place_loan *loan = place->loan;
	struct listener_mark mark;
	bool sure;

	if (!loan || place->fd < 0)
		return;
	listener_mark(place->fd, loan->suspect, &mark);
	if (!listener_untouched(&loan->mark, &mark, &sure)) {
		loan->suspect = false;
		return;
	}
	if (!sure) {
		loan->suspect = true;
		return;
	}
	log_limited(&place->run->errors, LOG_LEVEL_WARNING,
		    "service %s: the server ended without reading; one datagram is thrown away",
		    place->run->service->id);
	listener_drop(place->fd);
}

static void end_server(struct server *server, struct session *session, int status)
{
	struct spawn_failure failure = { 0 };

	if (spawn_reaped(server->spawner, session->pid, &failure) && failure.error)
		child_report_failure(session, &failure);
	(void)id_table_remove(&server->by_pid, (uint64_t)session->pid);
	server->running--;
	if (session->place)
		drop_unread(session->place);
	finish_session(session, status);
}

bool reap_children(struct server *server)
{
	struct session *session;
	int status;
	pid_t pid;

	for (unsigned n = 0; n < REAP_TURN; n++) {
		pid = waitpid(-1, &status, WNOHANG);
		if (pid <= 0)
			return false;
		session = id_table_find(&server->by_pid, (uint64_t)pid);
		if (session)
			end_server(server, session, status);
		else if (!gates_reaped(server->gates, pid, status) &&
			 !inquiries_reaped(server->inquiries, pid) &&
			 !worker_link_exited(server->worker, pid, status) &&
			 !rpc_reaped(server->rpc, pid, status))
			log_debug("process %d has ended, which usherd did not start", (int)pid);
	}
	return true;
}

/* --- the worker's sessions ------------------------------------------------------- */

static void conclude(struct server *server, uint64_t number, uint64_t in_bytes, uint64_t out_bytes,
		     int status)
{
	struct session *session = id_table_remove(&server->by_number, number);

	if (!session)
		return;
	session->in_bytes += in_bytes;
	session->out_bytes += out_bytes;
	session->status = status;
	session->ended = true;
	/* While it is being handed over, whoever does that finishes it. */
	if (!session->starting)
		finish_session(session, status);
}

static void on_done(void *arg, uint64_t number, uint64_t in_bytes, uint64_t out_bytes, int error)
{
	(void)error;
	conclude(arg, number, in_bytes, out_bytes, 0);
}

static void on_lost(void *arg, uint64_t number, int wait_status)
{
	conclude(arg, number, 0, 0, wait_status);
}

static void on_named(void *arg, uint64_t number, uint64_t in_bytes, const char *name)
{
	struct server *server = arg;
	struct session *session = id_table_find(&server->by_number, number);

	if (!session)
		return;
	session->in_bytes += in_bytes;
	mux_named(session, name);
}

static void on_restarted(void *arg, pid_t pid)
{
	(void)arg;
	if (pid > 0)
		log_notice("the worker has ended and was started again (pid %d)", (int)pid);
	else
		log_write_errno(LOG_LEVEL_ERROR, (int)pid,
				"the worker cannot be started: %m; it is tried again");
}

static void on_room(void *arg)
{
	const struct server *server = arg;

	doors_open(server->worker_doors);
}

const struct worker_link_ops reap_worker_ops = {
	.done = on_done,
	.lost = on_lost,
	.named = on_named,
	.restarted = on_restarted,
	.room = on_room,
};
