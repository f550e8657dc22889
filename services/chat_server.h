/* SPDX-License-Identifier: ISC */
/* The doors of the room: one thread for everybody's sockets, which waits for nobody. */
#pragma once

#include <stddef.h>

struct chat_settings {
	unsigned people_max;  /* those beyond it are told and sent away */
	unsigned idle_sec;    /* how long an empty room stays open */
	size_t backlog_bytes; /* of lines, for who does not read at once */
	unsigned rate;        /* lines a second of one person, after a burst; 0: no limit */
};

/*
 * Serves all who connect to @listener until the room has been empty for long
 * enough or SIGTERM comes. Returns the program's exit status.
 */
int chat_serve(int listener, const struct chat_settings *settings);
