/* SPDX-License-Identifier: ISC */
/* What a line that somebody typed means: words for all, or a command. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "chat_room.h"

/* Names on one line of the answer to /who. */
#define WHO_LINE 8

/* How many names /who tells; a room of a thousand would fill screens, and the backlog. */
#define WHO_MAX (12 * WHO_LINE)

/* Takes the first word off @text: ends it and returns what follows, without the blanks between. */
static char *split(char *text)
{
	char *rest = text + strcspn(text, " ");

	if (*rest)
		*rest++ = '\0';
	return rest + strspn(rest, " ");
}

/* --- commands: each gets what follows its word, and returns false to leave ----------------- */

static bool do_nick(struct room *room, struct person *person, char *text)
{
	const struct person *other;

	split(text);
	if (!utf8_is_name(text, strlen(text))) {
		room_tell(
			room, person,
			"A name has 1 to %d visible characters, and none of / < > : , ; * \" in it.",
			UTF8_NAME_MAX);
		return true;
	}
	other = room_find(room, text);
	if (other && other != person) {
		room_tell(room, person, "%s is here already; you are still %s.", other->name,
			  person->name);
		return true;
	}
	room_tell_others(room, person, "%s is now %s", person->name, text);
	snprintf(person->name, sizeof(person->name), "%s", text);
	room_tell(room, person, "You are now %s.", person->name);
	return true;
}

static bool do_who(struct room *room, struct person *person, char *text)
{
	char names[WHO_LINE * (NAME_BYTES + ACCOUNT_BYTES + 8)] = "";
	const struct person *other;
	size_t used = 0;
	unsigned told = 0;

	(void)text;
	room_tell(room, person, "%u here, you are %s:", room->count, person->name);
	TAILQ_FOREACH(other, &room->people, of_room) {
		const char *account = other->account;

		used += (size_t)snprintf(names + used, sizeof(names) - used, "%s%s%s%s%s",
					 used ? ", " : "", other->name, account[0] ? " (user " : "",
					 account, account[0] ? ")" : "");
		if (++told % WHO_LINE == 0 || told == room->count) {
			room_tell(room, person, "%s", names);
			used = 0;
		}
		if (told == WHO_MAX && told < room->count) {
			room_tell(room, person, "and %u more", room->count - told);
			break;
		}
	}
	if (used)
		room_tell(room, person, "%s", names);
	return true;
}

static bool do_me(struct room *room, struct person *person, char *text)
{
	if (text[0])
		room_say(room, (struct audience){ .except = person->reader.id }, "* %s %s",
			 person->name, text);
	else
		room_tell(room, person, "Say what you do: /me TEXT");
	return true;
}

static bool do_msg(struct room *room, struct person *person, char *text)
{
	char *words = split(text);
	const struct person *other = room_find(room, text);

	if (!words[0]) {
		room_tell(room, person, "Say whom and what: /msg NAME TEXT");
	} else if (!other) {
		room_tell(room, person, "Nobody here is called so; /who tells who is here.");
	} else {
		room_say(room, (struct audience){ .only = other->reader.id }, "-%s- %s",
			 person->name, words);
		room_tell(room, person, "To %s alone: %s", other->name, words);
	}
	return true;
}

static bool do_topic(struct room *room, struct person *person, char *text)
{
	if (text[0]) {
		snprintf(room->topic, sizeof(room->topic), "%s", text);
		room_tell(room, NULL, "%s sets the topic: %s", person->name, room->topic);
	} else if (room->topic[0]) {
		room_tell(room, person, "Topic: %s", room->topic);
	} else {
		room_tell(room, person, "There is no topic; /topic TEXT sets one.");
	}
	return true;
}

static bool do_stamps(struct room *room, struct person *person, char *text)
{
	if (strcasecmp(text, "on") == 0)
		person->reader.wants_stamps = true;
	else if (strcasecmp(text, "off") == 0)
		person->reader.wants_stamps = false;
	room_tell(room, person, "Time stamps are %s; /stamps on and /stamps off change that.",
		  person->reader.wants_stamps ? "on" : "off");
	return true;
}

static bool do_help(struct room *room, struct person *person, char *text);

static bool do_quit(struct room *room, struct person *person, char *text)
{
	(void)text;
	room_tell(room, person, "Goodbye, %s.", person->name);
	return false;
}

static const struct command {
	const char *word;
	bool (*run)(struct room *room, struct person *person, char *text);
	const char *help;
} commands[] = {
	{ "/nick", do_nick, "NAME: be called so" },
	{ "/who", do_who, ": who is here" },
	{ "/me", do_me, "TEXT: do something, in the third person" },
	{ "/msg", do_msg, "NAME TEXT: say it to one alone" },
	{ "/topic", do_topic, "[TEXT]: what it is about here" },
	{ "/stamps", do_stamps, "on|off: the time before each line" },
	{ "/help", do_help, ": this" },
	{ "/quit", do_quit, ": leave" },
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static bool do_help(struct room *room, struct person *person, char *text)
{
	(void)text;
	room_tell(room, person, "What you type all the others read. Lines have at most %d bytes.",
		  LINE_BYTES);
	for (size_t i = 0; i < COMMANDS; i++)
		room_tell(room, person, "%s%s%s", commands[i].word,
			  commands[i].help[0] == ':' ? "" : " ", commands[i].help);
	room_tell(room, person, "//TEXT says /TEXT to all");
	return true;
}

static bool run_command(struct room *room, struct person *person, char *text)
{
	char *rest = split(text);

	for (size_t i = 0; i < COMMANDS; i++)
		if (strcasecmp(text, commands[i].word) == 0)
			return commands[i].run(room, person, rest);
	room_tell(room, person, "There is no such command; /help tells which there are.");
	return true;
}

bool room_line(struct room *room, struct person *person, const char *line, size_t length)
{
	char text[TEXT_BYTES + 1];
	const char *words = text;

	text[utf8_clean(text, line, length)] = '\0';
	if (text[0] == '/' && text[1] != '/')
		return run_command(room, person, text);
	if (text[0] == '/')
		words++;
	if (words[strspn(words, " ")])
		room_say(room, (struct audience){ .except = person->reader.id }, "<%s> %s",
			 person->name, words);
	return true;
}
