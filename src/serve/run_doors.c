/* SPDX-License-Identifier: ISC */
/* All doors of a hosted service at once: rests (cps), pauses, and whether there is room in it. */
#include "config.h"

#include "serve/run_doors.h"

#include "base/log.h"
#include "serve/gate_room.h"
#include "serve/place.h"
#include "serve/state.h"
#include "serve/timer.h"

/* While descriptors, processes or memory are short. */
#define PAUSE_SEC 1

/* --- rests and pauses ------------------------------------------------------------ */

static void on_rest_over(evutil_socket_t fd, short what, void *arg)
{
	struct service_run *run = arg;

	(void)fd;
	(void)what;
	run->resting = false;
	log_error("Activating service %s", run->service->name);
	for (size_t i = 0; i < run->n_places; i++)
		if (run->places[i].state == PLACE_CLOSED)
			(void)place_open(&run->places[i]);
}

void run_rest(struct service_run *run, unsigned seconds, const char *why)
{
	if (run->resting)
		return;
	log_error("Deactivating service %s due to %s.  Restarting in %u seconds.",
		  run->service->name, why, seconds);
	for (size_t i = 0; i < run->n_places; i++)
		if (run->places[i].state != PLACE_LENT)
			place_close(&run->places[i], false);
	run->resting = true;
	if (timer_arm(&run->timer, run->server->base, on_rest_over, run, seconds) < 0) {
		log_error("service %s: no memory for a timer; it goes on at once",
			  run->service->id);
		on_rest_over(-1, 0, run);
	}
}

/* From one state in which doors are open into another; what is open is watched in PLACE_OPEN alone. */
static void change_doors(struct service_run *run, enum place_state from, enum place_state to)
{
	for (size_t i = 0; i < run->n_places; i++) {
		if (run->places[i].state != from)
			continue;
		if (to == PLACE_OPEN)
			place_go_on(&run->places[i]);
		else
			place_stop(&run->places[i], to);
	}
}

static void on_pause_over(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	change_doors(arg, PLACE_PAUSED, PLACE_OPEN);
}

void run_pause(struct service_run *run, const char *why)
{
	log_limited(&run->errors, LOG_LEVEL_ERROR,
		    "Deactivating service %s due to %s.  Restarting in %d seconds.",
		    run->service->name, why, PAUSE_SEC);
	if (timer_arm(&run->pause, run->server->base, on_pause_over, run, PAUSE_SEC) == 0)
		change_doors(run, PLACE_OPEN, PLACE_PAUSED);
}

void run_disarm(struct service_run *run)
{
	timer_disarm(run->timer);
	timer_disarm(run->pause);
}

/* --- room ------------------------------------------------------------------------- */

static bool is_full(struct service_run *run)
{
	const struct service *service = run->service;

	if (gate_room_is_short(run) || run->asked_dgrams >= ASKED_DGRAMS_MAX)
		return true;
	return service->queues && service->instances != UNLIMITED &&
	       run->limits.running >= (unsigned)service->instances;
}

bool run_is_full(struct service_run *run)
{
	if (!is_full(run))
		return false;
	change_doors(run, PLACE_OPEN, PLACE_FULL);
	return true;
}

void run_has_room(struct service_run *run)
{
	if (!is_full(run))
		change_doors(run, PLACE_FULL, PLACE_OPEN);
}
