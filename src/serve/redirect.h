/* SPDX-License-Identifier: ISC */
/* The part of a redirected session in which its target is looked for (xinetd.conf(5) "redirect"). */
#pragma once

#include <stdbool.h>

struct addr;
struct service_run;
struct session;

/* Seconds within which a target must be found and connected; xinetd waits as long as the kernel does. */
#define REDIRECT_TIMEOUT_SEC 30

/* Whether @run may have one more session that looks for its target; clients wait in the kernel's queue otherwise. */
bool redirect_has_room(const struct service_run *run);

/*
 * Takes over @client, non-blocking, and connects to the target of @session's
 * service; then both go to the worker, or the log says why not and the session
 * is finished. Nothing of it happens before this returns. Returns 0 or -errno.
 */
int redirect_begin(struct session *session, int client);

/* The same, to the address and port @target. */
int redirect_to(struct session *session, int client, const struct addr *target);
