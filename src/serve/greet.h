/* SPDX-License-Identifier: ISC */
/* The banners of a service, sent to a connection without ever waiting for it (D14). */
#pragma once

#include "config/service.h"

struct log_limit;

enum greeting {
	GREETING_ALWAYS,  /* xinetd.conf(5) "banner" */
	GREETING_SUCCESS, /* "banner_success" */
	GREETING_FAIL,    /* "banner_fail" */
};

/*
 * Sends the banner, where @service has one. What the socket does not take at
 * once is dropped: xinetd waits for the client here, and with it all services do.
 * A banner that could not be read is an ERROR in the log, in xinetd's words,
 * not more often than @limit lets pass.
 */
void greet(int fd, const struct service *service, enum greeting greeting, struct log_limit *limit);

/*
 * Ends what is said on @fd, which is about to be closed. What the client has sent
 * until now is thrown away, as closing over it would make the kernel withdraw
 * what was said.
 */
void greet_end(int fd);

/* Tells the client on @fd, which is about to be closed, that it is refused: the banner, then greet_end(). */
void greet_refused(int fd, const struct service *service, struct log_limit *limit);
