/* SPDX-License-Identifier: ISC */
/* What SIGUSR1 and SIGABRT ask for: the state as a file, and whether the books agree. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

struct server;

/* Where the state goes; the daemon's own directory, as /run is shared (D52, D63). */
#define DUMP_DIRECTORY "/run/usherd"
#define DUMP_FILE      DUMP_DIRECTORY "/state.dump"

/*
 * Writes services, their state and their running servers to DUMP_FILE, which is
 * replaced as a whole, numeric throughout. Says in the log where it is, or why not.
 */
void dump_state(struct server *server);

/*
 * Writes a block for each session, as in xinetd's server table: of those that run, or,
 * @waiting, of those that wait for a process.
 */
void dump_sessions(const struct server *server, bool waiting, FILE *out);

/* Compares the tables with each other; logs what is wrong and returns how many faults there are. */
unsigned dump_check(struct server *server);
