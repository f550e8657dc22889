/* SPDX-License-Identifier: ISC */
/* Ends sessions before their time. */
#pragma once

struct session;

/*
 * Ends @session: SIGTERM to its server, SIGKILL five seconds
 * later; the worker is told, and may end it before this returns. A session that
 * is ending already is left alone.
 */
void stop_session(struct session *session);

/* The same in so many seconds. */
void stop_later(struct session *session, unsigned seconds);
