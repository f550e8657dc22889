/* SPDX-License-Identifier: ISC */
/* The end of sessions: time limits, signals, reaped children, the worker's word. */
#include "config.h"

#include "serve/reap.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "base/log.h"
#include "base/sink.h"
#include "serve/admission.h"
#include "serve/gate.h"
#include "serve/inquiry.h"
#include "serve/intercept_dgrams.h"
#include "serve/mux.h"
#include "serve/redirect.h"
#include "serve/retry.h"
#include "serve/rpc.h"
#include "serve/run.h"
#include "serve/worker_link.h"

/* Between SIGTERM and SIGKILL. */
#define GRACE_SEC 5

static void on_timeout(evutil_socket_t fd, short what, void *arg)
{
	struct session *session = arg;

	(void)fd;
	(void)what;
	if (session->ending)
		reap_kill(session);
	else
		reap_stop(session);
}

void reap_arm(struct session *session, unsigned seconds)
{
	struct timeval pause = { .tv_sec = seconds };

	if (!session->timeout)
		session->timeout =
			event_new(session->run->server->base, -1, 0, on_timeout, session);
	if (!session->timeout || event_add(session->timeout, &pause) < 0)
		log_error("service %s: no memory for the time limit of a server",
			  session->service->id);
}

void reap_finish(struct server *server, struct session *session, int wait_status)
{
	struct service_run *run = session->run;

	session->status = wait_status;
	record_exit(server->writer, session->sink, session, now_usec());
	admission_uncount(session);
	if (session->timeout)
		event_free(session->timeout);
	redirect_end(session);
	mux_end(session);
	intercept_forget(session);
	TAILQ_REMOVE(&run->sessions, session, of_run);
	if (session->place)
		place_return(session->place);
	run_has_room(run);
	sink_unref(session->sink);
	session_free(session);
	if (run->ended && !run->held && TAILQ_EMPTY(&run->sessions))
		run_free(run);
}

static void send_signal(const struct session *session, int signo)
{
	log_warning("Sending signal %d to %s server %d", signo, session->service->id,
		    (int)session->pid);
	/* The server leads a session of its own: what it started goes with it. */
	if (kill(-session->pid, signo) < 0)
		(void)kill(session->pid, signo);
}

void reap_stop(struct session *session)
{
	if (session->ending)
		return;
	session->ending = true;
	if (session->gate) {
		gate_stop(session);
		return;
	}
	if (session_held(session, HOLDS_REDIRECT)) {
		redirect_give_up(session);
		return;
	}
	if (session_held(session, HOLDS_RETRY)) {
		retry_give_up(session);
		return;
	}
	if (!session->pid) {
		worker_link_cancel(session->run->server->worker, session->number);
		return;
	}
	send_signal(session, SIGTERM);
	reap_arm(session, GRACE_SEC);
}

void reap_kill(struct session *session)
{
	send_signal(session, SIGKILL);
	/* One that hangs in the kernel is told again. */
	reap_arm(session, GRACE_SEC);
}

void reap_report_failure(const struct session *session, const struct spawn_failure *failure)
{
	const struct service *service = session->service;

	log_write_errno(LOG_LEVEL_ERROR, failure->error,
			"service %s: %s( %s ) failed: %m [file=%s] [line=%u]", service->id,
			strcmp(failure->step, "exec") == 0 ? "execv" : failure->step,
			service->server, service->file, service->line);
}

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
		reap_report_failure(session, &failure);
	(void)id_table_remove(&server->by_pid, (uint64_t)session->pid);
	server->running--;
	if (session->place)
		drop_unread(session->place);
	reap_finish(server, session, status);
}

void reap_children(struct server *server)
{
	struct session *session;
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		session = id_table_find(&server->by_pid, (uint64_t)pid);
		if (session)
			end_server(server, session, status);
		else if (!gates_reaped(server->gates, pid, status) &&
			 !inquiries_reaped(server->inquiries, pid) &&
			 !worker_link_exited(server->worker, pid, status) &&
			 !rpc_reaped(server->rpc, pid, status))
			log_debug("process %d has ended, which usherd did not start", (int)pid);
	}
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
		reap_finish(server, session, status);
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

const struct worker_link_ops reap_worker_ops = {
	.done = on_done,
	.lost = on_lost,
	.named = on_named,
	.restarted = on_restarted,
};
