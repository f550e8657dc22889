/* SPDX-License-Identifier: ISC */
/* Tests of what a person writes to name a service to call. */
#include "config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"
#include "ctl/target.h"

static void expect_target(const char *text, sa_family_t family, int socktype, const char *host,
			  const char *service)
{
	struct target target;
	const char *why = NULL;

	assert_int_equal(target_parse(text, &target, &why), 0);
	assert_int_equal(target.family, family);
	assert_int_equal(target.socktype, socktype);
	assert_true(str_equal(target.host, host));
	assert_string_equal(target.service, service);
	target_done(&target);
	assert_null(target.host);
	assert_null(target.service);
}

static void knows_names_and_ports(void **state)
{
	(void)state;
	expect_target("echo", AF_UNSPEC, 0, NULL, "echo");
	expect_target("7", AF_UNSPEC, 0, NULL, "7");
	expect_target("udp:echo", AF_UNSPEC, SOCK_DGRAM, NULL, "echo");
	expect_target("host:echo", AF_UNSPEC, 0, "host", "echo");
	expect_target("tcp:host:7", AF_UNSPEC, SOCK_STREAM, "host", "7");
	expect_target("127.0.0.1:7", AF_UNSPEC, 0, "127.0.0.1", "7");
	expect_target("[::1]:7", AF_UNSPEC, 0, "::1", "7");
	expect_target("udp:[fe80::1%lo]:tftp", AF_UNSPEC, SOCK_DGRAM, "fe80::1%lo", "tftp");
	/* Only these prefixes are special; whatever else stands there is a host. */
	expect_target("sctp:7", AF_UNSPEC, 0, "sctp", "7");
	expect_target("tcp:udp:7", AF_UNSPEC, SOCK_STREAM, "udp", "7");
}

static void knows_unix_sockets(void **state)
{
	(void)state;
	expect_target("unix:/run/x", AF_UNIX, SOCK_STREAM, NULL, "/run/x");
	expect_target("/run/x:y", AF_UNIX, SOCK_STREAM, NULL, "/run/x:y");
	expect_target("@x", AF_UNIX, SOCK_STREAM, NULL, "@x");
	expect_target("unix-stream:@x", AF_UNIX, SOCK_STREAM, NULL, "@x");
	expect_target("unix-dgram:/x", AF_UNIX, SOCK_DGRAM, NULL, "/x");
	expect_target("unix-seqpacket:@x", AF_UNIX, SOCK_SEQPACKET, NULL, "@x");
}

static void says_what_to_write_instead(void **state)
{
	static const struct {
		const char *text;
		const char *hint;
	} bad[] = {
		{ "", "host:port" },         { ":7", "host:port" },
		{ "host:", "host:port" },    { "udp:", "host:port" },
		{ "[]:7", "host:port" },     { "[::1]", "[address]:port" },
		{ "[::1]7", "[address]" },   { "[::1", "[address]" },
		{ "[::1]:", "host:port" },   { "::1:7", "brackets" },
		{ "tcp:a:b:c", "brackets" }, { "unix:", "unix:/path" },
		{ "unix:x", "unix:/path" },  { "@", "unix:/path" },
		{ "/", "unix:/path" },       { "udp:/x:", "host:port" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct target target;
		const char *why = NULL;

		assert_int_equal(target_parse(bad[i].text, &target, &why), -EINVAL);
		assert_non_null(why);
		assert_non_null(strstr(why, bad[i].hint));
	}
}

static void bounds_the_names_of_unix_sockets(void **state)
{
	char text[120] = "/";
	struct target target;
	const char *why = NULL;

	(void)state;
	memset(text + 1, 'x', 106);
	text[107] = '\0';
	assert_int_equal(target_parse(text, &target, &why), 0);
	assert_int_equal(strlen(target.service), 107);
	target_done(&target);
	text[107] = 'x';
	text[108] = '\0';
	assert_int_equal(target_parse(text, &target, &why), -EINVAL);
	assert_non_null(strstr(why, "107 bytes"));
}

static void survives_any_text(void **state)
{
	static const char some[] = "[]:@/%.1a:::unix-dgram:udp:tcp:\033\xff";

	(void)state;
	srandom(9);
	for (int round = 0; round < 20000; round++) {
		char text[24];
		size_t n = (size_t)random() % sizeof(text);
		struct target target;
		const char *why = NULL;

		for (size_t i = 0; i < n; i++)
			text[i] = some[(size_t)random() % (sizeof(some) - 1)];
		text[n < sizeof(text) ? n : n - 1] = '\0';
		if (target_parse(text, &target, &why) < 0) {
			assert_non_null(why);
			continue;
		}
		assert_true(target.service[0]);
		assert_true(!target.host || target.host[0]);
		target_done(&target);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_names_and_ports),
		cmocka_unit_test(knows_unix_sockets),
		cmocka_unit_test(says_what_to_write_instead),
		cmocka_unit_test(bounds_the_names_of_unix_sockets),
		cmocka_unit_test(survives_any_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
