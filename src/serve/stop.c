/* SPDX-License-Identifier: ISC */
/* Ends sessions before their time. */
#include "config.h"

#include "serve/stop.h"

#include <signal.h>

#include "base/log.h"
#include "serve/gate.h"
#include "serve/state.h"
#include "serve/worker_link.h"

/* Between SIGTERM and SIGKILL. */
#define GRACE_SEC 5

static void send_signal(const struct session *session, int signo)
{
	log_warning("Sending signal %d to %s server %d", signo, session->service->id,
		    (int)session->pid);
	/* The server leads a session of its own: what it started goes with it. */
	if (kill(-session->pid, signo) < 0)
		(void)kill(session->pid, signo);
}

static void on_timeout(evutil_socket_t fd, short what, void *arg)
{
	struct session *session = arg;

	(void)fd;
	(void)what;
	if (!session->ending) {
		stop_session(session);
		return;
	}
	send_signal(session, SIGKILL);
	/* One that hangs in the kernel is told again. */
	stop_later(session, GRACE_SEC);
}

void stop_later(struct session *session, unsigned seconds)
{
	struct timeval pause = { .tv_sec = seconds };

	if (!session->timeout)
		session->timeout =
			event_new(session->run->server->base, -1, 0, on_timeout, session);
	if (!session->timeout || event_add(session->timeout, &pause) < 0)
		log_error("service %s: no memory for the time limit of a server",
			  session->service->id);
}

void stop_session(struct session *session)
{
	if (session->ending)
		return;
	session->ending = true;
	if (session->gate) {
		gate_stop(session);
	} else if (session->held && session->held->ops->stop) {
		session->held->ops->stop(session);
	} else if (!session->pid) {
		worker_link_cancel(session->run->server->worker, session->number);
	} else {
		send_signal(session, SIGTERM);
		stop_later(session, GRACE_SEC);
	}
}
