/* SPDX-License-Identifier: ISC */
/*
 * Many clients at once: connects, reads to the end, compares every byte, counts what went wrong.
 *
 * usage: load [-c CLIENTS] [-n CONNECTIONS | -t SECONDS] [-w SECONDS] [-o OCTET] PORT=REPLY[|REPLY]... | PORT:echo ...
 *
 * Targets take turns. REPLY is the line expected, with "|" between alternatives; with "echo" the
 * client sends a text of its own, shuts its side and expects it back. Sources rotate over
 * 127.OCTET.x.y, so that ports do not run out. A connection that ends neither way within -w seconds
 * (10) counts as late. Prints one line a target and one for all:
 *	port=N ok=N refused=N reset=N wrong=N late=N
 *	ok=N bad=N seconds=S rate=N
 * Exit status 0 when all were served, 1 when not, 2 when it could not be tried.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define ROOM 1024

enum outcome {
	OK,
	REFUSED,
	RESET,
	WRONG,
	LATE,
	OUTCOMES
};

struct target {
	int port;
	bool echo;
	char *replies;
	unsigned long count[OUTCOMES];
};

struct client {
	int fd;
	struct target *target;
	double deadline;
	bool sent;
	size_t got;
	char expected[64]; /* echo */
	char buffer[ROOM];
};

static struct target *targets;
static size_t n_targets, next_target;
static unsigned octet = 1;
static uint32_t serial;
static double patience = 10;
static int epoll_fd;

static double now(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void fail(const char *what)
{
	perror(what);
	exit(2);
}

/* Starts a connection; false when there is already an outcome. */
static bool begin(struct client *client)
{
	struct sockaddr_in from = { .sin_family = AF_INET }, to = { .sin_family = AF_INET };
	struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
				     .data.ptr = client };
	int one = 1;

	client->target = &targets[next_target++ % n_targets];
	client->got = 0;
	client->sent = false;
	client->deadline = now() + patience;
	serial++;
	client->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (client->fd < 0)
		fail("socket");
	/* The port is chosen at connect(2), when the other end is known. */
	(void)setsockopt(client->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one));
	from.sin_addr.s_addr = htonl(0x7f000000u | octet << 16 | (serial / 250 % 200 + 1) << 8 |
				     (serial % 250 + 1));
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	to.sin_port = htons((uint16_t)client->target->port);
	if (bind(client->fd, (struct sockaddr *)&from, sizeof(from)) < 0)
		fail("bind");
	if (connect(client->fd, (struct sockaddr *)&to, sizeof(to)) < 0 && errno != EINPROGRESS) {
		client->target->count[errno == ECONNREFUSED ? REFUSED : RESET]++;
		(void)close(client->fd);
		client->fd = -1;
		return false;
	}
	if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, client->fd, &event) < 0)
		fail("epoll_ctl");
	return true;
}

static bool matches(const struct client *client)
{
	const char *p = client->target->replies;

	if (client->target->echo)
		return client->got == strlen(client->expected) &&
		       memcmp(client->buffer, client->expected, client->got) == 0;
	while (p) {
		const char *end = strchr(p, '|');
		size_t n = end ? (size_t)(end - p) : strlen(p);

		if (client->got == n + 1 && memcmp(client->buffer, p, n) == 0 &&
		    client->buffer[n] == '\n')
			return true;
		p = end ? end + 1 : NULL;
	}
	return false;
}

static void finish(struct client *client, enum outcome outcome)
{
	if (outcome == WRONG)
		fprintf(stderr, "port %d: %zu bytes: \"%.*s\"\n", client->target->port, client->got,
			(int)client->got, client->buffer);
	client->target->count[outcome]++;
	(void)close(client->fd);
	client->fd = -1;
}

/* Goes on with a connection; true when it is over. */
static bool go_on(struct client *client)
{
	int error = 0;
	socklen_t length = sizeof(error);

	(void)getsockopt(client->fd, SOL_SOCKET, SO_ERROR, &error, &length);
	if (error) {
		finish(client, error == ECONNREFUSED ? REFUSED : RESET);
		return true;
	}
	if (client->target->echo && !client->sent) {
		int n = snprintf(client->expected, sizeof(client->expected), "%d %u says hello\r\n",
				 (int)getpid(), serial);

		client->sent = true;
		if (send(client->fd, client->expected, (size_t)n, MSG_NOSIGNAL) != n ||
		    shutdown(client->fd, SHUT_WR) < 0) {
			if (errno == EAGAIN || errno == ENOTCONN) {
				client->sent = false;
				return false;
			}
			finish(client, RESET);
			return true;
		}
	}
	for (;;) {
		ssize_t n = recv(client->fd, client->buffer + client->got, ROOM - client->got, 0);

		if (n > 0) {
			client->got += (size_t)n;
			if (client->got < ROOM)
				continue;
			finish(client, WRONG);
			return true;
		}
		if (n < 0 && (errno == EAGAIN || errno == ENOTCONN))
			return false;
		if (n < 0)
			finish(client, errno == ECONNREFUSED ? REFUSED : RESET);
		else
			finish(client, matches(client) ? OK : WRONG);
		return true;
	}
}

static void add_target(char *text)
{
	char *end;
	struct target *t;

	targets = realloc(targets, (n_targets + 1) * sizeof(*targets));
	if (!targets)
		fail("realloc");
	t = &targets[n_targets++];
	*t = (struct target){ .port = (int)strtol(text, &end, 10) };
	t->echo = strcmp(end, ":echo") == 0;
	if (!t->echo && *end != '=') {
		fprintf(stderr, "load: not a target: %s\n", text);
		exit(2);
	}
	t->replies = end + 1;
}

int main(int argc, char **argv)
{
	struct rlimit files;
	struct epoll_event events[256];
	struct client *clients;
	unsigned long n_clients = 1, limit = 0, begun = 0, bad = 0, ok = 0, live = 0;
	double seconds = 0, start, end;
	int c;

	while ((c = getopt(argc, argv, "c:n:t:w:o:")) != -1) {
		switch (c) {
		case 'c':
			n_clients = strtoul(optarg, NULL, 10);
			break;
		case 'n':
			limit = strtoul(optarg, NULL, 10);
			break;
		case 't':
			seconds = strtod(optarg, NULL);
			break;
		case 'w':
			patience = strtod(optarg, NULL);
			break;
		case 'o':
			octet = (unsigned)strtoul(optarg, NULL, 10) & 255;
			break;
		default:
			return 2;
		}
	}
	for (int i = optind; i < argc; i++)
		add_target(argv[i]);
	if (!n_targets || !n_clients || (!limit && seconds <= 0)) {
		fprintf(stderr, "load: wants targets and -n or -t\n");
		return 2;
	}
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
	clients = calloc(n_clients, sizeof(*clients));
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (!clients || epoll_fd < 0)
		fail("start");
	for (unsigned long i = 0; i < n_clients; i++)
		clients[i].fd = -1;
	start = now();
	end = seconds > 0 ? start + seconds : 0;
	for (;;) {
		double time = now();
		int n;

		live = 0;
		for (unsigned long i = 0; i < n_clients; i++) {
			struct client *client = &clients[i];

			if (client->fd >= 0 && time > client->deadline)
				finish(client, LATE);
			while (client->fd < 0 && (!limit || begun < limit) &&
			       (end <= 0 || now() < end)) {
				begun++;
				(void)begin(client);
			}
			live += client->fd >= 0;
		}
		if (!live)
			break;
		n = epoll_wait(epoll_fd, events, 256, 100);
		for (int i = 0; i < n; i++)
			if (((struct client *)events[i].data.ptr)->fd >= 0)
				(void)go_on(events[i].data.ptr);
	}
	seconds = now() - start;
	for (size_t i = 0; i < n_targets; i++) {
		const struct target *t = &targets[i];

		printf("port=%d ok=%lu refused=%lu reset=%lu wrong=%lu late=%lu\n", t->port,
		       t->count[OK], t->count[REFUSED], t->count[RESET], t->count[WRONG],
		       t->count[LATE]);
		ok += t->count[OK];
		for (int o = REFUSED; o < OUTCOMES; o++)
			bad += t->count[o];
	}
	printf("ok=%lu bad=%lu seconds=%.3f rate=%.0f\n", ok, bad, seconds, (double)ok / seconds);
	return bad > 0;
}
