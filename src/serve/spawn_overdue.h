/* SPDX-License-Identifier: ISC */
/* Children that the daemon did not wait for any longer: found by pid, looked at in turn, never walked over. */
#pragma once

#include <stdbool.h>
#include <sys/queue.h>
#include <sys/types.h>

#include "base/id_table.h"

struct slot;

struct overdue {
	TAILQ_HEAD(overdue_queue, slot)
	waiting;                /* may share our memory still; whoever was looked at goes last */
	struct id_table by_pid; /* these, and those that failed and are not reaped */
};

void overdue_init(struct overdue *overdue);

/* Frees what the table itself has; the slots stay their owner's. */
void overdue_done(struct overdue *overdue);

/* How many there are. */
size_t overdue_count(const struct overdue *overdue);

/* Makes room for one more, before it is started: afterwards is too late to be without memory. Returns 0 or -ENOMEM. */
int overdue_reserve(struct overdue *overdue);

/* Adds a child, by the pid in its slot. There is room for it. */
void overdue_add(struct overdue *overdue, struct slot *slot);

/*
 * Looks at the child that was not looked at for the longest time. Returns its
 * slot, which is taken out, where it runs its program; else NULL. Why one could
 * not run it stays here until overdue_take() asks.
 */
struct slot *overdue_look(struct overdue *overdue);

/* Takes out the child with @pid, which has ended, and returns its slot; NULL where it is not one of these. */
struct slot *overdue_take(struct overdue *overdue, pid_t pid);

/* Any of them, @at as for id_table_next(); NULL after the last. */
struct slot *overdue_next(const struct overdue *overdue, size_t *at);
