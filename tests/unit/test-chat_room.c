/* SPDX-License-Identifier: ISC */
/* Tests of the chat room without its sockets: names, commands, and who hears what. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../services/chat_room.h"
#include "base/util.h"

#define WELCOME(name, n) \
	"*** Welcome, " name ". You are one of " n " here; /help tells what you can do.\r\n"

static struct room *new_room(void)
{
	struct room *room = malloc(sizeof(*room));
	struct backlog *backlog = backlog_new(4 * ROOM_BACKLOG_MIN);

	assert_non_null(room);
	assert_non_null(backlog);
	room_init(room, backlog);
	return room;
}

static void free_room(struct room *room)
{
	room_done(room);
	free(room);
}

/* What the person has heard since the last time. */
static const char *heard(struct room *room, struct person *person)
{
	static char text[8192];
	size_t n;

	assert_false(backlog_lost(room->backlog, &person->reader));
	n = backlog_read(room->backlog, &person->reader, backlog_end(room->backlog), text,
			 sizeof(text) - 1);
	backlog_taken(room->backlog, &person->reader, n);
	text[n] = '\0';
	return text;
}

static bool type(struct room *room, struct person *person, const char *line)
{
	return room_line(room, person, line, strlen(line));
}

static void greets_and_announces(void **state)
{
	struct room *room = new_room();
	struct person a, b;

	(void)state;
	room_enter(room, &a, NULL);
	assert_string_equal(heard(room, &a), WELCOME("guest1", "1"));
	assert_true(type(room, &a, "/topic tea"));
	assert_string_equal(heard(room, &a), "*** guest1 sets the topic: tea\r\n");
	room_enter(room, &b, "bea");
	assert_string_equal(heard(room, &b), WELCOME("bea", "2") "*** Topic: tea\r\n");
	assert_string_equal(heard(room, &a), "*** bea has come in\r\n");
	room_leave(room, &b, "");
	assert_string_equal(heard(room, &a), "*** bea has left\r\n");
	assert_string_equal(heard(room, &b), "");
	room_enter(room, &b, NULL);
	room_leave(room, &b, "asleep");
	assert_string_equal(heard(room, &a),
			    "*** guest2 has come in\r\n*** guest2 has left: asleep\r\n");
	assert_int_equal(room->count, 1);
	free_room(room);
}

static void gives_names_that_nobody_has(void **state)
{
	static const struct {
		const char *account, *name;
	} cases[] = {
		{ "joe", "joe" },
		{ "joe", "joe2" },
		{ "JOE", "JOE3" },
		{ "joe2", "joe22" },
		{ NULL, "guest1" },
		{ "guest2", "guest2" },
		{ NULL, "guest3" },
		{ "1000", "1000" },
		{ "a.very.long.name.of.a.user", "guest4" },
		{ "bad name", "guest5" },
		{ "", "guest6" },
	};
	struct person people[ARRAY_SIZE(cases)];
	struct room *room = new_room();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		room_enter(room, &people[i], cases[i].account);
		assert_string_equal(people[i].name, cases[i].name);
	}
	free_room(room);
}

static void others_hear_and_the_speaker_does_not(void **state)
{
	struct room *room = new_room();
	struct person a, b, c;

	(void)state;
	room_enter(room, &a, "anna");
	room_enter(room, &b, "bea");
	room_enter(room, &c, "cem");
	heard(room, &a), heard(room, &b), heard(room, &c);
	assert_true(type(room, &a, "hello"));
	assert_true(type(room, &a, ""));
	assert_true(type(room, &a, "   "));
	assert_true(type(room, &a, "//etc/passwd"));
	assert_true(type(room, &a, "/me wav\x1b[1mes"));
	assert_true(type(room, &a, "/msg BEA a secret"));
	assert_true(type(room, &a, "/me"));
	assert_true(type(room, &a, "/msg bea"));
	assert_true(type(room, &a, "/msg nobody x"));
	assert_true(type(room, &a, "/fly"));
	assert_true(type(room, &a, "/"));
	assert_string_equal(
		heard(room, &b),
		"<anna> hello\r\n<anna> /etc/passwd\r\n* anna wav[1mes\r\n-anna- a secret\r\n");
	assert_string_equal(heard(room, &c),
			    "<anna> hello\r\n<anna> /etc/passwd\r\n* anna wav[1mes\r\n");
	assert_string_equal(heard(room, &a),
			    "*** To bea alone: a secret\r\n*** Say what you do: /me TEXT\r\n"
			    "*** Say whom and what: /msg NAME TEXT\r\n"
			    "*** Nobody here is called so; /who tells who is here.\r\n"
			    "*** There is no such command; /help tells which there are.\r\n"
			    "*** There is no such command; /help tells which there are.\r\n");
	free_room(room);
}

static void changes_names(void **state)
{
	struct room *room = new_room();
	struct person a, b;

	(void)state;
	room_enter(room, &a, NULL);
	room_enter(room, &b, NULL);
	heard(room, &a), heard(room, &b);
	assert_true(type(room, &a, "/nick Zoë and more"));
	assert_string_equal(a.name, "Zoë");
	assert_true(type(room, &a, "/nick zoë"));
	assert_string_equal(a.name, "zoë");
	assert_string_equal(heard(room, &a), "*** You are now Zoë.\r\n*** You are now zoë.\r\n");
	assert_string_equal(heard(room, &b), "*** guest1 is now Zoë\r\n*** Zoë is now zoë\r\n");
	assert_true(type(room, &b, "/NICK ZOë"));
	assert_true(type(room, &b, "/nick"));
	assert_true(type(room, &b, "/nick <x>"));
	assert_true(type(room, &b, "/nick 123456789012345678901"));
	assert_string_equal(b.name, "guest2");
	assert_string_equal(heard(room, &a), "");
	assert_int_equal(strncmp(heard(room, &b),
				 "*** zoë is here already; you are still guest2.\r\n*** A name has",
				 59),
			 0);
	free_room(room);
}

static void tells_who_is_here(void **state)
{
	static struct person people[300];
	struct room *room = new_room();
	const char *answer;
	size_t names = 0;

	(void)state;
	room_enter(room, &people[0], "anna");
	room_enter(room, &people[1], NULL);
	heard(room, &people[1]);
	assert_true(type(room, &people[1], "/who"));
	assert_string_equal(heard(room, &people[1]),
			    "*** 2 here, you are guest1:\r\n*** anna (user anna), guest1\r\n");
	for (size_t i = 2; i < ARRAY_SIZE(people); i++)
		room_enter(room, &people[i], NULL);
	heard(room, &people[299]);
	assert_true(type(room, &people[299], "/who"));
	answer = heard(room, &people[299]);
	assert_non_null(strstr(answer, "*** 300 here, you are guest299:"));
	assert_non_null(strstr(answer, "*** and 204 more\r\n"));
	for (const char *at = answer; (at = strstr(at, "guest")); at++)
		names++;
	/* guest299 in the first line, and all but anna of the 96. */
	assert_int_equal(names, 1 + 95);
	free_room(room);
}

static void stamps_on_request(void **state)
{
	struct room *room = new_room();
	struct person a, b;
	struct tm tm = { .tm_year = 100, .tm_mday = 1, .tm_hour = 15, .tm_min = 4, .tm_isdst = -1 };

	(void)state;
	room_set_time(room, mktime(&tm));
	room_enter(room, &a, "anna");
	room_enter(room, &b, "bea");
	assert_true(type(room, &a, "/stamps on"));
	heard(room, &a), heard(room, &b);
	assert_true(type(room, &b, "tea?"));
	assert_true(type(room, &b, "/stamps"));
	assert_string_equal(heard(room, &a), "[15:04] <bea> tea?\r\n");
	assert_string_equal(heard(room, &b),
			    "*** Time stamps are off; /stamps on and /stamps off change that.\r\n");
	assert_true(type(room, &a, "/stamps off"));
	assert_string_equal(heard(room, &a),
			    "*** Time stamps are off; /stamps on and /stamps off change that.\r\n");
	free_room(room);
}

static void takes_leave(void **state)
{
	struct room *room = new_room();
	struct person a;

	(void)state;
	room_enter(room, &a, "anna");
	heard(room, &a);
	assert_true(type(room, &a, "/quitter"));
	heard(room, &a);
	assert_false(type(room, &a, "/quit"));
	assert_string_equal(heard(room, &a), "*** Goodbye, anna.\r\n");
	free_room(room);
}

static void help_names_every_command(void **state)
{
	static const char *const words[] = { "/nick ",   "/who",  "/me ",  "/msg ",     "/topic ",
					     "/stamps ", "/help", "/quit", "1000 bytes" };
	struct room *room = new_room();
	struct person a;
	const char *answer;

	(void)state;
	room_enter(room, &a, "anna");
	assert_true(type(room, &a, "/help"));
	answer = heard(room, &a);
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (!strstr(answer, words[i]))
			fail_msg("/help does not name %s", words[i]);
	free_room(room);
}

/* The longest line, all of it bytes that grow, with the longest names: nothing is cut. */
static void says_the_longest_line(void **state)
{
	struct room *room = new_room();
	char line[LINE_BYTES];
	struct person a, b;
	const char *answer;

	(void)state;
	room_enter(room, &a, NULL);
	room_enter(room, &b, NULL);
	assert_true(type(room, &a, "/nick 😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀"));
	heard(room, &b);
	memset(line, '\xff', sizeof(line));
	assert_true(room_line(room, &a, line, sizeof(line)));
	answer = heard(room, &b);
	assert_int_equal(strlen(answer), 80 + 3 + TEXT_BYTES + 2);
	memcpy(line, "/topic ", 7);
	assert_true(room_line(room, &a, line, sizeof(line)));
	answer = heard(room, &b);
	assert_int_equal(strlen(answer),
			 4 + 80 + strlen(" sets the topic: ") + (sizeof(line) - 7) * 3 + 2);
	free_room(room);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(greets_and_announces),
		cmocka_unit_test(gives_names_that_nobody_has),
		cmocka_unit_test(others_hear_and_the_speaker_does_not),
		cmocka_unit_test(changes_names),
		cmocka_unit_test(tells_who_is_here),
		cmocka_unit_test(stamps_on_request),
		cmocka_unit_test(takes_leave),
		cmocka_unit_test(help_names_every_command),
		cmocka_unit_test(says_the_longest_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
