/* SPDX-License-Identifier: ISC */
/* Who listens where: finds two services that want the same place, before the kernel does. */
#include "config.h"

#include "config/taken.h"

#include <string.h>

/* Without memory the kernel finds it later. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

struct taken {
	struct endpoint endpoint; /* its bytes are the key */
	const struct service *service;
	UT_hash_handle hh;
};

/* The address of all of IPv4 or IPv6, at the port of @key. */
static struct endpoint wildcard_of(const struct endpoint *key, sa_family_t family)
{
	in_port_t port = key->addr.sa.sa_family == AF_INET6 ? key->addr.in6.sin6_port
							    : key->addr.in.sin_port;
	struct endpoint wildcard;

	/* Through memcpy, as padding counts. */
	memcpy(&wildcard, key, sizeof(wildcard));
	memset(&wildcard.addr, 0, sizeof(wildcard.addr));
	if (family == AF_INET6) {
		wildcard.addr.in6.sin6_family = AF_INET6;
		wildcard.addr.in6.sin6_port = port;
		wildcard.len = sizeof(wildcard.addr.in6);
	} else {
		wildcard.addr.in.sin_family = AF_INET;
		wildcard.addr.in.sin_port = port;
		wildcard.len = sizeof(wildcard.addr.in);
	}
	return wildcard;
}

static bool is_wildcard(const struct endpoint *endpoint)
{
	return (endpoint->addr.sa.sa_family == AF_INET &&
		endpoint->addr.in.sin_addr.s_addr == htonl(INADDR_ANY)) ||
	       (endpoint->addr.sa.sa_family == AF_INET6 &&
		IN6_IS_ADDR_UNSPECIFIED(&endpoint->addr.in6.sin6_addr));
}

/* What the endpoint takes: itself, and where an IPv6 wildcard serves IPv4 too, the wildcard of that. Returns the number of keys. */
static size_t keys_of(const struct endpoint *endpoint, struct endpoint keys[static 2])
{
	keys[0] = endpoint_key(endpoint);
	keys[0].v6only = false;
	if (endpoint->addr.sa.sa_family != AF_INET6 || endpoint->v6only || !is_wildcard(endpoint))
		return 1;
	keys[1] = wildcard_of(&keys[0], AF_INET);
	return 2;
}

/* The wildcard that an address belongs to. Returns false where there is none: it is one, or no address. */
static bool above(const struct endpoint *key, struct endpoint *ret)
{
	sa_family_t family = key->addr.sa.sa_family;

	if ((family != AF_INET && family != AF_INET6) || is_wildcard(key))
		return false;
	*ret = wildcard_of(key, family);
	return true;
}

static const struct service *look_up(const struct taken *table, const struct endpoint *key)
{
	struct taken *taken;

	HASH_FIND(hh, table, key, sizeof(*key), taken);
	return taken ? taken->service : NULL;
}

/* The first one stays: it is whom the message names. */
static void insert(struct taken **table, const struct endpoint *key, const struct service *service)
{
	struct taken *taken;

	if (look_up(*table, key))
		return;
	taken = calloc(1, sizeof(*taken));
	if (!taken)
		return;
	memcpy(&taken->endpoint, key, sizeof(*key));
	taken->service = service;
	HASH_ADD(hh, *table, endpoint, sizeof(taken->endpoint), taken);
	if (!taken->hh.tbl)
		free(taken);
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
			other = look_up(places->exactly, &keys[k]);
			if (!other)
				other = look_up(places->beneath, &keys[k]);
			if (!other && above(&keys[k], &wildcard))
				other = look_up(places->exactly, &wildcard);
		}
	}
	return other;
}

void taken_add(struct taken_places *places, const struct service *service)
{
	struct endpoint keys[2], wildcard;

	for (size_t i = 0; !takes_any_port(service) && i < service->n_endpoints; i++) {
		size_t n = keys_of(&service->endpoints[i], keys);

		for (size_t k = 0; k < n; k++) {
			insert(&places->exactly, &keys[k], service);
			if (above(&keys[k], &wildcard))
				insert(&places->beneath, &wildcard, service);
		}
	}
}

static void free_table(struct taken *table)
{
	struct taken *taken, *next;

	HASH_ITER(hh, table, taken, next)
	{
		HASH_DELETE(hh, table, taken);
		free(taken);
	}
}

void taken_done(struct taken_places *places)
{
	free_table(places->exactly);
	free_table(places->beneath);
	*places = (struct taken_places){ 0 };
}
