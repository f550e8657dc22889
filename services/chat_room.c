/* SPDX-License-Identifier: ISC */
/* The room: who is in it, what they are called, and what they hear. */
#include "chat_room.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* The longest line there can be: two names and a text, and what stands around them. */
#define SAID_BYTES (TEXT_BYTES + 2 * NAME_BYTES + 64)

void room_init(struct room *room, struct backlog *backlog)
{
	memset(room, 0, sizeof(*room));
	TAILQ_INIT(&room->people);
	room->backlog = backlog;
	memcpy(room->stamp, "[--:--] ", STAMP_BYTES);
}

void room_done(struct room *room)
{
	backlog_free(room->backlog);
}

void room_set_time(struct room *room, time_t now)
{
	char text[STAMP_BYTES + 1];
	struct tm tm;

	if (localtime_r(&now, &tm) && strftime(text, sizeof(text), "[%H:%M] ", &tm) == STAMP_BYTES)
		memcpy(room->stamp, text, STAMP_BYTES);
}

/* --- saying ------------------------------------------------------------------------ */

static void say(struct room *room, struct audience audience, const char *mark, const char *format,
		va_list ap) __attribute__((format(printf, 4, 0)));

static void say(struct room *room, struct audience audience, const char *mark, const char *format,
		va_list ap)
{
	char text[SAID_BYTES];
	size_t used = (size_t)snprintf(text, sizeof(text), "%s", mark);
	int length = vsnprintf(text + used, sizeof(text) - used - 2, format, ap);

	if (length < 0)
		return;
	used = strlen(text);
	/* Telnet's end of line, which a terminal takes as well. */
	memcpy(text + used, "\r\n", 2);
	backlog_add(room->backlog, audience, room->stamp, text, used + 2);
}

void room_say(struct room *room, struct audience audience, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	say(room, audience, "", format, ap);
	va_end(ap);
}

void room_tell(struct room *room, const struct person *person, const char *format, ...)
{
	struct audience audience = { .only = person ? person->reader.id : 0 };
	va_list ap;

	va_start(ap, format);
	say(room, audience, "*** ", format, ap);
	va_end(ap);
}

void room_tell_others(struct room *room, const struct person *person, const char *format, ...)
{
	struct audience audience = { .except = person->reader.id };
	va_list ap;

	va_start(ap, format);
	say(room, audience, "*** ", format, ap);
	va_end(ap);
}

/* --- coming and going --------------------------------------------------------------- */

struct person *room_find(const struct room *room, const char *name)
{
	struct person *person;

	TAILQ_FOREACH(person, &room->people, of_room)
		if (strcasecmp(person->name, name) == 0)
			return person;
	return NULL;
}

/* A name that nobody has: the user's, with a number where that is taken. */
static void give_name(struct room *room, struct person *person, const char *account)
{
	char base[NAME_BYTES - 12];
	unsigned number = 1;

	if (account && utf8_is_name(account, strlen(account)) && strlen(account) < sizeof(base)) {
		snprintf(base, sizeof(base), "%s", account);
		snprintf(person->name, sizeof(person->name), "%s", base);
	} else {
		snprintf(base, sizeof(base), "guest");
		number = room->last_guest;
		snprintf(person->name, sizeof(person->name), "%s%u", base, ++number);
		room->last_guest = number;
	}
	while (room_find(room, person->name))
		snprintf(person->name, sizeof(person->name), "%s%u", base, ++number);
}

void room_enter(struct room *room, struct person *person, const char *account)
{
	memset(person, 0, sizeof(*person));
	person->reader.id = ++room->last_id;
	person->reader.at = backlog_end(room->backlog);
	snprintf(person->account, sizeof(person->account), "%s", account ? account : "");
	give_name(room, person, account);
	TAILQ_INSERT_TAIL(&room->people, person, of_room);
	room->count++;
	room_tell(room, person, "Welcome, %s. You are one of %u here; /help tells what you can do.",
		  person->name, room->count);
	if (room->topic[0])
		room_tell(room, person, "Topic: %s", room->topic);
	room_tell_others(room, person, "%s has come in", person->name);
}

void room_leave(struct room *room, struct person *person, const char *why)
{
	TAILQ_REMOVE(&room->people, person, of_room);
	room->count--;
	room_tell_others(room, person, "%s has left%s%s", person->name, why[0] ? ": " : "", why);
}
