/* SPDX-License-Identifier: ISC */
/* The worker's event loop: descriptors that are watched, and alarms. */
#include "config.h"

#include "worker/loop.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/util.h"

/* Taken from the kernel at once. */
#define EVENTS 128

#define NEVER UINT64_MAX

struct loop {
	int fd;
	int next; /* in events: the first that has not been called yet */
	int n;
	struct epoll_event events[EVENTS];
	struct alarm **alarms; /* a heap, the first that is due in front; at is counted from 1 */
	size_t n_alarms;
	int timer_fd;
	uint64_t timer_usec; /* when it goes off; NEVER: it is not set */
};

struct loop *loop_new(void)
{
	struct loop *loop = calloc(1, sizeof(*loop));
	struct epoll_event event = { .events = EPOLLIN | EPOLLET };

	if (!loop)
		return NULL;
	event.data.ptr = loop;
	loop->timer_usec = NEVER;
	loop->fd = epoll_create1(EPOLL_CLOEXEC);
	loop->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (loop->fd < 0 || loop->timer_fd < 0 ||
	    epoll_ctl(loop->fd, EPOLL_CTL_ADD, loop->timer_fd, &event) < 0) {
		loop_free(loop);
		return NULL;
	}
	return loop;
}

void loop_free(struct loop *loop)
{
	if (!loop)
		return;
	cleanup_close(&loop->fd);
	cleanup_close(&loop->timer_fd);
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

/*
 * A wait with a limit has the kernel set a timer, and take it back, each time. Its own timer
 * stays as it is instead, unless an alarm is earlier: some go off for nobody, but far fewer.
 */
static int set_timer(struct loop *loop, uint64_t due_usec)
{
	struct itimerspec at = { .it_value.tv_sec = (time_t)(due_usec / USEC_PER_SEC) };

	if (due_usec >= loop->timer_usec)
		return 0;
	/* Zero would not set it; what is a nanosecond late is not too early. */
	at.it_value.tv_nsec = (long)(due_usec % USEC_PER_SEC) * 1000 + 1;
	if (timerfd_settime(loop->timer_fd, TFD_TIMER_ABSTIME, &at, NULL) < 0)
		return -errno;
	loop->timer_usec = due_usec;
	return 0;
}

int loop_set(struct loop *loop, struct alarm *alarm, uint64_t due_usec)
{
	size_t at = alarm->at;
	int r = 0;

	if (!at) {
		r = array_grow(&loop->alarms, loop->n_alarms, sizeof(struct alarm *));
		if (r < 0)
			return r;
		at = ++loop->n_alarms;
	}
	alarm->due_usec = due_usec;
	sift(loop, at, alarm);
	r = set_timer(loop, due_usec);
	if (r < 0)
		loop_unset(loop, alarm);
	return r;
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

/* The timer has gone off. Returns 0 or -errno. */
static int ring(struct loop *loop)
{
	uint64_t now = now_usec();

	loop->timer_usec = NEVER;
	while (loop->n_alarms && loop->alarms[0]->due_usec <= now) {
		struct alarm *alarm = loop->alarms[0];

		loop_unset(loop, alarm);
		alarm->fn(alarm);
	}
	return loop->n_alarms ? set_timer(loop, loop->alarms[0]->due_usec) : 0;
}

/* --- the turn --- */

/* What @watch waits for of that; a connection that has failed is as good as ready. */
static uint32_t ready_of(const struct watch *watch, uint32_t events)
{
	if (events & (EPOLLERR | EPOLLHUP))
		events |= EPOLLIN | EPOLLOUT;
	return events & watch->events & (EPOLLIN | EPOLLOUT);
}

int loop_turn(struct loop *loop, bool wait)
{
	int n = epoll_wait(loop->fd, loop->events, EVENTS, wait ? -1 : 0);
	int called = 0;
	bool is_time = false;

	if (n < 0 && errno != EINTR)
		return -errno;
	loop->n = n < 0 ? 0 : n;
	for (loop->next = 0; loop->next < loop->n;) {
		const struct epoll_event *event = &loop->events[loop->next++];
		struct watch *watch = event->data.ptr;
		uint32_t ready;

		if (event->data.ptr == loop) {
			is_time = true;
			continue;
		}
		ready = watch ? ready_of(watch, event->events) : 0;
		if (!ready)
			continue;
		called++;
		watch->fn(watch, ready);
	}
	if (is_time) {
		int r = ring(loop);

		if (r < 0)
			return r;
	}
	return called;
}
