/* SPDX-License-Identifier: ISC */
/* What SIGUSR1 and SIGABRT ask for: the state as a file, and whether the books agree. */
#pragma once

struct server;

/* Where the state goes; the daemon's own directory, as /run is shared (D52, D63). */
#define DUMP_DIRECTORY "/run/usherd"
#define DUMP_FILE      DUMP_DIRECTORY "/state.dump"

/*
 * Writes services, their state and their running servers to DUMP_FILE, which is
 * replaced as a whole, numeric throughout. Says in the log where it is, or why not.
 */
void dump_state(struct server *server);

/* Compares the tables with each other; logs what is wrong and returns how many faults there are. */
unsigned dump_check(struct server *server);
