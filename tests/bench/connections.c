/* SPDX-License-Identifier: ISC */
/*
 * One connection after the other, from many clients at once: how many a second, and how long each takes.
 *
 * usage: connections [-c CLIENTS] [-t SECONDS] [-e BYTES] PORT [LAST]
 *
 * Connects, reads to the end and counts the connection where something came; with -e it sends so many bytes, reads
 * as many back and closes. With LAST the ports PORT to LAST take turns. Ends with gauge_report()'s line.
 */
#include "config.h"

#include "gauge.h"

#define PATIENCE 10.0
#define ROOM     65536

struct client {
	int fd;
	double began;
	size_t sent;
	size_t got;
};

static struct {
	size_t echo; /* bytes to send, 0: only read */
	unsigned first_port;
	unsigned n_ports;
	uint32_t serial;
	int epoll_fd;
	uint64_t ok;
	uint64_t bad;
	uint64_t bytes;
	struct gauge_times times;
	char out[ROOM];
	char in[ROOM];
} run = { .n_ports = 1 };

static void begin(struct client *client)
{
	uint16_t port = (uint16_t)(run.first_port + run.serial % run.n_ports);

	*client = (struct client){ .began = gauge_now() };
	client->fd = gauge_connect(run.serial++, port);
	if (client->fd < 0)
		run.bad++;
	else
		gauge_watch(run.epoll_fd, client->fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
			    client);
}

static void end(struct client *client, bool ok)
{
	if (ok) {
		run.ok++;
		gauge_note(&run.times, gauge_now() - client->began);
	} else {
		run.bad++;
	}
	run.bytes += client->got;
	(void)close(client->fd);
	client->fd = -1;
}

/* Goes on as far as it can without waiting. */
static void go_on(struct client *client)
{
	while (client->sent < run.echo) {
		ssize_t n = send(client->fd, run.out, run.echo - client->sent, MSG_NOSIGNAL);

		if (n < 0) {
			if (errno != EAGAIN && errno != ENOTCONN)
				end(client, false);
			return;
		}
		client->sent += (size_t)n;
	}
	for (;;) {
		ssize_t n = recv(client->fd, run.in, sizeof(run.in), 0);

		if (n < 0) {
			if (errno != EAGAIN && errno != ENOTCONN)
				end(client, false);
			return;
		}
		client->got += (size_t)n;
		if (run.echo ? client->got >= run.echo : n == 0) {
			end(client, run.echo ? client->got == run.echo : client->got > 0);
			return;
		}
		if (n == 0) {
			end(client, false);
			return;
		}
	}
}

/* Ends who is late and begins anew where there is time. Returns how many are on their way. */
static size_t tend(struct client *clients, size_t n, bool more)
{
	double time = gauge_now();
	size_t live = 0;

	for (size_t i = 0; i < n; i++) {
		if (clients[i].fd >= 0 && time > clients[i].began + PATIENCE)
			end(&clients[i], false);
		if (clients[i].fd < 0 && more)
			begin(&clients[i]);
		live += clients[i].fd >= 0;
	}
	return live;
}

int main(int argc, char **argv)
{
	struct epoll_event events[256];
	struct client *clients;
	size_t n_clients = 1, live;
	double seconds = 1, start, looked;
	int c;

	while ((c = getopt(argc, argv, "c:t:e:")) != -1) {
		if (c == 'c')
			n_clients = gauge_number(optarg, 100000);
		else if (c == 't')
			seconds = strtod(optarg, NULL);
		else if (c == 'e')
			run.echo = gauge_number(optarg, ROOM);
		else
			return 2;
	}
	if (optind >= argc) {
		fprintf(stderr, "connections: wants a port\n");
		return 2;
	}
	run.first_port = (unsigned)gauge_number(argv[optind], 65535);
	if (optind + 1 < argc)
		run.n_ports = (unsigned)gauge_number(argv[optind + 1], 65535) - run.first_port + 1;
	gauge_raise_files();
	clients = calloc(n_clients, sizeof(*clients));
	run.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (!clients || run.epoll_fd < 0)
		gauge_fail("start");
	memset(run.out, 'x', sizeof(run.out));
	for (size_t i = 0; i < n_clients; i++)
		clients[i].fd = -1;
	start = looked = gauge_now();
	live = tend(clients, n_clients, true);
	while (live) {
		int n = epoll_wait(run.epoll_fd, events, 256, 100);
		double time = gauge_now();
		bool more = time < start + seconds;

		for (int i = 0; i < n; i++) {
			struct client *client = events[i].data.ptr;

			if (client->fd >= 0)
				go_on(client);
			if (client->fd < 0 && more)
				begin(client);
		}
		if (n <= 0 || !more || time > looked + 0.1) {
			live = tend(clients, n_clients, more);
			looked = time;
		}
	}
	gauge_report(run.ok, run.bad, run.bytes, gauge_now() - start, &run.times);
	return run.ok == 0;
}
