/* SPDX-License-Identifier: ISC */
/* The worker's event loop: descriptors that are watched, and alarms. */
#include "config.h"

#include "worker/loop.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/util.h"

/* Taken from the kernel at once. */
#define EVENTS 128

struct loop {
	int fd;
	int next; /* in events: the first that has not been called yet */
	int n;
	struct epoll_event events[EVENTS];
	struct alarm **alarms; /* a heap, the first that is due in front; at is counted from 1 */
	size_t n_alarms;
};

struct loop *loop_new(void)
{
	struct loop *loop = calloc(1, sizeof(*loop));

	if (!loop)
		return NULL;
	loop->fd = epoll_create1(EPOLL_CLOEXEC);
	if (loop->fd < 0) {
		free(loop);
		return NULL;
	}
	return loop;
}

void loop_free(struct loop *loop)
{
	if (!loop)
		return;
	(void)close(loop->fd);
	free(loop->alarms);
	free(loop);
}

/* --- descriptors --- */

int loop_watch(struct loop *loop, struct watch *watch, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = watch };
	int how = !events ? EPOLL_CTL_DEL : watch->events ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;

	if (events == watch->events)
		return 0;
	if (epoll_ctl(loop->fd, how, watch->fd, &event) < 0 && events)
		return -errno;
	watch->events = events;
	if (events)
		return 0;
	/* Its owner may go now: what the kernel has said already must not reach it. */
	for (int i = loop->next; i < loop->n; i++)
		if (loop->events[i].data.ptr == watch)
			loop->events[i].data.ptr = NULL;
	return 0;
}

/* --- alarms --- */

static void put_alarm(struct loop *loop, size_t at, struct alarm *alarm)
{
	loop->alarms[at - 1] = alarm;
	alarm->at = at;
}

/* Moves @alarm from the place @at, which is free, to where it belongs. */
static void sift(struct loop *loop, size_t at, struct alarm *alarm)
{
	while (at > 1 && loop->alarms[at / 2 - 1]->due_usec > alarm->due_usec) {
		put_alarm(loop, at, loop->alarms[at / 2 - 1]);
		at /= 2;
	}
	for (size_t child; (child = 2 * at) <= loop->n_alarms; at = child) {
		if (child < loop->n_alarms &&
		    loop->alarms[child]->due_usec < loop->alarms[child - 1]->due_usec)
			child++;
		if (loop->alarms[child - 1]->due_usec >= alarm->due_usec)
			break;
		put_alarm(loop, at, loop->alarms[child - 1]);
	}
	put_alarm(loop, at, alarm);
}

int loop_set(struct loop *loop, struct alarm *alarm, uint64_t due_usec)
{
	size_t at = alarm->at;

	if (!at) {
		int r = array_grow(&loop->alarms, loop->n_alarms, sizeof(struct alarm *));

		if (r < 0)
			return r;
		at = ++loop->n_alarms;
	}
	alarm->due_usec = due_usec;
	sift(loop, at, alarm);
	return 0;
}

void loop_unset(struct loop *loop, struct alarm *alarm)
{
	size_t at = alarm->at;
	struct alarm *last;

	if (!at)
		return;
	alarm->at = 0;
	last = loop->alarms[--loop->n_alarms];
	if (last != alarm)
		sift(loop, at, last);
}

static void ring(struct loop *loop)
{
	uint64_t now;

	if (!loop->n_alarms)
		return;
	now = now_usec();
	while (loop->n_alarms && loop->alarms[0]->due_usec <= now) {
		struct alarm *alarm = loop->alarms[0];

		loop_unset(loop, alarm);
		alarm->fn(alarm);
	}
}

/* --- the turn --- */

/* What @watch waits for of that; a connection that has failed is as good as ready. */
static uint32_t ready_of(const struct watch *watch, uint32_t events)
{
	if (events & (EPOLLERR | EPOLLHUP))
		events |= EPOLLIN | EPOLLOUT;
	return events & watch->events & (EPOLLIN | EPOLLOUT);
}

/* How long to wait, in milliseconds, rounded up so that nothing is looked at too early. */
static int pause_of(const struct loop *loop, uint64_t most_usec)
{
	uint64_t pause = most_usec;

	if (loop->n_alarms) {
		uint64_t now = now_usec(), due = loop->alarms[0]->due_usec;
		uint64_t left = due > now ? due - now : 0;

		if (left < pause)
			pause = left;
	}
	if (pause == UINT64_MAX)
		return -1;
	pause = (pause + USEC_PER_MSEC - 1) / USEC_PER_MSEC;
	return pause < INT_MAX ? (int)pause : INT_MAX;
}

int loop_turn(struct loop *loop, uint64_t most_usec)
{
	int n = epoll_wait(loop->fd, loop->events, EVENTS, pause_of(loop, most_usec));

	if (n < 0 && errno != EINTR)
		return -errno;
	loop->n = n < 0 ? 0 : n;
	for (loop->next = 0; loop->next < loop->n;) {
		const struct epoll_event *event = &loop->events[loop->next++];
		struct watch *watch = event->data.ptr;
		uint32_t ready = watch ? ready_of(watch, event->events) : 0;

		if (ready)
			watch->fn(watch, ready);
	}
	ring(loop);
	return loop->n;
}
