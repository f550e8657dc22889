/* SPDX-License-Identifier: ISC */
/* Connects to a host and port without blocking: looks the name up, and tries its addresses in turn. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/addr.h"
#include "base/log.h"

struct connector;
struct event_base;
struct resolver;

struct connector_request {
	const char *host; /* address or name; must stay as long as the connector */
	uint16_t port;
	bool keepalive;
	uint64_t timeout_usec; /* for all of it; each address gets its share of what is left */
	/* Whose the socket is, for owner rules of packet filters and for ident; (uid_t)-1 = ours. */
	uid_t uid;
	gid_t gid;
};

/* Why it did not work, and where: an address, or the name where there is none. */
struct connector_failure {
	char where[ADDR_TEXT_MAX];
	char why[LOG_ERRNO_MAX];
};

/*
 * How it ended: @fd is the connected socket, non-blocking and with TCP_NODELAY,
 * now the callee's; or -1, and @failure is of the last address. The connector is
 * to be freed then, and may be from in here.
 */
typedef void connector_fn(void *arg, int fd, const struct connector_failure *failure);

/* Begins. @fn is called once, from the loop and never from in here. Returns 0 or -errno. */
int connector_new(struct event_base *base, struct resolver *resolver,
		  const struct connector_request *request, connector_fn *fn, void *arg,
		  struct connector **ret);

/* Ends it, done or not. NULL is fine. */
void connector_free(struct connector *connector);
