/* SPDX-License-Identifier: ISC */
/* Tests of where targets lead to, of errors that are told apart, and of the way to the first place that answers. */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ctl/connection.h"
#include "ctl/places_find.h"

static char conf_path[] = "/tmp/test-places-XXXXXX";

static const char conf_text[] =
	"service echo\n{\nid = a-stream\ntype = UNLISTED INTERNAL\n"
	"socket_type = stream\nport = 7001\nwait = no\n}\n"
	"service echo\n{\nid = a-dgram\ntype = UNLISTED INTERNAL\n"
	"socket_type = dgram\nport = 7002\nwait = yes\nbind = 127.0.0.1\n}\n"
	"service discard\n{\nid = b1\ntype = UNLISTED INTERNAL\n"
	"socket_type = stream\nport = 7003\nwait = no\n}\n"
	"service discard\n{\nid = b2\ntype = UNLISTED INTERNAL\n"
	"socket_type = stream\nport = 7004\nwait = no\nbind = 0.0.0.0\n}\n"
	"service c\n{\ntype = UNLISTED\nsocket_type = stream\n"
	"wait = no\nuser = root\nserver = /bin/cat\nbind = @c\n}\n";

static int write_conf(void **state)
{
	CLEANUP_CLOSE int fd = mkstemp(conf_path);
	ssize_t n = sizeof(conf_text) - 1;

	(void)state;
	return fd >= 0 && write(fd, conf_text, (size_t)n) == n ? 0 : -1;
}

static int remove_conf(void **state)
{
	(void)state;
	return unlink(conf_path);
}

static enum status find(const char *text, struct places *places, struct failure *failure)
{
	const struct places_source source = { .file = conf_path };
	struct target target;
	const char *why;
	enum status status;

	assert_int_equal(target_parse(text, &target, &why), 0);
	status = places_find(&target, &source, places, failure);
	target_done(&target);
	return status;
}

/* @text leads to these places, in this order. */
static void expect_places(const char *text, const char *const *expected)
{
	struct failure failure = { 0 };
	struct places places = { 0 };
	size_t n = 0;

	assert_int_equal(find(text, &places, &failure), STATUS_CLEAN);
	for (; expected[n]; n++) {
		char place[ENDPOINT_TEXT_MAX];

		assert_true(n < places.n);
		assert_string_equal(endpoint_format(&places.v[n], place), expected[n]);
	}
	assert_int_equal(places.n, n);
	places_done(&places);
}

#define EXPECT_PLACES(text, ...) expect_places(text, (const char *[]){ __VA_ARGS__, NULL })

static void expect_failure(const char *text, enum status status, const char *said)
{
	struct failure failure = { 0 };
	struct places places = { 0 };

	assert_int_equal(find(text, &places, &failure), status);
	assert_int_equal(failure.status, status);
	assert_non_null(strstr(failure.text, said));
	assert_int_equal(places.n, 0);
}

static void finds_services_of_the_configuration(void **state)
{
	(void)state;
	/* A wildcard is called on loopback. */
	EXPECT_PLACES("a-stream", "tcp [::1]:7001", "tcp 127.0.0.1:7001");
	EXPECT_PLACES("a-dgram", "udp 127.0.0.1:7002");
	EXPECT_PLACES("b2", "tcp 127.0.0.1:7004");
	EXPECT_PLACES("c", "unix @c");
	EXPECT_PLACES("echo", "tcp [::1]:7001", "tcp 127.0.0.1:7001");
	EXPECT_PLACES("udp:echo", "udp 127.0.0.1:7002");
	expect_failure("discard", STATUS_NAME, "write an id: b1, b2");
	/* By id, but of another type: there is no such thing. */
	expect_failure("udp:b1", STATUS_NAME, "there is no service \"b1\" for UDP");
}

static void finds_what_is_written_in_numbers(void **state)
{
	(void)state;
	EXPECT_PLACES("7", "tcp [::1]:7", "tcp 127.0.0.1:7");
	EXPECT_PLACES("udp:7", "udp [::1]:7", "udp 127.0.0.1:7");
	EXPECT_PLACES("127.0.0.2:7", "tcp 127.0.0.2:7");
	EXPECT_PLACES("udp:[2001:db8::1]:69", "udp [2001:db8::1]:69");
	EXPECT_PLACES("unix-dgram:/x", "unix /x");
	EXPECT_PLACES("@y", "unix @y");
	expect_failure("65536", STATUS_ADDRESS, "65536 is no port");
	expect_failure("127.0.0.1:0", STATUS_ADDRESS, "0 is no port");
	expect_failure("[::g]:7", STATUS_ADDRESS, "::g is no address");
	expect_failure("no-such-service-here", STATUS_NAME, "there is no service");
}

static void tells_kinds_of_errors_apart(void **state)
{
	struct failure failure;

	(void)state;
	assert_int_equal(failure_kind(ECONNREFUSED), STATUS_CONNECTION);
	assert_int_equal(failure_kind(ECONNRESET), STATUS_CONNECTION);
	assert_int_equal(failure_kind(EPIPE), STATUS_CONNECTION);
	assert_int_equal(failure_kind(ENETUNREACH), STATUS_ADDRESS);
	assert_int_equal(failure_kind(ENOENT), STATUS_ADDRESS);
	assert_int_equal(failure_kind(ETIMEDOUT), STATUS_TIME);
	assert_int_equal(failure_errno(&failure, EPIPE, "%s", "x"), STATUS_CONNECTION);
	assert_string_equal(failure.text, "x: Broken pipe");
}

/* A place on loopback: a listener's, or one where nobody listens. */
static struct endpoint place_of(int fd)
{
	struct endpoint place = { .socktype = SOCK_STREAM, .protocol = IPPROTO_TCP };

	struct sockaddr_storage address;
	socklen_t length;

	assert_int_equal(addr_parse("127.0.0.1", &place.addr), 0);
	length = endpoint_to_sockaddr(&place, &address);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, length), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
	addr_from_sockaddr(&place.addr, (struct sockaddr *)&address, length);
	return place;
}

static void goes_to_the_first_place_that_answers(void **state)
{
	CLEANUP_CLOSE int open_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CLEANUP_CLOSE int shut_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct endpoint v[3] = { place_of(shut_fd), place_of(open_fd), { .path = NULL } };
	struct places places = { .v = v, .n = 2 };
	struct connection c = { .places = &places, .fd = -1 };
	struct failure failure = { 0 };
	char where[ENDPOINT_TEXT_MAX], open_where[ENDPOINT_TEXT_MAX];

	(void)state;
	assert_int_equal(listen(open_fd, 5), 0);
	assert_int_equal(connection_open(&c, now_usec() + 30 * USEC_PER_SEC, &failure),
			 STATUS_CLEAN);
	assert_true(c.fd >= 0);
	assert_string_equal(connection_format(&c, where), endpoint_format(&v[1], open_where));
	assert_false(connection_has_next(&c));
	connection_close(&c);
	assert_int_equal(c.fd, -1);
	/* Nobody at the only one: the reason names it. */
	places.n = 1;
	c = (struct connection){ .places = &places, .fd = -1 };
	assert_int_equal(connection_open(&c, 0, &failure), STATUS_CONNECTION);
	assert_non_null(strstr(failure.text, "Connection refused"));
	assert_int_equal(c.fd, -1);
	/* A refusal says more than an address that is none, in whatever order. */
	places.n = 3;
	v[1] = v[2];
	v[2] = v[0];
	c = (struct connection){ .places = &places, .fd = -1 };
	assert_int_equal(connection_open(&c, 0, &failure), STATUS_CONNECTION);
	v[2] = v[1];
	c = (struct connection){ .places = &places, .fd = -1 };
	assert_int_equal(connection_open(&c, 0, &failure), STATUS_CONNECTION);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_services_of_the_configuration),
		cmocka_unit_test(finds_what_is_written_in_numbers),
		cmocka_unit_test(tells_kinds_of_errors_apart),
		cmocka_unit_test(goes_to_the_first_place_that_answers),
	};

	return cmocka_run_group_tests(tests, write_conf, remove_conf);
}
