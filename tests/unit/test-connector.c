/* SPDX-License-Identifier: ISC */
/* Connects to listeners of the test's own: those that answer, refuse, and do neither. */
#include "config.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/util.h"
#include "serve/connector.h"
#include "serve/resolver.h"

#define DEADLINE_USEC (20 * USEC_PER_SEC)

struct fixture {
	struct event_base *base;
	struct resolver *resolver;
	struct connector *connector;
	unsigned calls;
	int fd;
	struct connector_failure failure;
	bool free_inside;
};

/* Hosts are lists: "a,b" has the addresses a and b. */
static int listed(const char *host, const char *service, const struct addrinfo *hints,
		  struct addrinfo **ret)
{
	struct addrinfo numeric = *hints, **end = ret;
	char copy[128], *rest = copy;

	if (strcmp(host, "nothing") == 0)
		return EAI_NONAME;
	if (strcmp(host, "later") == 0) {
		struct timespec pause = { .tv_sec = 3 };

		(void)nanosleep(&pause, NULL);
		return EAI_AGAIN;
	}
	numeric.ai_flags = AI_NUMERICHOST;
	(void)snprintf(copy, sizeof(copy), "%s", host);
	for (char *one = strsep(&rest, ","); one; one = strsep(&rest, ",")) {
		int r = getaddrinfo(one, service, &numeric, end);

		if (r)
			return r;
		end = &(*end)->ai_next;
	}
	return 0;
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	*state = f;
	f->fd = -1;
	f->base = event_base_new();
	return resolver_new(f->base, listed, &f->resolver);
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	connector_free(f->connector);
	resolver_free(f->resolver);
	event_base_free(f->base);
	cleanup_close(&f->fd);
	free(f);
	return 0;
}

static void on_end(void *arg, int fd, const struct connector_failure *failure)
{
	struct fixture *f = arg;

	f->calls++;
	f->fd = fd;
	assert_true((fd < 0) == (failure != NULL));
	if (failure)
		f->failure = *failure;
	if (f->free_inside)
		connector_free(TAKE_PTR(f->connector));
}

/* Connects, and waits for the end. Returns how long it took, in microseconds. */
static uint64_t connect_to(struct fixture *f, const char *host, uint16_t port,
			   uint64_t timeout_usec)
{
	const struct connector_request request = { .host = host,
						   .port = port,
						   .keepalive = true,
						   .timeout_usec = timeout_usec,
						   .uid = (uid_t)-1 };
	const struct timeval limit = { .tv_sec = 20 };
	uint64_t began = now_usec();

	connector_free(TAKE_PTR(f->connector));
	cleanup_close(&f->fd);
	f->fd = -1;
	f->calls = 0;
	assert_int_equal(connector_new(f->base, f->resolver, &request, on_end, f, &f->connector),
			 0);
	assert_int_equal(f->calls, 0);
	(void)event_base_loopexit(f->base, &limit);
	while (f->calls == 0 && now_usec() - began < DEADLINE_USEC)
		(void)event_base_loop(f->base, EVLOOP_ONCE);
	assert_int_equal(f->calls, 1);
	return now_usec() - began;
}

/* A listener at this address; its port, which is 0 to be chosen, by *@port; skips where there is no such address. */
static int listener(const char *host, uint16_t *port, int backlog)
{
	struct sockaddr_storage sa;
	struct addr addr;
	socklen_t length;
	int fd;

	assert_int_equal(addr_parse(host, &addr), 0);
	addr.port = *port;
	length = addr_to_sockaddr(&addr, &sa);
	fd = socket(addr.family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&sa, length) < 0) {
		print_message("no loopback address %s\n", host);
		skip();
	}
	assert_int_equal(listen(fd, backlog), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &length), 0);
	addr_from_sockaddr(&addr, (struct sockaddr *)&sa, length);
	*port = addr.port;
	return fd;
}

/* One whose queue is full: it does not answer. */
static int deaf_listener(const char *host, uint16_t *port, int fillers[static 3])
{
	struct sockaddr_storage sa;
	struct addr addr;
	socklen_t length;
	int fd = listener(host, port, 0);

	assert_int_equal(addr_parse(host, &addr), 0);
	addr.port = *port;
	length = addr_to_sockaddr(&addr, &sa);
	for (int i = 0; i < 3; i++) {
		fillers[i] = socket(addr.family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		(void)connect(fillers[i], (struct sockaddr *)&sa, length);
	}
	return fd;
}

static int option(int fd, int level, int name)
{
	int value = -1;
	socklen_t length = sizeof(value);

	assert_int_equal(getsockopt(fd, level, name, &value, &length), 0);
	return value;
}

static void connects_to_an_address_and_to_a_name(void **state)
{
	struct fixture *f = *state;
	static const char *const hosts[] = { "127.0.0.1", "127.0.0.1,127.0.0.2" };
	uint16_t port = 0;
	int door = listener("127.0.0.1", &port, 5);

	for (size_t i = 0; i < ARRAY_SIZE(hosts); i++) {
		(void)connect_to(f, hosts[i], port, USEC_PER_SEC * 10);
		assert_true(f->fd >= 0);
		assert_int_equal(send(f->fd, "x", 1, 0), 1);
		assert_int_not_equal(option(f->fd, IPPROTO_TCP, TCP_NODELAY), 0);
		assert_int_not_equal(option(f->fd, SOL_SOCKET, SO_KEEPALIVE), 0);
		assert_int_not_equal(fcntl(f->fd, F_GETFL) & O_NONBLOCK, 0);
		assert_int_not_equal(fcntl(f->fd, F_GETFD) & FD_CLOEXEC, 0);
	}
	(void)close(door);
}

static void takes_the_next_address_where_one_refuses(void **state)
{
	struct fixture *f = *state;
	uint16_t port = 0;
	int door = listener("127.0.0.3", &port, 5);

	/* ::1 refuses, or is not there. */
	(void)connect_to(f, "::1,127.0.0.2,127.0.0.3", port, USEC_PER_SEC * 10);
	assert_true(f->fd >= 0);
	(void)close(door);
	(void)connect_to(f, "::1,127.0.0.2,127.0.0.3", port, USEC_PER_SEC * 10);
	assert_int_equal(f->fd, -1);
	assert_string_equal(f->failure.where, "127.0.0.3");
	assert_string_equal(f->failure.why, "Connection refused (errno = 111)");
}

static void gives_an_address_that_does_not_answer_its_share_of_time(void **state)
{
	struct fixture *f = *state;
	uint16_t port = 0;
	int fillers[3], deaf = deaf_listener("127.0.0.2", &port, fillers);
	int door = listener("127.0.0.3", &port, 5);
	uint64_t took;

	took = connect_to(f, "127.0.0.2,127.0.0.3", port, USEC_PER_SEC * 6);
	assert_true(f->fd >= 0);
	assert_true(took > USEC_PER_SEC * 2 && took < USEC_PER_SEC * 6);
	(void)close(door);
	took = connect_to(f, "127.0.0.2", port, USEC_PER_SEC);
	assert_int_equal(f->fd, -1);
	assert_string_equal(f->failure.where, "127.0.0.2");
	assert_string_equal(f->failure.why, "Connection timed out (errno = 110)");
	assert_true(took >= USEC_PER_SEC * 9 / 10 && took < USEC_PER_SEC * 15);
	for (int i = 0; i < 3; i++)
		(void)close(fillers[i]);
	(void)close(deaf);
}

static void says_that_a_name_has_no_address(void **state)
{
	struct fixture *f = *state;

	(void)connect_to(f, "nothing", 7, USEC_PER_SEC * 10);
	assert_int_equal(f->fd, -1);
	assert_string_equal(f->failure.where, "nothing");
	assert_string_equal(f->failure.why, gai_strerror(EAI_NONAME));
}

static void does_not_wait_for_a_name_for_ever(void **state)
{
	struct fixture *f = *state;
	uint64_t took = connect_to(f, "later", 7, USEC_PER_SEC / 10);

	assert_int_equal(f->fd, -1);
	assert_string_equal(f->failure.where, "later");
	assert_true(took < USEC_PER_SEC * 27 / 10);
}

static void may_be_freed_before_and_inside_its_call(void **state)
{
	struct fixture *f = *state;
	struct connector_request request = {
		.host = "127.0.0.1", .port = 1, .timeout_usec = USEC_PER_SEC, .uid = (uid_t)-1
	};
	struct connector *connector;

	f->free_inside = true;
	(void)connect_to(f, "127.0.0.1", 1, USEC_PER_SEC);
	(void)connect_to(f, "127.0.0.1,127.0.0.2", 1, USEC_PER_SEC);
	f->calls = 0;
	for (int i = 0; i < 2; i++) {
		request.host = i ? "127.0.0.5,127.0.0.6" : "127.0.0.1";
		assert_int_equal(
			connector_new(f->base, f->resolver, &request, on_end, f, &connector), 0);
		connector_free(connector);
	}
	(void)event_base_loop(f->base, EVLOOP_NONBLOCK);
	assert_int_equal(f->calls, 0);
}

static void makes_the_socket_the_users(void **state)
{
	struct fixture *f = *state;
	uint16_t port = 0;
	int door = listener("127.0.0.1", &port, 5);
	struct connector_request request = { .host = "127.0.0.1",
					     .port = port,
					     .timeout_usec = USEC_PER_SEC * 10,
					     .uid = 65534,
					     .gid = 65533 };
	struct stat st;

	if (geteuid() != 0) {
		(void)close(door);
		print_message("needs root\n");
		skip();
	}
	assert_int_equal(connector_new(f->base, f->resolver, &request, on_end, f, &f->connector),
			 0);
	while (f->calls == 0)
		(void)event_base_loop(f->base, EVLOOP_ONCE);
	assert_int_equal(fstat(f->fd, &st), 0);
	assert_int_equal(st.st_uid, 65534);
	assert_int_equal(st.st_gid, 65533);
	(void)close(door);
	/* And we are who we were. */
	door = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(fstat(door, &st), 0);
	assert_int_equal(st.st_uid, 0);
	(void)close(door);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(connects_to_an_address_and_to_a_name),
		T(takes_the_next_address_where_one_refuses),
		T(gives_an_address_that_does_not_answer_its_share_of_time),
		T(says_that_a_name_has_no_address),
		T(does_not_wait_for_a_name_for_ever),
		T(may_be_freed_before_and_inside_its_call),
		T(makes_the_socket_the_users),
	};

	return cmocka_run_group_tests_name("connector", tests, NULL, NULL);
}
