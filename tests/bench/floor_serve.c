/* SPDX-License-Identifier: ISC */
/*
 * The least that an internal service can do: one epoll loop, without checks, limits or log.
 *
 * usage: floor_serve echo|daytime|udp PORT
 */
#include "config.h"

#include "gauge.h"

#define ROOM 65536

static char buffer[ROOM];

static int open_port(uint16_t port, int type)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int)) < 0 ||
	    bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 ||
	    (type == SOCK_STREAM && listen(fd, 4096) < 0))
		gauge_fail("listen");
	return fd;
}

static void watch(int epoll_fd, int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

	if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
		(void)close(fd);
}

/* Waits for the client where it does not read: nobody else is served meanwhile, which a bench with readers does not see. */
static bool echo_back(int fd)
{
	ssize_t n = recv(fd, buffer, sizeof(buffer), 0);
	ssize_t done = 0;

	if (n <= 0)
		return n < 0 && errno == EAGAIN;
	while (done < n) {
		ssize_t sent = send(fd, buffer + done, (size_t)(n - done), MSG_NOSIGNAL);

		if (sent > 0)
			done += sent;
		else if (errno != EAGAIN)
			return false;
	}
	return true;
}

static void serve_echo(uint16_t port)
{
	int listener = open_port(port, SOCK_STREAM), epoll_fd = epoll_create1(EPOLL_CLOEXEC);

	watch(epoll_fd, listener);
	for (;;) {
		struct epoll_event events[256];
		int n = epoll_wait(epoll_fd, events, 256, -1);

		for (int i = 0; i < n; i++) {
			int fd = events[i].data.fd;

			if (fd != listener) {
				if (!echo_back(fd))
					(void)close(fd);
				continue;
			}
			while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >=
			       0)
				watch(epoll_fd, fd);
		}
	}
}

static void serve_daytime(uint16_t port)
{
	int listener = open_port(port, SOCK_STREAM), epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event event;

	watch(epoll_fd, listener);
	while (epoll_wait(epoll_fd, &event, 1, -1) >= 0 || errno == EINTR) {
		int fd;

		while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
			time_t now = time(NULL);
			struct tm local;
			char text[64];
			size_t n = strftime(text, sizeof(text), "%d %b %Y %H:%M:%S %Z\r\n",
					    localtime_r(&now, &local));

			(void)send(fd, text, n, MSG_NOSIGNAL);
			(void)close(fd);
		}
	}
}

#define BATCH 64

static void serve_udp(uint16_t port)
{
	static char room[BATCH][2048];
	struct sockaddr_in from[BATCH];
	struct mmsghdr messages[BATCH];
	struct iovec parts[BATCH];
	int fd = open_port(port, SOCK_DGRAM), epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event event;

	watch(epoll_fd, fd);
	while (epoll_wait(epoll_fd, &event, 1, -1) >= 0 || errno == EINTR) {
		int n;

		for (int i = 0; i < BATCH; i++) {
			parts[i] = (struct iovec){ room[i], sizeof(room[i]) };
			messages[i] = (struct mmsghdr){ .msg_hdr = { .msg_name = &from[i],
								     .msg_namelen = sizeof(from[i]),
								     .msg_iov = &parts[i],
								     .msg_iovlen = 1 } };
		}
		n = recvmmsg(fd, messages, BATCH, MSG_DONTWAIT, NULL);
		for (int i = 0; i < n; i++)
			parts[i].iov_len = messages[i].msg_len;
		if (n > 0)
			(void)sendmmsg(fd, messages, (unsigned)n, 0);
	}
}

int main(int argc, char **argv)
{
	uint16_t port;

	if (argc != 3) {
		fprintf(stderr, "usage: floor_serve echo|daytime|udp PORT\n");
		return 2;
	}
	port = (uint16_t)gauge_number(argv[2], 65535);
	gauge_raise_files();
	if (strcmp(argv[1], "echo") == 0)
		serve_echo(port);
	else if (strcmp(argv[1], "daytime") == 0)
		serve_daytime(port);
	else if (strcmp(argv[1], "udp") == 0)
		serve_udp(port);
	fprintf(stderr, "floor_serve: no such service: %s\n", argv[1]);
	return 2;
}
