/* SPDX-License-Identifier: ISC */
/* A service in the words of xinetd's state dump. */
#include "config.h"

#include "serve/dump_service.h"

#include <arpa/inet.h>
#include <string.h>

#include "config/values.h"

#define INDENT "\t\t"

static void text_line(FILE *out, const char *name, const char *value)
{
	if (value)
		(void)fprintf(out, INDENT "%s = %s\n", name, value);
}

static void number_line(FILE *out, const char *name, long value)
{
	(void)fprintf(out, INDENT "%s = %ld\n", name, value);
}

static void words_line(FILE *out, const char *name, const struct words *words)
{
	(void)fprintf(out, INDENT "%s =", name);
	for (size_t i = 0; i < words->n; i++)
		(void)fprintf(out, " %s", words->v[i]);
	(void)fputc('\n', out);
}

static void bits_line(FILE *out, const char *name, unsigned bits, const char *(*name_of)(unsigned))
{
	(void)fprintf(out, INDENT "%s =", name);
	for (unsigned bit = 1; bit && bit <= bits; bit <<= 1)
		if (bits & bit)
			(void)fprintf(out, " %s", name_of(bit));
	(void)fputc('\n', out);
}

/* --- address lists ------------------------------------------------------------------ */

/* "ADDRESS/BITS" as xinetd writes it: with a mask that looks like an address. */
static void write_net(FILE *out, const char *word, const char *slash)
{
	unsigned char mask[sizeof(struct in6_addr)] = { 0 };
	int family = strchr(word, ':') ? AF_INET6 : AF_INET;
	char text[INET6_ADDRSTRLEN];
	long long bits;

	if (parse_number(slash + 1, 10, 0, family == AF_INET ? 32 : 128, &bits) < 0) {
		(void)fprintf(out, " %s(NET)", word);
		return;
	}
	for (long long i = 0; i < bits; i++)
		mask[i / 8] |= (unsigned char)(0x80 >> i % 8);
	(void)fprintf(out, " %.*s/%s(NET)", (int)(slash - word), word,
		      inet_ntop(family, mask, text, sizeof(text)));
}

static void write_word(FILE *out, const struct addr_rules *rules, const char *word)
{
	const char *slash = strchr(word, '/');
	bool name = false;

	for (size_t i = 0; i < rules->names.n; i++)
		name = name || strcmp(rules->names.v[i], word) == 0;
	if (slash)
		write_net(out, word, slash);
	else
		(void)fprintf(out, " %s(%s)", word, name ? "HOST" : "NUMERIC");
}

static void addresses_line(FILE *out, const char *name, const char *none,
			   const struct addr_rules *rules)
{
	(void)fprintf(out, INDENT "%s:", name);
	if (!rules->given)
		(void)fprintf(out, " %s", none);
	else if (!rules->words->n && !rules->file)
		(void)fputs(" nobody", out);
	for (size_t i = 0; i < rules->words->n; i++)
		write_word(out, rules, rules->words->v[i]);
	if (rules->file)
		(void)fprintf(out, " %s(FILE)", rules->file);
	(void)fputc('\n', out);
}

/* --- the parts of a service ---------------------------------------------------------- */

static void dump_identity(const struct service *s, FILE *out)
{
	text_line(out, "id", s->id);
	if (s->flags)
		bits_line(out, "flags", s->flags, value_name_flag);
	if (s->type)
		bits_line(out, "type", s->type, value_name_service_type);
	text_line(out, "socket_type", value_name_socket_type(s->socktype));
	if (s->protocol_name)
		(void)fprintf(out, INDENT "Protocol (name,number) = (%s,%d)\n", s->protocol_name,
			      s->protocol);
	if (s->port != UNLIMITED)
		number_line(out, "port", s->port);
	if (s->instances == UNLIMITED)
		text_line(out, "Instances", "UNLIMITED");
	else
		number_line(out, "Instances", s->instances);
	text_line(out, "wait", s->wait ? "yes" : "no");
}

static void dump_process(const struct service *s, FILE *out)
{
	if (s->user)
		number_line(out, "user", (long)s->uid);
	if (s->group)
		number_line(out, "group", (long)s->gid);
	text_line(out, "Groups", s->groups ? "yes" : "no");
	if (s->umask != UNLIMITED)
		(void)fprintf(out, INDENT "umask = %o\n", (unsigned)s->umask);
	if (s->nice)
		number_line(out, "Nice", s->nice);
	(void)fprintf(out, INDENT "CPS = max conn:%u wait:%u", s->cps_rate, s->cps_wait_sec);
	if (s->cps_window_sec > 1)
		(void)fprintf(out, " window:%u", s->cps_window_sec);
	(void)fputc('\n', out);
	number_line(out, "PER_SOURCE", s->per_source);
	if (s->bind->n)
		words_line(out, "Bind", s->bind);
	else
		text_line(out, "Bind", "All addresses.");
	text_line(out, "Server", s->server);
	if (s->argv->n)
		words_line(out, "Server argv", s->argv);
	text_line(out, "Libwrap", s->libwrap);
	if (s->redirect_host)
		(void)fprintf(out, INDENT "Redirect = %s:%u\n", s->redirect_host, s->redirect_port);
	if (s->type & SERVICE_RPC)
		(void)fprintf(out,
			      INDENT "RPC data\n" INDENT "\tprogram number = %u\n" INDENT
				     "\trpc_version = %u-%u\n",
			      s->rpc_number, s->rpc_min_version, s->rpc_max_version);
}

static void dump_access(const struct service *s, FILE *out)
{
	if (s->access_times->n) {
		(void)fprintf(out, INDENT "Access times =");
		for (size_t i = 0; i < s->access_times->n; i++) {
			const struct time_rule *rule = &s->access_times->v[i];

			(void)fprintf(out, " %02u:%02u-%02u:%02u", rule->start_min / 60,
				      rule->start_min % 60, rule->end_min / 60, rule->end_min % 60);
		}
		(void)fputc('\n', out);
	}
	addresses_line(out, "Only from", "All sites", s->only_from);
	if (s->no_access->words->n || s->no_access->file)
		addresses_line(out, "No access", "", s->no_access);
	else
		(void)fputs(INDENT "No access: No blocked sites\n", out);
	if (s->flags & FLAG_SENSOR)
		(void)fprintf(out, INDENT "Deny Time: %d\n", s->deny_time_min);
}

static void dump_log(const struct service *s, FILE *out)
{
	switch (s->log->kind) {
	case LOG_KIND_NONE:
		(void)fputs(INDENT "No logging\n", out);
		break;
	case LOG_KIND_FILE:
		(void)fprintf(out, INDENT "Logging to file: %s ", s->log->path);
		if (s->log->soft_bytes)
			(void)fprintf(out, "(soft=%llu hard=%llu)\n",
				      (unsigned long long)s->log->soft_bytes,
				      (unsigned long long)s->log->hard_bytes);
		else
			(void)fputs("(no limits)\n", out);
		break;
	case LOG_KIND_SYSLOG:
		(void)fprintf(out, INDENT "Logging to syslog. Facility = %s, level = %s\n",
			      value_name_facility(s->log->facility),
			      value_name_level(s->log->level));
		break;
	case LOG_KIND_JOURNAL:
		(void)fputs(INDENT "Logging to journal\n", out);
		break;
	}
	bits_line(out, "Log_on_success flags", s->log_on_success, value_name_log_option);
	bits_line(out, "Log_on_failure flags", s->log_on_failure, value_name_log_option);
	if (s->passenv_given)
		words_line(out, "Passenv", s->passenv);
	if (s->env->n) {
		(void)fputs(INDENT "Environment additions:\n", out);
		for (size_t i = 0; i < s->env->n; i++)
			(void)fprintf(out, INDENT "\t%s\n", s->env->v[i]);
	}
}

/* What xinetd knows and does not show. */
static void dump_unshown(const struct service *s, FILE *out)
{
	for (size_t i = 0; i < SERVICE_RLIMITS; i++) {
		if (!s->rlimits[i].given)
			continue;
		if (s->rlimits[i].value == RLIM_INFINITY)
			text_line(out, service_rlimit_names[i], "UNLIMITED");
		else
			number_line(out, service_rlimit_names[i], (long)s->rlimits[i].value);
	}
	if (s->max_load > 0 || s->max_load < 0)
		(void)fprintf(out, INDENT "max_load = %g\n", s->max_load);
	text_line(out, "banner", s->banners->always.path);
	text_line(out, "banner_success", s->banners->success.path);
	text_line(out, "banner_fail", s->banners->fail.path);
}

/* What xinetd does not have. */
static void dump_own(const struct service *s, FILE *out)
{
	if (s->session_timeout_sec)
		number_line(out, "session_timeout", (long)s->session_timeout_sec);
	if (s->idle_timeout_sec)
		number_line(out, "idle_timeout", (long)s->idle_timeout_sec);
	if (s->queues)
		text_line(out, "overload", "queue");
	if (s->source_bits4 || s->source_bits6)
		(void)fprintf(out, INDENT "per_source_mask = %u %u\n",
			      s->source_bits4 ? s->source_bits4 : 32u,
			      s->source_bits6 ? s->source_bits6 : 128u);
	text_line(out, "chroot", s->chroot);
	text_line(out, "directory", s->directory);
	if (s->no_new_privs)
		text_line(out, "no_new_privs", "yes");
}

void dump_service(const struct service *service, FILE *out)
{
	(void)fprintf(out, "\tService configuration: %s\n", service->name);
	dump_identity(service, out);
	dump_process(service, out);
	dump_access(service, out);
	dump_log(service, out);
	dump_unshown(service, out);
	dump_own(service, out);
	(void)fprintf(out, INDENT "stanza = %s:%u\n", service->file, service->line);
}
