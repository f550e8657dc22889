/* SPDX-License-Identifier: ISC */
/* Which clients are asked who they are, and when: a pure function of service and peer. */
#pragma once

#include "base/addr.h"
#include "config/service.h"

/* Bits of identify_when(). */
enum identify {
	IDENTIFY_FIRST = 1 << 0,    /* ask before the client is served (log_on_success = USERID) */
	IDENTIFY_REQUIRED = 1 << 1, /* and do not serve where there is no answer (flags = IDONLY) */
	IDENTIFY_REFUSED =
		1 << 2, /* ask about a client that is refused (log_on_failure = USERID) */
};

/*
 * Only who came by TCP can be asked about, as RFC 1413 knows ports and nothing
 * else, and only where usherd itself accepts (wait = no): xinetd.conf(5)
 * "USERID". Nobody is asked where there is no log to write the answer to, except for
 * IDONLY. That flag works together with log_on_success = USERID, as
 * xinetd.conf(5) has it; unlike in xinetd, a missing log_type does not open the
 * service. Nor does another way in than TCP (of tcpmux, a Unix socket): the answer
 * about such a client will be that there is none. Internal services count as all others; xinetd does not ask for those
 * that it serves itself.
 */
unsigned identify_when(const struct service *service, const struct addr *peer);
