/* SPDX-License-Identifier: ISC */
/* The way of an admitted connection: a server is started on it, or it is handed over; then it is recorded. */
#include "config.h"

#include "serve/launch.h"

#include "base/log.h"
#include "serve/admission.h"
#include "serve/at_once.h"
#include "serve/child.h"
#include "serve/gate.h"
#include "serve/gate_plan.h"
#include "serve/greet.h"
#include "serve/hand_over.h"
#include "serve/inquiry.h"
#include "serve/intercept.h"
#include "serve/listing.h"
#include "serve/mux_naming.h"
#include "serve/redirect.h"
#include "serve/retry.h"
#include "serve/run.h"
#include "serve/worker_link.h"

/* To whoever serves the connection; takes over @fd. */
static int hand_on(struct session *session, int fd)
{
	CLEANUP_CLOSE int owned = fd;
	const struct service *service = session->service;
	struct addr target;
	int r;

	if (service->redirect_host)
		return redirect_begin(session, take_fd(&owned));
	if (session->run->intercept) {
		r = intercept_target(session->run, &target);
		return r < 0 ? r : redirect_to(session, take_fd(&owned), &target);
	}
	if (listing_is(service->builtin))
		return listing_begin(session, take_fd(&owned));
	if (service->builtin == BUILTIN_TCPMUX)
		return mux_naming_begin(session, take_fd(&owned));
	return worker_link_stream(session->run->server->worker, session->number, service->builtin,
				  service->idle_timeout_sec, take_fd(&owned));
}

/* A reload has questions about a client who waited for a process. */
static void on_retried(struct session *session, int fd)
{
	(void)launch_on(session, fd);
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
		if (mux_naming_speaks(service))
			mux_naming_greet(connection, service, limit);
		greet(connection, service, GREETING_SUCCESS, limit);
		session->greeted = true;
	}
	if (at_once_can(session, connection)) {
		at_once_answer(session, connection);
		return false;
	}
	if (!run_wants(run, START_SERVER))
		return hand_over(session, take_fd(&connection), hand_on);
	if (child_start(session, connection) == 0 || retry_later(session, &connection, on_retried))
		return true;
	admission_abandon(session, VERDICT_FORK);
	greet_refused(connection, service, limit);
	return false;
}

/* By rules that a reload has replaced: decides again. Returns false where that refuses. */
static bool allow_again(struct session *session)
{
	const struct service *before = session->service, *now = session->run->service;

	if (admission_answer_holds(session))
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

	if (!mux_naming_speaks(run->service))
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
