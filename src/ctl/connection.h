/* SPDX-License-Identifier: ISC */
/* A connected socket to one of several places, which are tried in turn. */
#pragma once

#include <stdio.h>

#include "ctl/failure.h"
#include "ctl/places.h"

struct connection {
	const struct places *places; /* not owned; at least one */
	size_t next;                 /* the first that was not tried yet */
	const struct endpoint *place;
	int fd;      /* non-blocking, or -1 */
	FILE *trace; /* NULL, or where each attempt, and both ends' addresses, are told */
};

/*
 * Connects to the first place from c->next on that takes the connection, by
 * @deadline_usec of now_usec() (0: whenever), and closes what was open before. A place
 * that has others behind it gets its share of the time, or a few seconds where there is
 * no limit. A datagram socket takes every place that can be routed to; a Unix one is
 * given a name for the answers. Returns STATUS_CLEAN, or the status of the failure that
 * got furthest, with all of them in @failure.
 */
enum status connection_open(struct connection *c, uint64_t deadline_usec, struct failure *failure);

/* Where the connection leads to, as endpoint_format() has it, escaped. Returns @out. */
const char *connection_format(const struct connection *c, char out[static ENDPOINT_TEXT_MAX]);

/* Whether there is a place left to try. */
bool connection_has_next(const struct connection *c);

void connection_close(struct connection *c);
