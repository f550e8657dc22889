/* SPDX-License-Identifier: ISC */
/* What a super-server hands to a server: the contract of inetd(8), descriptor 0 is the socket. */
#define _GNU_SOURCE /* accept4(), struct ucred */

#include "handed.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#define FIRST_CLIENT_PORT 1024

enum handed handed_what(int fd)
{
	int type = 0;
	int listens = 0;
	socklen_t length = sizeof(type);

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) < 0)
		handed_refuse("service", "descriptor 0 is no socket: see usherd-services(7)");
	if (type == SOCK_DGRAM)
		return HANDED_DATAGRAMS;
	length = sizeof(listens);
	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &length) == 0 && listens)
		return HANDED_LISTENER;
	return HANDED_CONNECTION;
}

int handed_accept(int listener)
{
	struct pollfd waiting = { .fd = listener, .events = POLLIN };
	int fd;

	/* O_NONBLOCK would stay on the socket, which is the super-server's as well, and the next server's. */
	if (poll(&waiting, 1, 0) <= 0)
		return -EAGAIN;
	fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

bool handed_no_room(int error)
{
	return error == -EMFILE || error == -ENFILE || error == -ENOMEM || error == -ENOBUFS;
}

int handed_write(int fd, const char *data, size_t length)
{
	while (length) {
		ssize_t put = send(fd, data, length, MSG_NOSIGNAL);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -errno;
		data += put;
		length -= (size_t)put;
	}
	return 0;
}

void handed_part(int fd, int wait_msec)
{
	struct pollfd ended = { .fd = fd, .events = POLLIN };
	char ignored[4096];

	(void)shutdown(fd, SHUT_WR);
	/* Bounded for those who send without end. */
	for (int i = 0; i < 100; i++)
		if (poll(&ended, 1, wait_msec) <= 0 || read(fd, ignored, sizeof(ignored)) <= 0)
			return;
}

/* The name of a Unix socket: a path, or of the abstract kind, which begins with a NUL; most clients have none. */
static void describe_unix(const struct sockaddr_un *address, socklen_t length,
			  char text[HANDED_PLACE_BYTES])
{
	size_t before = offsetof(struct sockaddr_un, sun_path);
	int name = length > before ? (int)(length - before) : 0;

	if (name == 0)
		snprintf(text, HANDED_PLACE_BYTES, "a Unix socket without a name");
	else if (address->sun_path[0] == '\0')
		snprintf(text, HANDED_PLACE_BYTES, "the Unix socket @%.*s", name - 1,
			 address->sun_path + 1);
	else
		snprintf(text, HANDED_PLACE_BYTES, "the Unix socket %.*s", name, address->sun_path);
}

void handed_describe(const struct sockaddr_storage *place, socklen_t length,
		     char text[HANDED_PLACE_BYTES])
{
	const void *address = place;
	const struct sockaddr_in *v4 = address;
	const struct sockaddr_in6 *v6 = address;
	char number[INET6_ADDRSTRLEN] = "?";

	switch (place->ss_family) {
	case AF_INET:
		(void)inet_ntop(AF_INET, &v4->sin_addr, number, sizeof(number));
		snprintf(text, HANDED_PLACE_BYTES, "%s port %u", number, ntohs(v4->sin_port));
		break;
	case AF_INET6:
		/* A socket for both families has its IPv4 clients in the last four of these bytes. */
		if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
			(void)inet_ntop(AF_INET, v6->sin6_addr.s6_addr + 12, number,
					sizeof(number));
		else
			(void)inet_ntop(AF_INET6, &v6->sin6_addr, number, sizeof(number));
		snprintf(text, HANDED_PLACE_BYTES, "%s port %u", number, ntohs(v6->sin6_port));
		break;
	default:
		describe_unix(address, length, text);
	}
}

bool handed_user(int fd, char text[HANDED_USER_BYTES])
{
	int family = 0;
	socklen_t length = sizeof(family);
	const struct passwd *user;
	struct ucred who;

	text[0] = '\0';
	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &length) < 0 || family != AF_UNIX)
		return false;
	length = sizeof(who);
	/* Datagrams come from anybody: then there is no process. */
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &length) < 0 || who.pid == 0)
		return false;
	user = getpwuid(who.uid);
	if (user)
		snprintf(text, HANDED_USER_BYTES, "%s", user->pw_name);
	else
		snprintf(text, HANDED_USER_BYTES, "%u", who.uid);
	return true;
}

static bool is_client(const struct sockaddr_storage *peer)
{
	const void *address = peer;

	if (peer->ss_family == AF_INET)
		return ntohs(((const struct sockaddr_in *)address)->sin_port) >= FIRST_CLIENT_PORT;
	if (peer->ss_family == AF_INET6)
		return ntohs(((const struct sockaddr_in6 *)address)->sin6_port) >=
		       FIRST_CLIENT_PORT;
	return true;
}

void handed_datagrams(int fd, int idle_msec, handed_answer *answer)
{
	static char text[HANDED_DATAGRAM_BYTES];
	static char reply[HANDED_DATAGRAM_BYTES];
	struct pollfd waiting = { .fd = fd, .events = POLLIN };

	while (poll(&waiting, 1, idle_msec) > 0) {
		struct sockaddr_storage peer = { 0 };
		struct handed_message message = { .text = text, .peer = &peer, .fd = fd };
		socklen_t length = sizeof(peer);
		void *address = &peer;
		ssize_t got;

		/* What woke us may be gone, as with a wrong checksum. */
		got = recvfrom(fd, text, sizeof(text), MSG_DONTWAIT, address, &length);
		if (got < 0 || !is_client(&peer))
			continue;
		message.length = (size_t)got;
		message.peer_length = length;
		/* A client that does not take its answer must not keep the others waiting. */
		(void)sendto(fd, reply, answer(&message, reply, sizeof(reply)), MSG_DONTWAIT,
			     address, length);
	}
}

noreturn void handed_refuse(const char *program, const char *why)
{
	struct stat about;

	if (fstat(STDERR_FILENO, &about) == 0 && !S_ISSOCK(about.st_mode)) {
		fprintf(stderr, "%s: %s\n", program, why);
	} else {
		openlog(program, LOG_PID, LOG_DAEMON);
		syslog(LOG_ERR, "%s", why);
	}
	exit(2);
}
