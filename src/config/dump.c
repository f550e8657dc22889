/* SPDX-License-Identifier: ISC */
/* A service as the stanza that means the same, every value explicit. */
#include "config.h"

#include "config/service.h"
#include "config/values.h"

static void dump_line(FILE *out, const char *name)
{
	(void)fprintf(out, "\t%-15s =", name);
}

static void dump_text(FILE *out, const char *name, const char *value)
{
	if (!value)
		return;
	dump_line(out, name);
	(void)fprintf(out, " %s\n", value);
}

static void dump_words(FILE *out, const char *name, const struct words *words)
{
	dump_line(out, name);
	for (size_t i = 0; i < words->n; i++)
		(void)fprintf(out, " %s", words->v[i]);
	(void)fputc('\n', out);
}

static void dump_number(FILE *out, const char *name, long value)
{
	dump_line(out, name);
	(void)fprintf(out, " %ld\n", value);
}

static void dump_count(FILE *out, const char *name, int value)
{
	if (value == UNLIMITED)
		dump_text(out, name, "UNLIMITED");
	else
		dump_number(out, name, value);
}

static void dump_yes_no(FILE *out, const char *name, bool value)
{
	dump_text(out, name, value ? "yes" : "no");
}

/* One word a set bit; nothing at all where none is set, unless @always. */
static void dump_bits(FILE *out, const char *name, unsigned bits, const char *(*name_of)(unsigned),
		      bool always)
{
	if (!bits && !always)
		return;
	dump_line(out, name);
	for (unsigned bit = 1; bit && bit <= bits; bit <<= 1)
		if (bits & bit)
			(void)fprintf(out, " %s", name_of(bit));
	(void)fputc('\n', out);
}

static void dump_socket(const struct service *s, FILE *out)
{
	dump_bits(out, "type", s->type, value_name_service_type, false);
	dump_bits(out, "flags", s->flags, value_name_flag, false);
	dump_text(out, "socket_type", value_name_socket_type(s->socktype));
	dump_text(out, "protocol", s->protocol_name);
	if (s->port != UNLIMITED)
		dump_number(out, "port", s->port);
	if (s->rpc_max_version) {
		dump_line(out, "rpc_version");
		(void)fprintf(out, " %u-%u\n", s->rpc_min_version, s->rpc_max_version);
		if (s->rpc_number)
			dump_number(out, "rpc_number", (long)s->rpc_number);
	}
	if (s->bind->n)
		dump_words(out, "bind", s->bind);
	dump_yes_no(out, "v6only", s->v6only);
	if (s->backlog != UNLIMITED)
		dump_number(out, "backlog", s->backlog);
	if (s->owner->mode != (mode_t)-1) {
		dump_line(out, "socket_mode");
		(void)fprintf(out, " %03o\n", (unsigned)s->owner->mode);
	}
	dump_text(out, "socket_user", s->owner->user);
	dump_text(out, "socket_group", s->owner->group);
	dump_yes_no(out, "wait", s->wait);
}

const char *const service_rlimit_names[SERVICE_RLIMITS] = {
	[SERVICE_RLIMIT_AS] = "rlimit_as",     [SERVICE_RLIMIT_CPU] = "rlimit_cpu",
	[SERVICE_RLIMIT_DATA] = "rlimit_data", [SERVICE_RLIMIT_FILES] = "rlimit_files",
	[SERVICE_RLIMIT_RSS] = "rlimit_rss",   [SERVICE_RLIMIT_STACK] = "rlimit_stack",
};

static void dump_rlimits(const struct service *s, FILE *out)
{
	for (size_t i = 0; i < SERVICE_RLIMITS; i++) {
		if (!s->rlimits[i].given)
			continue;
		if (s->rlimits[i].value == RLIM_INFINITY)
			dump_text(out, service_rlimit_names[i], "UNLIMITED");
		else
			dump_number(out, service_rlimit_names[i], (long)s->rlimits[i].value);
	}
}

static void dump_process(const struct service *s, FILE *out)
{
	dump_text(out, "server", s->server);
	if (s->redirect_host) {
		dump_line(out, "redirect");
		(void)fprintf(out, " %s %u\n", s->redirect_host, s->redirect_port);
	}
	if (s->argv->n > 1 || (s->argv->n && (s->flags & FLAG_NAMEINARGS))) {
		size_t first = s->flags & FLAG_NAMEINARGS ? 0 : 1;
		struct words args = { .v = s->argv->v + first, .n = s->argv->n - first };

		dump_words(out, "server_args", &args);
	}
	dump_text(out, "user", s->user);
	dump_text(out, "group", s->group);
	dump_yes_no(out, "groups", s->groups);
	dump_text(out, "chroot", s->chroot);
	dump_text(out, "directory", s->directory);
	if (s->no_new_privs)
		dump_yes_no(out, "no_new_privs", true);
	if (s->umask != UNLIMITED) {
		dump_line(out, "umask");
		(void)fprintf(out, " %03o\n", (unsigned)s->umask);
	}
	if (s->nice)
		dump_number(out, "nice", s->nice);
	if (s->env->n)
		dump_words(out, "env", s->env);
	if (s->passenv_given)
		dump_words(out, "passenv", s->passenv);
	dump_rlimits(s, out);
	if (s->session_timeout_sec)
		dump_number(out, "session_timeout", (long)s->session_timeout_sec);
	if (s->idle_timeout_sec)
		dump_number(out, "idle_timeout", (long)s->idle_timeout_sec);
}

static void dump_addresses(FILE *out, const char *name, const struct addr_rules *rules)
{
	/* A list that is in a file alone is not one that is empty. */
	if (rules->words->n || (rules->given && !rules->file))
		dump_words(out, name, rules->words);
}

static void dump_admission(const struct service *s, FILE *out)
{
	dump_addresses(out, "only_from", s->only_from);
	dump_text(out, "only_from_file", s->only_from->file);
	dump_addresses(out, "no_access", s->no_access);
	dump_text(out, "no_access_file", s->no_access->file);
	if (s->access_times->n) {
		dump_line(out, "access_times");
		for (size_t i = 0; i < s->access_times->n; i++) {
			const struct time_rule *rule = &s->access_times->v[i];

			(void)fprintf(out, " %02u:%02u-%02u:%02u", rule->start_min / 60,
				      rule->start_min % 60, rule->end_min / 60, rule->end_min % 60);
		}
		(void)fputc('\n', out);
	}
	dump_count(out, "instances", s->instances);
	dump_text(out, "overload", s->queues ? "queue" : "refuse");
	dump_count(out, "per_source", s->per_source);
	if (s->source_bits4 || s->source_bits6) {
		dump_line(out, "per_source_mask");
		(void)fprintf(out, " %u %u\n", s->source_bits4 ? s->source_bits4 : 32u,
			      s->source_bits6 ? s->source_bits6 : 128u);
	}
	dump_line(out, "cps");
	(void)fprintf(out, " %u %u", s->cps_rate, s->cps_wait_sec);
	if (s->cps_window_sec > 1)
		(void)fprintf(out, " %u", s->cps_window_sec);
	(void)fputc('\n', out);
	if (s->max_load > 0 || s->max_load < 0) {
		dump_line(out, "max_load");
		(void)fprintf(out, " %.17g\n", s->max_load);
	}
	if (s->deny_time_min == UNLIMITED)
		dump_text(out, "deny_time", "FOREVER");
	else if (s->deny_time_min)
		dump_number(out, "deny_time", s->deny_time_min);
	dump_text(out, "libwrap", s->libwrap);
	dump_text(out, "banner", s->banners->always.path);
	dump_text(out, "banner_success", s->banners->success.path);
	dump_text(out, "banner_fail", s->banners->fail.path);
}

static void dump_log(const struct service *s, FILE *out)
{
	switch (s->log->kind) {
	case LOG_KIND_NONE:
		break;
	case LOG_KIND_FILE:
		dump_line(out, "log_type");
		(void)fprintf(out, " FILE %s", s->log->path);
		if (s->log->soft_bytes)
			(void)fprintf(out, " %llu %llu", (unsigned long long)s->log->soft_bytes,
				      (unsigned long long)s->log->hard_bytes);
		(void)fputc('\n', out);
		break;
	case LOG_KIND_SYSLOG:
		dump_line(out, "log_type");
		(void)fprintf(out, " SYSLOG %s %s\n", value_name_facility(s->log->facility),
			      value_name_level(s->log->level));
		break;
	case LOG_KIND_JOURNAL:
		dump_text(out, "log_type", "JOURNAL");
		break;
	}
	dump_bits(out, "log_on_success", s->log_on_success, value_name_log_option, true);
	dump_bits(out, "log_on_failure", s->log_on_failure, value_name_log_option, true);
}

void service_dump(const struct service *service, FILE *out)
{
	(void)fprintf(out, "# %s:%u\nservice %s\n{\n", service->file, service->line, service->name);
	dump_text(out, "id", service->id);
	dump_socket(service, out);
	dump_process(service, out);
	dump_admission(service, out);
	dump_log(service, out);
	(void)fputs("}\n", out);
}
