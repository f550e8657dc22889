/* SPDX-License-Identifier: ISC */
/* Host names to addresses in threads of their own, since getaddrinfo(3) blocks; answers are kept for a moment. */
#pragma once

#include <stddef.h>

#include "base/addr.h"

struct addrinfo;
struct event_base;
struct resolver;
struct resolver_query;

/* Names looked up at the same time, so that a name server that does not answer holds up its own names only. */
#define RESOLVER_THREADS 8

/* How long an answer is good for, and how long it stands that there is none. */
#define RESOLVER_FRESH_SEC  30
#define RESOLVER_FAILED_SEC 5

/* Addresses of a name that are used. */
#define RESOLVER_ADDRS 16

/* All addresses of both families in the order of getaddrinfo(3); or none, and why (EAI_AGAIN …). */
struct resolver_answer {
	const struct addr *addrs;
	size_t n;
	int error;
};

/* @answer is valid during the call only. */
typedef void resolver_fn(void *arg, const struct resolver_answer *answer);

/* What looks up; called in other threads. The result is freed by freeaddrinfo(3). */
typedef int resolver_lookup_fn(const char *host, const char *service, const struct addrinfo *hints,
			       struct addrinfo **ret);

/* Makes one that answers from @base by @lookup, which is getaddrinfo() but in tests. Returns 0 or -errno. */
int resolver_new(struct event_base *base, resolver_lookup_fn *lookup, struct resolver **ret);

/* Forgets all queries. A look-up that is under way ends by itself, unheard. NULL is fine. */
void resolver_free(struct resolver *resolver);

/*
 * Has @fn called once with the addresses of @host (copied), from the loop and
 * never from in here. Where a look-up fails for want of an answer the last one
 * that was known is given. Returns 0 or -ENOMEM.
 */
int resolver_ask(struct resolver *resolver, const char *host, resolver_fn *fn, void *arg,
		 struct resolver_query **ret);

/* Takes a query back that has not been answered. */
void resolver_cancel(struct resolver_query *query);
