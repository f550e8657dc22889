/* SPDX-License-Identifier: ISC */
/* Echo, one thread for all clients: nothing it does may wait for one of them, only for any of them. */
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "echo.h"
#include "handed.h"

/* What has happened that is looked at in one turn. */
#define EVENTS_A_TURN 64

/* How long to leave accept() alone when there is no room for one connection; ms. */
#define REST_MSEC 100

struct loop {
	int epoll;
	int listener;
	unsigned present;
	bool listens; /* not while there is no room for one more */
};

/* A client is either being read from, or waited for to take what it sent. */
struct client {
	int fd;
	size_t from, to; /* of what is to be sent in piece[] */
	char piece[ECHO_PIECE];
};

static void listen_if(struct loop *loop, bool listens)
{
	struct epoll_event event = { .events = listens ? EPOLLIN : 0 };

	if (loop->listens != listens &&
	    epoll_ctl(loop->epoll, EPOLL_CTL_MOD, loop->listener, &event) == 0)
		loop->listens = listens;
}

static void welcome(struct loop *loop)
{
	int fd = handed_accept(loop->listener);
	struct client *client = NULL;
	struct epoll_event event = { .events = EPOLLIN };

	if (handed_no_room(fd)) {
		/* It waits until somebody leaves. With nobody here, somebody else has to make room. */
		if (loop->present)
			listen_if(loop, false);
		else
			(void)poll(NULL, 0, REST_MSEC);
	}
	if (fd < 0)
		return;
	client = malloc(sizeof(*client));
	event.data.ptr = client;
	if (!client || epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &event) < 0) {
		(void)close(fd);
		free(client);
		return;
	}
	client->fd = fd;
	client->from = client->to = 0;
	if (++loop->present >= ECHO_CLIENTS_MAX)
		listen_if(loop, false);
}

static void part(struct loop *loop, struct client *client)
{
	/* Closing takes it out of the epoll set, too. */
	(void)close(client->fd);
	free(client);
	loop->present--;
	listen_if(loop, true);
}

/* Sends what it can of what is there. Returns false when the client is gone. */
static bool send_some(struct client *client)
{
	ssize_t put = send(client->fd, client->piece + client->from, client->to - client->from,
			   MSG_DONTWAIT | MSG_NOSIGNAL);

	if (put < 0)
		return errno == EAGAIN || errno == EINTR;
	client->from += (size_t)put;
	return true;
}

/* Something can be read, or written. Returns false when the client has ended. */
static bool attend(struct loop *loop, struct client *client)
{
	struct epoll_event event = { .data.ptr = client };
	bool was_sending = client->from < client->to;
	bool is_sending;

	if (!was_sending) {
		ssize_t got = recv(client->fd, client->piece, sizeof(client->piece), MSG_DONTWAIT);

		if (got < 0 && (errno == EAGAIN || errno == EINTR))
			return true;
		if (got <= 0)
			return false;
		client->from = 0;
		client->to = (size_t)got;
	}
	if (!send_some(client))
		return false;
	is_sending = client->from < client->to;
	if (is_sending == was_sending)
		return true;
	/* Who does not take its echo is not read from either: so nothing piles up here. */
	event.events = is_sending ? EPOLLOUT : EPOLLIN;
	return epoll_ctl(loop->epoll, EPOLL_CTL_MOD, client->fd, &event) == 0;
}

int echo_events(int listener)
{
	struct loop loop = { .listener = listener, .listens = true };
	struct epoll_event events[EVENTS_A_TURN];
	struct epoll_event listening = { .events = EPOLLIN };

	loop.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (loop.epoll < 0 || epoll_ctl(loop.epoll, EPOLL_CTL_ADD, listener, &listening) < 0)
		return 1;
	for (;;) {
		int n = epoll_wait(loop.epoll, events, EVENTS_A_TURN, ECHO_IDLE_MSEC);

		/* Who connects from now on is served by the next server. */
		if (n == 0 && loop.present == 0)
			break;
		for (int i = 0; i < n; i++) {
			struct client *client = events[i].data.ptr;

			if (!client)
				welcome(&loop);
			else if (!attend(&loop, client))
				part(&loop, client);
		}
	}
	(void)close(loop.epoll);
	return 0;
}
