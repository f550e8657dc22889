/* SPDX-License-Identifier: ISC */
/* Where the service that a target names can be reached: addresses, to be tried in turn. */
#include "config.h"

#include "ctl/places_find.h"

#include <errno.h>
#include <netdb.h>
#include <string.h>

#include "base/addr.h"
#include "base/intern.h"
#include "config/lookup.h"
#include "ctl/places_conf.h"
#include "ctl/resolve.h"

/* Room for a name of others in a message. */
#define NAME_TEXT_MAX 300

static enum status out_of_memory(struct failure *failure)
{
	return failure_set(failure, STATUS_UNREADABLE, "there is not enough memory");
}

static enum status find_unix(const struct target *target, struct places *places,
			     struct failure *failure)
{
	struct endpoint place = {
		.addr = { .family = AF_UNIX },
		.socktype = (uint8_t)target->socktype,
		.path = intern_text(NULL, target->service),
	};
	int r = place.path ? places_add(places, &place) : -ENOMEM;

	endpoint_done(&place);
	return r < 0 ? out_of_memory(failure) : STATUS_CLEAN;
}

/* The port that the target's service means, by number or the services database; sets the type that was not said. */
static enum status find_port(const struct target *target, struct places *places, int *socktype,
			     uint16_t *ret_port, struct failure *failure)
{
	static const struct {
		int socktype;
		const char *protocol;
	} tries[] = { { SOCK_STREAM, "tcp" }, { SOCK_DGRAM, "udp" } };
	char name[NAME_TEXT_MAX];
	struct lookup *lookup;
	long long number;
	int r = -ENOENT, port = 0;

	(void)escape_text(name, sizeof(name), target->service);
	if (strspn(target->service, "0123456789") == strlen(target->service)) {
		if (parse_number(target->service, 10, 1, UINT16_MAX, &number) < 0)
			return failure_set(failure, STATUS_ADDRESS,
					   "%s is no port: write a number from 1 to 65535", name);
		*ret_port = (uint16_t)number;
		*socktype = *socktype ? *socktype : SOCK_STREAM;
		return STATUS_CLEAN;
	}
	lookup = lookup_new();
	if (!lookup)
		return out_of_memory(failure);
	for (size_t i = 0; i < ARRAY_SIZE(tries) && r == -ENOENT; i++) {
		if (*socktype && *socktype != tries[i].socktype)
			continue;
		r = lookup_port(lookup, target->service, tries[i].protocol, &port);
		if (r == 0) {
			size_t said = strlen(places->origin);

			*socktype = tries[i].socktype;
			(void)snprintf(places->origin + said, sizeof(places->origin) - said,
				       "%s is port %d of %s in the services database", name, port,
				       tries[i].protocol);
		}
	}
	lookup_free(lookup);
	if (r == -ENOMEM)
		return out_of_memory(failure);
	if (r < 0)
		return failure_set(failure, STATUS_NAME, "there is no service \"%s\"%s", name,
				   *socktype == SOCK_DGRAM    ? " for UDP"
				   : *socktype == SOCK_STREAM ? " for TCP"
							      : "");
	*ret_port = (uint16_t)port;
	return STATUS_CLEAN;
}

static enum status find_host(const struct target *target, int socktype, uint16_t port,
			     uint64_t deadline_usec, struct places *places, struct failure *failure)
{
	bool numeric = strchr(target->host, ':');
	struct addrinfo *list = NULL;
	char host[NAME_TEXT_MAX], text[8];
	int error, r = 0;

	(void)escape_text(host, sizeof(host), target->host);
	(void)snprintf(text, sizeof(text), "%u", port);
	error = resolve(target->host, text, socktype, numeric ? AI_NUMERICHOST : 0, deadline_usec,
			&list);
	if (error == ETIMEDOUT)
		return failure_set(failure, STATUS_TIME,
				   "the name %s was not resolved within the time", host);
	if (error && numeric)
		return failure_set(failure, STATUS_ADDRESS, "%s is no address", host);
	if (error)
		return failure_set(failure, STATUS_NAME, "the name %s cannot be resolved: %s", host,
				   error > 0 ? failure_words(error) : gai_strerror(error));
	for (const struct addrinfo *ai = list; ai && r == 0; ai = ai->ai_next) {
		struct addr addr;

		addr_from_sockaddr(&addr, ai->ai_addr, ai->ai_addrlen);
		if (addr.family != AF_UNSPEC)
			r = places_add_addr(places, socktype,
					    socktype == SOCK_DGRAM ? IPPROTO_UDP : IPPROTO_TCP,
					    &addr);
	}
	freeaddrinfo(list);
	return r < 0 ? out_of_memory(failure) : STATUS_CLEAN;
}

static enum status find_inet(const struct target *target, const struct places_source *source,
			     struct places *places, struct failure *failure)
{
	int socktype = target->socktype;
	enum status status;
	uint16_t port = 0;

	if (!target->host) {
		status = places_find_in_conf(target, source, places, failure);
		if (status != STATUS_CLEAN || places->n > 0)
			return status;
	}
	status = find_port(target, places, &socktype, &port, failure);
	if (status != STATUS_CLEAN)
		return status;
	if (target->host)
		return find_host(target, socktype, port, source->deadline_usec, places, failure);
	if (places_add_loopback(places, socktype,
				socktype == SOCK_DGRAM ? IPPROTO_UDP : IPPROTO_TCP, AF_UNSPEC,
				port) < 0)
		return out_of_memory(failure);
	return STATUS_CLEAN;
}

enum status places_find(const struct target *target, const struct places_source *source,
			struct places *ret, struct failure *failure)
{
	struct places places = { 0 };
	enum status status = target->family == AF_UNIX
				     ? find_unix(target, &places, failure)
				     : find_inet(target, source, &places, failure);

	if (status == STATUS_CLEAN)
		*ret = places;
	else
		places_done(&places);
	return status;
}
