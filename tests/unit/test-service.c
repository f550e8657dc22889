/* SPDX-License-Identifier: ISC */
/* Tests of services as values: equality sees every attribute, a dump reads back as what it was, endpoints as text. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "load.h"

static const char head[] = "service a\n{\ntype = UNLISTED\n";

/* What is left of a complete stanza when one attribute is varied. */
static const char *const base[] = {
	"socket_type = stream", "port = 4001", "wait = no",      "user = root",
	"server = /bin/sh",     "bind = ::1",  "protocol = tcp",
};

/* The base with the lines of @vary in place of those of the same name. */
static void load_variant(struct load *load, const char *vary)
{
	size_t length = strcspn(vary, " ");
	char text[2048];
	size_t at = (size_t)snprintf(text, sizeof(text), "%s%s\n", head, vary);

	for (size_t i = 0; i < ARRAY_SIZE(base); i++)
		if (length == 0 || strncmp(base[i], vary, length + 1) != 0)
			at += (size_t)snprintf(text + at, sizeof(text) - at, "%s\n", base[i]);
	(void)snprintf(text + at, sizeof(text) - at, "}\n");
	load_text(load, text);
	if (load->conf->n != 1) {
		load_print(load);
		fail_msg("not taken: %s", vary);
	}
}

/* Each differs from the base in one thing. */
static const char *const variants[] = {
	"id = b",
	"flags = NODELAY",
	"socket_type = stream\nprotocol = sctp",
	"port = 4002",
	"user = 54321",
	"group = 54321",
	"server = /bin/cat",
	"server_args = x",
	"server_args = x y",
	"bind = 127.0.0.1",
	"bind = ::1 127.0.0.1",
	"bind = /run/x",
	"bind = @x",
	"v6only = yes",
	"backlog = 5",
	"socket_mode = 600",
	"socket_user = 0",
	"socket_group = 0",
	"groups = yes",
	"umask = 022",
	"umask = 0",
	"nice = 1",
	"nice = -1",
	"env = A=1",
	"env = #A=1",
	"passenv =",
	"passenv = A",
	"rlimit_as = 1k",
	"chroot = /",
	"directory = /tmp",
	"no_new_privs = yes",
	"rlimit_cpu = 1",
	"rlimit_data = 1",
	"rlimit_files = 1",
	"rlimit_rss = 1",
	"rlimit_stack = 1",
	"rlimit_stack = UNLIMITED",
	"session_timeout = 1",
	"only_from =",
	"only_from = 10.0.0.0/8 .example.org {10,11}",
	"no_access = ::/0",
	"access_times = 8:00-12:00",
	"access_times = 23:00-24:00 0:00-0:01",
	"instances = 0",
	"overload = queue",
	"per_source = 1",
	"per_source_mask = 24",
	"per_source_mask = 32 64",
	"cps = 1 1",
	"cps = 0 0",
	"max_load = 2.1",
	"max_load = -0.1",
	"deny_time = 5\nflags = REUSE",
	"deny_time = FOREVER",
	"libwrap = x",
	"banner = /x",
	"banner_success = /x",
	"banner_fail = /x",
	"redirect = 192.0.2.1 80",
	"redirect = example.org 80\nidle_timeout = 5",
	"log_type = FILE /x",
	"log_type = FILE /x 1000",
	"log_type = FILE /x 1000 1001",
	"log_type = SYSLOG mail",
	"log_type = SYSLOG mail debug",
	"log_type = JOURNAL",
	"log_on_success = HOST",
	"log_on_success = PID USERID EXIT DURATION",
	"log_on_failure = HOST",
	"log_on_failure = USERID ATTEMPT",
	"programname = x",
};

static void sees_a_difference_in_every_attribute(void **state)
{
	struct load first, other;

	(void)state;
	load_variant(&first, "");
	for (size_t i = 0; i < ARRAY_SIZE(variants); i++) {
		load_variant(&other, variants[i]);
		if (service_equal(first.conf->services[0], other.conf->services[0]) ||
		    service_equal(other.conf->services[0], first.conf->services[0]))
			fail_msg("equal in spite of: %s", variants[i]);
		assert_true(service_equal(other.conf->services[0], other.conf->services[0]));
		load_done(&other);
	}
	/* Where the stanza stands and which words say it make none. */
	load_variant(&other, "log_on_success =\n\n\n# c\ninterface = ::1");
	assert_true(service_equal(first.conf->services[0], other.conf->services[0]));
	load_done(&other);
	load_done(&first);
}

/* The dump of all services. */
static char *dump_of(const struct load *load)
{
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);

	assert_non_null(out);
	for (size_t i = 0; i < load->conf->n; i++)
		service_dump(load->conf->services[i], out);
	assert_int_equal(fclose(out), 0);
	return text;
}

/* A dump without its comments, which say where the stanza stood. */
static void strip_comments(char *text)
{
	char *to = text;

	while (*text) {
		size_t length = strcspn(text, "\n") + 1;

		if (*text != '#') {
			memmove(to, text, length);
			to += length;
		}
		text += length;
	}
	*to = '\0';
}

static void reads_its_dump_back_as_the_same_service(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(variants); i++) {
		struct load first, second;
		char *dump, *again;

		load_variant(&first, variants[i]);
		dump = dump_of(&first);
		load_text(&second, dump);
		if (second.diag.errors || second.conf->n != 1) {
			load_print(&second);
			fail_msg("the dump is not read back: %s", dump);
		}
		if (!service_equal(first.conf->services[0], second.conf->services[0]))
			fail_msg("reads back as another service: %s", dump);
		again = dump_of(&second);
		strip_comments(dump);
		strip_comments(again);
		assert_string_equal(dump, again);
		free(dump);
		free(again);
		load_done(&first);
		load_done(&second);
	}
}

static void reads_dumps_of_other_kinds_back(void **state)
{
	static const char text[] =
		"defaults\n{\nonly_from = 10.0.0.0\nlog_type = SYSLOG daemon\nbind = 127.0.0.1\n}\n"
		"service echo\n{\ntype = INTERNAL UNLISTED\nport = 4001\nsocket_type = dgram\nwait = yes\n"
		"only_from =\n}\n"
		"service r\n{\ntype = RPC UNLISTED\nsocket_type = stream\nprotocol = tcp\nrpc_version = 2-4\n"
		"rpc_number = 300000\nwait = no\nuser = root\nserver = /bin/sh\n}\n"
		"service m\n{\ntype = TCPMUXPLUS UNLISTED\nsocket_type = stream\nwait = no\nuser = root\n"
		"server = /bin/sh\n}\n"
		"service s\n{\ntype = UNLISTED\nport = 4003\nsocket_type = stream\nwait = no\n"
		"flags = SENSOR IPv4\ndeny_time = 7\n}\n"
		"service n\n{\ntype = UNLISTED\nport = 4004\nsocket_type = stream\nwait = no\nuser = root\n"
		"server = /bin/sh\nflags = NAMEINARGS\nserver_args = me # \\\n}\n";
	struct load first, second;
	char *dump;

	(void)state;
	load_text(&first, text);
	assert_int_equal(first.diag.errors, 0);
	dump = dump_of(&first);
	load_text(&second, dump);
	if (second.diag.errors)
		load_print(&second);
	assert_int_equal(second.diag.errors, 0);
	assert_int_equal(first.conf->n, 5);
	assert_int_equal(second.conf->n, 5);
	for (size_t i = 0; i < 5; i++)
		if (!service_equal(first.conf->services[i], second.conf->services[i]))
			fail_msg("%s reads back as another service: %s",
				 first.conf->services[i]->id, dump);
	free(dump);
	load_done(&first);
	load_done(&second);
}

static void writes_endpoints_as_text(void **state)
{
	static const struct {
		const char *vary;
		const char *text;
	} cases[] = {
		{ "bind = 127.0.0.1", "tcp 127.0.0.1:4001" },
		{ "bind = 2001:db8::1", "tcp [2001:db8::1]:4001" },
		{ "bind = /run/x", "unix /run/x" },
		{ "bind = @x", "unix @x" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char text[ENDPOINT_TEXT_MAX];
		struct load load;

		load_variant(&load, cases[i].vary);
		assert_string_equal(endpoint_format(&load.conf->services[0]->endpoints[0], text),
				    cases[i].text);
		load_done(&load);
	}
}

static void fits_the_longest_endpoint_into_its_room(void **state)
{
	char vary[160], text[ENDPOINT_TEXT_MAX];
	struct load load;

	(void)state;
	(void)snprintf(vary, sizeof(vary), "bind = @%0106d", 1);
	load_variant(&load, vary);
	(void)endpoint_format(&load.conf->services[0]->endpoints[0], text);
	assert_string_equal(text + 5, vary + 7);
	load_done(&load);
}

static void lives_as_long_as_somebody_refers_to_it(void **state)
{
	const struct service *s;
	struct load load;

	(void)state;
	load_variant(&load, "");
	s = service_ref(load.conf->services[0]);
	load_done(&load);
	assert_string_equal(s->id, "a");
	service_unref(s);
	service_unref(NULL);
}

static void what_stands_behind_another_refuses_nobody_and_outlives_it(void **state)
{
	struct endpoint place = { .addr = { .family = AF_INET }, .socktype = SOCK_STREAM };
	const struct service *front, *behind;
	struct load load;

	(void)state;
	load_text(
		&load,
		"service a\n{\ntype = UNLISTED\nport = 1\nsocket_type = stream\nwait = yes\n"
		"user = root\nserver = /bin/sh\nserver_args = -c true\nflags = INTERCEPT NODELAY\n"
		"only_from = 192.0.2.1\nno_access = 192.0.2.2\naccess_times = 8:00-9:00\n"
		"instances = 3\nper_source = 2\nmax_load = 1\ncps = 7 8\n}\n");
	assert_int_equal(load.conf->n, 1);
	front = load.conf->services[0];
	assert_true(front->flags & FLAG_INTERCEPT);
	behind = service_behind(front, &place);
	assert_non_null(behind);
	load_done(&load);
	assert_string_equal(behind->id, "a");
	assert_string_equal(behind->server, "/bin/sh");
	assert_string_equal(behind->argv->v[2], "true");
	assert_int_equal(behind->n_endpoints, 1);
	assert_true(endpoint_equal(&behind->endpoints[0], &place));
	assert_int_equal(behind->flags, FLAG_NODELAY);
	assert_true(behind->wait);
	assert_false(behind->only_from->given);
	assert_int_equal(behind->no_access->words->n + behind->no_access->blocks.n, 0);
	assert_int_equal(behind->access_times->n, 0);
	assert_int_equal(behind->instances, UNLIMITED);
	assert_int_equal(behind->per_source, UNLIMITED);
	assert_false(behind->max_load > 0);
	assert_int_equal(behind->cps_rate, 7);
	service_unref(behind);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sees_a_difference_in_every_attribute),
		cmocka_unit_test(reads_its_dump_back_as_the_same_service),
		cmocka_unit_test(reads_dumps_of_other_kinds_back),
		cmocka_unit_test(writes_endpoints_as_text),
		cmocka_unit_test(fits_the_longest_endpoint_into_its_room),
		cmocka_unit_test(what_stands_behind_another_refuses_nobody_and_outlives_it),
		cmocka_unit_test(lives_as_long_as_somebody_refers_to_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
