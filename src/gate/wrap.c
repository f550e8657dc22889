/* SPDX-License-Identifier: ISC */
/* Asks tcp_wrappers: hosts.allow and hosts.deny, with their options. */
#include "config.h"

#include "gate/wrap.h"

#include <stddef.h>
#include <sys/socket.h>
#include <syslog.h>
#include <unistd.h>

#ifdef HAVE_LIBWRAP

/* The library speaks IPv6 whatever the header says without this. */
#define INET6 1
#include <tcpd.h>

/* Where "severity" of a rule puts its word; what is logged by it is logged by the library. */
int allow_severity = LOG_INFO;
int deny_severity = LOG_WARNING;

/*
 * All that the library wants of the one for NIS: the domain of netgroups. With
 * it here, that one and those that it needs are not loaded for each connection.
 */
int yp_get_default_domain(char **ret_domain);
int yp_get_default_domain(char **ret_domain)
{
	static char domain[256];

	*ret_domain = domain;
	return getdomainname(domain, sizeof(domain) - 1);
}

bool wrap_allows(const char *name, const struct addr *peer, bool stream)
{
	struct sockaddr_storage client, own;
	socklen_t length = sizeof(own);
	struct request_info request;

	/* What the library complains of should be found where the daemon's own messages are. */
	openlog("usherd", LOG_PID, LOG_DAEMON);
	(void)request_init(&request, RQ_DAEMON, name, 0);
	if (stream)
		(void)request_set(&request, RQ_FILE, STDIN_FILENO, 0);
	else
		request.fd = -1;
	/*
	 * Not by fromhost(), which looks for the peer at the connection: where the
	 * client has gone by then, rules would be asked about nobody.
	 */
	if (addr_to_sockaddr(peer, &client) > 0) {
		(void)request_set(&request, RQ_CLIENT_SIN, &client, 0);
		sock_methods(&request);
		if (stream && getsockname(STDIN_FILENO, (void *)&own, &length) == 0)
			(void)request_set(&request, RQ_SERVER_SIN, &own, 0);
	}
	return hosts_access(&request) != 0;
}

#else

bool wrap_allows(const char *name, const struct addr *peer, bool stream)
{
	(void)name;
	(void)peer;
	(void)stream;
	return false;
}

#endif
