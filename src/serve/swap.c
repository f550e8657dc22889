/* SPDX-License-Identifier: ISC */
/* Makes a new configuration what runs: doors change hands in one step, all else a little at a time. */
#include "config.h"

#include "serve/swap.h"

#include <errno.h>

#include "base/log.h"
#include "config/support.h"
#include "serve/host.h"
#include "serve/intercept.h"
#include "serve/mux.h"
#include "serve/place.h"
#include "serve/run_doors.h"
#include "serve/state.h"
#include "serve/stop.h"

/* How long others wait while a part of it is done, and how many services are a part at least. */
#define PART_USEC     USEC_PER_MSEC
#define PART_SERVICES 16

/* What becomes of a planned service. */
struct successor {
	struct service_run *run;      /* new, or the one that goes on; NULL: there is none */
	struct place *places;         /* at other doors than before: of the new service */
	const struct service *before; /* then: what the run's own places refer to; referenced */
};

enum stage {
	STAGE_MAKE,  /* what is new is made */
	STAGE_END,   /* what goes is ended */
	STAGE_RENEW, /* what goes on gets its new form, and whatever is shut is opened */
	STAGE_OVER,
};

struct swap {
	struct server *server;
	const struct plan *plan;
	void (*done)(void *arg, const struct swap_counts *counts);
	void *arg;
	struct event *event;
	struct successor *successors; /* of the plan's services */
	struct service_run **runs;    /* room for those of the plan, until doors change hands */
	struct service_run **ending;  /* runs that have no successor */
	size_t n_ending;
	enum stage stage;
	size_t next; /* to be looked at in this stage */
	struct swap_counts counts;
};

/* --- the end of services ------------------------------------------------------------ */

/* The first session that is not ending yet, or NULL. */
static struct session *next_to_stop(const struct service_run *run)
{
	struct session *session;

	TAILQ_FOREACH(session, &run->sessions, of_run)
		if (!session->ending)
			return session;
	return NULL;
}

static void end_run(struct service_run *run)
{
	const struct service_run *inner;
	struct session *session;

	log_notice("service %s deactivated", run->service->id);
	run->ended = true;
	for (size_t i = 0; i < run->n_places; i++) {
		if (run->places[i].holder)
			run->places[i].holder->place = NULL;
		run->places[i].holder = NULL;
		place_close(&run->places[i], true);
	}
	run_disarm(run);
	/* Stopping one may end others, too: begin anew each time. */
	run->held = true;
	while ((session = next_to_stop(run)))
		stop_session(session);
	run->held = false;
	inner = intercept_inner(run);
	if (inner)
		TAILQ_FOREACH(session, &inner->sessions, of_run)
			stop_session(session);
	if (TAILQ_EMPTY(&run->sessions))
		host_free(run);
}

/* --- doors ------------------------------------------------------------------------------ */

/* What other doors it has than before; where that cannot be made it goes on as it was, with the doors that it had. */
static void replace(struct service_run *run, const struct service *service, struct successor *s)
{
	s->places = places_new(run, service);
	s->before = service_ref(run->service);
	if (s->places && host_replace(run, service) == 0)
		return;
	if (s->places)
		places_free(s->places, service->n_endpoints, false);
	s->places = NULL;
	service_unref(TAKE_PTR(s->before));
}

/* Moves the descriptors that stay to their new places. */
static void move_places(struct swap *swap, size_t i)
{
	const struct plan *plan = swap->plan;
	const struct plan_service *planned = &plan->services[i];
	struct successor *s = &swap->successors[i];
	struct place *places = planned->old == PLAN_NONE && s->run ? s->run->places : s->places;

	for (size_t e = 0; places && e < planned->service->n_endpoints; e++) {
		const struct plan_endpoint *from = &plan->endpoints[planned->first_endpoint + e];

		if (from->old != PLAN_NONE)
			place_move(&swap->server->runs[from->old]->places[from->old_endpoint],
				   &places[e]);
	}
}

/* Replaces the places of a run that goes on at others; what was not moved is closed. */
static void adopt_places(struct successor *s, size_t n)
{
	if (!s->places)
		return;
	places_free(s->run->places, s->run->n_places, true);
	s->run->places = TAKE_PTR(s->places);
	s->run->n_places = (unsigned)n;
	service_unref(TAKE_PTR(s->before));
}

/* Whether the run goes on in whatever form, not only until its clients have gone. */
static bool goes_on(const struct plan_service *planned)
{
	const char *why;

	return planned->kept || planned->same || support_can_host(planned->service, &why);
}

/* The one step: from here on the runs are those of the plan. */
static void change_hands(struct swap *swap)
{
	struct server *server = swap->server;
	struct service_run **runs = TAKE_PTR(swap->runs);
	const struct plan *plan = swap->plan;
	size_t n = 0;

	log_notice("Swapping defaults");
	for (size_t i = 0; i < plan->n; i++) {
		const struct plan_service *planned = &plan->services[i];
		struct successor *s = &swap->successors[i];

		if (planned->old == PLAN_NONE)
			continue;
		swap->counts.old++;
		if (!goes_on(planned)) {
			swap->ending[swap->n_ending++] = server->runs[planned->old];
			continue;
		}
		s->run = server->runs[planned->old];
		if (!planned->in_place && !planned->kept)
			replace(s->run, planned->service, s);
	}
	for (size_t i = 0; i < plan->n; i++)
		move_places(swap, i);
	for (size_t i = 0; i < plan->n; i++) {
		adopt_places(&swap->successors[i], plan->services[i].service->n_endpoints);
		if (swap->successors[i].run)
			runs[n++] = swap->successors[i].run;
	}
	for (size_t i = 0; i < plan->n_dropped; i++)
		swap->ending[swap->n_ending++] = server->runs[plan->dropped[i]];
	swap->counts.dropped = plan->n_dropped;
	free(server->runs);
	server->runs = runs;
	server->n_runs = n;
	mux_renew(server);
}

/* --- one service after the other --------------------------------------------------------- */

static void make(struct swap *swap, size_t i)
{
	const struct plan_service *planned = &swap->plan->services[i];

	if (planned->old == PLAN_NONE &&
	    host_new(swap->server, planned->service, &swap->successors[i].run) == 0)
		swap->counts.fresh++;
}

static void open_places(struct service_run *run)
{
	for (size_t i = 0; i < run->n_places; i++)
		if (run->places[i].state == PLACE_CLOSED && !run->resting &&
		    !place_is_retried(&run->places[i]))
			(void)place_open(&run->places[i]);
}

static void renew(struct swap *swap, size_t i)
{
	const struct plan_service *planned = &swap->plan->services[i];
	struct service_run *run = swap->successors[i].run;

	if (!run)
		return;
	if (planned->kept)
		log_error("service %s: its stanza cannot be used now; it goes on in its old form",
			  run->service->id);
	else if (planned->in_place)
		(void)host_renew(run, planned->service, planned->same);
	if (planned->old != PLAN_NONE && !planned->kept)
		log_notice("readjusting service %s", run->service->id);
	open_places(run);
}

/* Does what is next. Returns false where that was the last of its stage. */
static bool step(struct swap *swap)
{
	size_t i = swap->next;

	if (i >= (swap->stage == STAGE_END ? swap->n_ending : swap->plan->n))
		return false;
	swap->next++;
	switch (swap->stage) {
	case STAGE_MAKE:
		make(swap, i);
		return true;
	case STAGE_END:
		end_run(swap->ending[i]);
		return true;
	case STAGE_RENEW:
		renew(swap, i);
		return true;
	case STAGE_OVER:
		break;
	}
	return false;
}

static void on_turn(evutil_socket_t fd, short what, void *arg)
{
	struct swap *swap = arg;
	const struct timeval at_once = { 0 };
	uint64_t end = now_usec() + PART_USEC;

	(void)fd;
	(void)what;
	for (unsigned n = 1; swap->stage != STAGE_OVER; n++) {
		if (!step(swap)) {
			if (swap->stage == STAGE_MAKE)
				change_hands(swap);
			swap->stage++;
			swap->next = 0;
		}
		/* Where there is no timer to be had, it is done without a break. */
		if (n % PART_SERVICES == 0 && now_usec() >= end &&
		    event_add(swap->event, &at_once) == 0)
			return;
	}
	mux_renew(swap->server);
	swap->done(swap->arg, &swap->counts);
}

int swap_begin(struct server *server, const struct plan *plan,
	       void (*done)(void *arg, const struct swap_counts *counts), void *arg,
	       struct swap **ret)
{
	const struct timeval at_once = { 0 };
	struct swap *swap = calloc(1, sizeof(*swap));

	if (!swap)
		return -ENOMEM;
	*swap = (struct swap){
		.server = server,
		.plan = plan,
		.done = done,
		.arg = arg,
		.event = event_new(server->base, -1, 0, on_turn, swap),
		.successors = calloc(plan->n + 1, sizeof(struct successor)),
		.runs = calloc(plan->n + 1, sizeof(struct service_run *)),
		.ending = calloc(server->n_runs + 1, sizeof(struct service_run *)),
	};
	if (!swap->event || !swap->successors || !swap->runs || !swap->ending ||
	    event_add(swap->event, &at_once) < 0) {
		swap_free(swap);
		return -ENOMEM;
	}
	*ret = swap;
	return 0;
}

void swap_free(struct swap *swap)
{
	if (!swap)
		return;
	for (size_t i = 0; swap->stage == STAGE_MAKE && i < swap->next; i++)
		host_free(swap->successors[i].run);
	while (swap->stage == STAGE_END && step(swap))
		continue;
	if (swap->event)
		event_free(swap->event);
	free(swap->successors);
	free(swap->runs);
	free(swap->ending);
	free(swap);
}
