/* SPDX-License-Identifier: ISC */
/* Old configuration against new: what to keep, replace, open and end. Pure: decides, does nothing. */
#include "config.h"

#include "serve/plan.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>
#include <uthash.h>

#include "config/endpoint_map.h"

/* A running service, found by what identifies it; those with equal keys form a chain. */
struct known {
	char *key;
	size_t old;
	size_t first_door; /* of its doors, which follow each other */
	struct known *next;
	bool matched;
	UT_hash_handle hh;
};

/* An open endpoint. */
struct door {
	const struct endpoint *endpoint;
	size_t old;
	size_t old_endpoint;
	bool taken;
};

struct planner {
	const struct service *const *running;
	size_t n_running;
	const struct conf *conf;
	struct plan *plan;
	struct known *known; /* array of n_running */
	struct known *by_key;
	struct door *doors;              /* array */
	struct endpoint_map by_endpoint; /* to where in doors the first one stands */
};

static char *identity(const struct service *service)
{
	char *key;

	if (asprintf(&key, "%d/%d/%s", service->socktype, service->protocol, service->id) < 0)
		return NULL;
	for (char *p = key; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	return key;
}

static int index_services(struct planner *p)
{
	p->known = calloc(p->n_running + 1, sizeof(*p->known));
	if (!p->known)
		return -ENOMEM;
	for (size_t i = 0; i < p->n_running; i++) {
		struct known *known = &p->known[i], *head;

		known->old = i;
		known->key = identity(p->running[i]);
		if (!known->key)
			return -ENOMEM;
		HASH_FIND_STR(p->by_key, known->key, head);
		if (head) {
			known->next = head->next;
			head->next = known;
		} else {
			HASH_ADD_KEYPTR(hh, p->by_key, known->key, strlen(known->key), known);
		}
	}
	return 0;
}

static int index_doors(struct planner *p)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n_running; i++)
		n += p->running[i]->n_endpoints;
	p->doors = calloc(n + 1, sizeof(*p->doors));
	if (!p->doors)
		return -ENOMEM;
	n = 0;
	for (size_t i = 0; i < p->n_running; i++) {
		p->known[i].first_door = n;
		for (size_t e = 0; e < p->running[i]->n_endpoints; e++) {
			struct door *door = &p->doors[n++];

			door->endpoint = &p->running[i]->endpoints[e];
			door->old = i;
			door->old_endpoint = e;
			if (endpoint_map_add(&p->by_endpoint, door->endpoint, door) < 0)
				return -ENOMEM;
		}
	}
	p->doors[n].old = PLAN_NONE;
	return 0;
}

static bool shares_endpoint(const struct service *a, const struct service *b)
{
	for (size_t i = 0; i < a->n_endpoints; i++)
		for (size_t j = 0; j < b->n_endpoints; j++)
			if (endpoint_equal(&a->endpoints[i], &b->endpoints[j]))
				return true;
	return a->n_endpoints == 0 && b->n_endpoints == 0;
}

/* The running service that @service continues, or PLAN_NONE. */
static int find_old(struct planner *p, const struct service *service, size_t *ret)
{
	CLEANUP_FREE char *key = identity(service);
	struct known *best = NULL, *known;

	if (!key)
		return -ENOMEM;
	HASH_FIND_STR(p->by_key, key, known);
	for (; known; known = known->next) {
		if (known->matched)
			continue;
		if (!best || shares_endpoint(p->running[known->old], service))
			best = known;
		if (shares_endpoint(p->running[best->old], service))
			break;
	}
	if (best)
		best->matched = true;
	*ret = best ? best->old : PLAN_NONE;
	return 0;
}

/* A port of the kernel's choice means another one each time. */
static bool is_anywhere(const struct endpoint *endpoint)
{
	return endpoint->addr.family != AF_UNIX && endpoint->addr.port == 0;
}

/* The open door that an endpoint continues: the service's own before that of another one. NULL when there is none. */
static struct door *find_door(struct planner *p, const struct endpoint *endpoint, size_t old)
{
	const struct door *door;

	if (old != PLAN_NONE)
		for (size_t i = p->known[old].first_door; p->doors[i].old == old; i++)
			if (!p->doors[i].taken && endpoint_equal(p->doors[i].endpoint, endpoint))
				return &p->doors[i];
	door = is_anywhere(endpoint) ? NULL : endpoint_map_find(&p->by_endpoint, endpoint);
	return door ? &p->doors[door - p->doors] : NULL;
}

static int add_service(struct planner *p, const struct service *service, size_t old, bool kept)
{
	struct plan *plan = p->plan;

	if (array_grow(&plan->services, plan->n, sizeof(*plan->services)) < 0)
		return -ENOMEM;
	plan->services[plan->n++] = (struct plan_service){
		.service = service,
		.old = old,
		.kept = kept,
		.first_endpoint = plan->n_endpoints,
	};
	for (size_t e = 0; e < service->n_endpoints; e++) {
		struct plan_endpoint endpoint = { .old = PLAN_NONE, .old_endpoint = PLAN_NONE };
		struct door *door;

		door = find_door(p, &service->endpoints[e], old);
		if (door && !door->taken) {
			door->taken = true;
			endpoint.old = door->old;
			endpoint.old_endpoint = door->old_endpoint;
		}
		if (array_grow(&plan->endpoints, plan->n_endpoints, sizeof(*plan->endpoints)) < 0)
			return -ENOMEM;
		plan->endpoints[plan->n_endpoints++] = endpoint;
	}
	return 0;
}

/* Whether the stanza of a running service stands in the new files, as far as they can be read, but cannot be used. */
static bool is_broken_now(const struct conf *conf, const struct service *service)
{
	/* By the id; or by the place, where the line with the id is broken itself. */
	for (size_t i = 0; i < conf->n_broken; i++)
		if (strcasecmp(conf->broken[i].id, service->id) == 0 ||
		    (conf->broken[i].line == service->line &&
		     strcasecmp(conf->broken[i].name, service->name) == 0 &&
		     strcmp(conf->broken[i].file, service->file) == 0))
			return true;
	return seen_lost(&conf->seen, service->file, service->via);
}

/* Whether no other service has taken an endpoint of the running service @old. */
static bool has_its_doors(const struct planner *p, size_t old)
{
	for (const struct door *door = &p->doors[p->known[old].first_door]; door->old == old;
	     door++)
		if (door->taken)
			return false;
	return true;
}

static int keep_or_drop(struct planner *p, size_t old)
{
	struct plan *plan = p->plan;

	if (p->known[old].matched)
		return 0;
	if (is_broken_now(p->conf, p->running[old]) && has_its_doors(p, old))
		return add_service(p, p->running[old], old, true);
	if (array_grow(&plan->dropped, plan->n_dropped, sizeof(*plan->dropped)) < 0)
		return -ENOMEM;
	plan->dropped[plan->n_dropped++] = old;
	return 0;
}

/* Whether a service goes on at the doors of the one before, in their order. */
static bool is_in_place(const struct planner *p, const struct plan_service *planned)
{
	size_t n = planned->service->n_endpoints;

	if (planned->old == PLAN_NONE || planned->kept ||
	    p->running[planned->old]->n_endpoints != n)
		return false;
	for (size_t e = 0; e < n; e++) {
		const struct plan_endpoint *door = &p->plan->endpoints[planned->first_endpoint + e];

		if (door->old != planned->old || door->old_endpoint != e)
			return false;
	}
	return true;
}

/*
 * An RPC service is announced anew, an intercepted one has a run behind it, and
 * a program's label may be another one now, whatever the stanza says.
 */
static bool is_same(const struct service *before, const struct service *service)
{
	return !(service->type & SERVICE_RPC) &&
	       !(service->flags & (FLAG_INTERCEPT | FLAG_LABELED)) &&
	       before->wrapped == service->wrapped && service_equal(before, service);
}

static void find_unchanged(const struct planner *p)
{
	for (size_t i = 0; i < p->plan->n; i++) {
		struct plan_service *planned = &p->plan->services[i];

		planned->in_place = is_in_place(p, planned);
		planned->same =
			planned->in_place && is_same(p->running[planned->old], planned->service);
	}
}

static int compare(struct planner *p)
{
	int r = 0;

	for (size_t i = 0; i < p->conf->n && r == 0; i++) {
		size_t old;

		r = find_old(p, p->conf->services[i], &old);
		if (r == 0)
			r = add_service(p, p->conf->services[i], old, false);
	}
	for (size_t i = 0; i < p->n_running && r == 0; i++)
		r = keep_or_drop(p, i);
	return r;
}

int plan_make(const struct service *const *running, size_t n_running, const struct conf *conf,
	      struct plan *ret)
{
	struct plan plan = { 0 };
	struct planner p = {
		.running = running, .n_running = n_running, .conf = conf, .plan = &plan
	};
	int r = index_services(&p);

	if (r == 0)
		r = index_doors(&p);
	if (r == 0)
		r = compare(&p);
	if (r == 0)
		find_unchanged(&p);
	HASH_CLEAR(hh, p.by_key);
	endpoint_map_done(&p.by_endpoint);
	for (size_t i = 0; p.known && i < n_running; i++)
		free(p.known[i].key);
	free(p.known);
	free(p.doors);
	if (r < 0)
		plan_done(&plan);
	else
		*ret = plan;
	return r;
}

void plan_done(struct plan *plan)
{
	free(plan->services);
	free(plan->endpoints);
	free(plan->dropped);
	*plan = (struct plan){ 0 };
}
