/* SPDX-License-Identifier: ISC */
/* Thanks a client for connecting, and tells it where it comes from and what it has reached. */
#include <stdio.h>
#include <unistd.h>

#include "handed.h"

#define IDLE_MSEC 5000
#define PART_MSEC 1000

/* Two places, and what is said about them. */
#define GREETING_BYTES 1024

/* Returns the length of the text in bytes. */
static size_t write_greeting(int fd, const struct sockaddr_storage *peer, socklen_t peer_length,
			     char *text, size_t size)
{
	struct sockaddr_storage own = { 0 };
	socklen_t own_length = sizeof(own);
	void *own_address = &own;
	char from[HANDED_PLACE_BYTES], to[HANDED_PLACE_BYTES];
	char user[HANDED_USER_BYTES];
	int length;

	if (getsockname(fd, own_address, &own_length) < 0)
		return 0;
	handed_describe(peer, peer_length, from);
	handed_describe(&own, own_length, to);
	/* The kernel knows who has connected to a Unix socket, whatever the name of theirs. */
	(void)handed_user(fd, user);
	length = snprintf(text, size,
			  "Thank you for connecting.\r\nYou come from %s%s%s.\r\n"
			  "You have reached %s.\r\n",
			  from, user[0] ? ", user " : "", user, to);
	return length > 0 && (size_t)length < size ? (size_t)length : 0;
}

/*
 * A datagram socket is nobody's connection: getpeername() has no answer there,
 * but each datagram brings its sender. getsockname() tells where the service
 * is bound, which may be all addresses.
 */
static size_t greeting(const struct handed_message *message, char *answer, size_t size)
{
	return write_greeting(message->fd, message->peer, message->peer_length, answer, size);
}

static int serve_connection(int fd)
{
	struct sockaddr_storage peer = { 0 };
	socklen_t length = sizeof(peer);
	void *address = &peer;
	char text[GREETING_BYTES];

	/* Who has left meanwhile is not thanked. */
	if (getpeername(fd, address, &length) < 0 ||
	    handed_write(fd, text, write_greeting(fd, &peer, length, text, sizeof(text))) < 0)
		return 1;
	handed_part(fd, PART_MSEC);
	return 0;
}

int main(void)
{
	switch (handed_what(STDIN_FILENO)) {
	case HANDED_DATAGRAMS:
		handed_datagrams(STDIN_FILENO, IDLE_MSEC, greeting);
		return 0;
	case HANDED_LISTENER:
		handed_refuse("greet", "serves one connection: wait = no");
	case HANDED_CONNECTION:
		return serve_connection(STDIN_FILENO);
	}
	return 1;
}
