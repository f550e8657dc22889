/* SPDX-License-Identifier: ISC */
/* One address to listen on, and all that tells its socket from others. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/addr.h"

/*
 * Sockets are created from this value alone, so two endpoints that are equal can
 * share one descriptor over a reload.
 */
struct endpoint {
	struct addr addr;  /* address and port; of a Unix socket only the family */
	uint16_t protocol; /* IPPROTO_TCP …, 0 for Unix sockets */
	uint8_t socktype;  /* SOCK_STREAM, SOCK_DGRAM, SOCK_RAW, SOCK_SEQPACKET */
	bool v6only;
	/* What follows matters only while the socket is opened. */
	bool optional; /* not an error where the machine lacks the address family */
	bool fallback_ipv4; /* an unspecified IPv6 address that may become 0.0.0.0 where there is no IPv6 */
	const char *path; /* Unix sockets: "/path" or "@name" (base/intern.h); else NULL */
};

/* Longest path or name of a Unix socket, without its NUL. */
#define ENDPOINT_PATH_MAX 107

/* A copy that keeps its path, and its end. */
struct endpoint endpoint_copy(const struct endpoint *endpoint);
void endpoint_done(struct endpoint *endpoint);

/* Whether both stand for the same socket. */
bool endpoint_equal(const struct endpoint *a, const struct endpoint *b);

/* What bind(2) and connect(2) take; returns its length. */
socklen_t endpoint_to_sockaddr(const struct endpoint *endpoint, struct sockaddr_storage *ret);

/* Whether it is the unspecified address of its family: all addresses. */
bool endpoint_is_wildcard(const struct endpoint *endpoint);

/* Room for any text of endpoint_format(). */
#define ENDPOINT_TEXT_MAX 160

/* Writes "tcp 127.0.0.1:7", "udp [::]:69", "unix /run/x", "unix @name" …; returns @out. */
const char *endpoint_format(const struct endpoint *endpoint, char out[static ENDPOINT_TEXT_MAX]);
