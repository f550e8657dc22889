/* SPDX-License-Identifier: ISC */
/*
 * Datagrams to an echo service, several on their way from each socket: how many come back a second, and how many not.
 *
 * usage: datagrams [-c SOCKETS] [-w IN_FLIGHT] [-t SECONDS] [-m BYTES] [-p PATIENCE_MS] PORT
 *
 * Each datagram bears a number; one that is not back after the patience (200) counts as lost and is sent anew.
 * Ends with gauge_report()'s line, where bad are the lost ones.
 */
#include "config.h"

#include "gauge.h"

#define WINDOW 256

struct slot {
	uint32_t number;
	double sent;
	bool waits;
};

struct sender {
	int fd;
	uint32_t next;
	struct slot slots[WINDOW];
};

static struct {
	size_t message;
	size_t window;
	double patience;
	uint64_t ok;
	uint64_t bad;
	uint64_t bytes;
	struct gauge_times times;
	char buffer[65536];
} run = { .message = 64, .window = 16, .patience = 0.2 };

static void send_one(struct sender *sender, size_t i, double now)
{
	uint32_t word[2] = { (uint32_t)i, sender->next++ };

	memcpy(run.buffer, word, sizeof(word));
	sender->slots[i] = (struct slot){ .number = word[1], .sent = now, .waits = true };
	/* What cannot be sent is lost, too: it is noticed when its time is over. */
	(void)send(sender->fd, run.buffer, run.message, MSG_NOSIGNAL);
}

static void hear(struct sender *sender, bool more)
{
	ssize_t n;

	while ((n = recv(sender->fd, run.buffer, sizeof(run.buffer), 0)) >= 0) {
		double now = gauge_now();
		uint32_t word[2];
		struct slot *slot;

		if ((size_t)n != run.message)
			continue;
		memcpy(word, run.buffer, sizeof(word));
		if (word[0] >= run.window)
			continue;
		slot = &sender->slots[word[0]];
		if (!slot->waits || slot->number != word[1])
			continue;
		run.ok++;
		run.bytes += (uint64_t)n;
		gauge_note(&run.times, now - slot->sent);
		slot->waits = false;
		if (more)
			send_one(sender, word[0], now);
	}
}

int main(int argc, char **argv)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	struct epoll_event events[256];
	size_t n_senders = 1;
	double seconds = 1, start, looked;
	struct sender *senders;
	int c, epoll_fd = epoll_create1(EPOLL_CLOEXEC);

	while ((c = getopt(argc, argv, "c:w:t:m:p:")) != -1) {
		if (c == 'c')
			n_senders = gauge_number(optarg, 10000);
		else if (c == 'w')
			run.window = gauge_number(optarg, WINDOW);
		else if (c == 't')
			seconds = strtod(optarg, NULL);
		else if (c == 'm')
			run.message = gauge_number(optarg, 60000);
		else if (c == 'p')
			run.patience = (double)gauge_number(optarg, 60000) / 1000;
		else
			return 2;
	}
	if (optind >= argc || run.message < 8) {
		fprintf(stderr, "datagrams: wants a port, and messages of 8 bytes at least\n");
		return 2;
	}
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	to.sin_port = htons((uint16_t)gauge_number(argv[optind], 65535));
	senders = calloc(n_senders, sizeof(*senders));
	if (!senders || epoll_fd < 0)
		gauge_fail("start");
	start = looked = gauge_now();
	for (size_t i = 0; i < n_senders; i++) {
		struct sender *sender = &senders[i];

		sender->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		if (sender->fd < 0 || connect(sender->fd, (struct sockaddr *)&to, sizeof(to)) < 0)
			gauge_fail("socket");
		gauge_watch(epoll_fd, sender->fd, EPOLLIN, sender);
		for (size_t k = 0; k < run.window; k++)
			send_one(sender, k, start);
	}
	for (;;) {
		int n = epoll_wait(epoll_fd, events, 256, 20);
		double now = gauge_now();

		if (now > start + seconds)
			break;
		for (int i = 0; i < n; i++)
			hear(events[i].data.ptr, true);
		if (now < looked + 0.02)
			continue;
		looked = now;
		for (size_t i = 0; i < n_senders; i++)
			for (size_t k = 0; k < run.window; k++)
				if (now > senders[i].slots[k].sent + run.patience) {
					run.bad++;
					send_one(&senders[i], k, now);
				}
	}
	gauge_report(run.ok, run.bad, run.bytes, gauge_now() - start, &run.times);
	return run.ok == 0;
}
