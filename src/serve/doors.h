/* SPDX-License-Identifier: ISC */
/* The open doors of many services: one set that the kernel watches, behind one event of the loop. */
#pragma once

#include <event2/event.h>
#include <stdbool.h>

struct doors;
struct place;

/*
 * An event of the loop's for each of ten thousand doors takes more memory than all
 * else that belongs to one; here the kernel keeps what has to be kept. It costs one
 * system call for up to DOORS_A_TURN doors that are ready at once.
 * @ready is called for each of these, as long as somebody waits there.
 * Returns 0, -ENOMEM, or another -errno.
 */
int doors_new(struct event_base *base, void (*ready)(struct place *place), struct doors **ret);

/* NULL is fine. */
void doors_free(struct doors *doors);

/* Doors that are served before others get their turn. */
#define DOORS_A_TURN 64

/* Leaves all that come, for now, where they wait; and serves them again. */
void doors_shut(struct doors *doors);
void doors_open(struct doors *doors);

/* Whether somebody waits at another door than the one that is served now, if one is. */
bool doors_others_wait(const struct doors *doors);

/* Watches @fd, which is the open socket of @place. Returns 0 or -errno. */
int doors_watch(struct doors *doors, int fd, struct place *place);

/* Stops that, also for what has been found ready and not yet served. Must precede close(2): somebody else may share the socket. */
void doors_unwatch(struct doors *doors, int fd, const struct place *place);
