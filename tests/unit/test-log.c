/* SPDX-License-Identifier: ISC */
/* The daemon's messages: their forms, errno texts, escaping, the limit for what repeats. */
#include "config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/daemon_log.h"
#include "base/log.h"
#include "base/sink.h"
#include "base/writer.h"

/* Keeps what it gets; only looked at once the writer is gone. */
struct keeper {
	struct sink sink;
	char text[8192];
	size_t len;
	int priority;
};

static size_t keeper_write(struct sink *sink, const struct batch *batch, int *ret_error)
{
	struct keeper *keeper = (struct keeper *)(void *)sink;

	(void)ret_error;
	for (size_t i = 0; i < batch->n; i++) {
		const struct line *line = batch->lines[i];

		assert_true(keeper->len + line->len + 1 < sizeof(keeper->text));
		memcpy(keeper->text + keeper->len, line->text, line->len);
		keeper->len += line->len;
		keeper->text[keeper->len++] = '\n';
		keeper->priority = line->priority;
	}
	return batch->n;
}

static void keeper_free(struct sink *sink)
{
	sink_done(sink);
}

static const struct sink_ops keeper_ops = { .write = keeper_write, .free = keeper_free };

static struct writer *open_keeper(struct keeper *keeper, enum log_style style, enum log_level max)
{
	struct writer *writer;

	memset(keeper, 0, sizeof(*keeper));
	assert_int_equal(sink_init(&keeper->sink, &keeper_ops, "daemon"), 0);
	assert_int_equal(writer_new(&writer), 0);
	assert_int_equal(writer_start(writer), 0);
	daemon_log_open(writer, &keeper->sink, style, max);
	return writer;
}

static void close_keeper(struct writer *writer, struct keeper *keeper)
{
	assert_int_equal(writer_free(writer, now_usec() + 10 * USEC_PER_SEC), 0);
	log_close();
	sink_unref(&keeper->sink);
}

static void before_it_is_opened_it_writes_to_standard_error(void **unused)
{
	char text[256] = "";
	int pipe_fds[2], saved;
	ssize_t n;

	(void)unused;
	assert_int_equal(pipe(pipe_fds), 0);
	saved = dup(STDERR_FILENO);
	assert_true(dup2(pipe_fds[1], STDERR_FILENO) >= 0);
	log_error("first\n%d", 1);
	log_debug("not shown");
	/* Where even that fails, errno is as before. */
	(void)close(STDERR_FILENO);
	errno = ENOENT;
	log_error("nowhere");
	assert_int_equal(errno, ENOENT);
	assert_true(dup2(saved, STDERR_FILENO) >= 0);
	n = read(pipe_fds[0], text, sizeof(text) - 1);
	assert_true(n > 0);
	assert_string_equal(text, "usherd: first\\x0a1\n");
	(void)close(saved);
	(void)close(pipe_fds[0]);
	(void)close(pipe_fds[1]);
}

static void styles_have_their_forms(void **unused)
{
	struct keeper keeper;
	struct writer *writer;
	char expected[128];

	(void)unused;
	writer = open_keeper(&keeper, LOG_STYLE_SYSLOG, LOG_LEVEL_DEBUG);
	log_warning("Exiting...");
	close_keeper(writer, &keeper);
	assert_string_equal(keeper.text, "Exiting...\n");
	assert_int_equal(keeper.priority, LOG_WARNING);

	writer = open_keeper(&keeper, LOG_STYLE_FILE, LOG_LEVEL_DEBUG);
	log_critical("no services. Exiting...");
	close_keeper(writer, &keeper);
	(void)snprintf(expected, sizeof(expected),
		       "usherd[%ld]: CRITICAL: no services. Exiting...\n", (long)getpid());
	assert_string_equal(keeper.text, expected);
	assert_int_equal(keeper.priority, LOG_CRIT);

	writer = open_keeper(&keeper, LOG_STYLE_TERMINAL, LOG_LEVEL_DEBUG);
	log_debug("removing %s", "x");
	log_info("i");
	log_notice("n");
	log_error("e");
	close_keeper(writer, &keeper);
	assert_string_equal(keeper.text, "DEBUG: removing x\nINFO: i\nNOTICE: n\nERROR: e\n");
	assert_int_equal(keeper.priority, LOG_ERR);
}

static void levels_beyond_the_highest_are_left_out(void **unused)
{
	struct keeper keeper;
	struct writer *writer = open_keeper(&keeper, LOG_STYLE_TERMINAL, LOG_LEVEL_WARNING);

	(void)unused;
	log_notice("no");
	log_warning("yes");
	close_keeper(writer, &keeper);
	assert_string_equal(keeper.text, "WARNING: yes\n");
}

static void errno_prints_as_text_and_number_and_survives(void **unused)
{
	struct keeper keeper;
	struct writer *writer = open_keeper(&keeper, LOG_STYLE_SYSLOG, LOG_LEVEL_DEBUG);
	char text[LOG_ERRNO_MAX];

	(void)unused;
	errno = ENOENT;
	assert_int_equal(
		log_error_errno(-EADDRINUSE, "bind failed (%m). service = %s, 100%%m", "a"),
		-EADDRINUSE);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(log_error_errno(EPERM, "%m"), -EPERM);
	log_error("no %s: %m", "file");
	assert_int_equal(errno, ENOENT);
	close_keeper(writer, &keeper);
	assert_string_equal(
		keeper.text,
		"bind failed (Address already in use (errno = 98)). service = a, 100%m\n"
		"Operation not permitted (errno = 1)\n"
		"no file: No such file or directory (errno = 2)\n");
	assert_string_equal(log_errno_text(-12345, text), "Unknown error (errno = 12345)");
}

static void foreign_text_is_escaped_and_lines_are_cut(void **unused)
{
	struct keeper keeper;
	struct writer *writer = open_keeper(&keeper, LOG_STYLE_TERMINAL, LOG_LEVEL_DEBUG);
	static const char expected[] = "INFO: peer says a\\x1b[31m\\x0d\\x0aroot: b\\x7f\n";
	char longest[5000];

	(void)unused;
	log_info("peer says %s", "a\x1b[31m\r\nroot: b\x7f");
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	log_info("%s", longest);
	close_keeper(writer, &keeper);
	assert_memory_equal(keeper.text, expected, strlen(expected));
	assert_int_equal(keeper.len, strlen(expected) + LOG_LINE_MAX + 1);
}

static void escape_keeps_what_may_be_shown(void **unused)
{
	static const struct {
		const char *text;
		const char *expected;
	} cases[] = {
		{ "plain ~ \\x0a", "plain ~ \\x0a" },
		{ "gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f" },
		{ "\xe2\x82\xac \xf0\x9f\x98\x80", "\xe2\x82\xac \xf0\x9f\x98\x80" },
		{ "\xc3", "\\xc3" },                            /* cut short */
		{ "\xc0\xaf", "\\xc0\\xaf" },                   /* overlong */
		{ "\xe0\x80\xaf", "\\xe0\\x80\\xaf" },          /* overlong */
		{ "\xed\xa0\x80", "\\xed\\xa0\\x80" },          /* surrogate */
		{ "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80" }, /* above the last */
		{ "\xf8\x88\x80\x80", "\\xf8\\x88\\x80\\x80" }, /* no such form */
		{ "\xc2\x9b"
		  "2J",
		  "\\xc2\\x9b2J" },                    /* C1 control */
		{ "\xe2\x80\xae", "\\xe2\\x80\\xae" }, /* right to left */
		{ "\xe2\x80\xa8", "\\xe2\\x80\\xa8" }, /* line separator */
		{ "\t\x01", "\\x09\\x01" },
	};
	char out[64];

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		size_t n = log_escape(out, sizeof(out), cases[i].text, strlen(cases[i].text));

		assert_string_equal(out, cases[i].expected);
		assert_int_equal(n, strlen(cases[i].expected));
	}
	assert_int_equal(log_escape(out, 6, "ab\n", 3), 2);
	assert_int_equal(log_escape(out, 7, "ab\n", 3), 6);
	assert_int_equal(log_escape(out, 3, "a\xc3\xbc", 3), 1);
	assert_int_equal(log_escape(out, sizeof(out), "a\0b", 3), 6);
	assert_string_equal(out, "a\\x00b");
}

static void what_repeats_is_limited_and_told(void **unused)
{
	struct log_limit limit = { .burst = 3, .interval_usec = 1000 };
	uint64_t suppressed;

	(void)unused;
	for (int i = 0; i < 3; i++)
		assert_true(log_limit_allows(&limit, 500, &suppressed));
	assert_false(log_limit_allows(&limit, 501, &suppressed));
	assert_false(log_limit_allows(&limit, 1499, &suppressed));
	assert_int_equal(suppressed, 0);
	assert_true(log_limit_allows(&limit, 1500, &suppressed));
	assert_int_equal(suppressed, 2);
	assert_true(log_limit_allows(&limit, 2600, &suppressed));
	assert_int_equal(suppressed, 0);
}

static void a_limited_message_is_preceded_by_the_number_suppressed(void **unused)
{
	struct keeper keeper;
	struct writer *writer = open_keeper(&keeper, LOG_STYLE_TERMINAL, LOG_LEVEL_DEBUG);
	struct log_limit limit = { .burst = 1, .interval_usec = 3600 * USEC_PER_SEC };

	(void)unused;
	log_limited(&limit, LOG_LEVEL_ERROR, "service %s", "a");
	log_limited(&limit, LOG_LEVEL_ERROR, "service %s", "b");
	log_limited(&limit, LOG_LEVEL_ERROR, "service %s", "c");
	limit.begin_usec -= limit.interval_usec;
	errno = EMFILE;
	log_limited(&limit, LOG_LEVEL_ERROR, "accept: %m");
	close_keeper(writer, &keeper);
	assert_string_equal(keeper.text, "ERROR: service a\nERROR: 2 messages suppressed\n"
					 "ERROR: accept: Too many open files (errno = 24)\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(before_it_is_opened_it_writes_to_standard_error),
		cmocka_unit_test(styles_have_their_forms),
		cmocka_unit_test(levels_beyond_the_highest_are_left_out),
		cmocka_unit_test(errno_prints_as_text_and_number_and_survives),
		cmocka_unit_test(foreign_text_is_escaped_and_lines_are_cut),
		cmocka_unit_test(escape_keeps_what_may_be_shown),
		cmocka_unit_test(what_repeats_is_limited_and_told),
		cmocka_unit_test(a_limited_message_is_preceded_by_the_number_suppressed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
