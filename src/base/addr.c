/* SPDX-License-Identifier: ISC */
/* One address value: from and to sockaddr, parse, compare, mask, print. */
#include "config.h"

#include "base/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"

static void set_ipv4(struct addr *addr, const void *bytes, uint16_t port)
{
	*addr = (struct addr){ .family = AF_INET, .port = port };
	memcpy(addr->bytes, bytes, 4);
}

void addr_from_sockaddr(struct addr *ret, const struct sockaddr *sa, socklen_t len)
{
	*ret = (struct addr){ .family = AF_UNSPEC };
	if (len < sizeof(sa->sa_family))
		return;
	if (sa->sa_family == AF_INET && len >= sizeof(struct sockaddr_in)) {
		struct sockaddr_in in;

		memcpy(&in, sa, sizeof(in));
		set_ipv4(ret, &in.sin_addr, ntohs(in.sin_port));
	} else if (sa->sa_family == AF_INET6 && len >= sizeof(struct sockaddr_in6)) {
		struct sockaddr_in6 in6;

		memcpy(&in6, sa, sizeof(in6));
		if (IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr)) {
			set_ipv4(ret, &in6.sin6_addr.s6_addr[12], ntohs(in6.sin6_port));
			return;
		}
		ret->family = AF_INET6;
		ret->port = ntohs(in6.sin6_port);
		ret->scope = in6.sin6_scope_id;
		memcpy(ret->bytes, &in6.sin6_addr, 16);
	} else if (sa->sa_family == AF_UNIX) {
		ret->family = AF_UNIX;
	}
}

socklen_t addr_to_sockaddr(const struct addr *addr, struct sockaddr_storage *ret)
{
	*ret = (struct sockaddr_storage){ 0 };
	if (addr->family == AF_INET) {
		struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(addr->port) };

		memcpy(&in.sin_addr, addr->bytes, 4);
		memcpy(ret, &in, sizeof(in));
		return sizeof(in);
	}
	if (addr->family == AF_INET6) {
		struct sockaddr_in6 in6 = {
			.sin6_family = AF_INET6,
			.sin6_port = htons(addr->port),
			.sin6_scope_id = addr->scope,
		};

		memcpy(&in6.sin6_addr, addr->bytes, 16);
		memcpy(ret, &in6, sizeof(in6));
		return sizeof(in6);
	}
	return 0;
}

int addr_parse(const char *text, struct addr *ret)
{
	char host[INET6_ADDRSTRLEN];
	struct in6_addr in6;
	struct in_addr in;
	unsigned scope = 0;
	const char *zone;
	size_t length;

	if (inet_pton(AF_INET, text, &in) == 1) {
		set_ipv4(ret, &in, 0);
		return 0;
	}
	zone = strchr(text, '%');
	length = zone ? (size_t)(zone - text) : strlen(text);
	if (length >= sizeof(host))
		return -EINVAL;
	memcpy(host, text, length);
	host[length] = '\0';
	if (inet_pton(AF_INET6, host, &in6) != 1)
		return -EINVAL;
	if (IN6_IS_ADDR_V4MAPPED(&in6) && !zone) {
		set_ipv4(ret, &in6.s6_addr[12], 0);
		return 0;
	}
	if (zone) {
		if (!IN6_IS_ADDR_LINKLOCAL(&in6) && !IN6_IS_ADDR_MC_LINKLOCAL(&in6))
			return -EINVAL;
		scope = if_nametoindex(zone + 1);
		if (scope == 0)
			return -EINVAL;
	}
	*ret = (struct addr){ .family = AF_INET6, .scope = scope };
	memcpy(ret->bytes, &in6, 16);
	return 0;
}

/* The library's way takes ten times as long, and each connection has its address written several times. */
static const char *format_ipv4(const struct addr *addr, char out[static ADDR_TEXT_MAX])
{
	char *at = out;

	for (size_t i = 0; i < 4; i++) {
		if (i > 0)
			*at++ = '.';
		at = put_decimal(at, addr->bytes[i]);
	}
	*at = '\0';
	return out;
}

const char *addr_format(const struct addr *addr, char out[static ADDR_TEXT_MAX])
{
	char zone[IF_NAMESIZE];

	switch (addr->family) {
	case AF_INET:
		return format_ipv4(addr, out);
	case AF_INET6:
		(void)inet_ntop(AF_INET6, addr->bytes, out, ADDR_TEXT_MAX);
		if (addr->scope) {
			size_t used = strlen(out);

			if (if_indextoname(addr->scope, zone))
				(void)snprintf(out + used, ADDR_TEXT_MAX - used, "%%%s", zone);
			else
				(void)snprintf(out + used, ADDR_TEXT_MAX - used, "%%%u",
					       addr->scope);
		}
		return out;
	case AF_UNIX:
		return strcpy(out, "unix");
	default:
		return strcpy(out, "<no address>");
	}
}

unsigned addr_bits(sa_family_t family)
{
	return family == AF_INET ? 32 : 128;
}

bool addr_equal(const struct addr *a, const struct addr *b)
{
	return addr_compare(a, b) == 0;
}

int addr_compare(const struct addr *a, const struct addr *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

bool addr_is_loopback(const struct addr *addr)
{
	static const uint8_t one[16] = { [15] = 1 };

	return (addr->family == AF_INET && addr->bytes[0] == 127) ||
	       (addr->family == AF_INET6 && memcmp(addr->bytes, one, sizeof(one)) == 0);
}

struct prefix prefix_of(const struct addr *addr, unsigned bits)
{
	struct prefix prefix = { .base = *addr, .bits = bits };

	prefix.base.port = 0;
	for (unsigned i = 0; i < sizeof(addr->bytes); i++) {
		unsigned keep = bits > 8 * i ? bits - 8 * i : 0;

		if (keep < 8)
			prefix.base.bytes[i] &= (uint8_t)(0xff00u >> keep);
	}
	return prefix;
}

bool prefix_contains(const struct prefix *prefix, const struct addr *addr)
{
	struct prefix block;

	if (addr->family != prefix->base.family)
		return false;
	block = prefix_of(addr, prefix->bits);
	return addr_equal(&block.base, &prefix->base);
}
