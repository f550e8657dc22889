/* SPDX-License-Identifier: ISC */
/* Starts the server of a session. */
#pragma once

#include <stdbool.h>

struct session;
struct spawn_failure;

/*
 * Starts the server of @session, which was begun, on @fd, which stays the
 * caller's, and records START. Returns 0; or -errno where there is no child, which the log tells, with the session as it was.
 */
int child_start(struct session *session, int fd);

/* The same; returns whether there is a child now, and otherwise the session is abandoned. */
bool child_start_or_abandon(struct session *session, int fd);

/* Says in the log why a server could not become one. */
void child_report_failure(const struct session *session, const struct spawn_failure *failure);
