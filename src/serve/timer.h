/* SPDX-License-Identifier: ISC */
/* Timers that are made when they are first needed, as most never are. */
#pragma once

#include <event2/event.h>

/* Has @fn called with @arg after @seconds; *@timer is made where it is NULL. Returns 0 or -ENOMEM. */
int timer_arm(struct event **timer, struct event_base *base, event_callback_fn fn, void *arg,
	      unsigned seconds);

/* It will not be called. NULL is fine. */
void timer_disarm(struct event *timer);

/* The same, and frees it. */
void timer_free(struct event *timer);
