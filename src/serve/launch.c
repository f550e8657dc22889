/* SPDX-License-Identifier: ISC */
/* The way of an admitted connection: a server is started on it, or it is handed over; then it is recorded. */
#include "config.h"

#include "serve/launch.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "base/log.h"
#include "base/sink.h"
#include "serve/admission.h"
#include "serve/gate.h"
#include "serve/gate_plan.h"
#include "serve/greet.h"
#include "serve/inquiry.h"
#include "serve/intercept.h"
#include "serve/listing.h"
#include "serve/mux.h"
#include "serve/reap.h"
#include "serve/redirect.h"
#include "serve/retry.h"
#include "serve/run.h"
#include "serve/worker_link.h"

/* Whoever has forgotten to ask starts nothing. */
static bool may_start(const struct session *session)
{
	return session->question == GATE_ASKS_NOTHING;
}

int launch_try(struct session *session, int fd)
{
	struct service_run *run = session->run;
	struct server *server = run->server;
	struct spawn *plan = run_plan(run, START_SERVER);
	struct spawn_failure failure;
	pid_t pid = !plan                ? -ENOMEM
		    : may_start(session) ? spawn_run(plan, fd, &session->peer, &failure)
					 : -EPERM;

	if (pid < 0) {
		log_limited(&session->run->errors, LOG_LEVEL_ERROR,
			    "%s: fork failed: %s (errno = %d)", session->service->id,
			    strerror(-pid), -pid);
		return pid;
	}
	session->pid = pid;
	if (id_table_add(&server->by_pid, (uint64_t)pid, session) < 0) {
		/* It would not be known when it is reaped. */
		session->pid = 0;
		if (kill(-pid, SIGKILL) < 0)
			(void)kill(pid, SIGKILL);
		return -ENOMEM;
	}
	server->running++;
	record_start(server->writer, session->sink, session);
	if (failure.error)
		reap_report_failure(session, &failure);
	else if (session->service->session_timeout_sec)
		reap_arm(session, session->service->session_timeout_sec);
	return 0;
}

bool launch_server(struct session *session, int fd)
{
	if (launch_try(session, fd) == 0)
		return true;
	admission_abandon(session, VERDICT_FORK);
	return false;
}

/* To whoever serves the connection; takes over @fd. */
static int hand_on(struct session *session, int fd)
{
	CLEANUP_CLOSE int owned = fd;
	const struct service *service = session->service;

	if (!may_start(session))
		return -EPERM;
	if (service->redirect_host)
		return redirect_begin(session, take_fd(&owned));
	if (session->run->intercept)
		return intercept_begin(session, take_fd(&owned));
	if (listing_is(service->builtin))
		return listing_begin(session, take_fd(&owned));
	if (service->builtin == BUILTIN_TCPMUX)
		return mux_begin(session, take_fd(&owned));
	return worker_link_stream(session->run->server->worker, session->number, service->builtin,
				  service->idle_timeout_sec, take_fd(&owned));
}

bool launch_hand_over(struct session *session, int fd)
{
	struct server *server = session->run->server;
	int r;

	if (id_table_add(&server->by_number, session->number, session) < 0) {
		/* Without memory for its entry the worker's word about it would not be heard. */
		(void)close(fd);
		admission_abandon(session, VERDICT_FORK);
		return false;
	}
	session->starting = true;
	r = hand_on(session, fd);
	session->starting = false;
	if (r < 0) {
		log_limited(&session->run->errors, LOG_LEVEL_ERROR,
			    "service %s: the worker cannot take a connection (error %d)",
			    session->service->id, -r);
		(void)id_table_remove(&server->by_number, session->number);
		admission_abandon(session, VERDICT_FORK);
		return false;
	}
	record_start(server->writer, session->sink, session);
	if (session->ended) {
		reap_finish(server, session, session->status);
		return false;
	}
	if (session->service->session_timeout_sec)
		reap_arm(session, session->service->session_timeout_sec);
	event_active(server->worker_flush, EV_TIMEOUT, 1);
	return true;
}

/* Starts what the stanza says; takes over @fd. Returns whether there is a session now. */
static bool start(struct session *session, int fd)
{
	CLEANUP_CLOSE int connection = fd;
	struct service_run *run = session->run;
	const struct service *service = run->service;
	struct log_limit *limit = &run->errors;

	/* One that waited for a process has been here before. */
	if (!session->greeted) {
		if (mux_speaks(service))
			mux_greet(connection, service, limit);
		greet(connection, service, GREETING_SUCCESS, limit);
		session->greeted = true;
	}
	if (!run_wants(run, START_SERVER))
		return launch_hand_over(session, take_fd(&connection));
	if (launch_try(session, connection) == 0 || retry_later(session, &connection))
		return true;
	admission_abandon(session, VERDICT_FORK);
	greet_refused(connection, service, limit);
	return false;
}

/* By rules that a reload has replaced: decides again. Returns false where that refuses. */
static bool allow_again(struct session *session)
{
	const struct service *before = session->service, *now = session->run->service;

	if (gate_answer_holds(session))
		return true;
	if (before->socktype == now->socktype && before->wait == now->wait &&
	    !before->server == !now->server && !((before->flags ^ now->flags) & FLAG_INTERCEPT))
		return admission_again(session);
	/* Other services of that name are begun in other ways. */
	admission_abandon(session, VERDICT_FORK);
	return false;
}

static void on_allowed(struct session *session, int fd, void *data)
{
	CLEANUP_CLOSE int connection = fd;
	struct service_run *run = session->run;

	(void)data;
	if (!run_wants(run, START_SERVER))
		(void)fd_set_nonblock(connection, true);
	if (!allow_again(session)) {
		greet_refused(connection, run->service, &run->errors);
		return;
	}
	(void)launch_on(session, take_fd(&connection));
}

static void on_refused(struct session *session, int fd, void *data)
{
	CLEANUP_CLOSE int connection = fd;

	(void)data;
	/* Who could not be identified before will not be now. */
	if (session->ident == IDENT_NOT_ASKED)
		inquiry_turn_away(session->run, take_fd(&connection), &session->peer);
	else
		greet_refused(connection, session->service, &session->run->errors);
}

bool launch_on(struct session *session, int fd)
{
	static const struct gate_ops ops = { .go_on = on_allowed, .turn_away = on_refused };

	if (session->question == GATE_ASKS_NOTHING)
		return start(session, fd);
	/* For a program that hosts.allow may start on it. */
	if (!run_wants(session->run, START_SERVER))
		(void)fd_set_nonblock(fd, false);
	return gate_begin(session, &ops, fd, NULL) == 0;
}

struct session *launch_connection(struct service_run *run, int fd, const struct addr *peer)
{
	CLEANUP_CLOSE int connection = fd;
	struct log_limit *limit = &run->errors;
	uint64_t now = now_usec();
	struct decision decision;
	struct session *session;

	if (!mux_speaks(run->service))
		greet(connection, run->service, GREETING_ALWAYS, limit);
	decision = admission_decide(run, peer, now);
	if (decision.verdict == VERDICT_CPS)
		admission_rest(run);
	session = decision.verdict == VERDICT_ALLOW ? admission_begin(run, peer, &decision, now)
						    : NULL;
	if (!session) {
		inquiry_turn_away(run, take_fd(&connection), peer);
		return NULL;
	}
	return launch_on(session, take_fd(&connection)) ? session : NULL;
}
