/* SPDX-License-Identifier: ISC */
/* The people's sockets: what they send becomes lines in the room, what is said there goes to them. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "chat_room.h"

struct visitor;

struct visitors {
	TAILQ_HEAD(, visitor) all;
	unsigned count; /* with those who have left and are still being told so */
	struct room *room;
	int epoll;
	unsigned rate; /* lines a second; 0: no limit */
	uint64_t now;  /* ms, monotonic: the time of this turn */
	uint64_t
		sent; /* the place in the backlog up to which all were given what their sockets took */
};

/* @room and @epoll stay the caller's. The events' data is the struct visitor. */
void visitors_init(struct visitors *visitors, struct room *room, int epoll, unsigned rate);

/* Closes all connections. */
void visitors_done(struct visitors *visitors);

/* Takes over @fd, a connection, and brings it into the room; without memory it is closed. @now in ms. */
void visitors_add(struct visitors *visitors, int fd, const char *account, uint64_t now);

/* epoll has these @events for one of them. */
void visitor_ready(struct visitors *visitors, struct visitor *visitor, uint32_t events,
		   uint64_t now);

/* Gives everybody what their sockets take of what has been said. */
void visitors_send(struct visitors *visitors);

/*
 * The same, and looks after those whose time has come: who was slowed goes on,
 * who does not read is dropped, who has left is let go. Returns when to do it
 * again at the latest, in ms; UINT64_MAX when nobody needs it.
 */
uint64_t visitors_tend(struct visitors *visitors, uint64_t now);
