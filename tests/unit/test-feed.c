/* SPDX-License-Identifier: ISC */
/* Tests of input that is sent in pieces. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/util.h"
#include "ctl/feed.h"

/* A file with these bytes. */
static int file_of(const char *data, size_t n)
{
	int fd = memfd_create("feed", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, n), n);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

/* The next piece of the feed, read as far as need be; NULL at its end. */
static const char *next(struct feed *feed, size_t *ret_length)
{
	const char *piece;

	while (feed_wants(feed))
		assert_int_equal(feed_read(feed), 0);
	if (!feed_piece(feed, &piece, ret_length)) {
		assert_true(feed_exhausted(feed));
		return NULL;
	}
	assert_false(feed_exhausted(feed));
	return piece;
}

static void expect_pieces(enum feed_mode mode, bool at_least_one, const char *data, size_t n,
			  const char *const *pieces)
{
	CLEANUP_CLOSE int fd = file_of(data, n);
	struct feed feed;
	size_t length;

	assert_int_equal(feed_init(&feed, fd, mode, at_least_one), 0);
	for (; *pieces; pieces++) {
		const char *piece = next(&feed, &length);

		assert_non_null(piece);
		assert_int_equal(length, strlen(*pieces));
		assert_memory_equal(piece, *pieces, length);
		feed_consume(&feed, length);
	}
	assert_null(next(&feed, &length));
	feed_done(&feed);
}

static void cuts_lines(void **state)
{
	(void)state;
	expect_pieces(FEED_LINES, true, "a\n\nbc\nd", 7,
		      (const char *[]){ "a\n", "\n", "bc\n", "d", NULL });
	expect_pieces(FEED_LINES, true, "", 0, (const char *[]){ "", NULL });
	expect_pieces(FEED_LINES, false, "", 0, (const char *[]){ NULL });
	expect_pieces(FEED_LINES, true, "\n", 1, (const char *[]){ "\n", NULL });
}

static void keeps_the_whole(void **state)
{
	(void)state;
	expect_pieces(FEED_WHOLE, true, "a\nb\n", 4, (const char *[]){ "a\nb\n", NULL });
	expect_pieces(FEED_WHOLE, true, "", 0, (const char *[]){ "", NULL });
	expect_pieces(FEED_BYTES, false, "a\nb\n", 4, (const char *[]){ "a\nb\n", NULL });
	expect_pieces(FEED_BYTES, false, "", 0, (const char *[]){ NULL });
}

static void cuts_lines_that_are_too_long(void **state)
{
	static char data[3 * FEED_LINE_MAX];
	static const size_t lengths[] = { FEED_LINE_MAX, FEED_LINE_MAX, 11, 5 };
	CLEANUP_CLOSE int fd = -1;
	struct feed feed;
	size_t length;

	(void)state;
	memset(data, 'x', sizeof(data));
	data[2 * FEED_LINE_MAX + 10] = '\n';
	fd = file_of(data, 2 * FEED_LINE_MAX + 16);
	assert_int_equal(feed_init(&feed, fd, FEED_LINES, true), 0);
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		assert_non_null(next(&feed, &length));
		assert_int_equal(length, lengths[i]);
		feed_consume(&feed, length);
	}
	assert_null(next(&feed, &length));
	feed_done(&feed);
}

/* Any bytes, in any mode but the whole, come out as they went in. */
static void loses_nothing(void **state)
{
	static const enum feed_mode modes[] = { FEED_BYTES, FEED_LINES };
	static char data[1000000];

	(void)state;
	srandom(3);
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (char)(random() >> 7);
	for (size_t m = 0; m < ARRAY_SIZE(modes); m++) {
		CLEANUP_CLOSE int fd = file_of(data, sizeof(data));
		const char *piece;
		struct feed feed;
		size_t length, at = 0;

		assert_int_equal(feed_init(&feed, fd, modes[m], false), 0);
		while ((piece = next(&feed, &length))) {
			/* A socket takes what it likes of a stream. */
			if (modes[m] == FEED_BYTES && length > 1)
				length = 1 + (size_t)random() % length;
			assert_memory_equal(piece, data + at, length);
			at += length;
			feed_consume(&feed, length);
		}
		assert_int_equal(at, sizeof(data));
		feed_done(&feed);
	}
}

static void bounds_the_whole(void **state)
{
	static char data[FEED_MESSAGE_MAX + 1];
	struct feed feed;

	(void)state;
	for (size_t extra = 0; extra < 2; extra++) {
		CLEANUP_CLOSE int fd = file_of(data, FEED_MESSAGE_MAX + extra);
		int r = 0;

		assert_int_equal(feed_init(&feed, fd, FEED_WHOLE, true), 0);
		while (r == 0 && feed_wants(&feed))
			r = feed_read(&feed);
		assert_int_equal(r, extra ? -EMSGSIZE : 0);
		feed_done(&feed);
	}
}

static void tells_errors_and_what_is_not_there_yet(void **state)
{
	CLEANUP_CLOSE int directory = open("/", O_RDONLY | O_CLOEXEC);
	const char *piece;
	struct feed feed;
	size_t length;
	int ends[2];

	(void)state;
	assert_int_equal(feed_init(&feed, directory, FEED_BYTES, false), 0);
	assert_int_equal(feed_read(&feed), -EISDIR);
	feed_done(&feed);
	assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	assert_int_equal(feed_init(&feed, ends[0], FEED_LINES, false), 0);
	assert_int_equal(feed_read(&feed), 0);
	assert_true(feed_wants(&feed));
	assert_int_equal(write(ends[1], "half", 4), 4);
	assert_int_equal(feed_read(&feed), 0);
	assert_false(feed_piece(&feed, &piece, &length));
	assert_false(feed_exhausted(&feed));
	(void)close(ends[1]);
	assert_int_equal(feed_read(&feed), 0);
	assert_true(feed_piece(&feed, &piece, &length));
	assert_int_equal(length, 4);
	(void)close(ends[0]);
	feed_done(&feed);
	/* Closed: nothing to send. */
	assert_int_equal(feed_init(&feed, ends[0], FEED_BYTES, false), 0);
	assert_int_equal(feed_read(&feed), 0);
	assert_true(feed_exhausted(&feed));
	feed_done(&feed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cuts_lines),
		cmocka_unit_test(keeps_the_whole),
		cmocka_unit_test(cuts_lines_that_are_too_long),
		cmocka_unit_test(loses_nothing),
		cmocka_unit_test(bounds_the_whole),
		cmocka_unit_test(tells_errors_and_what_is_not_there_yet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
