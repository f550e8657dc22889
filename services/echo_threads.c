/* SPDX-License-Identifier: ISC */
/* Echo, a thread for each client: each is as simple as a process of its own, and they share what a process has. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "echo.h"
#include "handed.h"

/* How long to leave accept() alone when it, or the thread, had no room; ms. */
#define REST_MSEC 100

struct crowd {
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t one_left;
	unsigned present;
};

struct client {
	struct crowd *crowd;
	int fd;
};

static void *serve(void *arg)
{
	struct client *client = arg;
	struct crowd *crowd = client->crowd;

	/* That a client breaks off is nobody else's matter. */
	(void)echo_connection(client->fd);
	(void)close(client->fd);
	free(client);
	pthread_mutex_lock(&crowd->lock);
	crowd->present--;
	pthread_cond_signal(&crowd->one_left);
	pthread_mutex_unlock(&crowd->lock);
	return NULL;
}

/* Takes over @fd. Returns 0 or -errno. */
static int welcome(struct crowd *crowd, int fd, const pthread_attr_t *detached)
{
	struct client *client = malloc(sizeof(*client));
	pthread_t thread;
	int r;

	if (!client) {
		(void)close(fd);
		return -ENOMEM;
	}
	*client = (struct client){ .crowd = crowd, .fd = fd };
	/* Counted before it runs, since it may have ended before we are back. */
	pthread_mutex_lock(&crowd->lock);
	crowd->present++;
	pthread_mutex_unlock(&crowd->lock);
	r = pthread_create(&thread, detached, serve, client);
	if (r == 0)
		return 0;
	pthread_mutex_lock(&crowd->lock);
	crowd->present--;
	pthread_mutex_unlock(&crowd->lock);
	(void)close(fd);
	free(client);
	return -r;
}

/* Waits until there is room for one more. Returns whether nobody is there at all. */
static bool wait_for_room(struct crowd *crowd)
{
	bool empty;

	pthread_mutex_lock(&crowd->lock);
	while (crowd->present >= ECHO_CLIENTS_MAX)
		pthread_cond_wait(&crowd->one_left, &crowd->lock);
	empty = crowd->present == 0;
	pthread_mutex_unlock(&crowd->lock);
	return empty;
}

int echo_threads(int listener)
{
	struct crowd crowd = {
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.one_left = PTHREAD_COND_INITIALIZER,
	};
	struct pollfd waiting = { .fd = listener, .events = POLLIN };
	pthread_attr_t detached;

	if (pthread_attr_init(&detached) != 0 ||
	    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED) != 0)
		return 1;
	for (;;) {
		int ready;
		int fd;

		(void)wait_for_room(&crowd);
		ready = poll(&waiting, 1, ECHO_IDLE_MSEC);
		/*
		 * Only this thread accepts, so nobody can come between these two
		 * questions; who connects from now on waits in the queue of the
		 * socket, which the super-server still has, for the next server.
		 */
		if (ready == 0 && wait_for_room(&crowd))
			break;
		if (ready <= 0)
			continue;
		fd = handed_accept(listener);
		if (fd >= 0)
			fd = welcome(&crowd, fd, &detached);
		if (handed_no_room(fd) || fd == -EAGAIN)
			(void)poll(NULL, 0, REST_MSEC);
	}
	(void)pthread_attr_destroy(&detached);
	return 0;
}
