/* SPDX-License-Identifier: ISC */
/* The lines of a session, to the byte. */
#include "config.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "record/lines.h"
#include "record/record.h"
#include "record/session.h"

static struct addr address(const char *text)
{
	struct addr addr;

	assert_int_equal(addr_parse(text, &addr), 0);
	return addr;
}

static struct service service_with(char *id, uint8_t success, uint8_t failure)
{
	return (struct service){
		.refs = 1, .id = id, .log_on_success = success, .log_on_failure = failure
	};
}

static void assert_line(const char *line, size_t len, const char *expected)
{
	assert_string_equal(line, expected);
	assert_int_equal(len, strlen(expected));
}

static void start_line_holds_the_fields_that_were_asked_for(void **unused)
{
	char id[] = "echo-stream", line[SESSION_LINE_MAX + 1];
	struct service service = service_with(id, LOG_OPT_PID | LOG_OPT_HOST, 0);
	struct session session = { .service = &service,
				   .peer = address("::ffff:127.0.0.1"),
				   .pid = 1771 };

	(void)unused;
	assert_line(line, lines_start(&session, line),
		    "START: echo-stream pid=1771 from=127.0.0.1");
	service.log_on_success = LOG_OPT_HOST;
	session.peer = address("2001:db8::7");
	assert_line(line, lines_start(&session, line), "START: echo-stream from=2001:db8::7");
	service.log_on_success = LOG_OPT_PID;
	session.pid = 0;
	assert_line(line, lines_start(&session, line), "START: echo-stream pid=0");
	service.log_on_success = LOG_OPT_EXIT;
	assert_line(line, lines_start(&session, line), "START: echo-stream");
	service.log_on_success = 0;
	assert_int_equal(lines_start(&session, line), 0);
}

static void peers_without_a_number_have_a_word(void **unused)
{
	char id[] = "x", line[SESSION_LINE_MAX + 1];
	struct service service = service_with(id, LOG_OPT_HOST, 0);
	struct session session = { .service = &service };

	(void)unused;
	assert_line(line, lines_start(&session, line), "START: x from=<no address>");
	session.peer.family = AF_UNIX;
	assert_line(line, lines_start(&session, line), "START: x from=unix");
	session.peer = address("255.100.9.0");
	assert_line(line, lines_start(&session, line), "START: x from=255.100.9.0");
}

static void exit_line_tells_status_or_signal(void **unused)
{
	char id[] = "a", line[SESSION_LINE_MAX + 1];
	struct service service = service_with(id, LOG_OPT_EXIT | LOG_OPT_PID | LOG_OPT_DURATION, 0);
	struct session session = {
		.service = &service, .pid = 42, .start_usec = 1000000, .status = 127 << 8
	};

	(void)unused;
	assert_line(line, lines_exit(&session, 4999999, line),
		    "EXIT: a status=127 pid=42 duration=3(sec)");
	session.status = SIGKILL;
	assert_line(line, lines_exit(&session, 1000000, line),
		    "EXIT: a signal=9 pid=42 duration=0(sec)");
	session.status = SIGSEGV | 0x80;
	assert_line(line, lines_exit(&session, 1000000, line),
		    "EXIT: a signal=11 pid=42 duration=0(sec)");
}

static void exit_line_comes_with_exit_or_duration_only(void **unused)
{
	char id[] = "a", line[SESSION_LINE_MAX + 1];
	struct service service = service_with(id, LOG_OPT_PID | LOG_OPT_HOST, 0);
	struct session session = { .service = &service, .pid = 42 };

	(void)unused;
	assert_int_equal(lines_exit(&session, 0, line), 0);
	service.log_on_success = LOG_OPT_DURATION;
	assert_line(line, lines_exit(&session, 61000000, line), "EXIT: a duration=61(sec)");
	service.log_on_success = LOG_OPT_EXIT;
	assert_line(line, lines_exit(&session, 61000000, line), "EXIT: a status=0");
}

static void fail_line_names_the_reason(void **unused)
{
	char id[] = "a", line[SESSION_LINE_MAX + 1];
	struct service service = service_with(id, 0, LOG_OPT_HOST);
	struct addr peer = address("10.1.2.3");

	(void)unused;
	assert_line(line, lines_fail(&service, &peer, "connections per second", line),
		    "FAIL: a connections per second from=10.1.2.3");
	service.log_on_failure = LOG_OPT_ATTEMPT;
	assert_line(line, lines_fail(&service, &peer, "address", line), "FAIL: a address");
	service.log_on_failure = 0;
	assert_int_equal(lines_fail(&service, &peer, "address", line), 0);
}

static void traffic_line_counts_both_ways(void **unused)
{
	char id[] = "a", line[SESSION_LINE_MAX + 1];
	struct service service = service_with(id, LOG_OPT_TRAFFIC, 0);
	struct session session = { .service = &service, .in_bytes = 7, .out_bytes = UINT64_MAX };

	(void)unused;
	assert_line(line, lines_traffic(&session, line),
		    "TRAFFIC: a in=7(bytes) out=18446744073709551615(bytes)");
	service.log_on_success = LOG_OPT_HOST;
	assert_int_equal(lines_traffic(&session, line), 0);
}

static void userid_line_holds_what_the_ident_server_says(void **unused)
{
	char id[] = "a", line[SESSION_LINE_MAX + 1], userid[IDENT_TEXT_MAX + 1];
	struct service service = service_with(id, LOG_OPT_USERID, 0);

	(void)unused;
	assert_line(line, lines_userid(&service, "UNIX :joe user", line),
		    "USERID: a UNIX :joe user");
	assert_line(line, lines_userid(&service, "x\nFAIL: a address\x1b[1m", line),
		    "USERID: a x\\x0aFAIL: a address\\x1b[1m");
	/* What was escaped before stays as it is. */
	assert_line(line, lines_userid(&service, "a\\x07b", line), "USERID: a a\\x07b");
	memset(userid, 'u', sizeof(userid));
	userid[sizeof(userid) - 1] = '\0';
	assert_int_equal(lines_userid(&service, userid, line), IDENT_TEXT_MAX + 10);
	service = service_with(id, 0, LOG_OPT_USERID);
	assert_line(line, lines_userid(&service, "x", line), "USERID: a x");
	service = service_with(id, LOG_OPT_HOST, LOG_OPT_HOST);
	assert_int_equal(lines_userid(&service, "x", line), 0);
}

static void noid_line_says_why_there_is_no_answer(void **unused)
{
	static const char *const expected[] = {
		[IDENT_NO_SERVER] = "NOID: a 10.1.2.3 no server",
		[IDENT_TIMEOUT] = "NOID: a 10.1.2.3 timeout",
		[IDENT_SYSTEM_ERROR] = "NOID: a 10.1.2.3 system error",
		[IDENT_RECEIVE_ERROR] = "NOID: a 10.1.2.3 error while receiving response",
		[IDENT_BAD_RESPONSE] = "NOID: a 10.1.2.3 bad response",
	};
	char id[] = "a", line[SESSION_LINE_MAX + 1];
	struct service service = service_with(id, LOG_OPT_USERID, 0);
	struct addr peer = address("::ffff:10.1.2.3");

	(void)unused;
	service.flags = FLAG_IDONLY;
	for (unsigned i = IDENT_NO_SERVER; i < IDENT_OUTCOMES; i++)
		assert_line(line, lines_noid(&service, &peer, (enum ident_outcome)i, line),
			    expected[i]);
	service.flags = 0;
	assert_int_equal(lines_noid(&service, &peer, IDENT_TIMEOUT, line), 0);
}

static void what_is_not_printable_in_an_id_is_escaped(void **unused)
{
	char id[] = "a\nFAIL: b\x1b\xff", line[SESSION_LINE_MAX + 1];
	struct service service = service_with(id, LOG_OPT_EXIT, 0);
	struct session session = { .service = &service };

	(void)unused;
	assert_line(line, lines_start(&session, line), "START: a\\x0aFAIL: b\\x1b\\xff");
}

static void lines_are_cut_at_1024_bytes(void **unused)
{
	char id[3000], line[SESSION_LINE_MAX + 1];
	struct service service = service_with(id, LOG_OPT_PID | LOG_OPT_HOST, 0);
	struct session session = { .service = &service, .pid = 42 };

	(void)unused;
	memset(id, 'i', sizeof(id) - 1);
	id[sizeof(id) - 1] = '\0';
	assert_int_equal(lines_start(&session, line), 1024);
	assert_int_equal(strlen(line), 1024);
	/* With something to escape at the end, no half of an escape is left. */
	memset(id, '\n', sizeof(id) - 1);
	assert_int_equal(lines_start(&session, line), 1024);
	assert_string_equal(line + 1024 - 9, "\\x0a\\x0a ");
	/* A field that just does not fit is cut, too. */
	memset(id, 'i', sizeof(id) - 1);
	id[1024 - 7 - 6] = '\0';
	assert_int_equal(lines_start(&session, line), 1024);
	assert_string_equal(line + 1024 - 6, " pid=4");
}

static void no_sink_means_nothing_is_done(void **unused)
{
	struct session session = { 0 };

	(void)unused;
	/* Neither a writer nor a service is looked at. */
	record_start(NULL, NULL, &session);
	record_exit(NULL, NULL, &session, 0);
	record_fail(NULL, NULL, NULL, NULL, NULL);
	record_userid(NULL, NULL, NULL, NULL);
	record_noid(NULL, NULL, NULL, NULL, IDENT_TIMEOUT);
}

static void a_session_keeps_its_service(void **unused)
{
	struct service *service = service_new();
	struct addr peer = address("10.0.0.1");
	struct session *session;

	(void)unused;
	assert_non_null(service);
	session = session_new(service, 9, &peer, 77);
	assert_non_null(session);
	assert_int_equal(service->refs, 2);
	assert_int_equal(session->number, 9);
	assert_int_equal(session->start_usec, 77);
	assert_true(addr_equal(&session->peer, &peer));
	session_free(session);
	assert_int_equal(service->refs, 1);
	service_unref(service);
	session_free(NULL);
}

static void a_session_knows_who_its_client_is(void **unused)
{
	struct service *service = service_new();
	struct addr peer = address("10.0.0.1");
	struct session *session = session_new(service, 1, &peer, 0);

	(void)unused;
	assert_non_null(session);
	assert_int_equal(session->ident, IDENT_NOT_ASKED);
	session_identify(session, IDENT_ANSWERED, "UNIX :joe");
	assert_string_equal(session->userid, "UNIX :joe");
	/* Asked once more, as the service has been replaced: the last answer counts. */
	session_identify(session, IDENT_ANSWERED, "UNIX :jane");
	assert_string_equal(session->userid, "UNIX :jane");
	session_identify(session, IDENT_TIMEOUT, NULL);
	assert_int_equal(session->ident, IDENT_TIMEOUT);
	assert_null(session->userid);
	session_identify(session, IDENT_ANSWERED, "x");
	session_free(session);
	service_unref(service);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(start_line_holds_the_fields_that_were_asked_for),
		cmocka_unit_test(peers_without_a_number_have_a_word),
		cmocka_unit_test(exit_line_tells_status_or_signal),
		cmocka_unit_test(exit_line_comes_with_exit_or_duration_only),
		cmocka_unit_test(fail_line_names_the_reason),
		cmocka_unit_test(traffic_line_counts_both_ways),
		cmocka_unit_test(userid_line_holds_what_the_ident_server_says),
		cmocka_unit_test(noid_line_says_why_there_is_no_answer),
		cmocka_unit_test(what_is_not_printable_in_an_id_is_escaped),
		cmocka_unit_test(lines_are_cut_at_1024_bytes),
		cmocka_unit_test(no_sink_means_nothing_is_done),
		cmocka_unit_test(a_session_keeps_its_service),
		cmocka_unit_test(a_session_knows_who_its_client_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
