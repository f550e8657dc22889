/* SPDX-License-Identifier: ISC */
/*
 * A crowd in a chat room: everybody says their share of lines and checks what
 * the others say. usage: crowd PORT PEOPLE LINES BYTES
 *
 * A line has about BYTES bytes. It ends with status 0 and a line of figures when each line has come to
 * everybody but its speaker exactly once and all have heard all lines in one
 * order.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdarg.h>
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

/* Nothing at all is heard by anybody for so long: it has failed. */
#define PATIENCE_MSEC 60000

/* Longer than any line of this room. */
#define CARRY_BYTES   256
#define FILLING_BYTES 98
#define INPUT_BYTES   65536

struct member {
	int fd;
	uint32_t number;
	uint32_t arrivals;   /* others who were announced */
	uint32_t said;       /* lines */
	uint32_t said_bytes; /* of the line that is half sent */
	uint64_t heard;
	uint64_t
		order; /* of what was heard from those who are neither the first member nor this one */
	uint64_t first_order; /* of what the first member heard, but for what this one said */
	uint32_t *next;       /* the line that comes next from each */
	uint32_t carried;
	char carry[CARRY_BYTES];
};

struct crowd {
	struct member *members;
	uint32_t people, share, filling;
	int epoll;
	uint64_t heard, expected;
	uint32_t arrived; /* members who have heard of all the others */
};

static void fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

static void fail(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	printf("crowd: ");
	vprintf(format, ap);
	printf("\n");
	va_end(ap);
	exit(1);
}

static uint64_t mixed(uint64_t order, uint32_t speaker, uint32_t line)
{
	return (order ^ ((uint64_t)speaker << 32 | line)) * UINT64_C(0x9e3779b97f4a7c15) + 1;
}

/* A line of @speaker, numbered @line. */
static void hear_line(struct crowd *crowd, struct member *member, uint32_t speaker, uint32_t line)
{
	if (speaker >= crowd->people || speaker == member->number)
		fail("%u hears a line of %u", member->number, speaker);
	if (member->next[speaker] != line)
		fail("%u hears line %u of %u instead of %u", member->number, line, speaker,
		     member->next[speaker]);
	member->next[speaker]++;
	member->heard++;
	crowd->heard++;
	if (speaker != 0)
		member->order = mixed(member->order, speaker, line);
	if (member->number == 0)
		for (uint32_t i = 1; i < crowd->people; i++)
			if (i != speaker)
				crowd->members[i].first_order =
					mixed(crowd->members[i].first_order, speaker, line);
}

/* sscanf() would take most of the time. Returns what follows the number and @end, NULL when that is not there. */
static const char *number(const char *text, char end, unsigned *ret_number)
{
	*ret_number = 0;
	while (*text >= '0' && *text <= '9')
		*ret_number = *ret_number * 10 + (unsigned)(*text++ - '0');
	return *text == end ? text + 1 : NULL;
}

static bool ends_with(const char *text, size_t length, const char *end)
{
	size_t n = strlen(end);

	return length >= n && memcmp(text + length - n, end, n) == 0;
}

static void hear(struct crowd *crowd, struct member *member, const char *text, size_t length)
{
	static const char came[] = "has come in\r\n";
	static const char slow[] = "too slow a reader\r\n";
	unsigned speaker = 0, line = 0;
	const char *words;

	if (text[0] == '<') {
		words = memchr(text, '>', length);
		words = words ? number(words + 2, ':', &speaker) : NULL;
		if (!words || !number(words, ' ', &line))
			fail("%u hears: %.*s", member->number, (int)length, text);
		hear_line(crowd, member, speaker, line);
	} else if (ends_with(text, length, came)) {
		if (++member->arrivals == crowd->people - 1 - member->number)
			crowd->arrived++;
	} else if (!ends_with(text, length, slow) && strncmp(text, "*** Not so fast", 15) != 0 &&
		   strncmp(text, "*** Welcome", 11) != 0) {
		fail("%u hears: %.*s", member->number, (int)length, text);
	}
}

static void receive(struct crowd *crowd, struct member *member)
{
	static char input[CARRY_BYTES + INPUT_BYTES + 1];
	char *at = input;
	char *newline;
	ssize_t got;

	memcpy(input, member->carry, member->carried);
	got = recv(member->fd, input + member->carried, INPUT_BYTES, MSG_DONTWAIT);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0)
		fail("%u is sent away after %llu lines: %s", member->number,
		     (unsigned long long)member->heard, got ? strerror(errno) : "end");
	got += member->carried;
	input[got] = '\0';
	while ((newline = memchr(at, '\n', (size_t)(input + got - at)))) {
		hear(crowd, member, at, (size_t)(newline + 1 - at));
		at = newline + 1;
	}
	member->carried = (uint32_t)(input + got - at);
	if (member->carried > CARRY_BYTES)
		fail("%u hears a line without end", member->number);
	memcpy(member->carry, at, member->carried);
}

/* Says what the socket takes. */
static void say(struct crowd *crowd, struct member *member)
{
	static const char filling[FILLING_BYTES + 1] =
		"etaoin shrdlu etaoin shrdlu etaoin shrdlu etaoin shrdlu etaoin shrdlu etaoin shrdlu etaoin shrdlu ";
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = member };

	while (member->said < crowd->share) {
		char text[32 + FILLING_BYTES];
		int length = snprintf(text, sizeof(text), "%u:%u %.*s\n", member->number,
				      member->said, (int)crowd->filling, filling);
		ssize_t put =
			send(member->fd, text + member->said_bytes,
			     (size_t)length - member->said_bytes, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (put < 0 && errno == EAGAIN)
			return;
		if (put < 0)
			fail("%u cannot speak: %s", member->number, strerror(errno));
		member->said_bytes += (uint32_t)put;
		if (member->said_bytes == (uint32_t)length) {
			member->said++;
			member->said_bytes = 0;
		}
	}
	(void)epoll_ctl(crowd->epoll, EPOLL_CTL_MOD, member->fd, &event);
}

static void turn(struct crowd *crowd, int timeout_msec)
{
	struct epoll_event events[256];
	int n = epoll_wait(crowd->epoll, events, 256, timeout_msec);

	if (n == 0)
		fail("nothing is heard any more: %llu of %llu lines, %u have seen all come",
		     (unsigned long long)crowd->heard, (unsigned long long)crowd->expected,
		     crowd->arrived);
	for (int i = 0; i < n; i++) {
		struct member *member = events[i].data.ptr;

		if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))
			receive(crowd, member);
		if (events[i].events & EPOLLOUT)
			say(crowd, member);
	}
}

static void join(struct crowd *crowd, uint32_t number, uint16_t port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons(port),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct member *member = &crowd->members[number];
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = member };
	const void *to = &address;

	member->number = number;
	member->next = calloc(crowd->people, sizeof(*member->next));
	member->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (!member->next || member->fd < 0 || connect(member->fd, to, sizeof(address)) < 0 ||
	    epoll_ctl(crowd->epoll, EPOLL_CTL_ADD, member->fd, &event) < 0)
		fail("%u cannot join: %s", number, strerror(errno));
}

static double seconds(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	struct crowd crowd = { 0 };
	struct rlimit limit;
	double begin, talking, end;

	if (argc != 5)
		fail("usage: crowd PORT PEOPLE LINES BYTES");
	crowd.people = (uint32_t)strtoul(argv[2], NULL, 10);
	crowd.share = (uint32_t)strtoul(argv[3], NULL, 10) / crowd.people;
	crowd.filling = (uint32_t)strtoul(argv[4], NULL, 10);
	if (crowd.filling > FILLING_BYTES)
		crowd.filling = FILLING_BYTES;
	crowd.expected = (uint64_t)crowd.people * (crowd.people - 1) * crowd.share;
	crowd.members = calloc(crowd.people, sizeof(*crowd.members));
	crowd.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
	if (!crowd.members || crowd.epoll < 0)
		fail("no memory");
	begin = seconds();
	for (uint32_t i = 0; i < crowd.people; i++)
		join(&crowd, i, (uint16_t)strtoul(argv[1], NULL, 10));
	/* The last has nobody to wait for. */
	crowd.arrived++;
	while (crowd.arrived < crowd.people)
		turn(&crowd, PATIENCE_MSEC);
	talking = seconds();
	for (uint32_t i = 0; i < crowd.people; i++) {
		struct epoll_event event = { .events = EPOLLIN | EPOLLOUT,
					     .data.ptr = &crowd.members[i] };

		(void)epoll_ctl(crowd.epoll, EPOLL_CTL_MOD, crowd.members[i].fd, &event);
	}
	while (crowd.heard < crowd.expected)
		turn(&crowd, PATIENCE_MSEC);
	end = seconds();
	for (uint32_t i = 1; i < crowd.people; i++)
		if (crowd.members[i].order != crowd.members[i].first_order)
			fail("%u heard the lines in another order than 0", i);
	printf("%u people, %u lines, %llu deliveries: %.1f s to come in, %.1f s to talk\n",
	       crowd.people, crowd.people * crowd.share, (unsigned long long)crowd.heard,
	       talking - begin, end - talking);
	return 0;
}
