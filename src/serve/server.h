/* SPDX-License-Identifier: ISC */
/* The life of the server object, from start to end. */
#pragma once

#include "config/conf.h"
#include "serve/state.h"

/*
 * Makes a server with nothing hosted. The writer, and the daemon's own log, must
 * be there. @environment and @nofile are what servers inherit. Returns 0 or -errno.
 */
int server_new(const struct server_options *options, struct writer *writer,
	       char *const *environment, const struct rlimit *nofile, struct server **ret);

/* Prepares the process for the doors of @conf, which is cheap as long as it has no other threads. */
void server_make_room(const struct conf *conf);

/*
 * Hosts what @conf says. Returns the number of services that are available, or
 * -ENOMEM. One whose log cannot be opened or whose identity cannot be had is
 * reported and left out; one whose address is taken is tried again by timer.
 */
int server_start(struct server *server, const struct conf *conf);

/* Runs until a signal ends it; returns the exit status of the daemon. */
int server_run(struct server *server);

/* Closes everything, ends internal sessions, leaves external servers alone (D36). NULL is fine. */
void server_free(struct server *server);
