/* SPDX-License-Identifier: ISC */
/* Which clients are asked who they are, and when: a pure function of service and peer. */
#include "config.h"

#include "policy/identify.h"

unsigned identify_when(const struct service *service, const struct addr *peer)
{
	bool useful = service->log->kind != LOG_KIND_NONE &&
		      (peer->family == AF_INET || peer->family == AF_INET6);
	unsigned when = 0;

	if (service->socktype != SOCK_STREAM || service->protocol != IPPROTO_TCP || service->wait)
		return 0;
	if (service->log_on_success & LOG_OPT_USERID) {
		if (service->flags & FLAG_IDONLY)
			when |= IDENTIFY_FIRST | IDENTIFY_REQUIRED;
		else if (useful)
			when |= IDENTIFY_FIRST;
	}
	if (useful && (service->log_on_failure & LOG_OPT_USERID))
		when |= IDENTIFY_REFUSED;
	return when;
}
