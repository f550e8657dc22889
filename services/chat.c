/* SPDX-License-Identifier: ISC */
/* A room where people talk, one program for all of them: it is handed the socket that they connect to. */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <unistd.h>

#include "chat_room.h"
#include "chat_server.h"
#include "handed.h"

#define USAGE "usage: chat [--people N] [--idle SECONDS] [--backlog KIB] [--rate LINES_PER_SECOND]"

static unsigned number(const char *text, unsigned least, unsigned most)
{
	unsigned long value;
	char *end;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (errno || end == text || *end || text[0] == '-' || value < least || value > most)
		handed_refuse("chat", USAGE);
	return (unsigned)value;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "people", required_argument, NULL, 'p' },
		{ "idle", required_argument, NULL, 'i' },
		{ "backlog", required_argument, NULL, 'b' },
		{ "rate", required_argument, NULL, 'r' },
		{ NULL, 0, NULL, 0 },
	};
	struct chat_settings settings = {
		.people_max = 1000,
		.idle_sec = 300,
		.backlog_bytes = 4096 * 1024,
		.rate = 5,
	};
	int c;

	opterr = 0;
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 'p':
			settings.people_max = number(optarg, 1, 100000);
			break;
		case 'i':
			settings.idle_sec = number(optarg, 0, 86400);
			break;
		case 'b':
			settings.backlog_bytes =
				(size_t)number(optarg, ROOM_BACKLOG_MIN / 1024, 1024 * 1024) * 1024;
			break;
		case 'r':
			settings.rate = number(optarg, 0, 1000);
			break;
		default:
			handed_refuse("chat", USAGE);
		}
	}
	if (handed_what(STDIN_FILENO) != HANDED_LISTENER)
		handed_refuse("chat", "takes the listening socket: a stream with wait = yes");
	return chat_serve(STDIN_FILENO, &settings);
}
