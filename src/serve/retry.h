/* SPDX-License-Identifier: ISC */
/* Connections whose server could not be started for want of processes or memory: kept, and tried again. */
#pragma once

#include <stdbool.h>

struct server;
struct session;

/* Seconds between two attempts, and after how many failures in a row it is given up: the client waits twenty seconds, as with xinetd. */
#define RETRY_SEC          5
#define RETRY_MAX_FAILURES 5

/*
 * Connections of one service that may wait at a time; and all of them together
 * hold no more than this share of the descriptors. xinetd has no bound here.
 */
#define RETRY_PER_SERVICE      64
#define RETRY_DESCRIPTOR_SHARE 4

/*
 * Keeps @session, whose server could not be started on *@fd, and takes the
 * descriptor over. Every RETRY_SEC seconds the checks of the daemon are made
 * again and the server is tried again (compat.md 8.6); its counts stay taken
 * meanwhile. It ends by one record: START, or FAIL. Returns false with nothing
 * done where the service does not want it (xinetd.conf(5) "NORETRY") or too many wait.
 * Where a reload has made a new question of it, @ask gets the session, which waits
 * no more then, and its descriptor.
 */
bool retry_later(struct session *session, int *fd, void (*ask)(struct session *session, int fd));

/* How often starting the server of a session that waits has failed; 0 where it does not wait. */
unsigned retry_failures(const struct session *session);

/* Turns all waiting clients away (FAIL fork), at the end of the daemon. */
void retry_give_up_all(struct server *server);
