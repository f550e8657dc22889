/* SPDX-License-Identifier: ISC */
/* Keeps the small descriptor numbers taken while many listeners are opened, so that none has to be moved up. */
#pragma once

#include "serve/listener.h"

struct low_numbers {
	int fds[LISTENER_MIN_FD];
	int n;
};

/*
 * Takes what is free below LISTENER_MIN_FD, for @n sockets to be opened. None are
 * taken where these are few, or so many that numbers are scarce; then sockets move up by themselves.
 */
void low_numbers_take(struct low_numbers *numbers, size_t n);

/* Lets go of them: connections are to have them. */
void low_numbers_give_back(struct low_numbers *numbers);
