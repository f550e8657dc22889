/* SPDX-License-Identifier: ISC */
/* The hand-over of sessions that no process of their own serves: to the worker, or first to whoever prepares that. */
#pragma once

#include <stdbool.h>

struct session;

/*
 * Gives the connection of @session, which was begun, to @to, which takes over @fd in
 * every case, returns 0 or -errno, and says nothing. START is recorded,
 * and then also an end that was told at once. Returns whether the session goes on; otherwise it is gone.
 */
bool hand_over(struct session *session, int fd, int (*to)(struct session *session, int fd));

/*
 * To be called around what gives the worker something for a session that was
 * handed over before. The second returns whether it goes on; otherwise it is gone,
 * as it is when the worker could not take what it was given: @r is -errno then, or 0.
 */
void hand_over_more(struct session *session);
bool hand_over_done(struct session *session, int r);
