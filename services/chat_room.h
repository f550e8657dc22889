/* SPDX-License-Identifier: ISC */
/* The room: who is in it, what they are called, and what becomes of a line that one of them typed. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>
#include <time.h>

#include "chat_backlog.h"
#include "chat_line.h"
#include "chat_utf8.h"

#define NAME_BYTES    (UTF8_NAME_MAX * 4 + 1)
#define ACCOUNT_BYTES 40
#define TEXT_BYTES    (LINE_BYTES * UTF8_GROWTH)

/* The smallest backlog that a room can have: a line is at most an eighth of it. */
#define ROOM_BACKLOG_MIN (64 * 1024)

struct person {
	TAILQ_ENTRY(person) of_room;
	struct reader reader;
	char name[NAME_BYTES];
	char account[ACCOUNT_BYTES]; /* the user on this machine, "" when not known */
};

struct room {
	TAILQ_HEAD(people, person) people; /* in order of arrival */
	unsigned count;
	unsigned last_id;
	unsigned last_guest;
	char stamp[STAMP_BYTES];
	char topic[TEXT_BYTES + 1];
	struct backlog *backlog;
};

/* Takes over @backlog until room_done(). */
void room_init(struct room *room, struct backlog *backlog);
void room_done(struct room *room);

/* What is said from now on is said at this time of day. */
void room_set_time(struct room *room, time_t now);

/*
 * Somebody comes in: gets a name, is greeted, and is announced to the others.
 * @account is the user on this machine, whose name it will be where that is
 * free, or NULL. The person stays the caller's, and in the room until
 * room_leave().
 */
void room_enter(struct room *room, struct person *person, const char *account);

/* Somebody is gone; the others are told, with @why (may be empty). */
void room_leave(struct room *room, struct person *person, const char *why);

/* A line that @person typed, as it came. Returns false when the person wants to leave, and has been taken leave of. */
bool room_line(struct room *room, struct person *person, const char *line, size_t length);

/* Something that the room itself has to say, to @person or, when NULL, to all. */
void room_tell(struct room *room, const struct person *person, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The same to all but @person. */
void room_tell_others(struct room *room, const struct person *person, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Words of people, which carry no mark of the room. */
void room_say(struct room *room, struct audience audience, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The person of this name, however its letters of ASCII are written; NULL when there is none. */
struct person *room_find(const struct room *room, const char *name);
