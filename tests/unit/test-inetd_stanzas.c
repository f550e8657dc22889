/* SPDX-License-Identifier: ISC */
/* Tests of inetd.conf written as stanzas. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ctl/inetd_stanzas.h"

static void convert(const char *text, struct pieces *pieces, struct diag *diag)
{
	assert_int_equal(inetd_stanzas(text, strlen(text), "conf", pieces, diag), 0);
}

/* The text of a file of one entry must become this. */
static void becomes(const char *text, const char *expected)
{
	struct pieces pieces = { 0 };
	struct diag diag = { 0 };

	convert(text, &pieces, &diag);
	assert_int_equal(pieces.n, 1);
	assert_string_equal(pieces.v[0].text, expected);
	pieces_done(&pieces);
	diag_done(&diag);
}

static void writes_what_differs_from_the_defaults(void **state)
{
	(void)state;
	becomes("ftp stream tcp nowait root /bin/sh sh -l\n", "# from conf:1\n"
							      "service ftp\n"
							      "{\n"
							      "\tsocket_type     = stream\n"
							      "\twait            = no\n"
							      "\tuser            = root\n"
							      "\tgroups          = yes\n"
							      "\tserver          = /bin/sh\n"
							      "\tserver_args     = -l\n"
							      "}\n");
	becomes("tftp dgram udp6 wait.5 nobody:daemon /bin/sh me a",
		"# from conf:1\n"
		"service tftp\n"
		"{\n"
		"\tflags           = NAMEINARGS IPv6\n"
		"\tsocket_type     = dgram\n"
		"\twait            = yes\n"
		"\tuser            = nobody\n"
		"\tgroup           = daemon\n"
		"\tgroups          = yes\n"
		"\tserver          = /bin/sh\n"
		"\tserver_args     = me a\n"
		"\tv6only          = yes\n"
		"\tcps             = 5 600 60\n"
		"}\n");
	becomes("127.0.0.1:7777 stream tcp nowait root internal",
		"# from conf:1\n"
		"service 7777\n"
		"{\n"
		"\ttype            = INTERNAL UNLISTED\n"
		"\tsocket_type     = stream\n"
		"\tport            = 7777\n"
		"\tbind            = 127.0.0.1\n"
		"\twait            = no\n"
		"\tuser            = root\n"
		"\tgroups          = yes\n"
		"}\n");
}

static void keeps_a_protocol_that_does_not_follow_from_the_socket(void **state)
{
	(void)state;
	becomes("x stream sctp nowait root /bin/sh sh", "# from conf:1\n"
							"service x\n"
							"{\n"
							"\tsocket_type     = stream\n"
							"\tprotocol        = sctp\n"
							"\twait            = no\n"
							"\tuser            = root\n"
							"\tgroups          = yes\n"
							"\tserver          = /bin/sh\n"
							"}\n");
	becomes("x/1-2 dgram rpc/tcp wait root /bin/sh sh", "# from conf:1\n"
							    "service x\n"
							    "{\n"
							    "\ttype            = RPC\n"
							    "\tsocket_type     = dgram\n"
							    "\tprotocol        = tcp\n"
							    "\trpc_version     = 1-2\n"
							    "\twait            = yes\n"
							    "\tuser            = root\n"
							    "\tgroups          = yes\n"
							    "\tserver          = /bin/sh\n"
							    "}\n");
}

static void names_rpc_programs_that_are_numbers(void **state)
{
	(void)state;
	becomes("300000/1-2 dgram rpc/udp wait root /bin/sh sh",
		"# from conf:1\n"
		"service 300000\n"
		"{\n"
		"\ttype            = RPC UNLISTED\n"
		"\tsocket_type     = dgram\n"
		"\trpc_version     = 1-2\n"
		"\trpc_number      = 300000\n"
		"\twait            = yes\n"
		"\tuser            = root\n"
		"\tgroups          = yes\n"
		"\tserver          = /bin/sh\n"
		"}\n");
}

/* The comments of the first piece, in front of its origin. */
static void comments(const char *text, size_t i, const char *expected)
{
	struct pieces pieces = { 0 };
	struct diag diag = { 0 };

	convert(text, &pieces, &diag);
	assert_true(i < pieces.n);
	assert_int_equal(strncmp(pieces.v[i].text, expected, strlen(expected)), 0);
	pieces_done(&pieces);
	diag_done(&diag);
}

#define ENTRY "ftp stream tcp nowait root /bin/sh sh\n"

static void keeps_the_comment_above_a_line(void **state)
{
	(void)state;
	comments("# one\n  # two\n" ENTRY, 0, "# one\n# two\n# from conf:3\n");
	/* Not a header, nor what was switched off, nor what belongs to another entry. */
	comments("# header\n\n" ENTRY, 0, "# from conf:3\n");
	comments("# header\n#\n# mine\n" ENTRY, 0, "# mine\n# from conf:4\n");
	comments("# old\n#tftp dgram udp wait root /x x\n" ENTRY, 0, "# from conf:3\n");
	comments("# first\n" ENTRY "# second\n" ENTRY, 1, "# second\n# from conf:4\n");
	comments(ENTRY ENTRY, 1, "# from conf:2\n");
	comments("# with CR\r\n" ENTRY, 0, "# with CR\n# from conf:2\n");
}

static void names_the_program_behind_tcpd(void **state)
{
	struct pieces pieces = { 0 };
	struct diag diag = { 0 };

	(void)state;
	convert("telnet stream tcp nowait root /usr/sbin/tcpd in.telnetd -h\n"
		"ftp stream tcp nowait root /usr/sbin/tcpd /opt/ftpd\n"
		"smtp stream tcp nowait root /usr/sbin/tcpd\n",
		&pieces, &diag);
	assert_int_equal(pieces.n, 3);
	assert_non_null(strstr(pieces.v[0].text, "# note: tcpd is left out"));
	assert_non_null(strstr(pieces.v[0].text, "\tserver          = /usr/sbin/in.telnetd\n"
						 "\tserver_args     = -h\n}"));
	assert_null(strstr(pieces.v[0].text, "flags"));
	assert_non_null(strstr(pieces.v[1].text, "\tserver          = /opt/ftpd\n}"));
	/* tcpd itself, which does nothing useful, stays as it was. */
	assert_non_null(strstr(pieces.v[2].text, "\tserver          = /usr/sbin/tcpd\n}"));
	assert_int_equal(diag.n, 2);
	assert_int_equal(diag.v[0].severity, SEVERITY_NOTICE);
	pieces_done(&pieces);
	diag_done(&diag);
}

static void keeps_bad_lines_in_sight(void **state)
{
	struct pieces pieces = { 0 };
	struct diag diag = { 0 };

	(void)state;
	convert("bad stream\n" ENTRY "worse\tstream tcp maybe root /x \x1b\n", &pieces, &diag);
	assert_int_equal(pieces.n, 3);
	assert_null(pieces.v[0].name);
	assert_string_equal(pieces.v[0].text, "# not converted, conf:1: bad stream\n");
	assert_string_equal(pieces.v[1].name, "ftp");
	assert_null(pieces.v[2].name);
	assert_string_equal(pieces.v[2].text,
			    "# not converted, conf:3: worse\\x09stream tcp maybe root /x \\x1b\n");
	pieces_done(&pieces);
	diag_done(&diag);
}

static void names_files_that_an_includedir_reads(void **state)
{
	static const char *const names[] = { "run_x_sock", "ftp", "ftp-2", "daytime-dgram", "a_b" };
	struct pieces pieces = { 0 };
	struct diag diag = { 0 };

	(void)state;
	convert("/run/x.sock stream unix nowait root /bin/sh sh\n" ENTRY ENTRY
		"daytime dgram udp wait root internal\n"
		"a.b stream tcp nowait root /bin/sh sh\n",
		&pieces, &diag);
	assert_int_equal(pieces.n, ARRAY_SIZE(names));
	for (size_t i = 0; i < pieces.n; i++)
		assert_string_equal(pieces.v[i].name, names[i]);
	pieces_done(&pieces);
	diag_done(&diag);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_what_differs_from_the_defaults),
		cmocka_unit_test(keeps_a_protocol_that_does_not_follow_from_the_socket),
		cmocka_unit_test(names_rpc_programs_that_are_numbers),
		cmocka_unit_test(keeps_the_comment_above_a_line),
		cmocka_unit_test(names_the_program_behind_tcpd),
		cmocka_unit_test(keeps_bad_lines_in_sight),
		cmocka_unit_test(names_files_that_an_includedir_reads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
