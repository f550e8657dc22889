/* SPDX-License-Identifier: ISC */
/* Proves: ports are read out of universal addresses, and whoever listens there is seen. */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "rpc/ports.h"

static void reads_ports(void **state)
{
	static const struct {
		const char *address;
		int port;
	} cases[] = {
		{ "0.0.0.0.3.241", 1009 },
		{ "::.0.111", 111 },
		{ "fe80::1%eth0.255.255", 65535 },
		{ "127.0.0.1.0.0", 0 },
		{ "", -EINVAL },
		{ ".", -EINVAL },
		{ "..", -EINVAL },
		{ "1.2", -EINVAL },
		{ ".1.2", 258 },
		{ "0.0.0.0.256.1", -EINVAL },
		{ "0.0.0.0.1.256", -EINVAL },
		{ "0.0.0.0.1.", -EINVAL },
		{ "0.0.0.0.-1.2", -EINVAL },
		{ "0.0.0.0.0001.2", -EINVAL },
		{ "/run/rpcbind.sock", -EINVAL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (ports_of_address(cases[i].address) != cases[i].port)
			fail_msg("%s: %d", cases[i].address, ports_of_address(cases[i].address));
}

/* A socket on a port of the kernel's choice, and its universal address. */
static int open_socket(int type, char address[static 32])
{
	struct sockaddr_in in = { .sin_family = AF_INET,
				  .sin_addr = { .s_addr = htonl(INADDR_LOOPBACK) } };
	socklen_t length = sizeof(in);
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
	unsigned port;

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&in, sizeof(in)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &length), 0);
	port = ntohs(in.sin_port);
	(void)snprintf(address, 32, "0.0.0.0.%u.%u", port >> 8, port & 0xff);
	return fd;
}

static void sees_who_listens(void **state)
{
	char address[32];
	int fd = open_socket(SOCK_STREAM, address);

	(void)state;
	assert_false(ports_are_used("tcp", address));
	assert_int_equal(listen(fd, 1), 0);
	assert_true(ports_are_used("tcp", address));
	assert_true(ports_are_used("tcp6", address));
	assert_int_equal(close(fd), 0);
	assert_false(ports_are_used("tcp", address));
	fd = open_socket(SOCK_DGRAM, address);
	assert_true(ports_are_used("udp", address));
	assert_int_equal(close(fd), 0);
	assert_false(ports_are_used("udp6", address));
}

static void takes_what_it_cannot_tell_for_alive(void **state)
{
	(void)state;
	assert_true(ports_are_used("local", "/run/x.sock"));
	assert_true(ports_are_used("sctp", "0.0.0.0.3.241"));
	assert_true(ports_are_used("tcp", "nonsense"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_ports),
		cmocka_unit_test(sees_who_listens),
		cmocka_unit_test(takes_what_it_cannot_tell_for_alive),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
