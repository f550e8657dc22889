/* SPDX-License-Identifier: ISC */
/* Turns clients away, and where the stanza wants it, finds out who they were (log_on_failure = USERID). */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/addr.h"

struct inquiries;
struct server;
struct service_run;

/*
 * The connection of a refused client stays open for so long at most, as its ident
 * server knows of nothing that has ended. xinetd keeps it up to half a minute. The
 * look-up may take longer, and then finds out what it can.
 */
#define INQUIRY_HOLD_SEC 3

/* Makes the table of look-ups; @server must outlive it. Returns 0 or -ENOMEM. */
int inquiries_new(struct server *server, struct inquiries **ret);

/* Ends all look-ups; what they would have found out is not recorded. NULL is fine. */
void inquiries_free(struct inquiries *inquiries);

/*
 * Tells the client @peer of @run that it is refused (banner_fail), which has been
 * recorded, and lets it go. Takes over @fd in every case. Where the service asks for it, its ident server is asked
 * first, beside the daemon and at most xinetd(8) "-logprocs" at a time (D64): beyond
 * that there is no USERID line, which the log says.
 */
void inquiry_turn_away(struct service_run *run, int fd, const struct addr *peer);

/* To be called with each reaped pid: whether it was the process of a look-up. */
bool inquiries_reaped(struct inquiries *inquiries, pid_t pid);
