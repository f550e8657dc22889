/* SPDX-License-Identifier: ISC */
/* What waits at a door: connections to accept, a socket to lend, datagrams to forward or to throw away. */
#pragma once

#include <event2/util.h>

/* What libevent calls when a place is readable; @arg is the struct place. */
void ready_place(evutil_socket_t fd, short what, void *arg);
