/* SPDX-License-Identifier: ISC */
/* One address to listen on, and all that tells its socket from others. */
#include "config.h"

#include "config/endpoint.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include "base/intern.h"
#include "base/util.h"

_Static_assert(ENDPOINT_PATH_MAX == sizeof(((struct sockaddr_un *)0)->sun_path) - 1,
	       "what Linux takes");

struct endpoint endpoint_copy(const struct endpoint *endpoint)
{
	(void)intern_ref(endpoint->path);
	return *endpoint;
}

void endpoint_done(struct endpoint *endpoint)
{
	intern_unref(TAKE_PTR(endpoint->path));
}

bool endpoint_equal(const struct endpoint *a, const struct endpoint *b)
{
	return a->socktype == b->socktype && a->protocol == b->protocol && a->v6only == b->v6only &&
	       a->addr.port == b->addr.port && a->addr.scope == b->addr.scope &&
	       addr_equal(&a->addr, &b->addr) && str_equal(a->path, b->path);
}

socklen_t endpoint_to_sockaddr(const struct endpoint *endpoint, struct sockaddr_storage *ret)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	size_t length;

	if (endpoint->addr.family != AF_UNIX)
		return addr_to_sockaddr(&endpoint->addr, ret);
	length = strnlen(endpoint->path, ENDPOINT_PATH_MAX);
	memcpy(un.sun_path, endpoint->path, length);
	/* The length of an abstract name tells where it ends; a path is ended by its NUL. */
	if (un.sun_path[0] == '@')
		un.sun_path[0] = '\0';
	else
		length++;
	*ret = (struct sockaddr_storage){ 0 };
	memcpy(ret, &un, sizeof(un));
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
}

bool endpoint_is_wildcard(const struct endpoint *endpoint)
{
	static const uint8_t zeros[sizeof(endpoint->addr.bytes)];

	return endpoint->addr.family != AF_UNIX &&
	       memcmp(endpoint->addr.bytes, zeros, sizeof(zeros)) == 0;
}

const char *endpoint_format(const struct endpoint *endpoint, char out[static ENDPOINT_TEXT_MAX])
{
	const char *kind = endpoint->protocol == IPPROTO_UDP   ? "udp"
			   : endpoint->protocol == IPPROTO_TCP ? "tcp"
			   : endpoint->socktype == SOCK_RAW    ? "raw"
							       : "ip";
	const struct addr *addr = &endpoint->addr;
	char text[INET6_ADDRSTRLEN];

	if (addr->family == AF_UNIX)
		(void)snprintf(out, ENDPOINT_TEXT_MAX, "unix %.108s", endpoint->path);
	else
		(void)snprintf(
			out, ENDPOINT_TEXT_MAX, addr->family == AF_INET ? "%s %s:%u" : "%s [%s]:%u",
			kind, inet_ntop(addr->family, addr->bytes, text, sizeof(text)), addr->port);
	return out;
}
