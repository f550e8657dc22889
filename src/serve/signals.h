/* SPDX-License-Identifier: ISC */
/* What signals mean to the daemon (compat.md 4): taken from a descriptor in the loop, never by a handler. */
#pragma once

struct server;
struct signals;

/*
 * Blocks the signals that speak to the daemon, and those that must not end it, and watches for the
 * former. As nothing catches them, a server starts with all as they were when the daemon did, without
 * a system call for each; it only gets an empty mask. To be called while the process has one
 * thread that does not block them. Returns 0 or -errno.
 */
int signals_new(struct server *server, struct signals **ret);

/* Stops watching; they stay blocked, as the end is on its way. NULL is fine. */
void signals_free(struct signals *signals);
