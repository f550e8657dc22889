/* SPDX-License-Identifier: ISC */
/* Who listens where: finds two services that want the same place, before the kernel does. */
#include "config.h"

#include "config/taken.h"

/* The address of all of IPv4 or IPv6, at the port of @key. */
static struct endpoint wildcard_of(const struct endpoint *key, sa_family_t family)
{
	struct endpoint wildcard = *key;

	wildcard.addr = (struct addr){ .family = family, .port = key->addr.port };
	return wildcard;
}

/* What the endpoint takes: itself, and where an IPv6 wildcard serves IPv4 too, the wildcard of that. Returns the number of keys. */
static size_t keys_of(const struct endpoint *endpoint, struct endpoint keys[static 2])
{
	keys[0] = *endpoint;
	keys[0].v6only = false;
	if (endpoint->addr.family != AF_INET6 || endpoint->v6only ||
	    !endpoint_is_wildcard(endpoint))
		return 1;
	keys[1] = wildcard_of(&keys[0], AF_INET);
	return 2;
}

/* The wildcard that an address belongs to. Returns false where there is none: it is one, or no address. */
static bool above(const struct endpoint *key, struct endpoint *ret)
{
	if (key->addr.family == AF_UNIX || endpoint_is_wildcard(key))
		return false;
	*ret = wildcard_of(key, key->addr.family);
	return true;
}

/* A port of the kernel's choice is nobody's. */
static bool takes_any_port(const struct service *service)
{
	return service->port == 0 || (service->port == UNLIMITED && (service->type & SERVICE_RPC));
}

const struct service *taken_by(const struct taken_places *places, const struct service *service)
{
	const struct service *other = NULL;
	struct endpoint keys[2], wildcard;

	for (size_t i = 0; !takes_any_port(service) && i < service->n_endpoints && !other; i++) {
		size_t n = keys_of(&service->endpoints[i], keys);

		for (size_t k = 0; k < n && !other; k++) {
			other = endpoint_map_find(&places->exactly, &keys[k]);
			if (!other)
				other = endpoint_map_find(&places->beneath, &keys[k]);
			if (!other && above(&keys[k], &wildcard))
				other = endpoint_map_find(&places->exactly, &wildcard);
		}
	}
	return other;
}

void taken_add(struct taken_places *places, const struct service *service)
{
	struct endpoint keys[2], wildcard;

	for (size_t i = 0; !takes_any_port(service) && i < service->n_endpoints; i++) {
		size_t n = keys_of(&service->endpoints[i], keys);

		/* The first one stays, it is whom the message names; without memory the kernel finds it later. */
		for (size_t k = 0; k < n; k++) {
			(void)endpoint_map_add(&places->exactly, &keys[k], service);
			if (above(&keys[k], &wildcard))
				(void)endpoint_map_add(&places->beneath, &wildcard, service);
		}
	}
}

void taken_done(struct taken_places *places)
{
	endpoint_map_done(&places->exactly);
	endpoint_map_done(&places->beneath);
}
