/* SPDX-License-Identifier: ISC */
/* The way of a connection: accept, admit, start or hand over, record. */
#pragma once

#include <event2/util.h>

/* What libevent calls when a place is readable; @arg is the struct place. */
void launch_ready(evutil_socket_t fd, short what, void *arg);
