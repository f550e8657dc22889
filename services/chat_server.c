/* SPDX-License-Identifier: ISC */
/* The doors of the room: who comes, whose turn it is, and when it is over. */
#include "chat_server.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "chat_room.h"
#include "chat_visitor.h"
#include "handed.h"

#define EVENTS_A_TURN  256
#define ACCEPTS_A_TURN 64

/* How long to leave accept() alone when there is no room for one connection; ms. */
#define REST_MSEC 100

/* Descriptors besides those of the people. */
#define OTHER_DESCRIPTORS 16

struct server {
	const struct chat_settings *settings;
	struct room room;
	struct visitors visitors;
	int listener;
	int signals;
	int epoll;
	bool listens;         /* not while there is no descriptor for one more */
	uint64_t now;         /* ms, monotonic */
	uint64_t empty_since; /* ms */
};

static uint64_t monotonic_msec(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* --- coming in --------------------------------------------------------------------------- */

static void listen_if(struct server *server, bool listens)
{
	struct epoll_event event = { .events = listens ? EPOLLIN : 0,
				     .data.ptr = &server->listener };

	if (server->listens != listens &&
	    epoll_ctl(server->epoll, EPOLL_CTL_MOD, server->listener, &event) == 0)
		server->listens = listens;
}

/* Takes over @fd. */
static void send_away(struct server *server, int fd)
{
	char text[64];
	int length = snprintf(text, sizeof(text), "*** The room is full: %u are here.\r\n",
			      server->room.count);

	(void)send(fd, text, (size_t)length, MSG_DONTWAIT | MSG_NOSIGNAL);
	(void)close(fd);
}

/* One more, when there is one. Returns whether there may be another. */
static bool welcome(struct server *server)
{
	static const int on = 1;
	char user[HANDED_USER_BYTES];
	int fd = handed_accept(server->listener);

	if (handed_no_room(fd)) {
		/* Who waits is let in when somebody leaves. With nobody here, somebody else has to make room. */
		if (server->visitors.count)
			listen_if(server, false);
		else
			(void)poll(NULL, 0, REST_MSEC);
		return false;
	}
	if (fd < 0)
		return fd != -EAGAIN;
	if (server->visitors.count >= server->settings->people_max) {
		send_away(server, fd);
		return true;
	}
	/* Lines are written together where there are many; a single one must not wait. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	visitors_add(&server->visitors, fd, handed_user(fd, user) ? user : NULL, server->now);
	return true;
}

/* --- one turn ------------------------------------------------------------------------------ */

/* What waits in the sockets. Returns false when SIGTERM does. */
static bool receive(struct server *server, int timeout_msec)
{
	struct epoll_event events[EVENTS_A_TURN];
	int n = epoll_wait(server->epoll, events, EVENTS_A_TURN, timeout_msec);
	bool go_on = true;

	server->now = monotonic_msec();
	room_set_time(&server->room, time(NULL));
	for (int i = 0; i < n; i++) {
		if (events[i].data.ptr == &server->signals) {
			go_on = false;
		} else if (events[i].data.ptr == &server->listener) {
			for (unsigned left = ACCEPTS_A_TURN; left && welcome(server); left--)
				;
		} else {
			visitor_ready(&server->visitors, events[i].data.ptr, events[i].events,
				      server->now);
		}
	}
	return go_on;
}

/* How long the next turn may wait, in ms, when @next is when somebody has to be looked after; -1: for ever. */
static int patience(const struct server *server, uint64_t next)
{
	uint64_t close_at = server->empty_since + (uint64_t)server->settings->idle_sec * 1000;

	if (server->visitors.count == 0 && close_at < next)
		next = close_at;
	if (next == UINT64_MAX)
		return -1;
	if (next <= server->now)
		return 0;
	return next - server->now < 60000 ? (int)(next - server->now) : 60000;
}

/*
 * Whether it is over. What has connected by now, and has not been accepted, is
 * not lost: it waits with all that it sent in the queue of the listening
 * socket, which the super-server has as well, and the next server begins with
 * it. Who was accepted is a visitor, with whom this is not asked.
 */
static bool is_over(const struct server *server)
{
	return server->visitors.count == 0 &&
	       server->now >= server->empty_since + (uint64_t)server->settings->idle_sec * 1000;
}

static void run(struct server *server)
{
	int timeout_msec = 0;

	for (;;) {
		unsigned before;
		uint64_t next;

		if (!receive(server, timeout_msec)) {
			room_tell(&server->room, NULL, "The room is closed. Goodbye.");
			visitors_send(&server->visitors);
			return;
		}
		before = server->visitors.count;
		next = visitors_tend(&server->visitors, server->now);
		if (server->visitors.count < before)
			listen_if(server, true);
		if (server->visitors.count || before)
			server->empty_since = server->now;
		if (is_over(server))
			return;
		timeout_msec = patience(server, next);
	}
}

/* --- beginning and end ------------------------------------------------------------------------ */

/* A thousand people are more than most limits allow at first. What cannot be raised, welcome() copes with. */
static void want_descriptors(unsigned people_max)
{
	struct rlimit limit;
	rlim_t wanted = (rlim_t)people_max + OTHER_DESCRIPTORS;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= wanted)
		return;
	limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

static int watch(int epoll, int *fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = fd };

	return epoll_ctl(epoll, EPOLL_CTL_ADD, *fd, &event);
}

/* Returns 0 or -errno; what it opened is closed by finish(). */
static int prepare(struct server *server)
{
	struct backlog *backlog = backlog_new(server->settings->backlog_bytes);
	sigset_t ending;

	if (!backlog)
		return -ENOMEM;
	room_init(&server->room, backlog);
	server->epoll = epoll_create1(EPOLL_CLOEXEC);
	(void)sigemptyset(&ending);
	(void)sigaddset(&ending, SIGTERM);
	(void)sigaddset(&ending, SIGINT);
	server->signals = signalfd(-1, &ending, SFD_CLOEXEC | SFD_NONBLOCK);
	if (server->epoll < 0 || server->signals < 0 || sigprocmask(SIG_BLOCK, &ending, NULL) < 0 ||
	    watch(server->epoll, &server->listener) < 0 ||
	    watch(server->epoll, &server->signals) < 0)
		return -errno;
	visitors_init(&server->visitors, &server->room, server->epoll, server->settings->rate);
	return 0;
}

static void finish(struct server *server)
{
	visitors_done(&server->visitors);
	room_done(&server->room);
	if (server->signals >= 0)
		(void)close(server->signals);
	if (server->epoll >= 0)
		(void)close(server->epoll);
}

int chat_serve(int listener, const struct chat_settings *settings)
{
	struct server server = {
		.settings = settings,
		.listener = listener,
		.signals = -1,
		.epoll = -1,
		.listens = true,
		.now = monotonic_msec(),
	};
	int r;

	server.empty_since = server.now;
	TAILQ_INIT(&server.visitors.all);
	want_descriptors(settings->people_max);
	r = prepare(&server);
	if (r == 0)
		run(&server);
	finish(&server);
	return r < 0;
}
