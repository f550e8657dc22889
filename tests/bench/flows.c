/* SPDX-License-Identifier: ISC */
/*
 * Connections to an echo service that stay: how much comes back, in messages or in bytes.
 *
 * usage: flows [-c CONNECTIONS] [-t SECONDS] [-m BYTES] PORT	a message, its echo, the next one
 *        flows [-c CONNECTIONS] [-t SECONDS] -s PORT		as many bytes as go through
 *        flows [-c CONNECTIONS] -i PORT			idle: says "ready", waits for the end of its input,
 *								then asks each connection once
 * Ends with gauge_report()'s line; each byte that comes back is compared.
 */
#include "config.h"

#include <poll.h>

#include "gauge.h"

#define ROOM     65536
#define PATIENCE 10

struct flow {
	int fd;
	uint64_t sent;
	uint64_t got;
	double asked;
};

static struct {
	size_t message;
	struct gauge_times times;
	uint64_t ok;
	uint64_t bad;
	uint64_t bytes;
	/* The pattern, twice, so that any part of it lies in one piece. */
	char out[2 * ROOM];
	char in[ROOM];
} run = { .message = 64 };

static void open_flows(struct flow *flows, size_t n, uint16_t port)
{
	for (size_t i = 0; i < n; i++) {
		struct pollfd poll_fd = { .events = POLLOUT };

		flows[i].fd = poll_fd.fd = gauge_connect(1, (uint32_t)i, port);
		if (flows[i].fd < 0 || poll(&poll_fd, 1, PATIENCE * 1000) != 1 ||
		    (poll_fd.revents & (POLLERR | POLLHUP)))
			gauge_fail("connect");
		(void)setsockopt(flows[i].fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
	}
}

/* Reads what is there and compares it. Returns how much, or -1 when the flow is broken. */
static ssize_t read_back(struct flow *flow)
{
	ssize_t n = recv(flow->fd, run.in, sizeof(run.in), 0);

	if (n < 0 && errno == EAGAIN)
		return 0;
	if (n <= 0 || memcmp(run.in, run.out + flow->got % ROOM, (size_t)n) != 0)
		return -1;
	flow->got += (uint64_t)n;
	run.bytes += (uint64_t)n;
	return n;
}

static void ask(struct flow *flow)
{
	flow->asked = gauge_now();
	if (send(flow->fd, run.out + flow->sent % ROOM, run.message, MSG_NOSIGNAL) !=
	    (ssize_t)run.message)
		run.bad++;
	flow->sent += run.message;
}

static bool hear_message(struct flow *flow)
{
	ssize_t n = read_back(flow);

	if (n < 0)
		return false;
	if (n > 0 && flow->got == flow->sent) {
		run.ok++;
		gauge_note(&run.times, gauge_now() - flow->asked);
		ask(flow);
	}
	return true;
}

/* Fills the connection and empties it. */
static bool pump(struct flow *flow)
{
	ssize_t n;

	do {
		n = send(flow->fd, run.out + flow->sent % ROOM, ROOM, MSG_NOSIGNAL);
		if (n > 0)
			flow->sent += (uint64_t)n;
		else if (errno != EAGAIN)
			return false;
		n = read_back(flow);
		if (n < 0)
			return false;
		run.ok += n > 0;
	} while (n > 0);
	return true;
}

static void run_flows(struct flow *flows, size_t n, double seconds, bool (*go_on)(struct flow *),
		      uint32_t what)
{
	double start = gauge_now(), end = start + seconds;
	int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event events[256];

	if (epoll_fd < 0)
		gauge_fail("epoll_create");
	for (size_t i = 0; i < n; i++)
		gauge_watch(epoll_fd, flows[i].fd, what, &flows[i]);
	while (gauge_now() < end) {
		int count = epoll_wait(epoll_fd, events, 256, 100);

		for (int i = 0; i < count; i++) {
			struct flow *flow = events[i].data.ptr;

			if (flow->fd >= 0 && !go_on(flow)) {
				run.bad++;
				(void)close(flow->fd);
				flow->fd = -1;
			}
		}
	}
	gauge_report(run.ok, run.bad, run.bytes, gauge_now() - start, &run.times);
}

static void idle(struct flow *flows, size_t n)
{
	double start;

	printf("ready\n");
	(void)fflush(stdout);
	while (getchar() != EOF)
		;
	start = gauge_now();
	for (size_t i = 0; i < n; i++) {
		struct pollfd poll_fd = { .fd = flows[i].fd, .events = POLLIN };

		ask(&flows[i]);
		while (flows[i].got < flows[i].sent) {
			if (poll(&poll_fd, 1, PATIENCE * 1000) != 1 || read_back(&flows[i]) < 0) {
				run.bad++;
				break;
			}
		}
		if (flows[i].got == flows[i].sent) {
			run.ok++;
			gauge_note(&run.times, gauge_now() - flows[i].asked);
		}
	}
	gauge_report(run.ok, run.bad, run.bytes, gauge_now() - start, &run.times);
}

int main(int argc, char **argv)
{
	enum {
		MESSAGES,
		BYTES,
		IDLE
	} mode = MESSAGES;
	size_t n = 1;
	double seconds = 1;
	struct flow *flows;
	int c;

	while ((c = getopt(argc, argv, "c:t:m:si")) != -1) {
		if (c == 'c')
			n = gauge_number(optarg, 100000);
		else if (c == 't')
			seconds = strtod(optarg, NULL);
		else if (c == 'm')
			run.message = gauge_number(optarg, ROOM);
		else if (c == 's')
			mode = BYTES;
		else if (c == 'i')
			mode = IDLE;
		else
			return 2;
	}
	if (optind >= argc) {
		fprintf(stderr, "flows: wants a port\n");
		return 2;
	}
	gauge_raise_files();
	for (size_t i = 0; i < sizeof(run.out); i++)
		run.out[i] = (char)(i % ROOM * 2654435761u >> 13);
	flows = calloc(n, sizeof(*flows));
	if (!flows)
		gauge_fail("calloc");
	open_flows(flows, n, (uint16_t)gauge_number(argv[optind], 65535));
	if (mode == IDLE) {
		idle(flows, n);
	} else if (mode == BYTES) {
		run_flows(flows, n, seconds, pump, EPOLLIN | EPOLLOUT | EPOLLET);
	} else {
		for (size_t i = 0; i < n; i++)
			ask(&flows[i]);
		run_flows(flows, n, seconds, hear_message, EPOLLIN);
	}
	return run.bad > 0;
}
