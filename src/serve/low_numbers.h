/* SPDX-License-Identifier: ISC */
/* Descriptor numbers for many listeners: room for all of them, and none so small that it would have to be moved up. */
#pragma once

#include "serve/listener.h"

struct low_numbers {
	int fds[LISTENER_MIN_FD];
	int n;
};

/*
 * Has the kernel make its table of descriptors large enough for @n sockets. It doubles it again and
 * again otherwise; and where there are other threads it waits each time, for some
 * milliseconds, until none of them can still look into the old one.
 */
void low_numbers_make_room(size_t n);

/*
 * Takes what is free below LISTENER_MIN_FD, for @n sockets to be opened. None are
 * taken where these are few, or so many that numbers are scarce; then sockets move up by themselves.
 */
void low_numbers_take(struct low_numbers *numbers, size_t n);

/* Lets go of them: connections are to have them. */
void low_numbers_give_back(struct low_numbers *numbers);
