/* SPDX-License-Identifier: ISC */
/* What the load generators share: a clock, latencies, sockets from rotating addresses, the line they end with. */
#pragma once

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

static inline void gauge_fail(const char *what)
{
	perror(what);
	exit(2);
}

static inline double gauge_now(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* As many descriptors as the hard limit allows. */
static inline void gauge_raise_files(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
}

/* A number from the command line, from 1 to @most. */
static inline unsigned long gauge_number(const char *text, unsigned long most)
{
	char *end;
	unsigned long n;

	errno = 0;
	n = strtoul(text, &end, 10);
	if (errno || *end || end == text || !n || n > most) {
		fprintf(stderr, "not a number from 1 to %lu: %s\n", most, text);
		exit(2);
	}
	return n;
}

/* Latencies in µs: sixteen classes for each power of two, so that a percentile is right to 6 %. */
struct gauge_times {
	uint64_t count[40 * 16];
	uint64_t n;
};

static inline void gauge_note(struct gauge_times *times, double seconds)
{
	uint64_t usec = seconds > 0 ? (uint64_t)(seconds * 1e6) : 0;
	unsigned power = usec < 16 ? 0 : (unsigned)(63 - __builtin_clzll(usec)) - 3;

	if (power > 39)
		power = 39;
	times->count[power * 16 + (usec >> (power ? power - 1 : 0) & 15)]++;
	times->n++;
}

static inline void gauge_add(struct gauge_times *sum, const struct gauge_times *times)
{
	for (unsigned i = 0; i < 40 * 16; i++)
		sum->count[i] += times->count[i];
	sum->n += times->n;
}

/* The value below which @share of all lie. */
static inline uint64_t gauge_percentile(const struct gauge_times *times, double share)
{
	uint64_t seen = 0;

	for (unsigned i = 0; i < 40 * 16; i++) {
		unsigned power = i / 16;

		seen += times->count[i];
		if (times->n && (double)seen >= share * (double)times->n)
			return power ? (uint64_t)(16 + i % 16) << (power - 1) : i % 16;
	}
	return 0;
}

/*
 * A non-blocking socket that begins to connect to 127.0.0.1:@port from an address 127.@octet.x.y of its own for each
 * @serial, as the ports of one would run out. Returns it, or -1 with errno of connect(2).
 */
static inline int gauge_connect(unsigned octet, uint32_t serial, uint16_t port)
{
	struct sockaddr_in from = { .sin_family = AF_INET }, to = { .sin_family = AF_INET };
	int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		gauge_fail("socket");
	/* The port is chosen at connect(2), when the other end is known. */
	(void)setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one));
	from.sin_addr.s_addr = htonl(0x7f000000u | octet << 16 | (serial / 250 % 250 + 1) << 8 |
				     (serial % 250 + 1));
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	to.sin_port = htons(port);
	if (bind(fd, (struct sockaddr *)&from, sizeof(from)) < 0)
		gauge_fail("bind");
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0 && errno != EINPROGRESS) {
		int saved = errno;

		(void)close(fd);
		errno = saved;
		return -1;
	}
	return fd;
}

static inline void gauge_watch(int epoll_fd, int fd, uint32_t events, void *what)
{
	struct epoll_event event = { .events = events, .data.ptr = what };

	if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
		gauge_fail("epoll_ctl");
}

/* The last line of each generator. @bytes that came back. */
static inline void gauge_report(uint64_t ok, uint64_t bad, uint64_t bytes, double seconds,
				const struct gauge_times *times)
{
	printf("ok=%llu bad=%llu seconds=%.3f rate=%.0f mbytes=%.1f p50=%llu p99=%llu\n",
	       (unsigned long long)ok, (unsigned long long)bad, seconds, (double)ok / seconds,
	       (double)bytes / seconds / 1e6, (unsigned long long)gauge_percentile(times, 0.5),
	       (unsigned long long)gauge_percentile(times, 0.99));
}
