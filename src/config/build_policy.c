/* SPDX-License-Identifier: ISC */
/* The share of a service that says how much of it there is, and what clients are told. */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "config/build.h"

/* xinetd's rates where "cps" is not given (xinetd.conf(5)). */
#define CPS_DEFAULT_RATE     50
#define CPS_DEFAULT_WAIT_SEC 10

static void build_source_mask(struct build *build)
{
	struct service *s = &build->service;
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
	struct service *s = &build->service;
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

static struct banner copy_banner(const struct banner *banner)
{
	(void)intern_ref(banner->path);
	(void)intern_ref(banner->text);
	return *banner;
}

static void remember_banner(struct build *build, const struct banner *banner)
{
	struct banner draft = copy_banner(banner);
	const struct banner *value = intern_value(NULL, &draft, sizeof(draft), banner_done);

	if (value)
		memo_add(&build->memo, MEMO_BANNER, banner->path, NULL, value, banner_done);
	intern_drop(value, banner_done);
}

/* A file that cannot be read costs its text and nothing else, as in xinetd. */
static int read_banner(struct build *build, enum attr attr, struct banner *banner)
{
	int r = banner_read(banner->path, banner);

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
	/* What was said about a file is said about each service that has it. */
	if (r == 0)
		remember_banner(build, banner);
	return 0;
}

static int build_banner(struct build *build, enum attr attr, struct banner *banner)
{
	const struct banner *known;

	if (build_text(build, attr, &banner->path) < 0)
		return -ENOMEM;
	if (!banner->path)
		return 0;
	known = memo_find(&build->memo, MEMO_BANNER, banner->path, NULL);
	if (!known)
		return read_banner(build, attr, banner);
	intern_unref(banner->path);
	*banner = copy_banner(known);
	return 0;
}

static int build_banners(struct build *build)
{
	const struct banners *value;
	struct banners draft;
	int r;

	if (!schema_count(build->schema, ATTR_BANNER) &&
	    !schema_count(build->schema, ATTR_BANNER_SUCCESS) &&
	    !schema_count(build->schema, ATTR_BANNER_FAIL))
		return 0;
	/* Values are compared as bytes, padding included. */
	memset(&draft, 0, sizeof(draft));
	r = build_banner(build, ATTR_BANNER, &draft.always);
	if (r == 0)
		r = build_banner(build, ATTR_BANNER_SUCCESS, &draft.success);
	if (r == 0)
		r = build_banner(build, ATTR_BANNER_FAIL, &draft.fail);
	if (r < 0) {
		banners_done(&draft);
		return r;
	}
	value = intern_value(build->pool, &draft, sizeof(draft), banners_done);
	if (!value)
		return -ENOMEM;
	build->service.banners = value;
	return 0;
}

int build_policy(struct build *build)
{
	if (build_access(build) < 0 || build_log_target(build) < 0)
		return -ENOMEM;
	build_limits(build);
	build_log_options(build);
	if (build_text(build, ATTR_LIBWRAP, &build->service.libwrap) < 0)
		return -ENOMEM;
	return build_banners(build);
}
