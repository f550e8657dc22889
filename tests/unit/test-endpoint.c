/* SPDX-License-Identifier: ISC */
/* Tests of endpoints: equality, what the kernel is told, and the table that finds them. */
#include "config.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/un.h>

#include <cmocka.h>

#include "base/intern.h"
#include "base/util.h"
#include "config/endpoint_map.h"

/* More than the first table of a map holds. */
#define MANY 1000

static struct endpoint inet(const char *address, uint16_t port)
{
	struct endpoint endpoint = { .socktype = SOCK_STREAM, .protocol = IPPROTO_TCP };

	assert_int_equal(addr_parse(address, &endpoint.addr), 0);
	endpoint.addr.port = port;
	return endpoint;
}

static struct endpoint local(const char *path)
{
	return (struct endpoint){
		.addr = { .family = AF_UNIX },
		.socktype = SOCK_STREAM,
		.path = intern_text(NULL, path),
	};
}

static void sees_what_tells_sockets_apart(void **state)
{
	struct endpoint base = inet("fe80::1", 1), others[] = {
		inet("fe80::2", 1), inet("fe80::1", 2), base, base, base, base,
	};

	(void)state;
	others[2].socktype = SOCK_DGRAM;
	others[3].protocol = IPPROTO_SCTP;
	others[4].v6only = true;
	others[5].addr.scope = 1;
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		assert_false(endpoint_equal(&base, &others[i]));
	others[0] = base;
	others[0].optional = others[0].fallback_ipv4 = true;
	assert_true(endpoint_equal(&base, &others[0]));
}

static void compares_the_paths_of_unix_sockets(void **state)
{
	struct endpoint a = local("/x"), same = local("/x"), abstract = local("@x"),
			copy = endpoint_copy(&a);

	(void)state;
	assert_true(endpoint_equal(&a, &same));
	assert_false(endpoint_equal(&a, &abstract));
	endpoint_done(&a);
	assert_null(a.path);
	assert_string_equal(copy.path, "/x");
	endpoint_done(&copy);
	endpoint_done(&same);
	endpoint_done(&abstract);
}

static void tells_the_kernel_where(void **state)
{
	struct endpoint four = inet("192.0.2.1", 80), six = inet("2001:db8::1", 81),
			path = local("/run/x"), name = local("@xy");
	union {
		struct sockaddr_storage storage;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_un un;
	} to;

	(void)state;
	assert_int_equal(endpoint_to_sockaddr(&four, &to.storage), sizeof(to.in));
	assert_int_equal(to.in.sin_family, AF_INET);
	assert_int_equal(ntohs(to.in.sin_port), 80);
	assert_int_equal(ntohl(to.in.sin_addr.s_addr), 0xc0000201);
	assert_int_equal(endpoint_to_sockaddr(&six, &to.storage), sizeof(to.in6));
	assert_int_equal(ntohs(to.in6.sin6_port), 81);
	assert_int_equal(endpoint_to_sockaddr(&path, &to.storage),
			 offsetof(struct sockaddr_un, sun_path) + sizeof("/run/x"));
	assert_int_equal(to.un.sun_family, AF_UNIX);
	assert_string_equal(to.un.sun_path, "/run/x");
	/* An abstract name ends with the address, without a NUL. */
	assert_int_equal(endpoint_to_sockaddr(&name, &to.storage),
			 offsetof(struct sockaddr_un, sun_path) + 3);
	assert_memory_equal(to.un.sun_path, "\0xy", 3);
	endpoint_done(&path);
	endpoint_done(&name);
}

static void knows_all_addresses(void **state)
{
	struct endpoint four = inet("0.0.0.0", 80), six = inet("::", 81), one = inet("0.0.0.1", 80),
			path = local("/");

	(void)state;
	assert_true(endpoint_is_wildcard(&four));
	assert_true(endpoint_is_wildcard(&six));
	assert_false(endpoint_is_wildcard(&one));
	assert_false(endpoint_is_wildcard(&path));
	endpoint_done(&path);
}

static void finds_each_of_many(void **state)
{
	struct endpoint_map map = { 0 };
	static int values[MANY + 1];
	struct endpoint absent = inet("127.0.0.2", 1), unix_socket = local("/x"),
			same = local("/x");

	(void)state;
	assert_null(endpoint_map_find(&map, &absent));
	for (uint16_t i = 0; i < MANY; i++) {
		struct endpoint endpoint = inet("127.0.0.1", i);

		assert_int_equal(endpoint_map_add(&map, &endpoint, &values[i]), 0);
		/* The first one stays. */
		assert_int_equal(endpoint_map_add(&map, &endpoint, &values[MANY]), 0);
	}
	assert_int_equal(endpoint_map_add(&map, &unix_socket, &values[MANY]), 0);
	for (uint16_t i = 0; i < MANY; i++) {
		struct endpoint endpoint = inet("127.0.0.1", i);

		endpoint.optional = true;
		assert_ptr_equal(endpoint_map_find(&map, &endpoint), &values[i]);
	}
	assert_ptr_equal(endpoint_map_find(&map, &same), &values[MANY]);
	assert_null(endpoint_map_find(&map, &absent));
	endpoint_map_done(&map);
	assert_null(endpoint_map_find(&map, &absent));
	endpoint_done(&unix_socket);
	endpoint_done(&same);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sees_what_tells_sockets_apart),
		cmocka_unit_test(compares_the_paths_of_unix_sockets),
		cmocka_unit_test(tells_the_kernel_where),
		cmocka_unit_test(knows_all_addresses),
		cmocka_unit_test(finds_each_of_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
