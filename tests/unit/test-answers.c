/* SPDX-License-Identifier: ISC */
/* Proves that answers go out whole, in order and each as a datagram of its own, joined in the kernel where they may be. */
#include "config.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/util.h"
#include "worker/answers.h"

/* A service's socket, and two clients. */
struct scene {
	int server;
	int clients[2];
	struct wire_dgram from[2]; /* what each asked */
	struct answers answers;
	char bytes[4096];
};

static int open_socket(int family, struct wire_dgram *ret)
{
	const struct timeval patience = { .tv_sec = 20 };
	socklen_t length = family == AF_INET ? sizeof(ret->peer.in) : sizeof(ret->peer.in6);
	int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	*ret = (struct wire_dgram){ .peer_len = length };
	if (family == AF_INET) {
		ret->peer.in.sin_family = AF_INET;
		ret->peer.in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	} else {
		ret->peer.in6.sin6_family = AF_INET6;
		ret->peer.in6.sin6_addr = in6addr_loopback;
	}
	if (fd < 0 || bind(fd, &ret->peer.sa, length) < 0) {
		print_message("no loopback address of family %d\n", family);
		skip();
	}
	assert_int_equal(getsockname(fd, &ret->peer.sa, &length), 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
	return fd;
}

static void open_scene(struct scene *scene, int family)
{
	struct wire_dgram own;

	memset(scene, 0, sizeof(*scene));
	scene->server = open_socket(family, &own);
	for (size_t i = 0; i < ARRAY_SIZE(scene->clients); i++)
		scene->clients[i] = open_socket(family, &scene->from[i]);
	for (size_t i = 0; i < sizeof(scene->bytes); i++)
		scene->bytes[i] = (char)(i * 7 + i / 256);
}

static void close_scene(struct scene *scene)
{
	(void)close(scene->server);
	(void)close(scene->clients[0]);
	(void)close(scene->clients[1]);
}

/* Adds an answer in two parts, of which the bytes begin at @at. */
static void add(struct scene *scene, size_t client, size_t at, size_t length)
{
	struct iovec *parts = answers_room(&scene->answers);

	parts[0] = (struct iovec){ scene->bytes + at, length / 3 };
	parts[1] = (struct iovec){ scene->bytes + at + length / 3, length - length / 3 };
	answers_add(&scene->answers, &scene->from[client], 2);
}

static void expect(struct scene *scene, size_t client, size_t at, size_t length)
{
	char got[sizeof(scene->bytes)];

	assert_int_equal(recv(scene->clients[client], got, sizeof(got), 0), length);
	assert_memory_equal(got, scene->bytes + at, length);
}

/* Answers of all kinds, and what comes of them at the clients. */
static void sends_all(struct scene *scene, bool join)
{
	static const struct {
		size_t client, at, length;
	} plan[] = {
		/* Equal ones; then a shorter one, which is the last of a run, and two of that length. */
		{ 0, 0, 64 },
		{ 0, 1, 64 },
		{ 0, 2, 64 },
		{ 0, 3, 10 },
		{ 0, 4, 10 },
		{ 0, 5, 10 },
		/* A longer one; empty ones. */
		{ 0, 6, 11 },
		{ 0, 7, 0 },
		{ 0, 8, 0 },
		/* Another client between. */
		{ 0, 9, 8 },
		{ 1, 10, 8 },
		{ 0, 11, 8 },
		{ 1, 12, 8 },
		{ 1, 13, 8 },
		/* Too long for one packet of most networks. */
		{ 1, 14, 2000 },
		{ 1, 15, 2000 },
		{ 1, 16, 3 },
	};

	scene->answers.n = scene->answers.n_parts = 0;
	for (size_t i = 0; i < ARRAY_SIZE(plan); i++)
		add(scene, plan[i].client, plan[i].at, plan[i].length);
	answers_send(&scene->answers, scene->server, join);
	for (size_t i = 0; i < ARRAY_SIZE(plan); i++)
		expect(scene, plan[i].client, plan[i].at, plan[i].length);

	/* As many as there may be, and each as long as those that are joined may be. */
	scene->answers.n = scene->answers.n_parts = 0;
	for (size_t i = 0; i < WIRE_MAX_DGRAMS; i++)
		add(scene, 0, i, 1400);
	answers_send(&scene->answers, scene->server, join);
	for (size_t i = 0; i < WIRE_MAX_DGRAMS; i++)
		expect(scene, 0, i, 1400);
}

static void each_is_a_datagram_of_its_own(void **state)
{
	static const int families[] = { AF_INET, AF_INET6 };
	struct scene scene;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		open_scene(&scene, families[i]);
		sends_all(&scene, false);
		if (answers_can_join())
			sends_all(&scene, true);
		close_scene(&scene);
	}
}

/* A client that takes joined datagrams as they are sees what was joined. */
static void those_of_one_length_to_one_peer_are_joined(void **state)
{
	const int on = 1;
	struct scene scene;
	char got[4096];

	(void)state;
	open_scene(&scene, AF_INET);
	if (!answers_can_join() ||
	    setsockopt(scene.clients[0], IPPROTO_UDP, UDP_GRO, &on, sizeof(on)) < 0) {
		print_message("this kernel does not join datagrams\n");
		close_scene(&scene);
		skip();
	}
	add(&scene, 0, 0, 100);
	add(&scene, 0, 100, 100);
	add(&scene, 0, 200, 50);
	add(&scene, 0, 250, 50);
	answers_send(&scene.answers, scene.server, true);
	expect(&scene, 0, 0, 250);
	expect(&scene, 0, 250, 50);
	/* Those that come from other addresses of ours are not. */
	scene.answers.n = scene.answers.n_parts = 0;
	add(&scene, 0, 0, 20);
	struct wire_dgram other = scene.from[0];
	other.local.in.sin_family = AF_INET;
	other.local.in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	answers_room(&scene.answers)[0] = (struct iovec){ scene.bytes, 20 };
	answers_add(&scene.answers, &other, 1);
	answers_send(&scene.answers, scene.server, true);
	assert_int_equal(recv(scene.clients[0], got, sizeof(got), 0), 20);
	assert_int_equal(recv(scene.clients[0], got, sizeof(got), 0), 20);
	close_scene(&scene);
}

/* What the kernel, or the way that the answers take, does not join is sent none the less. */
static void what_cannot_be_joined_goes_apart(void **state)
{
	const int on = 1;
	struct scene scene;

	(void)state;
	open_scene(&scene, AF_INET);
	/* Without a checksum there is no joining. */
	assert_int_equal(setsockopt(scene.server, SOL_SOCKET, SO_NO_CHECK, &on, sizeof(on)), 0);
	sends_all(&scene, true);
	close_scene(&scene);
}

/* An address that is not ours, as that of a broadcast is not: the answer leaves from another one. */
static void an_address_that_cannot_be_used_loses_nothing(void **state)
{
	struct scene scene;

	(void)state;
	open_scene(&scene, AF_INET);
	scene.from[0].local.in.sin_family = AF_INET;
	scene.from[0].local.in.sin_addr.s_addr = htonl(0xc0000201);
	sends_all(&scene, false);
	if (answers_can_join())
		sends_all(&scene, true);
	assert_int_equal(answers_send_one(scene.server, &scene.from[0],
					  &(struct iovec){ scene.bytes, 5 }, 1),
			 0);
	expect(&scene, 0, 0, 5);
	close_scene(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_is_a_datagram_of_its_own),
		cmocka_unit_test(those_of_one_length_to_one_peer_are_joined),
		cmocka_unit_test(what_cannot_be_joined_goes_apart),
		cmocka_unit_test(an_address_that_cannot_be_used_loses_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
