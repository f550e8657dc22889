/* SPDX-License-Identifier: ISC */
/* What the tests of the worker share: the real usherd-worker behind its link, and clients of its services. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/util.h"
#include "config/service.h"

struct event_base;
struct worker_link;

#define DEADLINE_USEC (20 * USEC_PER_SEC)
#define IDS           4096

/* How often and how a session ended. */
struct outcome {
	unsigned done;
	unsigned lost;
	unsigned named;
	uint64_t in_bytes;
	uint64_t out_bytes;
	int error;
};

/* A link, and what it has told so far. */
struct fixture {
	struct event_base *base;
	struct worker_link *link;
	struct outcome outcomes[IDS]; /* by session */
	unsigned ended;
	unsigned restarts;
	char name[256]; /* the last */
	/* For tests of datagrams. */
	unsigned dgrams_admitted;
	unsigned dgrams_forwarded;
	bool refuse_dgrams;
};

/* The program under test: environment USHERD_WORKER, else ./usherd-worker. */
const char *worker_path(void);

/*
 * The set-ups, the second with a worker that runs, and the tear-down, which fails
 * where the worker does not end by itself and well.
 */
int make_link(void **state);
int start_link(void **state);
int stop_link(void **state);

#define WITH_WORKER(f) cmocka_unit_test_setup_teardown(f, start_link, stop_link)
#define WITHOUT(f)     cmocka_unit_test_setup_teardown(f, make_link, stop_link)

/* What the set-up made; skips the test where the program is not there. */
struct fixture *fixture_of(void **state);

/* One short turn of the loop; a dead worker is reaped as the server would. */
void turn(struct fixture *f);

/* Turns the loop until @condition holds; the test fails at the deadline. */
#define UNTIL(f, condition)                                          \
	do {                                                         \
		uint64_t end_usec = now_usec() + DEADLINE_USEC;      \
		while (!(condition)) {                               \
			if (now_usec() > end_usec)                   \
				fail_msg("in vain: %s", #condition); \
			turn(f);                                     \
		}                                                    \
	} while (0)

/* Has reads from @fd end at a deadline. */
void set_deadline(int fd);

/* A socket bound to the loopback address, which is in @ret; -1 where the family is not there. */
int bound(int family, int type, struct sockaddr_storage *ret);

/* Makes a TCP connection; returns the client's end, and the server's by @ret; or -1. */
int connection(int family, int *ret);

/* A connection that is being served; the client's end, or -1. */
int client(struct fixture *f, int family, uint64_t session, enum builtin builtin);

void read_exactly(int fd, void *to, size_t n);

/* The byte at @i of what chargen sends; it repeats after PERIOD. */
char pattern_at(size_t i);
#define PERIOD ((size_t)95 * 74)

/* That this is what daytime and time would say now. */
void check_daytime(const char *text, size_t n);
void check_time(const uint8_t bytes[4]);
