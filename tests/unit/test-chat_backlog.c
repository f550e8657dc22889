/* SPDX-License-Identifier: ISC */
/* Tests of what the chat room keeps for those who have yet to get it. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../services/chat_backlog.h"
#include "base/util.h"

static const struct audience everybody = { 0, 0 };

static void add(struct backlog *backlog, struct audience audience, const char *text)
{
	backlog_add(backlog, audience, "[12:34] ", text, strlen(text));
}

/* All that the reader is to get, taken @piece bytes at a time. */
static void assert_reads(struct backlog *backlog, struct reader *reader, size_t piece,
			 const char *expected)
{
	char buffer[64], all[2000];
	size_t used = 0;
	size_t n;

	while ((n = backlog_read(backlog, reader, backlog_end(backlog), buffer, sizeof(buffer)))) {
		n = n < piece ? n : piece;
		memcpy(all + used, buffer, n);
		used += n;
		assert_true(used < sizeof(all));
		backlog_taken(backlog, reader, n);
	}
	all[used] = '\0';
	assert_string_equal(all, expected);
	assert_int_equal(reader->at, backlog_end(backlog));
}

static void gives_each_what_is_meant_for_them(void **state)
{
	(void)state;
	for (size_t piece = 1; piece < 70; piece++) {
		struct backlog *backlog = backlog_new(4096);
		struct reader a = { .id = 1 }, b = { .id = 2 },
			      c = { .id = 3, .wants_stamps = true };
		struct reader late = { .id = 4 };

		add(backlog, everybody, "all\n");
		add(backlog, (struct audience){ .except = 1 }, "not a\n");
		add(backlog, (struct audience){ .only = 1 }, "only a\n");
		add(backlog, (struct audience){ .only = 3 }, "only c\n");
		add(backlog, everybody, "end\n");
		late.at = backlog_end(backlog);
		add(backlog, (struct audience){ .only = 2 }, "b\n");
		assert_reads(backlog, &a, piece, "all\nonly a\nend\n");
		assert_reads(backlog, &b, piece, "all\nnot a\nend\nb\n");
		assert_reads(backlog, &c, piece,
			     "[12:34] all\n[12:34] not a\n[12:34] only c\n[12:34] end\n");
		assert_reads(backlog, &late, piece, "");
		backlog_free(backlog);
	}
}

static void finishes_a_line_as_it_was_begun(void **state)
{
	struct backlog *backlog = backlog_new(4096);
	struct reader reader = { .id = 1, .wants_stamps = true };
	char buffer[64];

	(void)state;
	add(backlog, everybody, "one\n");
	add(backlog, everybody, "two\n");
	assert_int_equal(backlog_read(backlog, &reader, backlog_end(backlog), buffer, 5), 5);
	backlog_taken(backlog, &reader, 5);
	reader.wants_stamps = false;
	assert_int_equal(backlog_read(backlog, &reader, backlog_end(backlog), buffer, 7), 7);
	assert_memory_equal(buffer, "4] one\n", 7);
	backlog_taken(backlog, &reader, 7);
	assert_reads(backlog, &reader, 64, "two\n");
	backlog_free(backlog);
}

static void stops_at_the_given_end(void **state)
{
	struct backlog *backlog = backlog_new(4096);
	struct reader reader = { .id = 1 };
	char buffer[64];
	uint64_t end;

	(void)state;
	add(backlog, everybody, "one\n");
	end = backlog_end(backlog);
	add(backlog, everybody, "two\n");
	assert_int_equal(backlog_read(backlog, &reader, end, buffer, sizeof(buffer)), 4);
	backlog_taken(backlog, &reader, 4);
	assert_int_equal(backlog_read(backlog, &reader, end, buffer, sizeof(buffer)), 0);
	assert_true(reader.at >= end);
	backlog_free(backlog);
}

static void knows_who_has_fallen_behind(void **state)
{
	struct backlog *backlog = backlog_new(1024);
	struct reader stalled = { .id = 1 }, reading = { .id = 2 };
	char text[32];

	(void)state;
	assert_int_equal(backlog_size(backlog), 1024);
	for (int i = 0; i < 1000; i++) {
		snprintf(text, sizeof(text), "line %d\n", i);
		add(backlog, everybody, text);
		assert_false(backlog_lost(backlog, &reading));
		assert_reads(backlog, &reading, 64, text);
		/* A line takes 24 bytes besides its text, which makes 32 or 40. */
		if (i < 25)
			assert_false(backlog_lost(backlog, &stalled));
		if (i > 32)
			assert_true(backlog_lost(backlog, &stalled));
	}
	backlog_free(backlog);
}

/* Lines of all lengths around many turns of the ring, with readers at all distances. */
static void loses_nothing_around_the_edge(void **state)
{
	unsigned seed = 3;

	(void)state;
	for (size_t bytes = 1024; bytes < 1200; bytes += 8) {
		struct backlog *backlog = backlog_new(bytes);
		struct reader reader = { .id = 1 };
		char expected[2000] = "";
		size_t waiting = 0;

		for (int i = 0; i < 2000; i++) {
			char text[128];
			size_t length = 1 + (size_t)rand_r(&seed) % 100;

			memset(text, 'a' + i % 26, length);
			text[length] = '\0';
			add(backlog, everybody, text);
			assert_true(waiting + length < sizeof(expected));
			memcpy(expected + waiting, text, length + 1);
			waiting += length;
			if (waiting > 300 || rand_r(&seed) % 3 == 0) {
				assert_false(backlog_lost(backlog, &reader));
				assert_reads(backlog, &reader, 1 + (size_t)rand_r(&seed) % 64,
					     expected);
				waiting = 0;
			}
		}
		backlog_free(backlog);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_each_what_is_meant_for_them),
		cmocka_unit_test(finishes_a_line_as_it_was_begun),
		cmocka_unit_test(stops_at_the_given_end),
		cmocka_unit_test(knows_who_has_fallen_behind),
		cmocka_unit_test(loses_nothing_around_the_edge),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
