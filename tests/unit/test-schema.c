/* SPDX-License-Identifier: ISC */
/* Tests of the attributes: every one typed, merged from defaults, counted, and refused where it cannot be understood. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <syslog.h>

#include <cmocka.h>

#include "load.h"

/* The one service "a" of a complete stanza with @lines must be refused with an error that says @text. */
static void refused(const char *lines, const char *text)
{
	struct load load;
	char *stanza;

	assert_true(asprintf(&stanza, STANZA("a", "%s"), lines) > 0);
	load_text(&load, stanza);
	assert_int_equal(load.status, 0);
	if (load_service(&load, "a"))
		fail_msg("it is run: %s", lines);
	assert_true(load_broken(&load, "a"));
	assert_said(&load, "error: ", load.diag.errors);
	if (!load_said(&load, text)) {
		load_print(&load);
		fail_msg("not said of %s: %s", lines, text);
	}
	load_done(&load);
	free(stanza);
}

/* It must be run, and something that says @text be found. */
static void taken(const char *lines, const char *text)
{
	struct load load;
	char *stanza;

	assert_true(asprintf(&stanza, STANZA("a", "%s"), lines) > 0);
	load_text(&load, stanza);
	(void)must_have(&load, "a");
	assert_said(&load, text, 1);
	load_done(&load);
	free(stanza);
}

static void reads_every_attribute_of_a_service(void **state)
{
	static const char text[] = STANZA_AT(
		"a", "4002",
		"id = b\nflags = REUSE NODELAY KEEPALIVE NOLIBWRAP NORETRY IPv4\ndisable = no\n"
		"protocol = tcp\nserver_args = -c # \"x\ngroup = 0\ngroups = no\numask = 027\n"
		"nice = -5\nenv = A=1 B=x=y\nenv += C=\npassenv = PATH LANG\npassenv -= LANG\n"
		"rlimit_as = 8M\nrlimit_cpu = 20\nrlimit_data = 500k\nrlimit_rss = UNLIMITED\n"
		"rlimit_stack = 4m\nrlimit_files = 50\nlibwrap = other\nmdns = no\nbind = 127.0.0.1\n"
		"v6only = no\nbanner = /b\nbanner_success = /bs\nbanner_fail = /bf\n"
		"only_from = 10.0.0.0 192.168.1.{1,2}\nonly_from += 172.16.0.0/12\nno_access = 10.1.1.1\n"
		"access_times = 8:00-12:00 22:00-6:00\ninstances = 7\nper_source = 3\ncps = 25 30\n"
		"max_load = 2.5\ndeny_time = FOREVER\nlog_type = FILE /var/log/a 1000 2000\n"
		"log_on_success = PID HOST\nlog_on_success += EXIT DURATION\nlog_on_success -= PID\n"
		"log_on_failure = HOST ATTEMPT\nbacklog = 77\nsession_timeout = 60\n");
	const struct service *s;
	struct load load;

	(void)state;
	load_text(&load, text);
	assert_int_equal(load.diag.errors, 0);
	s = must_have(&load, "b");
	assert_string_equal(s->name, "a");
	assert_int_equal(s->line, 1);
	assert_int_equal(s->type, SERVICE_UNLISTED);
	assert_int_equal(s->flags, FLAG_REUSE | FLAG_NODELAY | FLAG_KEEPALIVE | FLAG_NOLIBWRAP |
					   FLAG_NORETRY | FLAG_IPV4);
	assert_int_equal(s->socktype, SOCK_STREAM);
	assert_int_equal(s->protocol, IPPROTO_TCP);
	assert_int_equal(s->port, 4002);
	assert_false(s->wait);
	assert_string_equal(s->server, "/bin/sh");
	assert_words(s->argv, "sh -c # \"x");
	assert_string_equal(s->user, "root");
	assert_int_equal(s->uid, 0);
	assert_int_equal(s->gid, 0);
	assert_false(s->groups);
	assert_int_equal(s->umask, 027);
	assert_int_equal(s->nice, -5);
	assert_words(s->env, "A=1 B=x=y C=");
	assert_true(s->passenv_given);
	assert_words(s->passenv, "PATH");
	assert_int_equal(s->rlimits[SERVICE_RLIMIT_AS].value, 8 << 20);
	assert_int_equal(s->rlimits[SERVICE_RLIMIT_CPU].value, 20);
	assert_int_equal(s->rlimits[SERVICE_RLIMIT_DATA].value, 500 << 10);
	assert_true(s->rlimits[SERVICE_RLIMIT_RSS].value == RLIM_INFINITY);
	assert_int_equal(s->rlimits[SERVICE_RLIMIT_STACK].value, 4 << 20);
	assert_int_equal(s->rlimits[SERVICE_RLIMIT_FILES].value, 50);
	for (size_t i = 0; i < SERVICE_RLIMITS; i++)
		assert_true(s->rlimits[i].given);
	assert_string_equal(s->libwrap, "other");
	assert_words(s->bind, "127.0.0.1");
	assert_int_equal(s->n_endpoints, 1);
	assert_string_equal(s->banners->always.path, "/b");
	assert_string_equal(s->banners->success.path, "/bs");
	assert_string_equal(s->banners->fail.path, "/bf");
	assert_words(s->only_from->words, "10.0.0.0 192.168.1.{1,2} 172.16.0.0/12");
	assert_words(s->no_access->words, "10.1.1.1");
	assert_int_equal(s->access_times->n, 2);
	assert_int_equal(s->access_times->v[1].start_min, 22 * 60);
	assert_int_equal(s->instances, 7);
	assert_int_equal(s->per_source, 3);
	assert_int_equal(s->cps_rate, 25);
	assert_int_equal(s->cps_wait_sec, 30);
	assert_true(s->max_load > 2.4 && s->max_load < 2.6);
	assert_int_equal(s->deny_time_min, UNLIMITED);
	assert_int_equal(s->log->kind, LOG_KIND_FILE);
	assert_string_equal(s->log->path, "/var/log/a");
	assert_int_equal(s->log->soft_bytes, 1000);
	assert_int_equal(s->log->hard_bytes, 2000);
	assert_false(s->log->common);
	assert_int_equal(s->log_on_success, LOG_OPT_HOST | LOG_OPT_EXIT | LOG_OPT_DURATION);
	assert_int_equal(s->log_on_failure, LOG_OPT_HOST | LOG_OPT_ATTEMPT);
	assert_int_equal(s->backlog, 77);
	assert_int_equal(s->session_timeout_sec, 60);
	load_done(&load);
}

static void leaves_what_is_not_given_at_its_default(void **state)
{
	const struct service *s;
	struct load load;

	(void)state;
	load_text(&load, STANZA("a", ""));
	s = must_have(&load, "a");
	assert_int_equal(load.diag.n, 0);
	assert_string_equal(s->id, "a");
	assert_int_equal(s->flags, 0);
	assert_int_equal(s->instances, UNLIMITED);
	assert_int_equal(s->per_source, UNLIMITED);
	assert_int_equal(s->cps_rate, 50);
	assert_int_equal(s->cps_wait_sec, 10);
	assert_int_equal(s->umask, UNLIMITED);
	assert_int_equal(s->nice, 0);
	assert_false(s->only_from->given);
	assert_false(s->no_access->given);
	assert_false(s->passenv_given);
	assert_false(s->v6only);
	assert_int_equal(s->log->kind, LOG_KIND_NONE);
	assert_int_equal(s->log_on_success, 0);
	assert_int_equal(s->session_timeout_sec, 0);
	for (size_t i = 0; i < SERVICE_RLIMITS; i++)
		assert_false(s->rlimits[i].given);
	load_done(&load);
}

static void merges_defaults_into_services_that_do_not_say(void **state)
{
	static const char text[] =
		"defaults\n{\ninstances = 9\nper_source = 4\nper_source_mask = 24 56\noverload = queue\ncps = 11 12\numask = 077\ngroups = no\n"
		"max_load = 3\nbind = 127.0.0.1\nv6only = no\nlog_type = SYSLOG local3 notice\n"
		"log_on_success = PID\nlog_on_failure = HOST\nonly_from = 10.0.0.0\n"
		"no_access = 10.1.0.0\npassenv = PATH\nbanner = /b\nbanner_fail = /bf\n"
		"banner_success = /bs\nbacklog = 5\nsession_timeout = 7\n}\n" STANZA("a", "") STANZA_AT(
			"own", "4002",
			"instances = 1\nper_source = 2\ncps = 3 4\numask = 022\nbind = 127.0.0.2\n"
			"log_type = FILE /l\nlog_on_success = HOST\nlog_on_failure =\n"
			"only_from = 127.0.0.1\nno_access =\npassenv =\nbanner = /o\n")
			STANZA_AT("edit", "4003",
				  "log_on_success += HOST\nonly_from += 127.0.0.1\n"
				  "no_access -= 10.1.0.0\npassenv += LANG\n");
	const struct service *s;
	struct load load;

	(void)state;
	load_text(&load, text);
	assert_int_equal(load.diag.errors, 0);
	s = must_have(&load, "a");
	assert_int_equal(s->instances, 9);
	assert_int_equal(s->per_source, 4);
	assert_int_equal(s->source_bits4, 24);
	assert_true(s->queues);
	assert_int_equal(s->source_bits6, 56);
	assert_int_equal(s->cps_rate, 11);
	assert_int_equal(s->cps_wait_sec, 12);
	assert_int_equal(s->umask, 077);
	assert_true(s->max_load > 2.9);
	assert_words(s->bind, "127.0.0.1");
	assert_int_equal(s->log->kind, LOG_KIND_SYSLOG);
	assert_int_equal(s->log->facility, LOG_LOCAL3);
	assert_int_equal(s->log->level, LOG_NOTICE);
	assert_true(s->log->common);
	assert_int_equal(s->log_on_success, LOG_OPT_PID);
	assert_int_equal(s->log_on_failure, LOG_OPT_HOST);
	assert_words(s->only_from->words, "10.0.0.0");
	assert_words(s->no_access->words, "10.1.0.0");
	assert_words(s->passenv, "PATH");
	assert_string_equal(s->banners->always.path, "/b");
	assert_string_equal(s->banners->fail.path, "/bf");
	assert_string_equal(s->banners->success.path, "/bs");
	assert_int_equal(s->backlog, 5);
	assert_int_equal(s->session_timeout_sec, 7);
	s = must_have(&load, "own");
	assert_int_equal(s->instances, 1);
	assert_int_equal(s->per_source, 2);
	assert_int_equal(s->cps_rate, 3);
	assert_int_equal(s->umask, 022);
	assert_words(s->bind, "127.0.0.2");
	assert_int_equal(s->log->kind, LOG_KIND_FILE);
	assert_false(s->log->common);
	assert_int_equal(s->log_on_success, LOG_OPT_HOST);
	assert_int_equal(s->log_on_failure, 0);
	assert_words(s->only_from->words, "127.0.0.1");
	assert_int_equal(s->no_access->words->n, 0);
	assert_true(s->passenv_given);
	assert_int_equal(s->passenv->n, 0);
	assert_string_equal(s->banners->always.path, "/o");
	s = must_have(&load, "edit");
	assert_int_equal(s->log_on_success, LOG_OPT_PID | LOG_OPT_HOST);
	assert_words(s->only_from->words, "10.0.0.0 127.0.0.1");
	assert_int_equal(s->no_access->words->n, 0);
	assert_words(s->passenv, "PATH LANG");
	load_done(&load);
}

static void takes_an_empty_only_from_as_nobody(void **state)
{
	const struct service *s;
	struct load load;

	(void)state;
	load_text(&load, STANZA("a", "only_from =\n") STANZA_AT("b", "4002", "only_from = # all\n")
				 STANZA_AT("c", "4003", "no_access =\nlog_on_success =\n"));
	s = must_have(&load, "a");
	assert_true(s->only_from->given);
	assert_int_equal(s->only_from->words->n, 0);
	s = must_have(&load, "b");
	assert_true(s->only_from->given);
	assert_int_equal(s->only_from->words->n, 0);
	s = must_have(&load, "c");
	assert_false(s->only_from->given);
	load_done(&load);
}

static void takes_words_from_a_hash_on_as_a_comment(void **state)
{
	const struct service *s;
	struct load load;

	(void)state;
	load_text(&load,
		  STANZA("a", "per_source = 10 # the maximum\nrlimit_cpu = 20 # seconds\n"
			      "disable = no #yes\nonly_from = 10.0.0.1 # home\ninstances = 5 #\n"
			      "cps = 1 2 # x\nserver_args = # a #b\nenv = A=# B=2 #C=3\n"));
	assert_int_equal(load.diag.errors, 0);
	s = must_have(&load, "a");
	assert_int_equal(s->per_source, 10);
	assert_int_equal(s->rlimits[SERVICE_RLIMIT_CPU].value, 20);
	assert_words(s->only_from->words, "10.0.0.1");
	assert_int_equal(s->instances, 5);
	assert_int_equal(s->cps_rate, 1);
	/* Here it stays what it is. */
	assert_words(s->argv, "sh # a #b");
	assert_words(s->env, "A=# B=2 #C=3");
	load_done(&load);
	taken("per_source = 10 # the maximum\n", "main.conf:9: notice: \"per_source\"");
}

static void refuses_wrong_numbers_of_values(void **state)
{
	(void)state;
	/* D4: xinetd drops the line and runs the service without it. */
	refused("instances = 5 6\n", "main.conf:9: error: \"instances\" takes 1 value, not 2");
	refused("instances =\n", "\"instances\" takes 1 value, not 0");
	refused("per_source = # 5\n", "\"per_source\" takes 1 value, not 0");
	refused("cps = 5\n", "\"cps\"");
	refused("cps = 5 6 7 8\n", "\"cps\"");
	refused("nice = 1 2\n", "\"nice\" takes 1 value, not 2");
	refused("rlimit_cpu = 20 seconds\n", "\"rlimit_cpu\" takes 1 value, not 2");
	refused("server_args =\n", "\"server_args\" needs at least 1 value");
	refused("access_times =\n", "\"access_times\" needs at least 1 value");
	refused("flags =\n", "\"flags\" needs at least 1 value");
	refused("bind =\n", "\"bind\" needs at least 1 value");
	refused("redirect = localhost\n", "\"redirect\" takes 2 values, not 1");
	refused("id = a b\n", "\"id\" takes 1 value");
	refused("libwrap =\n", "\"libwrap\" takes 1 value");
	refused("disable = yes no\n", "\"disable\" takes 1 value");
}

static void refuses_values_that_cannot_be_understood(void **state)
{
	(void)state;
	refused("instances = x\n", "main.conf:9: error: instances: \"x\" is not valid; write");
	refused("chroot = tmp\n", "chroot \"tmp\": write the whole path, from / on");
	refused("chroot = /nonexistent\n", "chroot /nonexistent: No such file or directory");
	refused("chroot = /proc\n", "server /bin/sh: No such file or directory");
	refused("chroot = /bin/sh\n", "chroot /bin/sh: Not a directory");
	refused("directory = /nonexistent\n", "directory /nonexistent: No such file or directory");
	refused("directory = .\n", "write the whole path, from / on");
	refused("no_new_privs = maybe\n", "no_new_privs: \"maybe\" is not valid");
	refused("overload = wait\n", "overload: \"wait\" is not valid; write refuse or queue");
	refused("overload = queue\ninstances = 0\n", "clients would wait for ever");
	refused("per_source_mask = 33\n", "write the number of bits that tell sources apart");
	refused("per_source_mask = 32 129\n", "write the number of bits that tell sources apart");
	refused("per_source_mask = 0\n", "per_source_mask: \"0\" is not valid");
	refused("per_source_mask = 24 64 1\n", "takes 1 or 2 values, not 3");
	refused("per_source = -1\n", "per_source: \"-1\" is not valid");
	refused("cps = a 5\n", "cps: \"a\" is not valid");
	refused("cps = 5 b\n", "cps: \"b\" is not valid");
	refused("max_load = 0\n", "max_load: \"0\" is not valid");
	refused("max_load = 2x\n", "max_load: \"2x\" is not valid");
	refused("max_load = nan\n", "max_load");
	refused("nice = x\n", "nice: \"x\" is not valid");
	refused("umask = 8\n", "umask: \"8\" is not valid");
	refused("flags = REUSE DISABLE\n", "flags: \"DISABLE\" is not valid");
	refused("groups = maybe\n", "groups: \"maybe\" is not valid");
	refused("v6only = 1\n", "v6only: \"1\" is not valid");
	refused("deny_time = soon\n", "deny_time: \"soon\" is not valid");
	refused("rlimit_as = 5X\n", "rlimit_as: \"5X\" is not valid");
	refused("disable = maybe\n", "disable: \"maybe\" is not valid");
	refused("log_on_success = ATTEMPT\n", "log_on_success: \"ATTEMPT\" is not valid");
	refused("log_on_failure = PID\n", "log_on_failure: \"PID\" is not valid");
	refused("log_type = FILE\n", "write \"log_type = FILE PATH");
	refused("log_type = FILE x\n", "write the whole path");
	refused("log_type = FILE /x 1x\n", "size limit");
	refused("log_type = FILE /x 5 4\n", "below the soft limit");
	refused("log_type = SYSLOG\n", "write \"log_type = SYSLOG FACILITY");
	refused("log_type = SYSLOG kern\n", "write a syslog facility");
	refused("log_type = SYSLOG mail warn\n", "write a syslog level");
	refused("log_type = PIPE /x\n", "\"PIPE\" is no log type");
	refused("log_type = JOURNAL x\n", "JOURNAL takes no further words");
	refused("access_times = 8:00\n", "\"8:00\": not an interval");
	refused("access_times = 8:00-25:00\n", "8:00-25:00");
	refused("env = A\n", "write NAME=VALUE");
	refused("env = =A\n", "write NAME=VALUE");
	refused("bind = 1.2.3\n", "\"1.2.3\" is no address");
	refused("bind = ::g\n", "\"::g\" is no address");
	refused("group = no-such-group\n", "there is no group \"no-such-group\"");
	refused("socket_user = no-such-user\n", "there is no user \"no-such-user\"");
}

static void warns_of_variables_that_no_server_will_find(void **state)
{
	struct load load;

	(void)state;
	load_text(&load, STANZA("a", "env = REMOTE_HOST=x A=1\npassenv = HOME A=b\n"));
	assert_said(&load, "REMOTE_HOST is set for each connection; \"REMOTE_HOST=x\" is not used",
		    1);
	assert_said(&load, "\"A=b\" is no name; to set a variable, write \"env = A=b\"", 1);
	assert_int_equal(load.diag.n, 2);
	(void)must_have(&load, "a");
	load_done(&load);
}

static void fails_closed_on_addresses_that_cannot_be_understood(void **state)
{
	(void)state;
	/* D6, D10, D28. */
	refused("no_access = 10.0.0.0/33\n", "\"10.0.0.0/33\"");
	refused("no_access = 10.0.0.0/8junk\n", "\"10.0.0.0/8junk\"");
	refused("no_access = 10.0.0.0/255.0.255.0\n", "\"10.0.0.0/255.0.255.0\"");
	refused("only_from = ::/129\n", "\"::/129\"");
	refused("only_from = 127\n", "\"127\"");
	refused("only_from = 0x7f000001\n", "\"0x7f000001\"");
	refused("only_from = 10.0.0.1,10.0.0.2\n", "comma");
	refused("only_from = 12.{300}\n", "\"12.{300}\"");
	refused("only_from = 10.0.0.0 bad_%\n", "\"bad_%\"");
}

static void applies_defaults_wherever_they_stand(void **state)
{
	const struct service *s;
	struct load load;

	(void)state;
	/* D2 */
	load_text(&load, STANZA("a", "") "defaults\n{\nonly_from = 10.0.0.1\nbanner = /b\n}\n");
	s = must_have(&load, "a");
	assert_words(s->only_from->words, "10.0.0.1");
	assert_string_equal(s->banners->always.path, "/b");
	assert_said(&load, "notice: these access lists and banners apply to all services", 1);
	load_done(&load);
}

static void never_revives_a_service_with_an_error(void **state)
{
	struct load load;

	(void)state;
	/* D3 */
	refused("only_from = 1.2.3.4.5\ndisable = no\n", "\"1.2.3.4.5\"");
	refused("instances = x\ndisable = no\n", "instances");
	load_text(&load, "defaults\n{\nenabled = a\n}\n" STANZA("a", "instances = x\n"));
	assert_int_equal(load.conf->n, 0);
	assert_true(load_broken(&load, "a"));
	load_done(&load);
}

static void keeps_the_first_of_attributes_given_twice(void **state)
{
	(void)state;
	taken("nice = 1\nnice = 2\n",
	      "main.conf:10: warning: \"nice\" is already set on line 9; this line is ignored");
}

static void refuses_operators_that_an_attribute_does_not_take(void **state)
{
	(void)state;
	refused("instances += 5\n", "\"instances\" takes only the operator =");
	refused("server_args += x\n", "\"server_args\" takes only the operator =");
	refused("env -= A\n", "\"env\" cannot be reduced");
}

static void leaves_a_list_unset_that_has_nothing_to_remove_from(void **state)
{
	const struct service *s;
	struct load load;

	(void)state;
	/* D11 */
	load_text(&load, STANZA("a", "only_from -= 10.0.0.1\n"));
	s = must_have(&load, "a");
	assert_false(s->only_from->given);
	assert_said(&load, "warning: \"only_from -=\" has nothing to remove from", 1);
	load_done(&load);
}

static void ignores_unknown_attributes_but_not_misspelt_restrictions(void **state)
{
	(void)state;
	taken("kafel_rule = x\n", "main.conf:9: warning: unknown attribute \"kafel_rule\"");
	taken("prot = 5\n",
	      "warning: unknown attribute \"prot\" is ignored; did you mean \"port\"?");
	refused("only_form = 10.0.0.1\n", "did you mean \"only_from\"?");
	refused("no_acces = 10.0.0.1\n", "did you mean \"no_access\"?");
	refused("instance = 5\n", "did you mean \"instances\"?");
	refused("usr = nobody\n", "did you mean \"user\"?");
	refused("rlimit_cpus = 5\n", "did you mean \"rlimit_cpu\"?");
}

static void takes_names_and_words_in_any_case(void **state)
{
	struct load load;
	const struct service *s;

	(void)state;
	load_text(&load, "SERVICE a\n{\nTYPE = unlisted\nSocket_Type = STREAM\nPORT = 4001\n"
			 "Wait = NO\nUSER = root\nServer = /bin/sh\nLog_Type = syslog DAEMON\n}\n");
	s = must_have(&load, "a");
	assert_int_equal(s->log->kind, LOG_KIND_SYSLOG);
	assert_int_equal(load.diag.n, 0);
	load_done(&load);
}

static void takes_the_words_of_inetd_and_older_descriptions(void **state)
{
	const struct service *s;
	struct load load;

	(void)state;
	load_text(&load,
		  "service a\n{\ntype = UNLISTED stream\nport = 4001\ninvocationtype = nowait\n"
		  "username = root\npath = /bin/sh\nargs = -c x\nprogramname = me\n"
		  "interface = 127.0.0.1\n}\n"
		  "service b\n{\ntype = UNLISTED dgram\nport = 4001\ninvocationtype = wait\n"
		  "username = root\npath = /bin/sh\n}\n");
	assert_int_equal(load.diag.errors, 0);
	s = must_have(&load, "a");
	assert_int_equal(s->socktype, SOCK_STREAM);
	assert_int_equal(s->type, SERVICE_UNLISTED);
	assert_false(s->wait);
	assert_string_equal(s->server, "/bin/sh");
	assert_words(s->argv, "me -c x");
	assert_words(s->bind, "127.0.0.1");
	s = must_have(&load, "b");
	assert_int_equal(s->socktype, SOCK_DGRAM);
	assert_true(s->wait);
	load_done(&load);
	load_text(&load, "service a\n{\ntype = UNLISTED stream dgram\nport = 4001\nwait = no\n"
			 "user = root\nserver = /bin/sh\n}\n");
	assert_said(&load, "main.conf:3: error: \"type\" names two socket types", 1);
	assert_true(load_broken(&load, "a"));
	load_done(&load);
	refused("programname = x\nflags = NAMEINARGS\nserver_args = y\n",
		"write either \"programname\" or");
}

static void takes_flags_before_and_after_the_arguments(void **state)
{
	const struct service *s;
	struct load load;

	(void)state;
	/* D15 */
	load_text(&load, STANZA("a", "server_args = me -x\nflags = NAMEINARGS\n") STANZA_AT(
				 "b", "4002", "flags = NAMEINARGS\nserver_args = me -x\n"));
	s = must_have(&load, "a");
	assert_words(s->argv, "me -x");
	s = must_have(&load, "b");
	assert_words(s->argv, "me -x");
	load_done(&load);
	refused("flags = NAMEINARGS\n", "NAMEINARGS takes the program's name from server_args");
}

static void reads_v6only_as_it_is_written(void **state)
{
	const struct service *s;
	struct load load;

	(void)state;
	/* D9 */
	load_text(&load, "defaults\n{\nv6only = yes\n}\n" STANZA("a", "")
				 STANZA_AT("b", "4002", "v6only = no\n"));
	s = must_have(&load, "a");
	assert_true(s->v6only);
	assert_true(s->endpoints[0].v6only);
	s = must_have(&load, "b");
	assert_false(s->endpoints[0].v6only);
	load_done(&load);
}

static void ignores_traffic_where_nothing_is_redirected(void **state)
{
	const struct service *s;
	struct load load;

	(void)state;
	/* D33 */
	load_text(&load, "defaults\n{\nlog_on_success = TRAFFIC PID\n}\n" STANZA("a", ""));
	s = must_have(&load, "a");
	assert_int_equal(s->log_on_success, LOG_OPT_PID);
	assert_said(&load, "notice: TRAFFIC", 1);
	load_done(&load);
}

static void takes_idle_timeout_where_the_worker_sees_what_passes(void **state)
{
	struct load load, other;

	(void)state;
	load_text(&load,
		  "defaults\n{\nidle_timeout = 90\n}\n" STANZA("a", "")
			  STANZA_AT("b", "4002", "redirect = 192.0.2.1 80\n")
				  STANZA_AT("c", "4003", "redirect = x.test 80\nidle_timeout = 7\n")
					  STANZA_AT("d", "4004", "idle_timeout = 5\n"));
	assert_int_equal(must_have(&load, "a")->idle_timeout_sec, 0);
	assert_int_equal(must_have(&load, "b")->idle_timeout_sec, 90);
	assert_int_equal(must_have(&load, "c")->idle_timeout_sec, 7);
	assert_int_equal(must_have(&load, "d")->idle_timeout_sec, 0);
	assert_said(&load, "warning: idle_timeout is for", 1);
	load_text(&other, STANZA_AT("b", "4002", "redirect = 192.0.2.1 80\nidle_timeout = 91\n"));
	assert_false(service_equal(must_have(&load, "b"), must_have(&other, "b")));
	load_done(&other);
	load_done(&load);
	refused("idle_timeout = -1\n", "\"-1\" is not valid");
	refused("idle_timeout = soon\n", "\"soon\" is not valid");
	refused("idle_timeout = 99999999999\n", "\"99999999999\" is not valid");
}

static void refuses_to_redirect_to_what_is_no_address(void **state)
{
	(void)state;
	refused("redirect = 1.2.3 80\n", "\"1.2.3\" is no address");
	refused("redirect = 256.1.1.1 80\n", "\"256.1.1.1\" is no address");
	refused("redirect = ::1:: 80\n", "\"::1::\" is no address");
	refused("redirect = 127.0.0.1 65536\n", "port \"65536\" is not valid");
}

static void takes_access_times_over_midnight_and_until_24(void **state)
{
	const struct service *s;
	struct load load;

	(void)state;
	/* D59 */
	load_text(&load, STANZA("a", "access_times = 22:00-6:00 12:00-24:00\n"));
	s = must_have(&load, "a");
	assert_int_equal(s->access_times->n, 2);
	load_done(&load);
}

static void takes_sensor_as_internal(void **state)
{
	const struct service *s;
	struct load load;

	(void)state;
	/* D32 */
	load_text(&load, "service trap\n{\ntype = UNLISTED\nport = 4001\nsocket_type = stream\n"
			 "wait = no\nflags = SENSOR\ndeny_time = 5\n}\n");
	s = must_have(&load, "trap");
	assert_true(s->type & SERVICE_INTERNAL);
	assert_int_equal(s->deny_time_min, 5);
	load_done(&load);
}

static void refuses_servers_that_are_no_programs(void **state)
{
	static const struct {
		const char *server;
		const char *text;
	} cases[] = {
		{ "/", "server / is not a program" }, /* D60 */
		{ "/etc/passwd", "server /etc/passwd is not executable" },
		{ "/no/such", "server /no/such: No such file or directory" },
		{ "sh", "server \"sh\": write the whole path" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct load load;
		char *text;

		assert_true(
			asprintf(
				&text,
				"service a\n{\ntype = UNLISTED\nport = 4001\nsocket_type = stream\n"
				"wait = no\nuser = root\nserver = %s\n}\n",
				cases[i].server) > 0);
		load_text(&load, text);
		assert_true(load_broken(&load, "a"));
		assert_said(&load, cases[i].text, 1);
		load_done(&load);
		free(text);
	}
}

static void gives_file_logs_a_hard_limit_above_the_soft_one(void **state)
{
	static const struct {
		const char *soft;
		uint64_t hard;
	} cases[] = {
		{ "1000", 1000 + 5120 },
		{ "1000000", 1000000 + 10000 },
		{ "100m", (100 << 20) + 20480 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct load load;
		char *text;

		assert_true(asprintf(&text, STANZA("a", "log_type = FILE /l %s\n"), cases[i].soft) >
			    0);
		load_text(&load, text);
		assert_int_equal(must_have(&load, "a")->log->hard_bytes, cases[i].hard);
		load_done(&load);
		free(text);
	}
}

static void says_which_attributes_have_no_place_in_defaults(void **state)
{
	struct load load;

	(void)state;
	load_text(&load,
		  "defaults\n{\nserver = /bin/sh\nuser = root\nwait = no\n}\n" STANZA("a", ""));
	assert_said(&load, "warning: \"server\" has no meaning in defaults and is ignored", 1);
	assert_said(&load, "has no meaning in defaults", 3);
	(void)must_have(&load, "a");
	load_done(&load);
	refused("enabled = a\n", "\"enabled\" belongs into defaults");
	refused("disabled = a\n", "\"disabled\" belongs into defaults");
}

static void loses_no_restriction_that_stands_in_defaults(void **state)
{
	const struct service *s;
	struct load load;

	(void)state;
	load_text(&load, "defaults\n{\nrlimit_as = 1m\naccess_times = 1:00-2:00\nnice = 3\n"
			 "deny_time = 9\n}\n" STANZA("a", ""));
	s = must_have(&load, "a");
	assert_int_equal(s->rlimits[SERVICE_RLIMIT_AS].value, 1 << 20);
	assert_int_equal(s->access_times->n, 1);
	assert_int_equal(s->nice, 3);
	assert_said(&load, "in defaults is applied to every service; xinetd ignores it there", 4);
	load_done(&load);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_every_attribute_of_a_service),
		cmocka_unit_test(leaves_what_is_not_given_at_its_default),
		cmocka_unit_test(merges_defaults_into_services_that_do_not_say),
		cmocka_unit_test(takes_an_empty_only_from_as_nobody),
		cmocka_unit_test(takes_words_from_a_hash_on_as_a_comment),
		cmocka_unit_test(refuses_wrong_numbers_of_values),
		cmocka_unit_test(refuses_values_that_cannot_be_understood),
		cmocka_unit_test(warns_of_variables_that_no_server_will_find),
		cmocka_unit_test(fails_closed_on_addresses_that_cannot_be_understood),
		cmocka_unit_test(applies_defaults_wherever_they_stand),
		cmocka_unit_test(never_revives_a_service_with_an_error),
		cmocka_unit_test(keeps_the_first_of_attributes_given_twice),
		cmocka_unit_test(refuses_operators_that_an_attribute_does_not_take),
		cmocka_unit_test(leaves_a_list_unset_that_has_nothing_to_remove_from),
		cmocka_unit_test(ignores_unknown_attributes_but_not_misspelt_restrictions),
		cmocka_unit_test(takes_names_and_words_in_any_case),
		cmocka_unit_test(takes_the_words_of_inetd_and_older_descriptions),
		cmocka_unit_test(takes_flags_before_and_after_the_arguments),
		cmocka_unit_test(reads_v6only_as_it_is_written),
		cmocka_unit_test(ignores_traffic_where_nothing_is_redirected),
		cmocka_unit_test(takes_idle_timeout_where_the_worker_sees_what_passes),
		cmocka_unit_test(refuses_to_redirect_to_what_is_no_address),
		cmocka_unit_test(takes_access_times_over_midnight_and_until_24),
		cmocka_unit_test(takes_sensor_as_internal),
		cmocka_unit_test(refuses_servers_that_are_no_programs),
		cmocka_unit_test(gives_file_logs_a_hard_limit_above_the_soft_one),
		cmocka_unit_test(says_which_attributes_have_no_place_in_defaults),
		cmocka_unit_test(loses_no_restriction_that_stands_in_defaults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
