/* SPDX-License-Identifier: ISC */
/* The fields of records, and the entries of the journal that they become, to the byte. */
#include "config.h"

#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/sink.h"
#include "base/util.h"
#include "base/writer.h"
#include "record/fields.h"
#include "record/session.h"
#include "record/sink_journal.h"

static struct addr address(const char *text, uint16_t port)
{
	struct addr addr;

	assert_int_equal(addr_parse(text, &addr), 0);
	addr.port = port;
	return addr;
}

static struct service service_with(char *id, uint8_t success, uint8_t failure)
{
	return (struct service){
		.refs = 1, .id = id, .log_on_success = success, .log_on_failure = failure
	};
}

static void begin(struct fields *fields)
{
	(void)strcpy(fields->text, "LINE");
	fields->len = strlen("LINE");
}

static void assert_fields(const struct fields *fields, const char *expected)
{
	assert_string_equal(fields->text, expected);
	assert_int_equal(fields->len, strlen(expected));
}

static void each_event_has_the_fields_of_its_line(void **unused)
{
	char id[] = "echo-stream";
	struct service service =
		service_with(id, LOG_OPT_PID | LOG_OPT_HOST | LOG_OPT_EXIT | LOG_OPT_DURATION, 0);
	struct session session = { .service = &service,
				   .number = 7,
				   .peer = address("2001:db8::7", 4711),
				   .pid = 1771,
				   .start_usec = 1000,
				   .in_bytes = 5,
				   .out_bytes = UINT64_MAX };
	struct addr peer = address("192.0.2.1", 99);
	struct fields fields;

	(void)unused;
	begin(&fields);
	fields_start(&fields, &session);
	assert_fields(&fields,
		      "LINE\nUSHERD_EVENT=START\nUSHERD_SERVICE=echo-stream\nUSHERD_SESSION=7\n"
		      "USHERD_PID=1771\nUSHERD_PEER=2001:db8::7\nUSHERD_PEER_PORT=4711");
	begin(&fields);
	session.status = 3 << 8;
	fields_exit(&fields, &session, 2001000);
	assert_fields(&fields,
		      "LINE\nUSHERD_EVENT=EXIT\nUSHERD_SERVICE=echo-stream\nUSHERD_SESSION=7\n"
		      "USHERD_STATUS=3\nUSHERD_PID=1771\nUSHERD_DURATION_USEC=2000000");
	begin(&fields);
	session.status = SIGTERM;
	service.log_on_success = LOG_OPT_EXIT;
	fields_exit(&fields, &session, 2001000);
	assert_fields(&fields,
		      "LINE\nUSHERD_EVENT=EXIT\nUSHERD_SERVICE=echo-stream\nUSHERD_SESSION=7\n"
		      "USHERD_SIGNAL=15");
	begin(&fields);
	fields_traffic(&fields, &session);
	assert_fields(&fields,
		      "LINE\nUSHERD_EVENT=TRAFFIC\nUSHERD_SERVICE=echo-stream\nUSHERD_SESSION=7\n"
		      "USHERD_IN_BYTES=5\nUSHERD_OUT_BYTES=18446744073709551615");
	begin(&fields);
	fields_refused(&fields, "FAIL", &service, &peer, "per_source_limit");
	assert_fields(&fields, "LINE\nUSHERD_EVENT=FAIL\nUSHERD_SERVICE=echo-stream\n"
			       "USHERD_REASON=per_source_limit");
	begin(&fields);
	service.log_on_failure = LOG_OPT_HOST;
	fields_refused(&fields, "FAIL", &service, &peer, "load");
	assert_fields(&fields,
		      "LINE\nUSHERD_EVENT=FAIL\nUSHERD_SERVICE=echo-stream\nUSHERD_REASON=load\n"
		      "USHERD_PEER=192.0.2.1\nUSHERD_PEER_PORT=99");
	begin(&fields);
	fields_userid(&fields, &service, "UNIX :joe");
	assert_fields(&fields, "LINE\nUSHERD_EVENT=USERID\nUSHERD_SERVICE=echo-stream\n"
			       "USHERD_USERID=UNIX :joe");
}

static void who_has_no_port_has_no_such_field(void **unused)
{
	char id[] = "x";
	struct service service = service_with(id, LOG_OPT_HOST, 0);
	struct session session = { .service = &service, .peer = { .family = AF_UNIX } };
	struct fields fields;

	(void)unused;
	begin(&fields);
	fields_start(&fields, &session);
	assert_fields(&fields, "LINE\nUSHERD_EVENT=START\nUSHERD_SERVICE=x\nUSHERD_SESSION=0\n"
			       "USHERD_PEER=unix");
}

static void a_line_that_is_not_wanted_gets_none(void **unused)
{
	char id[] = "x";
	struct service service = service_with(id, 0, 0);
	struct session session = { .service = &service };
	struct addr peer = address("192.0.2.1", 99);
	struct fields fields = { .len = 0 };

	(void)unused;
	fields_start(&fields, &session);
	fields_exit(&fields, &session, 0);
	fields_traffic(&fields, &session);
	fields_refused(&fields, "FAIL", &service, &peer, "load");
	fields_userid(&fields, &service, "joe");
	assert_int_equal(fields.len, 0);
}

/* What an ident server says, say, cannot make a field of its own. */
static void words_from_outside_cannot_leave_their_field(void **unused)
{
	char id[] = "x\nUSHERD_REASON=none";
	struct service service = service_with(id, 0, 0);
	struct fields fields;

	(void)unused;
	begin(&fields);
	fields_userid(&fields, &service, "joe\nUSHERD_PID=1\n\xff\x1b[1m");
	assert_fields(&fields,
		      "LINE\nUSHERD_EVENT=USERID\nUSHERD_SERVICE=x\\x0aUSHERD_REASON=none\n"
		      "USHERD_USERID=joe\\x0aUSHERD_PID=1\\x0a\\xff\\x1b[1m");
}

static void what_does_not_fit_is_left_out_as_a_whole(void **unused)
{
	static const char *const ends[] = { "\nUSHERD_PEER_PORT=4711", "\nUSHERD_PEER=2001:db8::7",
					    "\nUSHERD_PID=12345",
					    "\nUSHERD_SESSION=18446744073709551615" };
	static char id[LINE_TEXT_MAX - 200];
	struct service service = service_with(id, LOG_OPT_PID | LOG_OPT_HOST, 0);
	struct session session = { .service = &service, .number = UINT64_MAX, .pid = 12345 };
	struct fields fields;
	size_t longest = 0;

	(void)unused;
	session.peer = address("2001:db8::7", 4711);
	memset(id, 'i', sizeof(id) - 1);
	for (size_t n = 1; n < 120; n++) {
		unsigned whole = 0;

		memset(fields.text, 'l', n);
		fields.len = n;
		fields_start(&fields, &session);
		assert_true(fields.len <= LINE_TEXT_MAX && fields.len == strlen(fields.text));
		for (size_t i = 0; i < ARRAY_SIZE(ends); i++)
			whole += strcmp(fields.text + fields.len - strlen(ends[i]), ends[i]) == 0;
		assert_int_equal(whole, 1);
		longest = fields.len > longest ? fields.len : longest;
	}
	assert_int_equal(longest, LINE_TEXT_MAX);
}

static void entries_are_in_the_journal_s_native_form(void **unused)
{
	const struct timespec wall = { .tv_sec = 1795218630, .tv_nsec = 123456789 };
	char folder[] = "/tmp/usherd-test-XXXXXX", got[512], expected[512];
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	struct pollfd readable = { .events = POLLIN };
	struct writer *writer;
	struct sink *sink;
	ssize_t n;

	(void)unused;
	assert_non_null(mkdtemp(folder));
	(void)snprintf(un.sun_path, sizeof(un.sun_path), "%s/socket", folder);
	readable.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(readable.fd, (const struct sockaddr *)&un, sizeof(un)), 0);
	assert_int_equal(sink_journal_new(un.sun_path, "x", "usherd", &sink), 0);
	assert_true(sink->wants_fields);
	assert_int_equal(writer_new(&writer), 0);
	assert_int_equal(writer_start(writer), 0);
	assert_true(writer_submit(writer, sink, &wall, LINE_PRIORITY_SINK,
				  "START: x\nUSHERD_EVENT=START",
				  strlen("START: x\nUSHERD_EVENT=START")));
	assert_true(writer_submit(writer, sink, &wall, 4, "lost", 4));
	for (unsigned i = 0; i < 2; i++) {
		(void)snprintf(
			expected, sizeof(expected),
			"PRIORITY=%d\nSYSLOG_FACILITY=3\nSYSLOG_IDENTIFIER=usherd\nSYSLOG_PID=%ld\n"
			"USHERD_TIME_USEC=1795218630123456\nMESSAGE=%s\n",
			i ? 4 : 6, (long)getpid(), i ? "lost" : "START: x\nUSHERD_EVENT=START");
		assert_int_equal(poll(&readable, 1, 20000), 1);
		n = recv(readable.fd, got, sizeof(got) - 1, 0);
		assert_true(n > 0);
		got[n] = '\0';
		assert_string_equal(got, expected);
	}
	(void)close(readable.fd);
	assert_int_equal(writer_free(writer, now_usec() + 20 * USEC_PER_SEC), 0);
	sink_unref(sink);
	(void)unlink(un.sun_path);
	assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_event_has_the_fields_of_its_line),
		cmocka_unit_test(who_has_no_port_has_no_such_field),
		cmocka_unit_test(a_line_that_is_not_wanted_gets_none),
		cmocka_unit_test(words_from_outside_cannot_leave_their_field),
		cmocka_unit_test(what_does_not_fit_is_left_out_as_a_whole),
		cmocka_unit_test(entries_are_in_the_journal_s_native_form),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
