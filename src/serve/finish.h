/* SPDX-License-Identifier: ISC */
/* The end of sessions that were served. */
#pragma once

struct session;

/*
 * The server that ran @session, or the worker, has let go of it: records how it
 * ended, and does as admission_release().
 */
void finish_session(struct session *session, int wait_status);

/* The same for a session that is known by its number, which the worker is not to be heard about any more. */
void finish_by_number(struct session *session, int wait_status);
