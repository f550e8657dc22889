/* SPDX-License-Identifier: ISC */
/* A list of addresses at which something can be reached, to be tried in turn. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/service.h"

struct places {
	struct endpoint *v;
	size_t n;
	char origin[512]; /* for people, escaped: where name and port are from */
};

/* What to ask for names. */
struct places_source {
	const char *file;       /* configuration; NULL = xinetd's, where there is one */
	const char *inetd_file; /* NULL, or an inetd.conf as well */
	uint64_t deadline_usec; /* of now_usec(); 0 = none */
};

/* Appends a copy of @place. Returns 0 or -ENOMEM, as the other two. */
int places_add(struct places *places, const struct endpoint *place);
int places_add_addr(struct places *places, int socktype, int protocol, const struct addr *addr);

/* The loopback addresses that a socket on a wildcard address of @family hears; AF_UNSPEC is both. */
int places_add_loopback(struct places *places, int socktype, int protocol, sa_family_t family,
			uint16_t port);

/*
 * Appends what a client of this machine connects to for @endpoint: itself, or
 * loopback for a wildcard. Returns 0 or -ENOMEM.
 */
int places_add_endpoint(struct places *places, const struct endpoint *endpoint);

void places_done(struct places *places);
