/* SPDX-License-Identifier: ISC */
/* Timers that are made when they are first needed, as most never are. */
#include "config.h"

#include "serve/timer.h"

#include <errno.h>

int timer_arm(struct event **timer, struct event_base *base, event_callback_fn fn, void *arg,
	      unsigned seconds)
{
	struct timeval pause = { .tv_sec = seconds };

	if (!*timer)
		*timer = event_new(base, -1, 0, fn, arg);
	return *timer && event_add(*timer, &pause) == 0 ? 0 : -ENOMEM;
}

void timer_disarm(struct event *timer)
{
	if (timer)
		(void)event_del(timer);
}

void timer_free(struct event *timer)
{
	if (timer)
		event_free(timer);
}
