/* SPDX-License-Identifier: ISC */
/* Tests of inetd.conf in its dialects. */
#include "config.h"

#include <netdb.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "load.h"

static const struct service *only(struct load *load, const char *line)
{
	load_inetd_text(load, "", line);
	if (load->conf->n != 1) {
		load_print(load);
		fail_msg("%zu services: %s", load->conf->n, line);
	}
	return load->conf->services[0];
}

/* The line must not become a service, and @said be told of it; NULL: some error. */
static void refuses(const char *line, const char *said)
{
	struct load load;

	load_inetd_text(&load, "", line);
	assert_int_equal(load.status, 0);
	assert_int_equal(load.conf->n, 0);
	if (said)
		assert_said(&load, said, 1);
	else
		assert_true(load.diag.errors > 0);
	load_done(&load);
}

static void listens_on(const char *line, const char *expected)
{
	char text[256] = "", one[ENDPOINT_TEXT_MAX];
	struct load load;
	const struct service *s = only(&load, line);

	for (size_t i = 0; i < s->n_endpoints; i++) {
		(void)strcat(text, i ? ", " : "");
		(void)strcat(text, endpoint_format(&s->endpoints[i], one));
	}
	assert_string_equal(text, expected);
	load_done(&load);
}

static void reads_a_plain_line(void **state)
{
	struct load load;
	const struct service *s;

	(void)state;
	s = only(&load, "# comment\n\n8021\tstream tcp  nowait root /bin/sh me -l # x\n");
	assert_string_equal(s->id, "8021");
	assert_int_equal(s->line, 3);
	assert_int_equal(s->port, 8021);
	assert_int_equal(s->socktype, SOCK_STREAM);
	assert_int_equal(s->protocol, IPPROTO_TCP);
	assert_false(s->wait);
	assert_string_equal(s->user, "root");
	assert_string_equal(s->server, "/bin/sh");
	/* As in inetd: only whole lines are comments. */
	assert_words(s->argv, "me -l # x");
	assert_true(s->groups);
	load_done(&load);
	s = only(&load, "8021 dgram udp wait root /bin/sh\r\n");
	assert_true(s->wait);
	assert_int_equal(s->protocol, IPPROTO_UDP);
	/* A missing argv[0] is the program's name. */
	assert_words(s->argv, "sh");
	load_done(&load);
}

static void reads_addresses_before_the_port(void **state)
{
	(void)state;
	listens_on("8021 stream tcp nowait root /bin/sh sh\n", "tcp [::]:8021");
	listens_on("127.0.0.1:8021 stream tcp nowait root /bin/sh sh\n", "tcp 127.0.0.1:8021");
	listens_on("[::1]:8021 stream tcp nowait root /bin/sh sh\n", "tcp [::1]:8021");
	listens_on("*:8021 stream tcp nowait root /bin/sh sh\n", "tcp [::]:8021");
	listens_on("localhost:8021 stream tcp4 nowait root /bin/sh sh\n", "tcp 127.0.0.1:8021");
}

static void reads_protocols_bound_to_a_family(void **state)
{
	struct load load;

	(void)state;
	listens_on("8021 stream tcp4 nowait root /bin/sh sh\n", "tcp 0.0.0.0:8021");
	listens_on("8021 stream tcp6 nowait root /bin/sh sh\n", "tcp [::]:8021");
	listens_on("8021 stream tcp46 nowait root /bin/sh sh\n", "tcp [::]:8021");
	listens_on("8021 dgram udp4 wait root /bin/sh sh\n", "udp 0.0.0.0:8021");
	assert_true(only(&load, "8021 stream tcp6 nowait root /bin/sh sh\n")->endpoints[0].v6only);
	load_done(&load);
	assert_false(
		only(&load, "8021 stream tcp46 nowait root /bin/sh sh\n")->endpoints[0].v6only);
	load_done(&load);
	refuses("8021 stream tcp64 nowait root /bin/sh sh\n",
		"inetd.conf:1: error: protocol \"tcp64\" is not known");
	refuses("8021 stream no-such nowait root /bin/sh sh\n",
		"protocol \"no-such\" is not in the protocols database");
}

static void reads_unix_sockets(void **state)
{
	struct load load;
	const struct service *s;

	(void)state;
	s = only(&load, "/run/x.sock stream unix nowait root /bin/sh sh\n");
	assert_string_equal(s->id, "/run/x.sock");
	assert_int_equal(s->endpoints[0].addr.family, AF_UNIX);
	assert_string_equal(s->endpoints[0].path, "/run/x.sock");
	load_done(&load);
}

static void reads_limits_behind_wait(void **state)
{
	struct load load;
	const struct service *s;

	(void)state;
	s = only(&load, "8021 stream tcp nowait.30 root /bin/sh sh\n");
	assert_int_equal(s->cps_rate, 30);
	load_done(&load);
	s = only(&load, "8021 stream tcp nowait:40 root /bin/sh sh\n");
	assert_int_equal(s->cps_rate, 40);
	load_done(&load);
	s = only(&load, "8021 stream tcp nowait/5/0/2 root /bin/sh sh\n");
	assert_int_equal(s->instances, 5);
	assert_int_equal(s->per_source, 2);
	load_done(&load);
	refuses("8021 stream tcp nowait.x root /bin/sh sh\n",
		"stands the number of servers a minute");
	refuses("8021 stream tcp nowait/x root /bin/sh sh\n", "behind a / stands a number");
	refuses("8021 stream tcp later root /bin/sh sh\n", "\"later\": write wait or nowait");
	refuses("8021 stream tcp waiting root /bin/sh sh\n", "write wait or nowait");
}

static void reads_groups_and_classes_behind_users(void **state)
{
	static const char *const lines[] = {
		"8021 stream tcp nowait root:0 /bin/sh sh\n",
		"8021 stream tcp nowait root.0 /bin/sh sh\n",
		"8021 stream tcp nowait root:0/daemon /bin/sh sh\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		struct load load;
		const struct service *s = only(&load, lines[i]);

		assert_string_equal(s->user, "root");
		assert_string_equal(s->group, "0");
		load_done(&load);
	}
	refuses("8021 stream tcp nowait no.such.user /bin/sh sh\n", "there is no user \"no\"");
	refuses("8021 stream tcp nowait root:no-such-group /bin/sh sh\n",
		"there is no group \"no-such-group\"");
}

static void reads_internal_services_with_ids_of_their_own(void **state)
{
	struct load load;

	(void)state;
	if (!getservbyname("discard", "udp"))
		skip();
	load_inetd_text(
		&load, "",
		"echo stream tcp nowait root internal\necho dgram udp wait root internal\n"
		"discard stream tcp nowait root internal\ntime stream tcp6 nowait root internal\n"
		"daytime dgram udp4 wait root internal\n7007 stream tcp nowait root internal\n");
	assert_int_equal(must_have(&load, "echo-stream")->builtin, BUILTIN_ECHO);
	assert_int_equal(must_have(&load, "echo-dgram")->builtin, BUILTIN_ECHO);
	assert_int_equal(must_have(&load, "discard-stream")->builtin, BUILTIN_DISCARD);
	assert_int_equal(must_have(&load, "time-stream")->builtin, BUILTIN_TIME);
	assert_int_equal(must_have(&load, "daytime-dgram")->builtin, BUILTIN_DAYTIME);
	assert_said(&load, "there is no internal service \"7007\"", 1);
	load_done(&load);
}

static void reads_rpc_services_with_versions(void **state)
{
	struct load load;
	const struct service *s;

	(void)state;
	if (!getrpcbyname("rstatd"))
		skip();
	s = only(&load, "rstatd/2-4 dgram rpc/udp wait root /bin/sh sh\n");
	assert_string_equal(s->name, "rstatd");
	assert_true(s->type & SERVICE_RPC);
	assert_int_equal(s->rpc_min_version, 2);
	assert_int_equal(s->rpc_max_version, 4);
	assert_int_equal(s->protocol, IPPROTO_UDP);
	load_done(&load);
}

static void reads_rpc_programs_by_number(void **state)
{
	struct load load;
	const struct service *s;

	(void)state;
	s = only(&load, "300000/1 stream rpc/tcp nowait root /bin/sh sh\n");
	assert_int_equal(s->type, SERVICE_RPC | SERVICE_UNLISTED);
	assert_int_equal(s->rpc_number, 300000);
	assert_int_equal(s->rpc_min_version, 1);
	assert_int_equal(s->rpc_max_version, 1);
	assert_string_equal(s->name, "300000");
	load_done(&load);
	listens_on("300000/1 stream rpc/tcp nowait root /bin/sh sh\n", "tcp [::]:0");
	listens_on("300000/1-3 stream rpc/tcp4 nowait root /bin/sh sh\n", "tcp 0.0.0.0:0");
	listens_on("127.0.0.1:300000/1 dgram rpc/udp wait root /bin/sh sh\n", "udp 127.0.0.1:0");
	refuses("300000 stream rpc/tcp nowait root /bin/sh sh\n",
		"the versions of RPC program \"300000\" are missing: write 300000/N");
	refuses("300000/ stream rpc/tcp nowait root /bin/sh sh\n", "are missing");
	refuses("300000/2-1 stream rpc/tcp nowait root /bin/sh sh\n", "\"2-1\" is no version");
	refuses("300000/x stream rpc/tcp nowait root /bin/sh sh\n", "\"x\" is no version");
	refuses("no-such-program/1 stream rpc/tcp nowait root /bin/sh sh\n",
		"is not in the RPC database");
	refuses("300000/1 stream rpc/udp nowait root /bin/sh sh\n",
		"does not go with this socket_type");
	refuses("300000/1 stream rpc/icmp nowait root /bin/sh sh\n", NULL);
	refuses("300000/1 stream rpc/ nowait root /bin/sh sh\n", NULL);
	refuses("300000/1 stream rpc/tcp nowait root internal\n", NULL);
}

static void tells_the_families_of_rpc_lines_apart(void **state)
{
	struct load load;

	(void)state;
	load_inetd_text(&load, "",
			"300000/1 dgram rpc/udp wait root /bin/sh sh\n"
			"300000/1 dgram rpc/udp6 wait root /bin/sh sh\n"
			"300000/1 stream rpc/tcp wait root /bin/sh sh\n");
	assert_int_equal(load.conf->n, 3);
	assert_int_equal(load.conf->services[0]->endpoints[0].addr.family, AF_INET);
	assert_true(load.conf->services[1]->endpoints[0].v6only);
	assert_int_equal(load.conf->services[2]->endpoints[0].addr.family, AF_INET6);
	load_done(&load);
}

static void reads_services_behind_tcpmux(void **state)
{
	const struct service *s;
	struct load load;

	(void)state;
	load_inetd_text(&load, "",
			"7 stream tcp nowait root /bin/sh sh\n"
			"tcpmux/+date stream tcp nowait root /bin/sh date -u\n"
			"TCPMUX/Plain stream tcp nowait root /bin/sh sh\n"
			"tcpmux/daytime stream tcp nowait root internal\n");
	assert_int_equal(load.diag.errors, 0);
	assert_int_equal(load.conf->n, 4);
	s = load.conf->services[1];
	assert_string_equal(s->id, "date");
	assert_int_equal(s->type, SERVICE_TCPMUXPLUS | SERVICE_UNLISTED);
	assert_string_equal(s->name, "date");
	assert_int_equal(s->n_endpoints, 0);
	assert_string_equal(s->argv->v[0], "date");
	s = load.conf->services[2];
	assert_string_equal(s->id, "Plain");
	assert_int_equal(s->type, SERVICE_TCPMUX | SERVICE_UNLISTED);
	s = load.conf->services[3];
	assert_string_equal(s->id, "daytime");
	assert_int_equal(s->type, SERVICE_INTERNAL | SERVICE_TCPMUX | SERVICE_UNLISTED);
	assert_int_equal(s->builtin, BUILTIN_DAYTIME);
	load_done(&load);
	refuses("tcpmux/ stream tcp nowait root /bin/sh sh\n", "a name stands behind tcpmux/");
	refuses("tcpmux/+ stream tcp nowait root /bin/sh sh\n", "a name stands behind tcpmux/");
	refuses("tcpmux/tcpmux stream tcp nowait root internal\n", "does not lead to itself");
	/* Nothing is behind tcpmux but streams. */
	refuses("tcpmux/date dgram tcp wait root /bin/sh sh\n", "socket_type = stream");
}

static void names_the_field_that_is_missing(void **state)
{
	(void)state;
	/* D40: two fields crashed xinetd. */
	refuses("8021\n", "inetd.conf:1: error: the socket type is missing");
	refuses("8021 stream\n", "the protocol is missing");
	refuses("8021 stream tcp\n", "the wait or nowait is missing");
	refuses("8021 stream tcp nowait\n", "the user is missing");
	refuses("8021 stream tcp nowait root\n", "the program is missing");
}

static void goes_on_after_bad_lines(void **state)
{
	struct load load;

	(void)state;
	load_init(&load);
	load.has_inetd = true;
	load_put(&load, "main.conf", "");
	load_put_bytes(
		&load, "inetd.conf",
		"a\nb c\n8021 stream\0 tcp nowait root /bin/sh\n8022 stream tcp nowait root /bin/sh\n",
		79);
	load_run(&load);
	assert_said(&load, "inetd.conf:3: error: the line holds a NUL byte", 1);
	assert_int_equal(load.conf->n, 1);
	(void)must_have(&load, "8022");
	load_done(&load);
}

static void applies_defaults_to_inetd_services(void **state)
{
	struct load load;
	const struct service *s;

	(void)state;
	/* D12 */
	load_inetd_text(&load,
			"defaults\n{\nonly_from = 10.0.0.1\nno_access = 10.0.0.2\ninstances = 3\n"
			"banner = /b\nlog_type = SYSLOG daemon\nlog_on_success = PID\n}\n",
			"8021 stream tcp nowait root /bin/sh sh\n");
	s = must_have(&load, "8021");
	assert_words(s->only_from->words, "10.0.0.1");
	assert_words(s->no_access->words, "10.0.0.2");
	assert_int_equal(s->instances, 3);
	assert_string_equal(s->banners->always.path, "/b");
	assert_int_equal(s->log_on_success, LOG_OPT_PID);
	assert_false(s->flags & FLAG_NOLIBWRAP);
	load_done(&load);
}

static void hides_lines_behind_xinetd_entries_of_the_same_name(void **state)
{
	struct load load;

	(void)state;
	if (!getservbyname("ftp", "tcp"))
		skip();
	load_inetd_text(
		&load,
		"service ftp\n{\nsocket_type = stream\nwait = no\nuser = root\nserver = /bin/cat\n}\n",
		"ftp stream tcp nowait root /bin/sh sh\n");
	assert_int_equal(load.conf->n, 1);
	assert_string_equal(load.conf->services[0]->server, "/bin/cat");
	assert_said(&load, "inetd.conf:1: notice: hidden by the xinetd entry", 1);
	load_done(&load);
	/* A disabled one hides nothing. */
	load_inetd_text(&load, "service ftp\n{\ndisable = yes\n}\n",
			"ftp stream tcp nowait root /bin/sh sh\n");
	assert_int_equal(load.conf->n, 1);
	load_done(&load);
}

static void is_silent_about_a_missing_file_only(void **state)
{
	struct load load;

	(void)state;
	load_init(&load);
	load.has_inetd = true;
	load_put(&load, "main.conf", "");
	load_run(&load);
	assert_int_equal(load.status, 0);
	assert_int_equal(load.diag.errors, 0);
	load_put(&load, "inetd.conf/", "");
	load_run(&load);
	assert_int_equal(load.status, 0);
	assert_int_equal(load.diag.errors, 1);
	assert_int_equal(load.conf->seen.unread.n, 1);
	load_done(&load);
}

static void obeys_enabled_and_disabled_for_inetd_services(void **state)
{
	struct load load;

	(void)state;
	load_inetd_text(
		&load, "defaults\n{\ndisabled = 8021\n}\n",
		"8021 stream tcp nowait root /bin/sh\n8022 stream tcp nowait root /bin/sh\n");
	assert_int_equal(load.conf->n, 1);
	(void)must_have(&load, "8022");
	load_done(&load);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_a_plain_line),
		cmocka_unit_test(reads_addresses_before_the_port),
		cmocka_unit_test(reads_protocols_bound_to_a_family),
		cmocka_unit_test(reads_unix_sockets),
		cmocka_unit_test(reads_limits_behind_wait),
		cmocka_unit_test(reads_groups_and_classes_behind_users),
		cmocka_unit_test(reads_internal_services_with_ids_of_their_own),
		cmocka_unit_test(reads_rpc_services_with_versions),
		cmocka_unit_test(reads_rpc_programs_by_number),
		cmocka_unit_test(tells_the_families_of_rpc_lines_apart),
		cmocka_unit_test(reads_services_behind_tcpmux),
		cmocka_unit_test(names_the_field_that_is_missing),
		cmocka_unit_test(goes_on_after_bad_lines),
		cmocka_unit_test(applies_defaults_to_inetd_services),
		cmocka_unit_test(hides_lines_behind_xinetd_entries_of_the_same_name),
		cmocka_unit_test(is_silent_about_a_missing_file_only),
		cmocka_unit_test(obeys_enabled_and_disabled_for_inetd_services),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
