/* SPDX-License-Identifier: ISC */
/* Datagrams for internal services: each service, refusals, who is answered and from which address. */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "serve/worker_dgrams.h"
#include "serve/worker_link.h"
#include "worker_fixture.h"

static bool admit(void *arg, const struct sockaddr *peer, socklen_t len, uint64_t *ret_token)
{
	struct fixture *f = arg;

	(void)peer;
	(void)len;
	*ret_token = ++f->dgrams_admitted;
	return !f->refuse_dgrams;
}

static void on_outcome(void *arg, const struct sockaddr *peer, socklen_t len, uint64_t token,
		       size_t length, int error)
{
	struct fixture *f = arg;

	(void)peer;
	(void)len;
	(void)length;
	assert_true(token > 0);
	assert_int_equal(error, 0);
	f->dgrams_forwarded++;
}

static const struct worker_dgrams_ops dgram_ops = { admit, on_outcome };

/* Forwards what waits at @fd, which is at least one datagram; returns what became of it. */
static struct worker_dgrams_counts forward(struct fixture *f, int fd, enum builtin builtin)
{
	struct worker_dgrams_counts counts = { 0 };
	struct pollfd p = { .fd = fd, .events = POLLIN };

	assert_int_equal(poll(&p, 1, 20000), 1);
	assert_int_equal(worker_dgrams_forward(f->link, builtin, fd, &dgram_ops, f, &counts), 0);
	return counts;
}

static void serves_each_dgram_service(struct fixture *f, int family)
{
	struct sockaddr_storage to, mine;
	int server = bound(family, SOCK_DGRAM, &to), fd = bound(family, SOCK_DGRAM, &mine);
	static char out[65507], in[65536];
	struct worker_dgrams_counts counts;
	ssize_t n;

	if (server < 0 || fd < 0) {
		print_message("no loopback address of family %d\n", family);
		skip();
	}
	assert_int_equal(worker_dgrams_prepare(server), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);

	/* Of every size, several at once, in order. */
	static const size_t sizes[] = { 0, 1, 7, 8, 9, 2048, 60000, 65507, 60000, 3 };

	for (size_t i = 0; i < sizeof(out); i++)
		out[i] = (char)(i * 13 + i / 256);
	for (size_t from = 0; from < ARRAY_SIZE(sizes); from += 2) {
		assert_int_equal(send(fd, out, sizes[from], 0), sizes[from]);
		assert_int_equal(send(fd, out + 1, sizes[from + 1] - 1, 0), sizes[from + 1] - 1);
		counts = forward(f, server, BUILTIN_ECHO);
		assert_int_equal(counts.received, 2);
		assert_int_equal(counts.forwarded, 2);
		assert_int_equal(recv(fd, in, sizeof(in), 0), sizes[from]);
		assert_memory_equal(in, out, sizes[from]);
		assert_int_equal(recv(fd, in, sizeof(in), 0), sizes[from + 1] - 1);
		assert_memory_equal(in, out + 1, sizes[from + 1] - 1);
	}
	assert_int_equal(f->dgrams_forwarded, ARRAY_SIZE(sizes));

	/* 6 lines and a shorter one; 7 lines further on each time. */
	for (unsigned round = 0; round < 100; round++) {
		unsigned line = round * 7 % 95;

		assert_int_equal(send(fd, "", 1, 0), 1);
		(void)forward(f, server, BUILTIN_CHARGEN);
		assert_int_equal(recv(fd, in, sizeof(in), 0), 512);
		for (size_t i = 0; i < 510; i++)
			assert_int_equal(in[i], pattern_at(line * 74 + i));
		assert_memory_equal(in + 510, "\r\n", 2);
	}

	assert_int_equal(send(fd, "", 0, 0), 0);
	(void)forward(f, server, BUILTIN_DAYTIME);
	n = recv(fd, in, sizeof(in), 0);
	check_daytime(in, (size_t)n);

	assert_int_equal(send(fd, "", 0, 0), 0);
	(void)forward(f, server, BUILTIN_TIME);
	assert_int_equal(recv(fd, out, sizeof(out), 0), 4);
	check_time((const uint8_t *)out);

	/* What is refused or discarded gets no answer: the next one to come is that of the echo. */
	f->refuse_dgrams = true;
	assert_int_equal(send(fd, "no", 2, 0), 2);
	counts = forward(f, server, BUILTIN_ECHO);
	assert_int_equal(counts.refused, 1);
	f->refuse_dgrams = false;
	assert_int_equal(send(fd, "lost", 4, 0), 4);
	(void)forward(f, server, BUILTIN_DISCARD);
	assert_int_equal(send(fd, "found", 5, 0), 5);
	(void)forward(f, server, BUILTIN_ECHO);
	assert_int_equal(recv(fd, in, sizeof(in), 0), 5);
	assert_int_equal(
		worker_dgrams_forward(f->link, BUILTIN_ECHO, server, &dgram_ops, f, &counts),
		-EAGAIN);
	(void)close(fd);
	(void)close(server);
}

static void serves_dgrams_over_ipv4(void **state)
{
	serves_each_dgram_service(fixture_of(state), AF_INET);
}

static void serves_dgrams_over_ipv6(void **state)
{
	serves_each_dgram_service(fixture_of(state), AF_INET6);
}

static void answers_from_the_address_that_was_asked(void **state)
{
	struct fixture *f = fixture_of(state);
	struct sockaddr_storage mine;
	struct sockaddr_in to = { .sin_family = AF_INET }, from;
	socklen_t len = sizeof(to);
	int server = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0),
	    fd = bound(AF_INET, SOCK_DGRAM, &mine);
	char c = 'x';

	/* On all addresses, and the one asked is not what the kernel would choose. */
	assert_int_equal(bind(server, (struct sockaddr *)&to, sizeof(to)), 0);
	assert_int_equal(worker_dgrams_prepare(server), 0);
	assert_int_equal(getsockname(server, (struct sockaddr *)&to, &len), 0);
	to.sin_addr.s_addr = htonl(0x7f000003);
	assert_int_equal(sendto(fd, &c, 1, 0, (struct sockaddr *)&to, sizeof(to)), 1);
	(void)forward(f, server, BUILTIN_ECHO);
	len = sizeof(from);
	assert_int_equal(recvfrom(fd, &c, 1, 0, (struct sockaddr *)&from, &len), 1);
	assert_int_equal(ntohl(from.sin_addr.s_addr), 0x7f000003);
	(void)close(fd);
	(void)close(server);
}

static void does_not_answer_the_ports_of_services(void **state)
{
	struct fixture *f = fixture_of(state);
	struct sockaddr_storage to, mine;
	struct sockaddr_in low = { .sin_family = AF_INET,
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int server = bound(AF_INET, SOCK_DGRAM, &to), fd = bound(AF_INET, SOCK_DGRAM, &mine);
	int privileged = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	char c = 'x';
	int r = -1;

	for (uint16_t port = 1023; r < 0 && port > 600; port--) {
		low.sin_port = htons(port);
		r = bind(privileged, (struct sockaddr *)&low, sizeof(low));
	}
	if (r < 0) {
		print_message("may not use a port below 1024\n");
		skip();
	}
	assert_int_equal(sendto(privileged, &c, 1, 0, (struct sockaddr *)&to, sizeof(to)), 1);
	(void)forward(f, server, BUILTIN_ECHO);
	assert_int_equal(sendto(fd, &c, 1, 0, (struct sockaddr *)&to, sizeof(to)), 1);
	(void)forward(f, server, BUILTIN_ECHO);
	/* Answers go in order: this one would be the second. */
	assert_int_equal(recv(fd, &c, 1, 0), 1);
	assert_int_equal(recv(privileged, &c, 1, MSG_DONTWAIT), -1);
	(void)close(fd);
	(void)close(privileged);
	(void)close(server);
}

static void answers_unix_peers_that_have_an_abstract_name(void **state)
{
	struct fixture *f = fixture_of(state);
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	socklen_t len = sizeof(un);
	int server = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int nameless = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	char c = 'x';

	set_deadline(fd);
	assert_int_equal(bind(server, (struct sockaddr *)&un, sizeof(sa_family_t)), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&un, sizeof(sa_family_t)), 0);
	assert_int_equal(getsockname(server, (struct sockaddr *)&un, &len), 0);
	assert_int_equal(worker_dgrams_prepare(server), 0);
	assert_int_equal(sendto(nameless, &c, 1, 0, (struct sockaddr *)&un, len), 1);
	assert_int_equal(sendto(fd, &c, 1, 0, (struct sockaddr *)&un, len), 1);
	assert_int_equal(forward(f, server, BUILTIN_ECHO).forwarded, 2);
	assert_int_equal(recv(fd, &c, 1, 0), 1);
	(void)close(fd);
	(void)close(nameless);
	(void)close(server);
}

/* The session of each sender: the last byte of its port. */
static bool admit_known(void *arg, const struct sockaddr *peer, socklen_t len, uint64_t *ret_token)
{
	const uint64_t *sessions = arg;

	(void)len;
	*ret_token =
		sessions[((const struct sockaddr_in *)(const void *)peer)->sin_port == sessions[2]];
	return true;
}

static void passes_datagrams_of_each_client_on_and_the_answers_back(void **state)
{
	static const struct worker_dgrams_ops ops = { .admit = admit_known };
	struct fixture *f = fixture_of(state);
	struct sockaddr_storage to, place, mine[2];
	struct sockaddr_in from;
	socklen_t length = sizeof(from);
	int service = bound(AF_INET, SOCK_DGRAM, &to), server = bound(AF_INET, SOCK_DGRAM, &place);
	int clients[2] = { bound(AF_INET, SOCK_DGRAM, &mine[0]),
			   bound(AF_INET, SOCK_DGRAM, &mine[1]) };
	uint64_t sessions[3] = { 1, 2, ((const struct sockaddr_in *)&mine[1])->sin_port };
	struct worker_dgrams_counts counts;
	char text[64];

	assert_int_equal(worker_dgrams_prepare(service), 0);
	for (unsigned i = 0; i < 2; i++) {
		int target = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

		assert_int_equal(connect(target, (const struct sockaddr *)&place,
					 sizeof(struct sockaddr_in)),
				 0);
		assert_int_equal(worker_link_dgrams(f->link, sessions[i], 0, dup(service), target),
				 0);
	}
	/* Their first datagrams come before the worker has heard of them. */
	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 0; i < 2; i++) {
			char name = (char)('a' + i);

			assert_int_equal(sendto(clients[i], &name, 1, 0,
						(const struct sockaddr *)&to,
						sizeof(struct sockaddr_in)),
					 1);
		}
		assert_int_equal(worker_dgrams_relay(f->link, service, &ops, sessions, &counts), 0);
		assert_int_equal(counts.forwarded, 2);
		for (unsigned i = 0; i < 2; i++) {
			ssize_t n = recvfrom(server, text, sizeof(text), 0,
					     (struct sockaddr *)&from, &length);

			assert_int_equal(n, 1);
			text[1] = '!';
			assert_int_equal(
				sendto(server, text, 2, 0, (const struct sockaddr *)&from, length),
				2);
		}
		for (unsigned i = 0; i < 2; i++) {
			assert_int_equal(recvfrom(clients[i], text, sizeof(text), 0,
						  (struct sockaddr *)&from, &length),
					 2);
			assert_int_equal(text[0], 'a' + (char)i);
			assert_int_equal(from.sin_port,
					 ((const struct sockaddr_in *)&to)->sin_port);
		}
	}
	/* One that is unknown to the worker by now, and one whose target goes. */
	worker_link_cancel(f->link, 2);
	UNTIL(f, f->outcomes[2].done == 1);
	assert_int_equal(f->outcomes[2].error, ECANCELED);
	assert_int_equal(f->outcomes[2].in_bytes, 3);
	assert_int_equal(f->outcomes[2].out_bytes, 6);
	(void)close(server);
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(sendto(clients[i], "x", 1, 0, (const struct sockaddr *)&to,
					sizeof(struct sockaddr_in)),
				 1);
	assert_int_equal(worker_dgrams_relay(f->link, service, &ops, sessions, &counts), 0);
	UNTIL(f, f->outcomes[1].done == 1);
	assert_int_equal(f->outcomes[1].error, ECONNREFUSED);
	(void)close(clients[0]);
	(void)close(clients[1]);
	(void)close(service);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_WORKER(serves_dgrams_over_ipv4),
		WITH_WORKER(serves_dgrams_over_ipv6),
		WITH_WORKER(passes_datagrams_of_each_client_on_and_the_answers_back),
		WITH_WORKER(answers_from_the_address_that_was_asked),
		WITH_WORKER(does_not_answer_the_ports_of_services),
		WITH_WORKER(answers_unix_peers_that_have_an_abstract_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
