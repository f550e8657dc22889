/* SPDX-License-Identifier: ISC */
/* An echo server (RFC 862): a process a connection, or one for the socket with threads or with events. */
#include "echo.h"

#include <errno.h>
#include <getopt.h>
#include <string.h>
#include <unistd.h>

#include "handed.h"

int echo_connection(int fd)
{
	char piece[ECHO_PIECE];
	ssize_t got;

	/* The end of the client's input is our end; whether it still reads is another question. */
	while ((got = read(fd, piece, sizeof(piece))) > 0) {
		int r = handed_write(fd, piece, (size_t)got);

		if (r < 0)
			return r;
	}
	return got < 0 ? -errno : 0;
}

static size_t same(const struct handed_message *message, char *answer, size_t size)
{
	size_t length = message->length < size ? message->length : size;

	memcpy(answer, message->text, length);
	return length;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "threads", no_argument, NULL, 't' },
		{ "events", no_argument, NULL, 'e' },
		{ NULL, 0, NULL, 0 },
	};
	int (*serve)(int listener) = NULL;
	int c;

	opterr = 0;
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == '?')
			handed_refuse("echo", "usage: echo [--threads | --events]");
		serve = c == 't' ? echo_threads : echo_events;
	}
	switch (handed_what(STDIN_FILENO)) {
	case HANDED_DATAGRAMS:
		handed_datagrams(STDIN_FILENO, ECHO_IDLE_MSEC, same);
		return 0;
	case HANDED_LISTENER:
		if (serve)
			return serve(STDIN_FILENO);
		handed_refuse("echo", "wait = yes with a stream needs --threads or --events");
	case HANDED_CONNECTION:
		if (!serve)
			return echo_connection(STDIN_FILENO) < 0;
		handed_refuse("echo", "--threads and --events need wait = yes");
	}
	return 1;
}
