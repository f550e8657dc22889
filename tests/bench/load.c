/* SPDX-License-Identifier: ISC */
/*
 * Many clients, one connection after the other each: connects, asks, reads, compares every byte, counts what went wrong
 * and how long it took.
 *
 * usage: load [-c CLIENTS] [-n CONNECTIONS | -t SECONDS] [-r RATE] [-w SECONDS] [-o OCTET] TARGET...
 *
 * Targets take turns:
 *	PORT			something comes, and the end
 *	PORT=REPLY[|REPLY]...	one of these lines comes, and the end
 *	PORT:echo		a text of its own goes out, and its end; it comes back, and the end
 *	PORT:echo=BYTES		so many bytes go out and come back, and the client ends
 * With -r no more than RATE connections begin in a second. Sources rotate over 127.OCTET.x.y, so that ports do not run
 * out. SIGTERM ends it as the end of its time does. A connection that ends neither way within -w seconds (10) counts as
 * late. Prints one line a target and gauge_report()'s for all:
 *	port=N ok=N empty=N refused=N reset=N wrong=N late=N p50=N p99=N
 * where empty had an end and nothing before, and the last two are µs. Exit status 0 when all were served, 1 when not,
 * 2 when it could not be tried.
 */
#include "config.h"

#include <signal.h>
#include <sys/queue.h>

#include "gauge.h"

#define ROOM 65536

enum outcome {
	OK,
	EMPTY,
	REFUSED,
	RESET,
	WRONG,
	LATE,
	OUTCOMES
};

static const char *const outcome_names[] = { "ok", "empty", "refused", "reset", "wrong", "late" };

struct target {
	uint16_t port;
	bool echo;
	size_t bytes; /* to send and to get back, then the client ends; 0: until the other end */
	const char *replies; /* NULL: anything */
	uint64_t count[OUTCOMES];
	struct gauge_times times;
};

struct client {
	int fd;
	struct target *target;
	double began;
	uint32_t serial;
	size_t sent;
	size_t got;
	char line[256];
	TAILQ_ENTRY(client) entry;
};

TAILQ_HEAD(clients, client);

static struct {
	struct target *targets;
	size_t n_targets;
	unsigned octet;
	double patience;
	uint64_t begun;
	uint64_t bytes;
	int epoll_fd;
	struct clients idle;
	struct clients live; /* who began first comes first */
	char filling[ROOM];
	char in[ROOM];
} run = { .octet = 1, .patience = 10 };

static volatile sig_atomic_t told_to_end;

static void on_term(int signo)
{
	(void)signo;
	told_to_end = 1;
}

/* --- a connection ----------------------------------------------------------------------- */

static void end(struct client *client, enum outcome outcome)
{
	if (outcome == OK)
		gauge_note(&client->target->times, gauge_now() - client->began);
	if (outcome == WRONG)
		fprintf(stderr, "port %u: not what was expected after %zu bytes\n",
			client->target->port, client->got);
	client->target->count[outcome]++;
	run.bytes += client->got;
	if (client->fd >= 0)
		(void)close(client->fd);
	client->fd = -1;
	TAILQ_REMOVE(&run.live, client, entry);
	TAILQ_INSERT_TAIL(&run.idle, client, entry);
}

static enum outcome outcome_of(int error)
{
	return error == ECONNREFUSED ? REFUSED : RESET;
}

static void begin(void)
{
	struct client *client = TAILQ_FIRST(&run.idle);

	TAILQ_REMOVE(&run.idle, client, entry);
	TAILQ_INSERT_TAIL(&run.live, client, entry);
	client->target = &run.targets[run.begun % run.n_targets];
	client->began = gauge_now();
	client->serial = (uint32_t)run.begun;
	client->sent = 0;
	client->got = 0;
	run.begun++;
	client->fd = gauge_connect(run.octet, client->serial, client->target->port);
	if (client->fd < 0)
		end(client, outcome_of(errno));
	else
		gauge_watch(run.epoll_fd, client->fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
			    client);
}

/* What the client says; to be called with @room at least 64. Returns its size. */
static size_t words_of(const struct client *client, char *room, const char **ret)
{
	*ret = room;
	if (!client->target->bytes)
		return (size_t)snprintf(room, 64, "%d %u says hello\r\n", (int)getpid(),
					client->serial);
	*ret = run.filling;
	return client->target->bytes;
}

/* Says what is left to say. Returns false where it cannot go on now, or at all: then it has ended. */
static bool say(struct client *client)
{
	char room[64];
	const char *words;
	size_t size = words_of(client, room, &words);

	while (client->sent < size) {
		ssize_t n =
			send(client->fd, words + client->sent, size - client->sent, MSG_NOSIGNAL);

		if (n < 0) {
			if (errno != EAGAIN && errno != ENOTCONN)
				end(client, outcome_of(errno));
			return false;
		}
		client->sent += (size_t)n;
		if (client->sent == size && !client->target->bytes)
			(void)shutdown(client->fd, SHUT_WR);
	}
	return true;
}

/* Takes @size bytes at @text into account. Returns whether they are what was sent; a line is looked at in the end. */
static bool hear(struct client *client, const char *text, size_t size)
{
	size_t before = client->got, most = sizeof(client->line);
	const char *words;
	char room[64];

	client->got += size;
	if (client->target->echo) {
		most = words_of(client, room, &words);
		return client->got <= most && memcmp(words + before, text, size) == 0;
	}
	if (client->target->replies && client->got <= most)
		memcpy(client->line + before, text, size);
	return !client->target->replies || client->got <= most;
}

static bool is_complete(const struct client *client)
{
	const char *p = client->target->replies, *words;
	char room[64];

	if (client->target->echo)
		return client->got == words_of(client, room, &words);
	if (!p)
		return true;
	for (;; p++) {
		size_t n = strcspn(p, "|");

		if (client->got == n + 1 && memcmp(client->line, p, n) == 0 &&
		    client->line[n] == '\n')
			return true;
		p += n;
		if (!*p)
			return false;
	}
}

static void go_on(struct client *client)
{
	if (client->target->echo && !say(client))
		return;
	for (;;) {
		ssize_t n = recv(client->fd, run.in, sizeof(run.in), 0);

		if (n < 0) {
			if (errno != EAGAIN && errno != ENOTCONN)
				end(client, outcome_of(errno));
			return;
		}
		if (n == 0) {
			end(client, client->got == 0 ? EMPTY : is_complete(client) ? OK : WRONG);
			return;
		}
		if (!hear(client, run.in, (size_t)n)) {
			end(client, WRONG);
			return;
		}
		if (client->target->bytes && is_complete(client)) {
			end(client, OK);
			return;
		}
	}
}

/* --- all of them ------------------------------------------------------------------------- */

static void end_late(double now)
{
	struct client *client;

	while ((client = TAILQ_FIRST(&run.live)) && now > client->began + run.patience)
		end(client, LATE);
}

/* Begins what may begin now. Returns for how many ms nothing else will. */
static int begin_some(uint64_t limit, double rate, double start, double now)
{
	uint64_t most = limit ? limit : UINT64_MAX;
	uint64_t due = rate > 0 ? (uint64_t)((now - start) * rate) + 1 : most;

	struct client *last = TAILQ_LAST(&run.idle, clients), *next = NULL;

	/* Each once: one that ends at once must not keep the others from their turn. */
	while (run.begun < most && run.begun < due && next != last) {
		next = TAILQ_FIRST(&run.idle);
		begin();
	}
	return rate > 0 && run.begun < most && !TAILQ_EMPTY(&run.idle) ? 1 : 100;
}

static void add_target(const char *text)
{
	char *rest;
	struct target *target;

	run.targets = realloc(run.targets, (run.n_targets + 1) * sizeof(*run.targets));
	if (!run.targets)
		gauge_fail("realloc");
	target = &run.targets[run.n_targets++];
	*target = (struct target){ .port = (uint16_t)strtoul(text, &rest, 10) };
	if (strncmp(rest, ":echo", 5) == 0) {
		target->echo = true;
		rest += 5;
		if (*rest == '=')
			target->bytes = gauge_number(rest + 1, ROOM);
	} else if (*rest == '=') {
		target->replies = rest + 1;
	}
	if (!target->port || (*rest && *rest != '=')) {
		fprintf(stderr, "load: not a target: %s\n", text);
		exit(2);
	}
}

/* Returns how many were not served. */
static uint64_t report(double seconds)
{
	static struct gauge_times all;
	uint64_t ok = 0, bad = 0;

	for (size_t i = 0; i < run.n_targets; i++) {
		const struct target *target = &run.targets[i];

		printf("port=%u", target->port);
		for (int o = OK; o < OUTCOMES; o++) {
			printf(" %s=%llu", outcome_names[o], (unsigned long long)target->count[o]);
			*(o == OK ? &ok : &bad) += target->count[o];
		}
		printf(" p50=%llu p99=%llu\n",
		       (unsigned long long)gauge_percentile(&target->times, 0.5),
		       (unsigned long long)gauge_percentile(&target->times, 0.99));
		gauge_add(&all, &target->times);
	}
	gauge_report(ok, bad, run.bytes, seconds, &all);
	return bad;
}

int main(int argc, char **argv)
{
	size_t n_clients = 1;
	uint64_t limit = 0;
	double seconds = 0, rate = 0, start, now;
	struct client *clients;
	int c;

	while ((c = getopt(argc, argv, "c:n:t:r:w:o:")) != -1) {
		if (c == 'c')
			n_clients = gauge_number(optarg, 100000);
		else if (c == 'n')
			limit = gauge_number(optarg, 1000000000);
		else if (c == 't')
			seconds = strtod(optarg, NULL);
		else if (c == 'r')
			rate = (double)gauge_number(optarg, 10000000);
		else if (c == 'w')
			run.patience = strtod(optarg, NULL);
		else if (c == 'o')
			run.octet = (unsigned)gauge_number(optarg, 255);
		else
			return 2;
	}
	for (int i = optind; i < argc; i++)
		add_target(argv[i]);
	if (!run.n_targets || (!limit && seconds <= 0)) {
		fprintf(stderr, "load: wants targets and -n or -t\n");
		return 2;
	}
	gauge_raise_files();
	(void)signal(SIGTERM, on_term);
	clients = calloc(n_clients, sizeof(*clients));
	run.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (!clients || run.epoll_fd < 0)
		gauge_fail("start");
	memset(run.filling, 'x', sizeof(run.filling));
	TAILQ_INIT(&run.idle);
	TAILQ_INIT(&run.live);
	for (size_t i = 0; i < n_clients; i++) {
		clients[i].fd = -1;
		TAILQ_INSERT_TAIL(&run.idle, &clients[i], entry);
	}
	start = now = gauge_now();
	for (;;) {
		struct epoll_event events[256];
		bool more = !told_to_end && (!limit || run.begun < limit) &&
			    (seconds <= 0 || now < start + seconds);
		int wait = more ? begin_some(limit, rate, start, now) : 100, n;

		if (!more && TAILQ_EMPTY(&run.live))
			break;
		n = epoll_wait(run.epoll_fd, events, 256, TAILQ_EMPTY(&run.live) ? 1 : wait);
		for (int i = 0; i < n; i++)
			go_on(events[i].data.ptr);
		now = gauge_now();
		end_late(now);
	}
	return report(now - start) > 0;
}
