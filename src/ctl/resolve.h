/* SPDX-License-Identifier: ISC */
/* getaddrinfo(3) with a limit of time. */
#pragma once

#include <netdb.h>
#include <stdint.h>

/*
 * The addresses of @host for @port (a number) and hints of this @socktype and
 * these @flags, by @deadline_usec of now_usec() (0: whenever). A look-up that takes
 * longer goes on in a thread of its own, unheard. Returns 0 with *@ret for
 * freeaddrinfo(3), an EAI code (positive values are ours: an errno), or ETIMEDOUT.
 */
int resolve(const char *host, const char *port, int socktype, int flags, uint64_t deadline_usec,
	    struct addrinfo **ret);
