/* SPDX-License-Identifier: ISC */
/* The worker's event loop: descriptors that are watched, and alarms. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>

/*
 * Ten thousand idle connections are to cost little, so what a watch needs lies
 * in its owner, in sixteen bytes; and an alarm is made only by who wants one.
 */
struct loop;
struct watch;
struct alarm;

/*
 * Called with those of EPOLLIN and EPOLLOUT that were waited for and have come true;
 * a connection that has failed is ready for both. May change or end any watch and any alarm.
 */
typedef void watch_fn(struct watch *watch, uint32_t ready);

struct watch {
	watch_fn *fn;
	int fd;
	uint32_t events; /* EPOLLIN, EPOLLOUT, EPOLLET: what is waited for; 0: it is not watched */
};

/* Called once at @due_usec (now_usec()) or soon after. It may be set again, and freed, from in there. */
typedef void alarm_fn(struct alarm *alarm);

struct alarm {
	alarm_fn *fn;
	uint64_t due_usec;
	size_t at; /* its place among those that are set; 0: none */
};

/* Returns NULL where the kernel has no memory or no descriptor for it. */
struct loop *loop_new(void);

/* Frees; what is still watched or set is forgotten. NULL is fine. */
void loop_free(struct loop *loop);

/* Waits for @events of @watch->fd from now on, for nothing where that is 0. Returns 0 or -errno. */
int loop_watch(struct loop *loop, struct watch *watch, uint32_t events);

/* Sets @alarm, which may be set already, to @due_usec. Returns 0 or -errno; then it is not set. */
int loop_set(struct loop *loop, struct alarm *alarm, uint64_t due_usec);

/* It will not be called any more. */
void loop_unset(struct loop *loop, struct alarm *alarm);

/*
 * Makes the calls for what is ready and due; with @wait it waits first until there is
 * any, and may come back without a call. Returns the number of watches called, or -errno.
 */
int loop_turn(struct loop *loop, bool wait);
