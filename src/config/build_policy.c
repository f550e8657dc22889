/* SPDX-License-Identifier: ISC */
/* The share of a service that says who may use it, how much, and what is written about it. */
#include "config.h"

#include <errno.h>
#include <string.h>
#include <strings.h>
#include <syslog.h>

#include "config/build.h"
#include "config/values.h"

/* xinetd's rates where "cps" is not given (xinetd.conf(5)). */
#define CPS_DEFAULT_RATE     50
#define CPS_DEFAULT_WAIT_SEC 10

static int build_addresses(struct build *build, enum attr attr, struct addr_rules *rules)
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
	return addr_rules_seal(rules);
}

/* The list goes on in a file. What is wrong there costs the service, as in the list itself. */
static int build_address_file(struct build *build, enum attr attr, char **path,
			      struct addr_rules *rules)
{
	const char *why;
	unsigned line;
	int r;

	if (build_text(build, attr, path) < 0)
		return -ENOMEM;
	if (!*path)
		return 0;
	if ((*path)[0] != '/') {
		build_error(build, attr, "\"%s\": write the whole path, from / on", *path);
		return 0;
	}
	r = addr_rules_add_file(rules, *path, &line, &why);
	if (r == -ENOMEM)
		return r;
	if (r == -EINVAL)
		build_error(build, attr, "%s, line %u: %s", *path, line, why);
	else if (r < 0)
		build_error(build, attr, "%s: %s", *path,
			    r == -EBADF ? "this is no regular file" : strerror(-r));
	return addr_rules_seal(rules);
}

static int build_access(struct build *build)
{
	struct service *s = build->service;

	if (build_addresses(build, ATTR_ONLY_FROM, &s->only_from) < 0 ||
	    build_addresses(build, ATTR_NO_ACCESS, &s->no_access) < 0 ||
	    build_address_file(build, ATTR_ONLY_FROM_FILE, &s->only_from_file, &s->only_from) < 0 ||
	    build_address_file(build, ATTR_NO_ACCESS_FILE, &s->no_access_file, &s->no_access) < 0)
		return -ENOMEM;
	/* Who connects is only known to the server that accepts (D53). */
	if (s->wait && s->socktype != SOCK_DGRAM && !(s->type & SERVICE_INTERNAL) &&
	    !(s->flags & FLAG_INTERCEPT) &&
	    (s->only_from.given || s->no_access.words.n || s->no_access_file))
		build_error(
			build, s->only_from.given ? ATTR_ONLY_FROM : ATTR_NO_ACCESS,
			"with \"wait = yes\" such a server accepts by itself, so usherd cannot check who connects: "
			"write \"flags = INTERCEPT\" as well, or restrict \"bind\"");
	for (size_t i = 0; i < schema_count(build->schema, ATTR_ACCESS_TIMES); i++) {
		const char *word = schema_text(build->schema, ATTR_ACCESS_TIMES, i), *why;
		int r = time_rules_add(&s->access_times, word, &why);

		if (r == -ENOMEM)
			return r;
		if (r < 0)
			build_error(build, ATTR_ACCESS_TIMES, "\"%s\": %s", word, why);
	}
	return 0;
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
	s->source_bits4 = bits4 == 32 ? 0 : (unsigned)bits4;
	s->source_bits6 = bits6 == 128 ? 0 : (unsigned)bits6;
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

static void build_log_file(struct build *build, size_t n)
{
	struct log_target *log = &build->service->log;
	const char *why;
	long soft = 0, hard = 0;

	log->kind = LOG_KIND_FILE;
	if (n < 2 || n > 4) {
		build_error(build, ATTR_LOG_TYPE, "write \"log_type = FILE PATH [SOFT [HARD]]\"");
		return;
	}
	if ((n > 2 && value_size(schema_text(build->schema, ATTR_LOG_TYPE, 2), &soft, &why) < 0) ||
	    (n > 3 && value_size(schema_text(build->schema, ATTR_LOG_TYPE, 3), &hard, &why) < 0)) {
		build_error(build, ATTR_LOG_TYPE, "size limit: %s", why);
		return;
	}
	if (n == 3) {
		/* xinetd.conf(5): 1 % above the soft limit, at least 5120 and at most 20480 bytes. */
		long extra = soft / 100;

		hard = soft + (extra < 5120 ? 5120 : extra > 20480 ? 20480 : extra);
	}
	if (hard < soft)
		build_error(build, ATTR_LOG_TYPE,
			    "the hard limit (%ld) is below the soft limit (%ld)", hard, soft);
	log->soft_bytes = soft > 0 ? (uint64_t)soft : 0;
	log->hard_bytes = soft > 0 ? (uint64_t)hard : 0;
}

static void build_log_syslog(struct build *build, size_t n)
{
	struct log_target *log = &build->service->log;
	const char *why;
	long facility = LOG_DAEMON, level = LOG_INFO;

	log->kind = LOG_KIND_SYSLOG;
	if (n < 2 || n > 3)
		build_error(build, ATTR_LOG_TYPE, "write \"log_type = SYSLOG FACILITY [LEVEL]\"");
	else if (value_facility(schema_text(build->schema, ATTR_LOG_TYPE, 1), &facility, &why) <
			 0 ||
		 (n == 3 &&
		  value_level(schema_text(build->schema, ATTR_LOG_TYPE, 2), &level, &why) < 0))
		build_error(build, ATTR_LOG_TYPE, "%s", why);
	log->facility = (int)facility;
	log->level = (int)level;
}

static int build_log_target(struct build *build)
{
	struct log_target *log = &build->service->log;
	size_t n = schema_count(build->schema, ATTR_LOG_TYPE);
	const char *kind;

	if (n == 0)
		return 0;
	kind = schema_text(build->schema, ATTR_LOG_TYPE, 0);
	log->common = !schema_own(build->schema, ATTR_LOG_TYPE);
	if (strcasecmp(kind, "FILE") == 0) {
		build_log_file(build, n);
		if (n >= 2) {
			const char *path = schema_text(build->schema, ATTR_LOG_TYPE, 1);

			log->path = strdup(path);
			if (!log->path)
				return -ENOMEM;
			if (path[0] != '/')
				build_error(build, ATTR_LOG_TYPE,
					    "log file \"%s\": write the whole path, from / on",
					    path);
		}
	} else if (strcasecmp(kind, "SYSLOG") == 0) {
		build_log_syslog(build, n);
	} else if (strcasecmp(kind, "JOURNAL") == 0) {
		log->kind = LOG_KIND_JOURNAL;
		if (n > 1)
			build_error(build, ATTR_LOG_TYPE, "JOURNAL takes no further words");
	} else {
		build_error(build, ATTR_LOG_TYPE,
			    "\"%s\" is no log type; write FILE PATH, SYSLOG FACILITY or JOURNAL",
			    kind);
	}
	return 0;
}

static unsigned log_bits(struct build *build, enum attr attr, value_fn *read)
{
	unsigned bits = 0;

	for (size_t i = 0; i < schema_count(build->schema, attr); i++) {
		const char *why;
		long bit;

		if (read(schema_text(build->schema, attr, i), &bit, &why) == 0)
			bits |= (unsigned)bit;
	}
	return bits;
}

static void build_log_options(struct build *build)
{
	struct service *s = build->service;

	s->log_on_success = log_bits(build, ATTR_LOG_ON_SUCCESS, value_log_success);
	s->log_on_failure = log_bits(build, ATTR_LOG_ON_FAILURE, value_log_failure);
	if ((s->log_on_success & LOG_OPT_TRAFFIC) && !s->redirect_host) {
		/* xinetd drops such a service, even when the word comes from defaults (D33). */
		schema_report(
			build->schema, ATTR_LOG_ON_SUCCESS, SEVERITY_NOTICE,
			"TRAFFIC is written for redirected services only; it is ignored here");
		s->log_on_success &= ~(unsigned)LOG_OPT_TRAFFIC;
	}
	if (((s->log_on_success | s->log_on_failure) & LOG_OPT_USERID) && s->port == 113 &&
	    s->protocol == IPPROTO_TCP) {
		schema_report(
			build->schema, ATTR_LOG_ON_SUCCESS, SEVERITY_WARNING,
			"USERID at the ident service itself would ask for ever; it is ignored");
		s->log_on_success &= ~(unsigned)LOG_OPT_USERID;
		s->log_on_failure &= ~(unsigned)LOG_OPT_USERID;
	}
}

/* Where nobody can be asked IDONLY keeps nobody out, as in xinetd; it must not be believed to do so. */
static void check_idonly(struct build *build)
{
	const struct service *s = build->service;

	if (!(s->flags & FLAG_IDONLY))
		return;
	for (size_t i = 0; i < s->n_endpoints; i++)
		if (s->endpoints[i].addr.family == AF_UNIX)
			build_error(
				build, ATTR_FLAGS,
				"IDONLY and the Unix socket in \"bind\" exclude each other: ident servers know "
				"TCP connections only");
	if (s->socktype != SOCK_STREAM || s->protocol != IPPROTO_TCP || s->wait)
		schema_report(
			build->schema, ATTR_FLAGS, SEVERITY_WARNING,
			"IDONLY has no effect on this service, everybody is served: it needs \"socket_type = "
			"stream\", protocol tcp and \"wait = no\"");
	else if (!(s->log_on_success & LOG_OPT_USERID))
		schema_report(build->schema, ATTR_FLAGS, SEVERITY_WARNING,
			      "IDONLY has no effect without USERID, everybody is served: write "
			      "\"log_on_success += USERID\"");
}

/* A file that cannot be read costs its text and nothing else, as in xinetd. */
static int build_banner(struct build *build, enum attr attr, char **path, struct banner *banner)
{
	int r;

	if (build_text(build, attr, path) < 0)
		return -ENOMEM;
	if (!*path)
		return 0;
	r = banner_read(*path, banner);
	if (r == -ENOMEM)
		return r;
	if (r < 0) {
		banner->unread = true;
		schema_report(build->schema, attr, SEVERITY_WARNING,
			      "%s: %s: %s; clients get no text instead", schema_name(attr), *path,
			      strerror(-r));
	}
	if (r > 0)
		schema_report(build->schema, attr, SEVERITY_WARNING,
			      "%s: %s is long; its first %d bytes are sent", schema_name(attr),
			      *path, BANNER_MAX_BYTES);
	return 0;
}

int build_policy(struct build *build)
{
	struct service *s = build->service;

	if (build_access(build) < 0 || build_log_target(build) < 0)
		return -ENOMEM;
	build_limits(build);
	build_log_options(build);
	check_idonly(build);
	if (build_text(build, ATTR_LIBWRAP, &s->libwrap) < 0 ||
	    build_banner(build, ATTR_BANNER, &s->banner, &s->banner_text) < 0 ||
	    build_banner(build, ATTR_BANNER_SUCCESS, &s->banner_success, &s->banner_success_text) <
		    0 ||
	    build_banner(build, ATTR_BANNER_FAIL, &s->banner_fail, &s->banner_fail_text) < 0)
		return -ENOMEM;
	return 0;
}
