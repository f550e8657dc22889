/* SPDX-License-Identifier: ISC */
/* A list of addresses at which something can be reached. */
#include "config.h"

#include "ctl/places.h"

#include "base/util.h"

int places_add(struct places *places, const struct endpoint *place)
{
	int r = array_grow(&places->v, places->n, sizeof(*places->v));

	if (r == 0)
		places->v[places->n++] = endpoint_copy(place);
	return r;
}

int places_add_addr(struct places *places, int socktype, int protocol, const struct addr *addr)
{
	struct endpoint place = {
		.addr = *addr,
		.socktype = (uint8_t)socktype,
		.protocol = (uint16_t)protocol,
	};

	return places_add(places, &place);
}

int places_add_loopback(struct places *places, int socktype, int protocol, sa_family_t family,
			uint16_t port)
{
	static const char *const texts[] = { "::1", "127.0.0.1" };
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(texts) && r == 0; i++) {
		struct addr addr;

		(void)addr_parse(texts[i], &addr);
		addr.port = port;
		if (family == AF_UNSPEC || family == addr.family)
			r = places_add_addr(places, socktype, protocol, &addr);
	}
	return r;
}

int places_add_endpoint(struct places *places, const struct endpoint *endpoint)
{
	const struct addr *addr = &endpoint->addr;
	bool both = addr->family == AF_INET6 && !endpoint->v6only;

	if (!endpoint_is_wildcard(endpoint))
		return places_add(places, endpoint);
	return places_add_loopback(places, endpoint->socktype, endpoint->protocol,
				   both ? AF_UNSPEC : addr->family, addr->port);
}

void places_done(struct places *places)
{
	for (size_t i = 0; i < places->n; i++)
		endpoint_done(&places->v[i]);
	free(places->v);
	*places = (struct places){ 0 };
}
