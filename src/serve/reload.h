/* SPDX-License-Identifier: ISC */
/* SIGHUP: read and compared beside the running loop, then carried out by it. */
#pragma once

#include "base/diag.h"

struct server;

/*
 * Begins to read the configuration in a thread of its own, so that name services
 * and large files delay nobody; what is to be done is found there, too, and the loop does it (serve/swap.h). A
 * second call meanwhile has it read once more afterwards.
 */
void reload_begin(struct server *server);

/* Throws a read that is under way away, at the end of the process: a thread that waits for a name server is left behind. */
void reload_cancel(struct server *server);

/* Writes every finding of a load to the daemon's log. */
void reload_log_findings(const struct diag *diag);
