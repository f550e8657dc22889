/* SPDX-License-Identifier: ISC */
/* Old configuration against new: what to keep, replace, open and end. Pure: decides, does nothing. */
#include "config.h"

#include "serve/plan.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "config/endpoint_map.h"

/* A running service, found by what identifies it; those with equal keys form a chain. */
struct known {
	char *key; /* NULL until the services are indexed */
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
	size_t likely;       /* which is continued by the next service where nothing has changed */
	struct known *by_key;
	bool services_indexed;
	struct door *doors; /* array */
	size_t n_doors;
	struct endpoint_map by_endpoint; /* to where in doors the first one stands */
	bool doors_indexed;
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

/* The tables are for what has moved in the files or changed its doors: where nothing has, they are not made. */
static int index_services(struct planner *p)
{
	if (p->services_indexed)
		return 0;
	p->services_indexed = true;
	for (size_t i = 0; i < p->n_running; i++) {
		struct known *known = &p->known[i], *head;

		known->key = identity(p->running[i]);
		if (!known->key)
			return -ENOMEM;
		HASH_FIND_STR(p->by_key, known->key, head);
		if (head) {
			known->next = head->next;
			head->next = known;
		} else {
			HASH_ADD_KEYPTR(hh, p->by_key, known->key, strlen(known->key), known);
			if (!known->hh.tbl)
				return -ENOMEM;
		}
	}
	return 0;
}

static int index_doors(struct planner *p)
{
	if (p->doors_indexed)
		return 0;
	p->doors_indexed = true;
	for (size_t i = 0; i < p->n_doors; i++)
		if (endpoint_map_add(&p->by_endpoint, p->doors[i].endpoint, &p->doors[i]) < 0)
			return -ENOMEM;
	return 0;
}

static int list_running(struct planner *p)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n_running; i++)
		n += p->running[i]->n_endpoints;
	p->known = calloc(p->n_running + 1, sizeof(*p->known));
	p->doors = calloc(n + 1, sizeof(*p->doors));
	if (!p->known || !p->doors)
		return -ENOMEM;
	for (size_t i = 0; i < p->n_running; i++) {
		p->known[i].old = i;
		p->known[i].first_door = p->n_doors;
		for (size_t e = 0; e < p->running[i]->n_endpoints; e++)
			p->doors[p->n_doors++] = (struct door){
				.endpoint = &p->running[i]->endpoints[e],
				.old = i,
				.old_endpoint = e,
			};
	}
	p->doors[p->n_doors].old = PLAN_NONE;
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

/* Whether @service stands where it stood, with the doors that it had. */
static bool is_likely(const struct planner *p, const struct service *service)
{
	const struct service *old;

	if (p->likely >= p->n_running || p->known[p->likely].matched)
		return false;
	old = p->running[p->likely];
	if (old->socktype != service->socktype || old->protocol != service->protocol ||
	    old->n_endpoints != service->n_endpoints || strcasecmp(old->id, service->id) != 0)
		return false;
	for (size_t i = 0; i < service->n_endpoints; i++)
		if (!endpoint_equal(&old->endpoints[i], &service->endpoints[i]))
			return false;
	return true;
}

/* The running service of the same identity, and of several one with the same doors; NULL where there is none. */
static int look_up(struct planner *p, const struct service *service, struct known **ret)
{
	CLEANUP_FREE char *key = identity(service);
	struct known *best = NULL, *known;

	if (!key || index_services(p) < 0)
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
	*ret = best;
	return 0;
}

/* The running service that @service continues, or PLAN_NONE. */
static int find_old(struct planner *p, const struct service *service, size_t *ret)
{
	struct known *known = NULL;
	int r = 0;

	if (is_likely(p, service))
		known = &p->known[p->likely];
	else
		r = look_up(p, service, &known);
	if (r < 0)
		return r;
	if (known) {
		known->matched = true;
		p->likely = known->old + 1;
	}
	*ret = known ? known->old : PLAN_NONE;
	return 0;
}

/* A port of the kernel's choice means another one each time. */
static bool is_anywhere(const struct endpoint *endpoint)
{
	return endpoint->addr.family != AF_UNIX && endpoint->addr.port == 0;
}

/* The open door that an endpoint continues: the service's own before that of another one; NULL when there is none. */
static int find_door(struct planner *p, const struct endpoint *endpoint, size_t old,
		     struct door **ret)
{
	const struct door *door;

	*ret = NULL;
	if (old != PLAN_NONE)
		for (size_t i = p->known[old].first_door; p->doors[i].old == old; i++)
			if (!p->doors[i].taken && endpoint_equal(p->doors[i].endpoint, endpoint)) {
				*ret = &p->doors[i];
				return 0;
			}
	if (is_anywhere(endpoint))
		return 0;
	if (index_doors(p) < 0)
		return -ENOMEM;
	door = endpoint_map_find(&p->by_endpoint, endpoint);
	*ret = door ? &p->doors[door - p->doors] : NULL;
	return 0;
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

		if (find_door(p, &service->endpoints[e], old, &door) < 0)
			return -ENOMEM;
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
	return broken_has(&conf->broken, service) ||
	       seen_lost(&conf->seen, service->file, service->via);
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

/*
 * What runs stays where nothing at all is new about it, and not for the sake of time:
 * then all of the new configuration is freed, and leaves no holes between what others keep of it.
 */
static void find_unchanged(const struct planner *p)
{
	for (size_t i = 0; i < p->plan->n; i++) {
		struct plan_service *planned = &p->plan->services[i];
		const struct service *before;

		planned->in_place = is_in_place(p, planned);
		if (!planned->in_place)
			continue;
		before = p->running[planned->old];
		planned->same = is_same(before, planned->service);
		if (planned->same && service_identical(before, planned->service))
			planned->service = before;
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
	int r = list_running(&p);

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
