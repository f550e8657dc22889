/* SPDX-License-Identifier: ISC */
/* What the worker gives up before it reads its first byte. */
#pragma once

/*
 * Reads the time zone, sets resource limits, changes the root to an empty
 * directory that has no name, and becomes WORKER_USER (nobody where that does
 * not exist) without groups, capabilities or a way to gain any. Started by
 * another user than root it keeps its user and its root. In a user namespace
 * that has no such user it keeps its number, but no capability.
 * Says on stderr what went wrong. Returns 0 or -errno; after an error the
 * process must not go on.
 */
int confine_enter(void);

/*
 * Allows only the system calls that the event loop makes; any other ends the
 * process. To be called when all set-up is done. Without libseccomp, and under
 * sanitizers, it does nothing. Says on stderr what went wrong. Returns 0 or -errno.
 */
int confine_filter(void);
