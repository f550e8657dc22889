/* SPDX-License-Identifier: ISC */
/* How many gates there may be (serve/gate.h), and the services that wait until there are fewer. */
#pragma once

#include <stdbool.h>

struct gate_room;
struct service_run;

/* Processes at once; services that need one leave further connections in the kernel's queue. */
#define GATES_MAX 256

/*
 * One service has this share of them: its clients decide how long an ident server
 * takes, and other services are not to wait for that.
 */
#define GATES_SERVICE_SHARE 4

/*
 * Whether @run needs gates and there are too many now. It is one of those that wait
 * then.
 */
bool gate_room_is_short(struct service_run *run);

/* Forgets that @run waits for room. */
void gate_room_forget(struct service_run *run);

/* Tells the services that wait that there may be room; who finds none waits again. */
void gate_room_tell(struct gate_room *room, void (*tell)(struct service_run *run));
