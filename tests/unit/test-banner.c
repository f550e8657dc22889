/* SPDX-License-Identifier: ISC */
/* Tests of reading banner files. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "load.h"

/* Reads a file of @bytes letters. */
static int read_bytes(size_t bytes, struct banner *ret)
{
	CLEANUP_FREE char *text = calloc(1, bytes + 1);
	char path[PATH_MAX];
	struct load load;
	int r;

	assert_non_null(text);
	memset(text, 'b', bytes);
	load_init(&load);
	load_put_bytes(&load, "banner", text, bytes);
	(void)snprintf(path, sizeof(path), "%s/banner", load.dir);
	r = banner_read(path, ret);
	load_done(&load);
	return r;
}

static void reads_whole_files_byte_by_byte(void **state)
{
	struct banner banner = { 0 };
	char path[PATH_MAX];
	struct load load;

	(void)state;
	load_init(&load);
	load_put_bytes(&load, "banner", "a\0b\r\n\xff", 6);
	(void)snprintf(path, sizeof(path), "%s/banner", load.dir);
	assert_int_equal(banner_read(path, &banner), 0);
	assert_int_equal(banner.bytes, 6);
	assert_memory_equal(banner.text, "a\0b\r\n\xff", 6);
	banner_done(&banner);
	assert_null(banner.text);
	load_done(&load);
}

static void reads_an_empty_file_as_nothing(void **state)
{
	struct banner banner = { 0 };

	(void)state;
	assert_int_equal(read_bytes(0, &banner), 0);
	assert_int_equal(banner.bytes, 0);
	assert_null(banner.text);
}

static void cuts_what_is_too_long(void **state)
{
	struct banner banner = { 0 };

	(void)state;
	assert_int_equal(read_bytes(BANNER_MAX_BYTES, &banner), 0);
	assert_int_equal(banner.bytes, BANNER_MAX_BYTES);
	banner_done(&banner);
	assert_int_equal(read_bytes(BANNER_MAX_BYTES + 1, &banner), 1);
	assert_int_equal(banner.bytes, BANNER_MAX_BYTES);
	banner_done(&banner);
}

static void says_why_there_is_none(void **state)
{
	struct banner banner = { 0 };

	(void)state;
	assert_int_equal(banner_read("/nonexistent/banner", &banner), -ENOENT);
	assert_int_equal(banner_read("/", &banner), -EISDIR);
	assert_null(banner.text);
}

static void does_not_wait_at_a_fifo(void **state)
{
	struct banner banner = { 0 };
	char path[PATH_MAX];
	struct load load;

	(void)state;
	load_init(&load);
	(void)snprintf(path, sizeof(path), "%s/fifo", load.dir);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(strv_add(&load.written, path), 0);
	assert_int_equal(banner_read(path, &banner), 0);
	assert_int_equal(banner.bytes, 0);
	load_done(&load);
}

static void a_service_holds_its_banners_and_runs_without_those_that_are_missing(void **state)
{
	char text[1024];
	const struct service *s;
	struct load load;

	(void)state;
	load_init(&load);
	load_put(&load, "greeting", "hello\n");
	(void)snprintf(text, sizeof(text),
		       STANZA("a", "banner = %s/greeting\nbanner_success = %s/greeting\n"
				   "banner_fail = /nonexistent/b\n"),
		       load.dir, load.dir);
	load_put(&load, "main.conf", text);
	load_run(&load);
	s = must_have(&load, "a");
	assert_int_equal(s->banners->always.bytes, 6);
	assert_memory_equal(s->banners->success.text, "hello\n", 6);
	assert_true(s->banners->fail.unread);
	assert_said(&load, "warning: banner_fail: /nonexistent/b: No such file or directory", 1);
	assert_int_equal(load.diag.errors, 0);
	load_done(&load);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_whole_files_byte_by_byte),
		cmocka_unit_test(reads_an_empty_file_as_nothing),
		cmocka_unit_test(cuts_what_is_too_long),
		cmocka_unit_test(says_why_there_is_none),
		cmocka_unit_test(does_not_wait_at_a_fifo),
		cmocka_unit_test(
			a_service_holds_its_banners_and_runs_without_those_that_are_missing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
