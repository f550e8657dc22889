/* SPDX-License-Identifier: ISC */
/* The share of a service that says what is written about it, and where. */
#include "config.h"

#include <errno.h>
#include <string.h>
#include <strings.h>
#include <syslog.h>

#include "config/build.h"
#include "config/values.h"

static void build_log_file(struct build *build, size_t n, struct log_target *log)
{
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

static void build_log_syslog(struct build *build, size_t n, struct log_target *log)
{
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

/* What the words of "log_type" say. Returns 0 or -ENOMEM. */
static int read_log_type(struct build *build, size_t n, struct log_target *log)
{
	const char *kind = schema_text(build->schema, ATTR_LOG_TYPE, 0);

	log->common = !schema_own(build->schema, ATTR_LOG_TYPE);
	if (strcasecmp(kind, "FILE") == 0) {
		build_log_file(build, n, log);
		if (n >= 2) {
			log->path = intern_text(build->pool,
						schema_text(build->schema, ATTR_LOG_TYPE, 1));
			if (!log->path)
				return -ENOMEM;
			if (log->path[0] != '/')
				build_error(build, ATTR_LOG_TYPE,
					    "log file \"%s\": write the whole path, from / on",
					    log->path);
		}
	} else if (strcasecmp(kind, "SYSLOG") == 0) {
		build_log_syslog(build, n, log);
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

int build_log_target(struct build *build)
{
	size_t n = schema_count(build->schema, ATTR_LOG_TYPE);
	const struct log_target *value;
	struct log_target draft;

	if (n == 0)
		return 0;
	/* Values are compared as bytes, padding included. */
	memset(&draft, 0, sizeof(draft));
	if (read_log_type(build, n, &draft) < 0)
		return -ENOMEM;
	value = intern_value(build->pool, &draft, sizeof(draft), log_target_done);
	if (!value)
		return -ENOMEM;
	build->service.log = value;
	return 0;
}

/* Where nobody can be asked IDONLY keeps nobody out, as in xinetd; it must not be believed to do so. */
static void check_idonly(struct build *build)
{
	const struct service *s = &build->service;

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

void build_log_options(struct build *build)
{
	struct service *s = &build->service;

	s->log_on_success = (uint8_t)build_bits(build, ATTR_LOG_ON_SUCCESS);
	s->log_on_failure = (uint8_t)build_bits(build, ATTR_LOG_ON_FAILURE);
	if ((s->log_on_success & LOG_OPT_TRAFFIC) && !s->redirect_host) {
		/* xinetd drops such a service, even when the word comes from defaults (D33). */
		schema_report(
			build->schema, ATTR_LOG_ON_SUCCESS, SEVERITY_NOTICE,
			"TRAFFIC is written for redirected services only; it is ignored here");
		s->log_on_success &= (uint8_t)~LOG_OPT_TRAFFIC;
	}
	if (((s->log_on_success | s->log_on_failure) & LOG_OPT_USERID) && s->port == 113 &&
	    s->protocol == IPPROTO_TCP) {
		schema_report(
			build->schema, ATTR_LOG_ON_SUCCESS, SEVERITY_WARNING,
			"USERID at the ident service itself would ask for ever; it is ignored");
		s->log_on_success &= (uint8_t)~LOG_OPT_USERID;
		s->log_on_failure &= (uint8_t)~LOG_OPT_USERID;
	}
	check_idonly(build);
}
