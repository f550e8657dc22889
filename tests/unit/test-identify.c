/* SPDX-License-Identifier: ISC */
/* Who is asked who he is, and when; and what loading says of an IDONLY that cannot be. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "load.h"
#include "policy/identify.h"

enum {
	FIRST = IDENTIFY_FIRST,
	REQUIRED = IDENTIFY_REQUIRED,
	REFUSED = IDENTIFY_REFUSED,
};

static const struct addr ipv4 = { .family = AF_INET }, ipv6 = { .family = AF_INET6 };

static void flags_and_log_decide_when(void **unused)
{
	static const struct {
		uint8_t success, failure;
		uint16_t flags;
		enum log_kind log;
		unsigned when;
	} table[] = {
		{ 0, 0, 0, LOG_KIND_FILE, 0 },
		{ LOG_OPT_PID | LOG_OPT_HOST, LOG_OPT_HOST, 0, LOG_KIND_FILE, 0 },
		{ LOG_OPT_USERID, 0, 0, LOG_KIND_FILE, FIRST },
		{ LOG_OPT_USERID, 0, 0, LOG_KIND_SYSLOG, FIRST },
		{ 0, LOG_OPT_USERID, 0, LOG_KIND_FILE, REFUSED },
		{ LOG_OPT_USERID, LOG_OPT_USERID, 0, LOG_KIND_JOURNAL, FIRST | REFUSED },
		/* Without a log there is nowhere to write it. */
		{ LOG_OPT_USERID, LOG_OPT_USERID, 0, LOG_KIND_NONE, 0 },
		/* IDONLY needs USERID on success, but no log. */
		{ 0, 0, FLAG_IDONLY, LOG_KIND_FILE, 0 },
		{ 0, LOG_OPT_USERID, FLAG_IDONLY, LOG_KIND_FILE, REFUSED },
		{ LOG_OPT_USERID, 0, FLAG_IDONLY, LOG_KIND_FILE, FIRST | REQUIRED },
		{ LOG_OPT_USERID, 0, FLAG_IDONLY, LOG_KIND_NONE, FIRST | REQUIRED },
		{ LOG_OPT_USERID, LOG_OPT_USERID, FLAG_IDONLY, LOG_KIND_NONE, FIRST | REQUIRED },
		{ LOG_OPT_USERID, LOG_OPT_USERID, FLAG_IDONLY, LOG_KIND_FILE,
		  FIRST | REQUIRED | REFUSED },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		const struct log_target log = { .kind = table[i].log };
		const struct service service = {
			.socktype = SOCK_STREAM,
			.protocol = IPPROTO_TCP,
			.log_on_success = table[i].success,
			.log_on_failure = table[i].failure,
			.flags = table[i].flags,
			.log = &log,
		};

		if (identify_when(&service, &ipv4) != table[i].when)
			fail_msg("row %zu: %u, not %u", i, identify_when(&service, &ipv4),
				 table[i].when);
		assert_int_equal(identify_when(&service, &ipv6), table[i].when);
	}
}

static void only_tcp_connections_that_usherd_accepts(void **unused)
{
	static const struct {
		uint8_t socktype;
		uint16_t protocol;
		bool wait;
		sa_family_t peer;
		bool asked;
	} table[] = {
		{ SOCK_STREAM, IPPROTO_TCP, false, AF_INET, true },
		{ SOCK_STREAM, IPPROTO_TCP, false, AF_INET6, true },
		{ SOCK_STREAM, IPPROTO_TCP, false, AF_UNIX, false },
		{ SOCK_STREAM, IPPROTO_TCP, false, AF_UNSPEC, false },
		{ SOCK_STREAM, IPPROTO_TCP, true, AF_INET, false },
		{ SOCK_STREAM, IPPROTO_SCTP, false, AF_INET, false },
		{ SOCK_SEQPACKET, IPPROTO_SCTP, false, AF_INET, false },
		{ SOCK_DGRAM, IPPROTO_UDP, true, AF_INET, false },
		{ SOCK_DGRAM, IPPROTO_UDP, false, AF_INET6, false },
		{ SOCK_RAW, IPPROTO_TCP, false, AF_INET, false },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		const struct addr peer = { .family = table[i].peer };
		const struct log_target log = { .kind = LOG_KIND_FILE };
		struct service service = {
			.socktype = table[i].socktype,
			.protocol = table[i].protocol,
			.wait = table[i].wait,
			.log_on_success = LOG_OPT_USERID,
			.log_on_failure = LOG_OPT_USERID,
			.log = &log,
		};

		if (identify_when(&service, &peer) != (table[i].asked ? FIRST | REFUSED : 0))
			fail_msg("row %zu", i);
		/* Who answers the client does not matter. */
		service.type = SERVICE_INTERNAL;
		assert_int_equal(identify_when(&service, &peer) != 0, table[i].asked);
		/* Whoever comes another way cannot be identified, so IDONLY does not let him in. */
		service.flags = FLAG_IDONLY;
		if (service.socktype == SOCK_STREAM && service.protocol == IPPROTO_TCP &&
		    !service.wait)
			assert_int_equal(identify_when(&service, &peer) & REQUIRED, REQUIRED);
		else
			assert_int_equal(identify_when(&service, &peer), 0);
	}
}

static void loading_says_where_idonly_has_no_effect(void **unused)
{
	struct load load;

	(void)unused;
	load_text(&load, "service a\n{\n\ttype = UNLISTED\n\tport = 4001\n\tsocket_type = stream\n"
			 "\twait = no\n\tuser = root\n\tserver = /bin/sh\n\tflags = IDONLY\n}\n");
	assert_said(&load, "main.conf:9: warning: IDONLY has no effect without USERID", 1);
	must_have(&load, "a");
	load_done(&load);
	load_text(&load, STANZA("a", "\tflags = IDONLY\n\tlog_on_success = USERID\n"));
	assert_said(&load, ": IDONLY", 0);
	must_have(&load, "a");
	load_done(&load);
	load_text(&load, "service a\n{\n\ttype = UNLISTED\n\tport = 4001\n\tsocket_type = stream\n"
			 "\twait = yes\n\tuser = root\n\tserver = /bin/sh\n\tflags = IDONLY\n"
			 "\tlog_on_success = USERID\n}\n");
	assert_said(&load, "warning: IDONLY has no effect on this service", 1);
	load_done(&load);
	load_text(&load, STANZA("a", "\tflags = IDONLY\n\tbind = 127.0.0.1 /run/x\n"
				     "\tlog_on_success = USERID\n"));
	assert_said(&load, "error: IDONLY and the Unix socket in \"bind\" exclude each other", 1);
	assert_true(load_broken(&load, "a"));
	load_done(&load);
}

static void the_ident_service_itself_asks_nobody(void **unused)
{
	const struct service *service;
	struct load load;

	(void)unused;
	load_text(&load, STANZA_AT("a", "113",
				   "\tlog_type = SYSLOG daemon\n\tlog_on_success = HOST USERID\n"
				   "\tlog_on_failure = HOST USERID\n"));
	assert_said(&load, "warning: USERID at the ident service itself would ask for ever", 1);
	service = must_have(&load, "a");
	assert_int_equal(service->log_on_success, LOG_OPT_HOST);
	assert_int_equal(service->log_on_failure, LOG_OPT_HOST);
	assert_int_equal(identify_when(service, &ipv4), 0);
	load_done(&load);
	/* Also where the words come from defaults. */
	load_text(&load, "defaults\n{\n\tlog_on_failure = USERID\n}\n" STANZA_AT("a", "113", "")
				 STANZA_AT("b", "114", "\tlog_type = SYSLOG daemon\n"));
	assert_said(&load, "USERID at the ident service itself", 1);
	assert_int_equal(must_have(&load, "a")->log_on_failure, 0);
	assert_int_equal(identify_when(must_have(&load, "b"), &ipv4), IDENTIFY_REFUSED);
	load_done(&load);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flags_and_log_decide_when),
		cmocka_unit_test(only_tcp_connections_that_usherd_accepts),
		cmocka_unit_test(loading_says_where_idonly_has_no_effect),
		cmocka_unit_test(the_ident_service_itself_asks_nobody),
	};

	return cmocka_run_group_tests_name("identify", tests, NULL, NULL);
}
