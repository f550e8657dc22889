/* SPDX-License-Identifier: ISC */
/* What a super-server hands to a server: the contract of inetd(8), descriptor 0 is the socket. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdnoreturn.h>
#include <sys/socket.h>

/* What descriptor 0 can be. */
enum handed {
	HANDED_CONNECTION, /* wait = no: one client, accepted */
	HANDED_LISTENER, /* wait = yes: the socket that clients connect to; nobody is accepted yet */
	HANDED_DATAGRAMS, /* wait = yes: the socket of all clients, the first datagram still in it */
};

/* Whom to answer, and where the message came in. */
struct handed_message {
	const char *text;
	size_t length; /* bytes; the text is not terminated */
	const struct sockaddr_storage *peer;
	socklen_t peer_length; /* bytes; 0 or 2 when the peer, a Unix socket, has no name */
	int fd;                /* the service's socket */
};

/* Enough for any datagram. */
#define HANDED_DATAGRAM_BYTES 65536

/* Enough for any address in words, and for a user. */
#define HANDED_PLACE_BYTES 160
#define HANDED_USER_BYTES  40

/* Writes the answer to @message to @answer and returns its length in bytes, at most @size. */
typedef size_t handed_answer(const struct handed_message *message, char *answer, size_t size);

/* What @fd is. Ends the program with a complaint when it is no socket at all. */
enum handed handed_what(int fd);

/* Accepts the next client of @listener, without waiting for one. Returns a descriptor or -errno. */
int handed_accept(int listener);

/* Whether handed_accept() failed with @error since process or system are full: then the client still waits. */
bool handed_no_room(int error);

/* Writes all of it, without a signal when the client is gone. Returns 0 or -errno. */
int handed_write(int fd, const char *data, size_t length);

/* Writes an address, of @length bytes as the kernel gave it, in words. */
void handed_describe(const struct sockaddr_storage *place, socklen_t length,
		     char text[HANDED_PLACE_BYTES]);

/*
 * Writes who is on the other side of a connection over a Unix socket, as the
 * kernel knows: a user's name, or a number where it has none. Elsewhere
 * nobody knows; the text is empty then. Returns whether it is not.
 */
bool handed_user(int fd, char text[HANDED_USER_BYTES]);

/*
 * Says that nothing more comes, and waits for the client to end, at most
 * @wait_msec: a connection that is closed while something from the client is
 * unread is reset, and that can cost the client what it was just told.
 */
void handed_part(int fd, int wait_msec);

/*
 * Answers datagrams until none has come for @idle_msec; the socket goes back
 * to the super-server when we end. What cannot be answered at once is lost, as
 * datagrams may be. Ports below 1024 are not answered: they belong to other
 * services, and one that answers our answer would never end.
 */
void handed_datagrams(int fd, int idle_msec, handed_answer *answer);

/*
 * Ends the program with status 2, since it was started with what it cannot
 * use. Descriptor 2 is the client's socket, too, and who it is about reads
 * the system's log; only from a terminal it goes to standard error.
 */
noreturn void handed_refuse(const char *program, const char *why);
