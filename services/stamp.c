/* SPDX-License-Identifier: ISC */
/* Answers each message with the time and the message: a line of a stream, or a datagram. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "handed.h"

#define IDLE_MSEC   5000
#define STAMP_BYTES 32

/* As ctime(3) writes it, which adds an end of line, and without its static memory. */
static size_t write_stamp(char stamp[static STAMP_BYTES])
{
	time_t now = time(NULL);
	struct tm tm;

	if (!localtime_r(&now, &tm))
		return 0;
	return strftime(stamp, STAMP_BYTES, "%a %b %e %H:%M:%S %Y: ", &tm);
}

/*
 * A message is a line, and what follows the last one. The stamp is written
 * when its first byte comes, so that a line may be of any length and none of
 * it has to be kept.
 */
static int serve_connection(void)
{
	char piece[4096];
	char stamp[STAMP_BYTES];
	bool at_start = true;
	ssize_t got;

	while ((got = read(STDIN_FILENO, piece, sizeof(piece))) > 0) {
		const char *end = piece + got;

		for (const char *at = piece; at < end;) {
			const char *newline = memchr(at, '\n', (size_t)(end - at));
			const char *stop = newline ? newline + 1 : end;

			if (at_start)
				fwrite(stamp, 1, write_stamp(stamp), stdout);
			fwrite(at, 1, (size_t)(stop - at), stdout);
			at_start = newline != NULL;
			at = stop;
		}
		if (fflush(stdout) != 0)
			return 1;
	}
	return got < 0;
}

static size_t stamped(const struct handed_message *message, char *answer, size_t size)
{
	size_t room = size - STAMP_BYTES;
	size_t length = write_stamp(answer);

	if (room > message->length)
		room = message->length;
	memcpy(answer + length, message->text, room);
	return length + room;
}

int main(void)
{
	switch (handed_what(STDIN_FILENO)) {
	case HANDED_DATAGRAMS:
		handed_datagrams(STDIN_FILENO, IDLE_MSEC, stamped);
		return 0;
	case HANDED_LISTENER:
		handed_refuse("stamp", "serves one connection: wait = no");
	case HANDED_CONNECTION:
		return serve_connection();
	}
	return 1;
}
