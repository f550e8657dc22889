/* SPDX-License-Identifier: ISC */
/* The open doors of many services: one set that the kernel watches, behind one event of the loop. */
#include "config.h"

#include "serve/doors.h"

#include <errno.h>
#include <sys/epoll.h>

#include "base/util.h"

struct doors {
	int fd;
	struct event *event;
	void (*ready)(struct place *place);
	struct epoll_event turn[DOORS_A_TURN]; /* those found ready */
	int next, n;                           /* of them, that is to be served next */
};

static void on_ready(evutil_socket_t fd, short what, void *arg)
{
	struct doors *doors = arg;

	(void)what;
	doors->n = epoll_wait(fd, doors->turn, DOORS_A_TURN, 0);
	for (doors->next = 0; doors->next < doors->n;) {
		struct place *place = doors->turn[doors->next++].data.ptr;

		if (place)
			doors->ready(place);
	}
	doors->n = 0;
}

int doors_new(struct event_base *base, void (*ready)(struct place *place), struct doors **ret)
{
	struct doors *doors = calloc(1, sizeof(*doors));

	if (!doors)
		return -ENOMEM;
	doors->ready = ready;
	doors->fd = epoll_create1(EPOLL_CLOEXEC);
	if (doors->fd < 0) {
		int r = -errno;

		free(doors);
		return r;
	}
	doors->event = event_new(base, doors->fd, EV_READ | EV_PERSIST, on_ready, doors);
	if (!doors->event || event_add(doors->event, NULL) < 0) {
		doors_free(doors);
		return -ENOMEM;
	}
	*ret = doors;
	return 0;
}

void doors_free(struct doors *doors)
{
	if (!doors)
		return;
	if (doors->event)
		event_free(doors->event);
	(void)close(doors->fd);
	free(doors);
}

void doors_shut(struct doors *doors)
{
	(void)event_del(doors->event);
}

void doors_open(struct doors *doors)
{
	/* It has been there before, so that it takes no memory. */
	(void)event_add(doors->event, NULL);
}

bool doors_others_wait(const struct doors *doors)
{
	const struct place *served = doors->n > 0 ? doors->turn[doors->next - 1].data.ptr : NULL;
	struct epoll_event look[2];
	int n;

	/* Those that were found ready with it are as good as there. */
	for (int i = doors->next; i < doors->n; i++)
		if (doors->turn[i].data.ptr)
			return true;
	n = epoll_wait(doors->fd, look, ARRAY_SIZE(look), 0);
	for (int i = 0; i < n; i++)
		if (look[i].data.ptr != served)
			return true;
	return false;
}

int doors_watch(struct doors *doors, int fd, struct place *place)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = place };

	return epoll_ctl(doors->fd, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

void doors_unwatch(struct doors *doors, int fd, const struct place *place)
{
	(void)epoll_ctl(doors->fd, EPOLL_CTL_DEL, fd, NULL);
	for (int i = doors->next; i < doors->n; i++)
		if (doors->turn[i].data.ptr == place)
			doors->turn[i].data.ptr = NULL;
}
