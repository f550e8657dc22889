/* SPDX-License-Identifier: ISC */
/* The daemon's side of admission: what admit() must know, and what follows from its word. */
#include "config.h"

#include "serve/admission.h"

#include <stdlib.h>
#include <time.h>

#include "base/log.h"
#include "base/sink.h"
#include "record/record.h"
#include "serve/gate_plan.h"
#include "serve/host.h"
#include "serve/intercept.h"
#include "serve/run.h"
#include "serve/run_doors.h"

static unsigned local_minute(void)
{
	time_t now = time(NULL);
	struct tm local;

	if (!localtime_r(&now, &local))
		return 0;
	return (unsigned)(local.tm_hour * 60 + local.tm_min);
}

static double load_average(void)
{
	double load;

	return getloadavg(&load, 1) == 1 ? load : -1;
}

/*
 * Shuts out who touched a sensor. Not the sender of a datagram, which may be
 * anybody's address: one could have others shut out (D19).
 */
static void shut_out(struct service_run *run, const struct addr *peer, uint64_t now)
{
	const struct service *service = run->service;
	char text[ADDR_TEXT_MAX];

	if (!service->deny_time_min ||
	    (service->socktype != SOCK_STREAM && service->socktype != SOCK_SEQPACKET) ||
	    (peer->family != AF_INET && peer->family != AF_INET6))
		return;
	switch (sensor_add(&run->server->sensor, peer, service->deny_time_min, now)) {
	case SENSOR_ADDED:
		log_critical("Adding %s to the global_no_access list for %d minutes",
			     addr_format(peer, text), service->deny_time_min);
		break;
	case SENSOR_EXTENDED:
		break;
	case SENSOR_FULL:
		log_limited(&run->errors, LOG_LEVEL_CRITICAL,
			    "Maximum global_no_access count reached.");
		break;
	case SENSOR_NO_MEMORY:
		log_limited(&run->errors, LOG_LEVEL_ERROR, "service %s: no memory to shut %s out",
			    service->id, addr_format(peer, text));
		break;
	}
}

/* Not the inner run of an intercepted service: that was asked when its client came. */
static bool needs_process(const struct service_run *run)
{
	return (run_wants(run, START_SERVER) && !run->is_inner) || intercept_needs_server(run);
}

static struct decision decide(struct service_run *run, const struct addr *peer, bool again,
			      uint64_t now)
{
	const struct service *service = run->service;
	struct admit_request request = {
		.service = service,
		.limits = &run->limits,
		/* Who reaches the server of an intercepted service has passed all checks. */
		.sensor = run->is_inner ? NULL : &run->server->sensor,
		.peer = peer,
		.again = again,
		.now_usec = now,
		.minute_of_day = service->access_times->n ? local_minute() : 0,
		.load = service->max_load > 0 || service->max_load < 0 ? load_average() : -1,
		.running_total = run->server->running + run->server->gate_room.servers,
		.process_limit = needs_process(run) ? run->server->options.process_limit : 0,
	};
	struct decision decision = admit(&request);
	char text[ADDR_TEXT_MAX];

	if (decision.verdict == VERDICT_ALLOW)
		return decision;
	record_fail(run->server->writer, run->sink, service, peer,
		    verdict_reason(decision.verdict));
	if (decision.sensed)
		shut_out(run, peer, now);
	if (decision.equal_match)
		log_limited(
			&run->errors, LOG_LEVEL_ERROR,
			"Service=%s: only_from list and no_access list match equally the address %s",
			service->id, addr_format(peer, text));
	if (decision.verdict == VERDICT_LOAD)
		log_limited(&run->errors, LOG_LEVEL_ERROR,
			    "refused connect from %s due to excessive load",
			    addr_format(peer, text));
	return decision;
}

struct decision admission_decide(struct service_run *run, const struct addr *peer, uint64_t now)
{
	return decide(run, peer, false, now);
}

void admission_rest(struct service_run *run)
{
	run_rest(run, run->service->cps_wait_sec, "excessive incoming connections");
}

void admission_take_back(struct service_run *run, const struct addr *peer,
			 const struct decision *decision)
{
	struct addr source = admit_source(run->service, peer);

	limits_release(&run->limits, &source, decision->source_was_taken);
}

struct session *admission_begin(struct service_run *run, const struct addr *peer,
				const struct decision *decision, uint64_t now)
{
	struct server *server = run->server;
	struct session *session = session_new(run->service, ++server->last_number, peer, now);

	if (!session) {
		admission_take_back(run, peer, decision);
		record_fail(server->writer, run->sink, run->service, peer,
			    verdict_reason(VERDICT_FORK));
		return NULL;
	}
	session->run = run;
	session->sink = run->sink ? sink_ref(run->sink) : NULL;
	session->counted = decision->source_was_taken;
	session->question = (uint8_t)gate_plan_question(run->service, peer, decision->access);
	TAILQ_INSERT_TAIL(&run->sessions, session, of_run);
	return session;
}

/* Out of the books; its counts have been given back. */
static void forget(struct session *session)
{
	struct service_run *run = session->run;
	struct holding *held = TAKE_PTR(session->held);

	if (session->timeout)
		event_free(session->timeout);
	if (held)
		held->ops->end(session, held);
	TAILQ_REMOVE(&run->sessions, session, of_run);
	if (session->place)
		place_return(session->place);
	sink_unref(session->sink);
	session_free(session);
	run_has_room(run);
	host_free_if_over(run);
}

static void uncount(struct session *session)
{
	struct addr source = admit_source(session->service, &session->peer);

	limits_release(&session->run->limits, &source, session->counted);
}

bool admission_answer_holds(const struct session *session)
{
	const struct service *asked = session->service, *now = session->run->service;

	return asked == now || (asked->wrapped == now->wrapped && service_equal(asked, now));
}

bool admission_again(struct session *session)
{
	struct service_run *run = session->run;
	uint64_t now = now_usec();
	struct decision decision;

	uncount(session);
	decision = decide(run, &session->peer, true, now);
	if (decision.verdict != VERDICT_ALLOW) {
		forget(session);
		return false;
	}
	session->counted = decision.source_was_taken;
	session->start_usec = now;
	/* What was asked is not what the files say since a reload. */
	if (!admission_answer_holds(session))
		session->question =
			(uint8_t)gate_plan_question(run->service, &session->peer, decision.access);
	service_unref(session->service);
	session->service = service_ref(run->service);
	sink_unref(session->sink);
	session->sink = run->sink ? sink_ref(run->sink) : NULL;
	return true;
}

void admission_refuse(const struct session *session, enum verdict verdict)
{
	record_fail(session->run->server->writer, session->sink, session->service, &session->peer,
		    verdict_reason(verdict));
	if (verdict == VERDICT_IDENT)
		record_noid(session->run->server->writer, session->sink, session->service,
			    &session->peer, session->ident);
}

void admission_release(struct session *session)
{
	uncount(session);
	forget(session);
}

void admission_abandon(struct session *session, enum verdict verdict)
{
	admission_refuse(session, verdict);
	admission_release(session);
}
