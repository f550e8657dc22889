/* SPDX-License-Identifier: ISC */
/* Tests of the words that attributes take. */
#include "config.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <syslog.h>

#include <cmocka.h>

#include "base/util.h"
#include "config/service.h"
#include "config/values.h"

struct value_case {
	value_fn *read;
	const char *word;
	long value;
};

static void takes_every_word_in_any_case(void **state)
{
	static const struct value_case cases[] = {
		{ value_yes_no, "yes", 1 },
		{ value_yes_no, "NO", 0 },
		{ value_wait, "Yes", 1 },
		{ value_wait, "no", 0 },
		{ value_wait, "wait", 1 },
		{ value_wait, "nowait", 0 },
		{ value_socket_type, "stream", SOCK_STREAM },
		{ value_socket_type, "DGRAM", SOCK_DGRAM },
		{ value_socket_type, "raw", SOCK_RAW },
		{ value_socket_type, "seqpacket", SOCK_SEQPACKET },
		{ value_service_type, "rpc", SERVICE_RPC },
		{ value_service_type, "INTERNAL", SERVICE_INTERNAL },
		{ value_service_type, "unlisted", SERVICE_UNLISTED },
		{ value_service_type, "tcpmux", SERVICE_TCPMUX },
		{ value_service_type, "TCPMUXPLUS", SERVICE_TCPMUXPLUS },
		{ value_flag, "reuse", FLAG_REUSE },
		{ value_flag, "INTERCEPT", FLAG_INTERCEPT },
		{ value_flag, "NORETRY", FLAG_NORETRY },
		{ value_flag, "IDONLY", FLAG_IDONLY },
		{ value_flag, "NAMEINARGS", FLAG_NAMEINARGS },
		{ value_flag, "NODELAY", FLAG_NODELAY },
		{ value_flag, "KEEPALIVE", FLAG_KEEPALIVE },
		{ value_flag, "NOLIBWRAP", FLAG_NOLIBWRAP },
		{ value_flag, "SENSOR", FLAG_SENSOR },
		{ value_overload, "refuse", 0 },
		{ value_overload, "Queue", 1 },
		{ value_flag, "ipv4", FLAG_IPV4 },
		{ value_flag, "IPv6", FLAG_IPV6 },
		{ value_flag, "LABELED", FLAG_LABELED },
		{ value_log_success, "pid", LOG_OPT_PID },
		{ value_log_success, "HOST", LOG_OPT_HOST },
		{ value_log_success, "USERID", LOG_OPT_USERID },
		{ value_log_success, "EXIT", LOG_OPT_EXIT },
		{ value_log_success, "DURATION", LOG_OPT_DURATION },
		{ value_log_success, "TRAFFIC", LOG_OPT_TRAFFIC },
		{ value_log_failure, "host", LOG_OPT_HOST },
		{ value_log_failure, "USERID", LOG_OPT_USERID },
		{ value_log_failure, "ATTEMPT", LOG_OPT_ATTEMPT },
		{ value_count, "0", 0 },
		{ value_count, "2147483647", INT_MAX },
		{ value_count, "unlimited", UNLIMITED },
		{ value_number, "0", 0 },
		{ value_number, "+5", 5 },
		{ value_positive, "1", 1 },
		{ value_nice, "-20", -20 },
		{ value_nice, "19", 19 },
		{ value_umask, "022", 022 },
		{ value_umask, "777", 0777 },
		{ value_umask, "0", 0 },
		{ value_minutes, "never", 0 },
		{ value_minutes, "FOREVER", UNLIMITED },
		{ value_minutes, "60", 60 },
		{ value_size, "0", 0 },
		{ value_size, "100", 100 },
		{ value_size, "5k", 5 * 1024 },
		{ value_size, "5K", 5 * 1024 },
		{ value_size, "2m", 2L << 20 },
		{ value_size, "2M", 2L << 20 },
		{ value_size, "1g", 1L << 30 },
		{ value_size, "1G", 1L << 30 },
		{ value_rlimit_size, "64M", 64L << 20 },
		{ value_rlimit_size, "Unlimited", UNLIMITED },
		{ value_rlimit_files, "2k", 2048 },
		{ value_rlimit_files, "unlimited", UNLIMITED },
		{ value_rlimit_number, "20", 20 },
		{ value_rlimit_number, "UNLIMITED", UNLIMITED },
		{ value_facility, "daemon", LOG_DAEMON },
		{ value_facility, "AUTH", LOG_AUTH },
		{ value_facility, "authpriv", LOG_AUTHPRIV },
		{ value_facility, "user", LOG_USER },
		{ value_facility, "mail", LOG_MAIL },
		{ value_facility, "lpr", LOG_LPR },
		{ value_facility, "news", LOG_NEWS },
		{ value_facility, "uucp", LOG_UUCP },
		{ value_facility, "ftp", LOG_FTP },
		{ value_facility, "local0", LOG_LOCAL0 },
		{ value_facility, "local7", LOG_LOCAL7 },
		{ value_level, "emerg", LOG_EMERG },
		{ value_level, "alert", LOG_ALERT },
		{ value_level, "crit", LOG_CRIT },
		{ value_level, "err", LOG_ERR },
		{ value_level, "warning", LOG_WARNING },
		{ value_level, "notice", LOG_NOTICE },
		{ value_level, "info", LOG_INFO },
		{ value_level, "DEBUG", LOG_DEBUG },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *why;
		long value = -12345;

		if (cases[i].read(cases[i].word, &value, &why) != 0 || value != cases[i].value)
			fail_msg("%s gives %ld", cases[i].word, value);
	}
}

static void refuses_every_other_word_and_says_what_to_write(void **state)
{
	static const struct {
		value_fn *read;
		const char *word;
		const char *says;
	} cases[] = {
		{ value_yes_no, "true", "yes or no" },
		{ value_yes_no, "", "yes or no" },
		{ value_yes_no, "yess", "yes or no" },
		{ value_wait, "maybe", "yes" },
		{ value_socket_type, "stream\r", "stream, dgram, raw or seqpacket" },
		{ value_socket_type, "tcp", "stream" },
		/* Undocumented in xinetd; it made a service undeletable. */
		{ value_service_type, "SPECIAL", "RPC, INTERNAL" },
		{ value_flag, "DISABLE", "INTERCEPT" },
		{ value_log_success, "ATTEMPT", "PID" },
		{ value_log_success, "RECORD", "PID" },
		{ value_log_failure, "PID", "HOST, USERID or ATTEMPT" },
		{ value_log_failure, "RECORD", "HOST, USERID or ATTEMPT" },
		{ value_count, "x", "UNLIMITED" },
		{ value_count, "-1", "UNLIMITED" },
		{ value_count, "5x", "UNLIMITED" },
		{ value_count, "2147483648", "UNLIMITED" },
		{ value_count, "99999999999999999999", "UNLIMITED" },
		{ value_number, "-1", "0 up" },
		{ value_positive, "0", "1 up" },
		{ value_nice, "40", "-39 to 39" },
		{ value_nice, "1.5", "-39 to 39" },
		{ value_umask, "8", "octal" },
		{ value_umask, "1000", "octal" },
		{ value_umask, "-1", "octal" },
		{ value_minutes, "-5", "FOREVER" },
		{ value_size, "5kb", "bytes" },
		{ value_size, "k", "bytes" },
		{ value_size, "-1", "bytes" },
		{ value_size, "5t", "bytes" },
		{ value_size, "9223372036854775807g", "bytes" },
		{ value_size, "99999999999999999999999999", "bytes" },
		{ value_rlimit_size, "-1", "UNLIMITED" },
		{ value_rlimit_size, "lots", "UNLIMITED" },
		{ value_rlimit_number, "5s", "UNLIMITED" },
		{ value_rlimit_files, "many", "a number of descriptors" },
		{ value_facility, "kern", "syslog facility" },
		{ value_facility, "local8", "syslog facility" },
		{ value_level, "warn", "syslog level" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *why = NULL;
		long value = -12345;

		if (cases[i].read(cases[i].word, &value, &why) >= 0)
			fail_msg("\"%s\" is taken as %ld", cases[i].word, value);
		assert_int_equal(value, -12345);
		assert_non_null(why);
		if (!strstr(why, cases[i].says))
			fail_msg("of \"%s\" it says: %s", cases[i].word, why);
	}
}

static void names_each_value_as_it_reads_it(void **state)
{
	const char *why;
	long value;

	(void)state;
	for (unsigned bit = SERVICE_RPC; bit <= SERVICE_TCPMUXPLUS; bit <<= 1) {
		assert_int_equal(value_service_type(value_name_service_type(bit), &value, &why), 0);
		assert_int_equal(value, bit);
	}
	for (unsigned bit = FLAG_REUSE; bit <= FLAG_LABELED; bit <<= 1) {
		assert_int_equal(value_flag(value_name_flag(bit), &value, &why), 0);
		assert_int_equal(value, bit);
	}
	for (unsigned bit = LOG_OPT_PID; bit <= LOG_OPT_TRAFFIC; bit <<= 1) {
		assert_int_equal(value_log_success(value_name_log_option(bit), &value, &why), 0);
		assert_int_equal(value, bit);
	}
	for (int level = LOG_EMERG; level <= LOG_DEBUG; level++) {
		assert_int_equal(value_level(value_name_level(level), &value, &why), 0);
		assert_int_equal(value, level);
	}
	assert_string_equal(value_name_socket_type(SOCK_SEQPACKET), "seqpacket");
	assert_string_equal(value_name_facility(LOG_LOCAL3), "local3");
	assert_null(value_name_flag(1u << 30));
	assert_null(value_name_socket_type(-1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_every_word_in_any_case),
		cmocka_unit_test(refuses_every_other_word_and_says_what_to_write),
		cmocka_unit_test(names_each_value_as_it_reads_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
