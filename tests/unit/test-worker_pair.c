/* SPDX-License-Identifier: ISC */
/* Tests of what the daemon takes from a worker that may have been taken over. */
#include "config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/util.h"
#include "serve/worker_pair.h"

/* What comes of a message of @size bytes. */
static int receive(const void *message, size_t size, struct worker_outcomes *ret)
{
	int pair[2], r;

	memset(ret, 0x55, sizeof(*ret));
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
	assert_int_equal(send(pair[1], message, size, 0), (ssize_t)size);
	r = worker_pair_receive(pair[0], ret);
	(void)close(pair[0]);
	(void)close(pair[1]);
	return r;
}

struct named {
	struct wire_head head;
	struct wire_name name;
};

static struct named named(const char *text, size_t length)
{
	struct named m = {
		.head = { .magic = WIRE_MAGIC, .kind = WIRE_NAME, .count = 1 },
		.name = { .session = 7, .in_bytes = 9, .length = (uint32_t)length },
	};

	memcpy(m.name.name, text, length <= sizeof(m.name.name) ? length : 0);
	return m;
}

static void takes_a_name(void **state)
{
	char text[WIRE_MAX_NAME];
	struct worker_outcomes got;
	struct named m = named("ftp", 3);

	(void)state;
	assert_int_equal(receive(&m, sizeof(m), &got), 1);
	assert_int_equal(got.head.kind, WIRE_NAME);
	assert_int_equal(got.as.name.session, 7);
	assert_int_equal(got.as.name.in_bytes, 9);
	assert_string_equal(got.as.name.name, "ftp");

	memset(text, 'x', sizeof(text));
	m = named(text, sizeof(text));
	/* Nothing ends the name but what the receiver puts there. */
	m.name.name[WIRE_MAX_NAME] = 'x';
	assert_int_equal(receive(&m, sizeof(m), &got), 1);
	assert_int_equal(strlen(got.as.name.name), WIRE_MAX_NAME);
}

static void refuses_names_that_no_client_may_say(void **state)
{
	static const struct {
		const char *text;
		size_t length;
	} bad[] = {
		{ "", 0 },
		{ "a b", 3 },
		{ "a\0b", 3 },
		{ "a\n", 2 },
		{ "\x1b[2J", 4 },
		{ "a\x7f", 2 },
		{ "", WIRE_MAX_NAME }, /* zeros */
		{ "", WIRE_MAX_NAME + 1 },
		{ "", UINT32_MAX },
	};
	struct worker_outcomes got;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct named m = named(bad[i].text, bad[i].length < 5 ? bad[i].length : 0);

		m.name.length = (uint32_t)bad[i].length;
		assert_int_equal(receive(&m, sizeof(m), &got), -EPROTO);
	}
}

static void refuses_messages_out_of_form(void **state)
{
	struct named m = named("ftp", 3);
	struct worker_outcomes got;
	char big[sizeof(struct worker_outcomes) + 1] = { 0 };

	(void)state;
	for (size_t size = 1; size < sizeof(m); size++)
		assert_int_equal(receive(&m, size, &got), -EPROTO);
	memcpy(big, &m, sizeof(m));
	for (size_t size = sizeof(m) + 1; size <= sizeof(big); size += 97)
		assert_int_equal(receive(big, size, &got), -EPROTO);
	m.head.count = 2;
	assert_int_equal(receive(&m, sizeof(m), &got), -EPROTO);
	m.head.count = 0;
	assert_int_equal(receive(&m, sizeof(m), &got), -EPROTO);
	m.head.count = 1;
	m.head.magic++;
	assert_int_equal(receive(&m, sizeof(m), &got), -EPROTO);
	/* What only the daemon may say, and what means nothing. */
	for (uint32_t kind = 0; kind < 20; kind++) {
		m = named("ftp", 3);
		m.head.kind = kind;
		if (kind != WIRE_NAME)
			assert_int_equal(receive(&m, sizeof(m), &got), -EPROTO);
	}
	m.head = (struct wire_head){ .magic = WIRE_MAGIC, .kind = WIRE_DONE, .count = UINT32_MAX };
	assert_int_equal(receive(&m, sizeof(m), &got), -EPROTO);
}

static void tells_nothing_from_the_end(void **state)
{
	struct worker_outcomes got;
	int pair[2];

	(void)state;
	assert_int_equal(worker_pair_open(&pair[0], &pair[1]), 0);
	assert_int_equal(worker_pair_receive(pair[0], &got), 0);
	(void)close(pair[1]);
	assert_int_equal(worker_pair_receive(pair[0], &got), -EPROTO);
	(void)close(pair[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_a_name),
		cmocka_unit_test(refuses_names_that_no_client_may_say),
		cmocka_unit_test(refuses_messages_out_of_form),
		cmocka_unit_test(tells_nothing_from_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
