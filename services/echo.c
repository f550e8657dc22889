/* SPDX-License-Identifier: ISC */
/* An echo server (RFC 862) that knows nothing but the contract of inetd(8): descriptor 0 is the socket. */
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

/* With wait = yes, the socket goes back to the super-server when it has been quiet for so long. */
#define IDLE_MSEC 5000

/* Ports below belong to other services; one that answers our answer would never end. */
#define FIRST_CLIENT_PORT 1024

/* wait = no: the socket is one client's connection, and the end of its input is our end. */
static int serve_client(int fd)
{
	char buffer[16384];
	ssize_t got, put;

	while ((got = read(fd, buffer, sizeof(buffer))) > 0) {
		for (ssize_t at = 0; at < got; at += put) {
			put = write(fd, buffer + at, (size_t)(got - at));
			if (put < 0)
				return 1;
		}
	}
	return got < 0;
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

/* wait = yes, dgram: the first datagram is still in the socket; we also take those that follow. */
static int serve_datagrams(int fd)
{
	struct pollfd waiting = { .fd = fd, .events = POLLIN };
	static char buffer[65536]; /* any datagram fits */

	while (poll(&waiting, 1, IDLE_MSEC) > 0) {
		struct sockaddr_storage peer = { 0 };
		socklen_t length = sizeof(peer);
		void *address = &peer;
		ssize_t got = recvfrom(fd, buffer, sizeof(buffer), MSG_DONTWAIT, address, &length);

		/* An answer that cannot be sent is lost, as datagrams may be. */
		if (got >= 0 && is_client(&peer))
			(void)sendto(fd, buffer, (size_t)got, 0, address, length);
	}
	return 0;
}

int main(void)
{
	int type = 0;
	socklen_t length = sizeof(type);

	if (getsockopt(STDIN_FILENO, SOL_SOCKET, SO_TYPE, &type, &length) < 0)
		return 1;
	return type == SOCK_DGRAM ? serve_datagrams(STDIN_FILENO) : serve_client(STDIN_FILENO);
}
