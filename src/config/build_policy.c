/* SPDX-License-Identifier: ISC */
/* The share of a service that says who may use it, how much, and what clients are told. */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "config/build.h"

/* xinetd's rates where "cps" is not given (xinetd.conf(5)). */
#define CPS_DEFAULT_RATE     50
#define CPS_DEFAULT_WAIT_SEC 10

static int add_words(struct build *build, enum attr attr, struct addr_rules *rules)
{
	rules->given = schema_given(build->schema, attr);
	for (size_t i = 0; i < schema_count(build->schema, attr); i++) {
		const char *word = schema_text(build->schema, attr, i), *why;
		int r = addr_rules_add(rules, word, &why);

		if (r == -ENOMEM)
			return r;
		if (r < 0)
			build_error(build, attr, "\"%s\": %s", word, why);
	}
	return 0;
}

/* The list goes on in a file. What is wrong there costs the service, as in the list itself. */
static int add_file(struct build *build, enum attr attr, struct addr_rules *rules)
{
	const char *why;
	unsigned line;
	int r;

	if (build_text(build, attr, &rules->file) < 0)
		return -ENOMEM;
	if (!rules->file)
		return 0;
	if (rules->file[0] != '/') {
		build_error(build, attr, "\"%s\": write the whole path, from / on", rules->file);
		return 0;
	}
	r = addr_rules_add_file(rules, rules->file, &line, &why);
	if (r == -ENOMEM)
		return r;
	if (r == -EINVAL)
		build_error(build, attr, "%s, line %u: %s", rules->file, line, why);
	else if (r < 0)
		build_error(build, attr, "%s: %s", rules->file,
			    r == -EBADF ? "this is no regular file" : strerror(-r));
	return 0;
}

/* One of the two address lists. */
struct list {
	enum attr words;
	enum attr file;
	const struct addr_rules **slot;
	struct addr_rules *rules; /* NULL where it is not given */
};

static int build_addresses(struct build *build)
{
	struct list lists[] = {
		{ ATTR_ONLY_FROM, ATTR_ONLY_FROM_FILE, &build->service->only_from, NULL },
		{ ATTR_NO_ACCESS, ATTR_NO_ACCESS_FILE, &build->service->no_access, NULL },
	};
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(lists) && r == 0; i++) {
		struct list *list = &lists[i];

		if (!schema_given(build->schema, list->words) &&
		    !schema_count(build->schema, list->file))
			continue;
		list->rules = intern_alloc(sizeof(*list->rules));
		if (!list->rules)
			return -ENOMEM;
		*list->slot = list->rules;
		r = add_words(build, list->words, list->rules);
	}
	for (size_t i = 0; i < ARRAY_SIZE(lists) && r == 0; i++) {
		if (!lists[i].rules)
			continue;
		r = add_file(build, lists[i].file, lists[i].rules);
		if (r == 0)
			r = addr_rules_seal(lists[i].rules);
	}
	return r;
}

static int build_times(struct build *build)
{
	struct time_rules *rules;

	if (!schema_count(build->schema, ATTR_ACCESS_TIMES))
		return 0;
	rules = intern_alloc(sizeof(*rules));
	if (!rules)
		return -ENOMEM;
	build->service->access_times = rules;
	for (size_t i = 0; i < schema_count(build->schema, ATTR_ACCESS_TIMES); i++) {
		const char *word = schema_text(build->schema, ATTR_ACCESS_TIMES, i), *why;
		int r = time_rules_add(rules, word, &why);

		if (r == -ENOMEM)
			return r;
		if (r < 0)
			build_error(build, ATTR_ACCESS_TIMES, "\"%s\": %s", word, why);
	}
	return 0;
}

static int build_access(struct build *build)
{
	struct service *s = build->service;

	if (build_addresses(build) < 0)
		return -ENOMEM;
	/* Who connects is only known to the server that accepts (D53). */
	if (s->wait && s->socktype != SOCK_DGRAM && !(s->type & SERVICE_INTERNAL) &&
	    !(s->flags & FLAG_INTERCEPT) &&
	    (s->only_from->given || s->no_access->words.n || s->no_access->file))
		build_error(
			build, s->only_from->given ? ATTR_ONLY_FROM : ATTR_NO_ACCESS,
			"with \"wait = yes\" such a server accepts by itself, so usherd cannot check who connects: "
			"write \"flags = INTERCEPT\" as well, or restrict \"bind\"");
	return build_times(build);
}

static void build_source_mask(struct build *build)
{
	struct service *s = build->service;
	size_t n = schema_count(build->schema, ATTR_PER_SOURCE_MASK);
	long bits4 = n > 0 ? schema_number(build->schema, ATTR_PER_SOURCE_MASK, 0) : 32;
	long bits6 = n > 1 ? schema_number(build->schema, ATTR_PER_SOURCE_MASK, 1) : 128;

	if (bits4 > 32 || bits6 > 128)
		build_error(
			build, ATTR_PER_SOURCE_MASK,
			"write the number of bits that tell sources apart: of IPv4 addresses (1 to 32), then of IPv6 "
			"addresses (1 to 128), as 32 64");
	s->source_bits4 = bits4 == 32 ? 0 : (uint8_t)bits4;
	s->source_bits6 = bits6 == 128 ? 0 : (uint8_t)bits6;
}

static void build_limits(struct build *build)
{
	struct service *s = build->service;
	size_t n = schema_count(build->schema, ATTR_CPS);
	bool cps = n >= 2;

	s->instances = (int)build_number(build, ATTR_INSTANCES, UNLIMITED);
	s->per_source = (int)build_number(build, ATTR_PER_SOURCE, UNLIMITED);
	build_source_mask(build);
	s->queues = build_number(build, ATTR_OVERLOAD, 0);
	if (s->queues && s->instances == 0)
		build_error(
			build, ATTR_OVERLOAD,
			"with \"instances = 0\" clients would wait for ever: write \"overload = refuse\"");
	s->cps_rate = cps ? (unsigned)schema_number(build->schema, ATTR_CPS, 0) : CPS_DEFAULT_RATE;
	s->cps_wait_sec =
		cps ? (unsigned)schema_number(build->schema, ATTR_CPS, 1) : CPS_DEFAULT_WAIT_SEC;
	s->cps_window_sec = n == 3 ? (unsigned)schema_number(build->schema, ATTR_CPS, 2) : 1;
	if (s->cps_window_sec < 1 || s->cps_window_sec > SERVICE_CPS_WINDOW_MAX)
		build_error(
			build, ATTR_CPS,
			"the third number, the seconds over which the rate counts, is from 1 to %d",
			SERVICE_CPS_WINDOW_MAX);
	s->deny_time_min = (int)build_number(build, ATTR_DENY_TIME, 0);
	if (schema_count(build->schema, ATTR_MAX_LOAD))
		s->max_load = schema_fraction(build->schema, ATTR_MAX_LOAD);
}

/* A file that cannot be read costs its text and nothing else, as in xinetd. */
static int build_banner(struct build *build, enum attr attr, struct banner *banner)
{
	int r;

	if (build_text(build, attr, &banner->path) < 0)
		return -ENOMEM;
	if (!banner->path)
		return 0;
	r = banner_read(banner->path, banner);
	if (r == -ENOMEM)
		return r;
	if (r < 0) {
		banner->unread = true;
		schema_report(build->schema, attr, SEVERITY_WARNING,
			      "%s: %s: %s; clients get no text instead", schema_name(attr),
			      banner->path, strerror(-r));
	}
	if (r > 0)
		schema_report(build->schema, attr, SEVERITY_WARNING,
			      "%s: %s is long; its first %d bytes are sent", schema_name(attr),
			      banner->path, BANNER_MAX_BYTES);
	return 0;
}

static int build_banners(struct build *build)
{
	struct banners *banners;

	if (!schema_count(build->schema, ATTR_BANNER) &&
	    !schema_count(build->schema, ATTR_BANNER_SUCCESS) &&
	    !schema_count(build->schema, ATTR_BANNER_FAIL))
		return 0;
	banners = intern_alloc(sizeof(*banners));
	if (!banners)
		return -ENOMEM;
	build->service->banners = banners;
	if (build_banner(build, ATTR_BANNER, &banners->always) < 0 ||
	    build_banner(build, ATTR_BANNER_SUCCESS, &banners->success) < 0 ||
	    build_banner(build, ATTR_BANNER_FAIL, &banners->fail) < 0)
		return -ENOMEM;
	return 0;
}

int build_policy(struct build *build)
{
	if (build_access(build) < 0 || build_log_target(build) < 0)
		return -ENOMEM;
	build_limits(build);
	build_log_options(build);
	if (build_text(build, ATTR_LIBWRAP, &build->service->libwrap) < 0)
		return -ENOMEM;
	return build_banners(build);
}
