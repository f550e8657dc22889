/* SPDX-License-Identifier: ISC */
/* The hand-over of sessions that no process of their own serves: to the worker, or first to whoever prepares that. */
#include "config.h"

#include "serve/hand_over.h"

#include <errno.h>

#include "base/log.h"
#include "base/util.h"
#include "record/record.h"
#include "serve/admission.h"
#include "serve/finish.h"
#include "serve/gate_plan.h"
#include "serve/state.h"
#include "serve/stop.h"

static void log_failure(const struct session *session, int r)
{
	log_limited(&session->run->errors, LOG_LEVEL_ERROR,
		    "service %s: the worker cannot take a connection (error %d)",
		    session->service->id, -r);
}

/* The session is the worker's. Returns false where that has told its end meanwhile. */
static bool goes_on(struct session *session)
{
	if (session->ended) {
		finish_session(session, session->status);
		return false;
	}
	event_active(session->run->server->worker_flush, EV_TIMEOUT, 1);
	return true;
}

bool hand_over(struct session *session, int fd, int (*to)(struct session *session, int fd))
{
	CLEANUP_CLOSE int owned = fd;
	struct server *server = session->run->server;
	int r;

	/* Without memory for its entry the worker's word about it would not be heard. */
	if (id_table_add(&server->by_number, session->number, session) < 0) {
		admission_abandon(session, VERDICT_FORK);
		return false;
	}
	session->starting = true;
	/* Whoever has forgotten to ask hands nothing over. */
	r = session->question == GATE_ASKS_NOTHING ? to(session, take_fd(&owned)) : -EPERM;
	session->starting = false;
	if (r < 0) {
		log_failure(session, r);
		(void)id_table_remove(&server->by_number, session->number);
		admission_abandon(session, VERDICT_FORK);
		return false;
	}
	record_start(server->writer, session->sink, session);
	if (!goes_on(session))
		return false;
	if (session->service->session_timeout_sec)
		stop_later(session, session->service->session_timeout_sec);
	return true;
}

void hand_over_more(struct session *session)
{
	session->starting = true;
}

bool hand_over_done(struct session *session, int r)
{
	session->starting = false;
	if (r < 0) {
		log_failure(session, r);
		finish_by_number(session, 0);
		return false;
	}
	return goes_on(session);
}
