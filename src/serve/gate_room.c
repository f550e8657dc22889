/* SPDX-License-Identifier: ISC */
/* How many gates there may be (serve/gate.h), and the services that wait until there are fewer. */
#include "config.h"

#include "serve/gate_room.h"

#include <sys/resource.h>

#include "base/util.h"
#include "serve/state.h"

/* Where descriptors are few, gates may take this share of them; each takes two. */
#define DESCRIPTORS_SHARE 8

static unsigned most_gates(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) < 0 ||
	    files.rlim_cur / 2 / DESCRIPTORS_SHARE >= GATES_MAX)
		return GATES_MAX;
	return files.rlim_cur / 2 > DESCRIPTORS_SHARE
		       ? (unsigned)(files.rlim_cur / 2 / DESCRIPTORS_SHARE)
		       : 1;
}

bool gate_room_is_short(struct service_run *run)
{
	struct gate_room *room = &run->server->gate_room;
	unsigned most;

	if (!run_wants(run, START_GATE))
		return false;
	most = most_gates();
	if (room->asking < most && run->asking < most / GATES_SERVICE_SHARE + 1)
		return false;
	if (!run->waits_for_gate) {
		run->waits_for_gate = true;
		run->gate_next = room->waiting;
		room->waiting = run;
	}
	return true;
}

void gate_room_forget(struct service_run *run)
{
	struct service_run **at = &run->server->gate_room.waiting;

	if (!run->waits_for_gate)
		return;
	while (*at != run)
		at = &(*at)->gate_next;
	*at = run->gate_next;
	run->waits_for_gate = false;
}

void gate_room_tell(struct gate_room *room, void (*tell)(struct service_run *run))
{
	struct service_run *run = TAKE_PTR(room->waiting), *next;

	for (; run; run = next) {
		next = run->gate_next;
		run->waits_for_gate = false;
		tell(run);
	}
}
