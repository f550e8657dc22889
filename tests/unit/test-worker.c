/* SPDX-License-Identifier: ISC */
/* The program usherd-worker: its services on streams, its confinement, and rubbish instead of messages. */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/wire.h"
#include "serve/worker_link.h"
#include "worker_fixture.h"

/* The value in kB of a line of /proc/PID/status. */
static long status_value(pid_t pid, const char *name)
{
	char path[64], line[256];
	long value = -1;
	FILE *file;

	(void)snprintf(path, sizeof(path), "/proc/%d/status", pid);
	file = fopen(path, "re");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file))
		if (strncmp(line, name, strlen(name)) == 0 && line[strlen(name)] == ':')
			value = strtol(line + strlen(name) + 1, NULL, 10);
	(void)fclose(file);
	return value;
}

/* --- streams --- */

static void serves_each_stream_service(struct fixture *f, int family)
{
	char text[128];
	uint8_t bytes[4];
	static char big[PERIOD * 3 + 10];
	ssize_t n;
	int fd = client(f, family, 1, BUILTIN_ECHO);

	if (fd < 0) {
		print_message("no loopback address of family %d\n", family);
		skip();
	}
	assert_int_equal(send(fd, "hello", 5, 0), 5);
	read_exactly(fd, text, 5);
	assert_memory_equal(text, "hello", 5);
	assert_int_equal(send(fd, "again", 5, 0), 5);
	read_exactly(fd, text, 5);
	assert_memory_equal(text, "again", 5);
	(void)close(fd);

	fd = client(f, family, 2, BUILTIN_DISCARD);
	assert_int_equal(send(fd, big, sizeof(big), 0), sizeof(big));
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	assert_int_equal(recv(fd, text, 1, 0), 0);
	(void)close(fd);

	/* One that has ended its own side still gets all of the pattern. */
	fd = client(f, family, 3, BUILTIN_CHARGEN);
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	read_exactly(fd, big, sizeof(big));
	for (size_t i = 0; i < sizeof(big); i++)
		if (big[i] != pattern_at(i))
			fail_msg("chargen: wrong at byte %zu", i);
	(void)close(fd);

	fd = client(f, family, 4, BUILTIN_DAYTIME);
	n = recv(fd, text, sizeof(text), MSG_WAITALL);
	check_daytime(text, (size_t)n);
	(void)close(fd);

	fd = client(f, family, 5, BUILTIN_TIME);
	assert_int_equal(recv(fd, text, sizeof(text), MSG_WAITALL), 4);
	memcpy(bytes, text, 4);
	check_time(bytes);
	(void)close(fd);

	UNTIL(f, f->ended == 5);
	assert_int_equal(f->outcomes[1].in_bytes, 10);
	assert_int_equal(f->outcomes[1].out_bytes, 10);
	assert_int_equal(f->outcomes[2].in_bytes, sizeof(big));
	assert_int_equal(f->outcomes[2].out_bytes, 0);
	assert_true(f->outcomes[3].out_bytes >= sizeof(big));
	assert_int_equal(f->outcomes[4].out_bytes, n);
	assert_int_equal(f->outcomes[5].out_bytes, 4);
	for (int i = 1; i <= 5; i++)
		assert_int_equal(f->outcomes[i].done, 1);
	assert_int_equal(f->outcomes[1].error, 0);
	assert_int_equal(f->outcomes[5].error, 0);
	assert_int_equal(worker_link_sessions(f->link), 0);
}

static void sends_texts_that_share_a_file(void **state)
{
	enum {
		SIZE = 3000000,
		CLIENTS = 3
	};
	struct fixture *f = fixture_of(state);
	static char text[SIZE], got[SIZE];
	int clients[CLIENTS];
	int file = memfd_create("text", MFD_CLOEXEC);

	for (size_t i = 0; i < SIZE; i++)
		text[i] = (char)(i * 7 + i / 1021);
	assert_int_equal(write(file, text, SIZE), SIZE);
	for (unsigned i = 0; i < CLIENTS; i++) {
		int near;

		clients[i] = connection(AF_INET, &near);
		assert_int_equal(fd_set_nonblock(near, true), 0);
		assert_int_equal(worker_link_text(f->link, i + 1, 0, near, dup(file)), 0);
	}
	worker_link_flush(f->link);
	/* The last one first: nobody waits for who does not read. */
	for (unsigned i = CLIENTS; i-- > 0;) {
		set_deadline(clients[i]);
		read_exactly(clients[i], got, SIZE);
		assert_memory_equal(got, text, SIZE);
		assert_int_equal(recv(clients[i], got, 1, 0), 0);
		(void)close(clients[i]);
		UNTIL(f, f->outcomes[i + 1].done == 1);
		assert_int_equal(f->outcomes[i + 1].error, 0);
		assert_int_equal(f->outcomes[i + 1].in_bytes, 0);
		assert_int_equal(f->outcomes[i + 1].out_bytes, SIZE);
	}
	(void)close(file);
}

static void serves_streams_over_ipv4(void **state)
{
	serves_each_stream_service(fixture_of(state), AF_INET);
}

static void serves_streams_over_ipv6(void **state)
{
	serves_each_stream_service(fixture_of(state), AF_INET6);
}

static void echoes_a_megabyte_to_a_client_that_has_half_closed(void **state)
{
	struct fixture *f = fixture_of(state);
	enum {
		SIZE = 1024 * 1024
	};
	char *out = malloc(SIZE), *in = malloc(SIZE + 1);
	size_t put = 0, got = 0;
	int fd = client(f, AF_INET, 1, BUILTIN_ECHO);
	ssize_t n;

	for (size_t i = 0; i < SIZE; i++)
		out[i] = (char)(i * 7 + i / 4096);
	/* Nothing is read as long as anything can be written: then the end of file comes early. */
	while (put < SIZE) {
		struct pollfd p = { .fd = fd, .events = POLLOUT | POLLIN };

		n = send(fd, out + put, SIZE - put, MSG_DONTWAIT);
		if (n > 0) {
			put += (size_t)n;
			continue;
		}
		assert_int_equal(errno, EAGAIN);
		assert_true(poll(&p, 1, 20000) > 0);
		if (!(p.revents & POLLOUT)) {
			n = recv(fd, in + got, 65536, 0);
			assert_true(n > 0);
			got += (size_t)n;
		}
	}
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	assert_int_equal(recv(fd, in + got, SIZE + 1 - got, MSG_WAITALL), SIZE - got);
	assert_memory_equal(in, out, SIZE);
	UNTIL(f, f->outcomes[1].done);
	assert_int_equal(f->outcomes[1].in_bytes, SIZE);
	assert_int_equal(f->outcomes[1].out_bytes, SIZE);
	assert_int_equal(f->outcomes[1].error, 0);
	(void)close(fd);
	free(out);
	free(in);
}

static void does_not_reset_a_client_that_sent_what_is_not_read(void **state)
{
	struct fixture *f = fixture_of(state);

	for (int i = 0; i < 20; i++) {
		char text[64];
		int server, fd = connection(AF_INET, &server);
		ssize_t n;

		assert_int_equal(send(fd, "\r\nplease\r\n", 10, 0), 10);
		assert_int_equal(
			worker_link_stream(f->link, (uint64_t)i, BUILTIN_DAYTIME, 0, server), 0);
		worker_link_flush(f->link);
		n = recv(fd, text, sizeof(text), MSG_WAITALL);
		assert_true(n > 20);
		assert_int_equal(send(fd, "more", 4, MSG_NOSIGNAL), 4);
		assert_int_equal(recv(fd, text, sizeof(text), 0), 0);
		(void)close(fd);
	}
	UNTIL(f, f->ended == 20);
	assert_int_equal(f->outcomes[19].error, 0);
}

static void lets_slow_readers_block_nobody_and_hold_little_memory(void **state)
{
	struct fixture *f = fixture_of(state);
	enum {
		SLOW = 40
	};
	static char block[65536];
	struct pollfd slow[SLOW];
	long before;
	char c = 'x';
	int fd = client(f, AF_INET, SLOW, BUILTIN_ECHO);

	assert_int_equal(send(fd, &c, 1, 0), 1);
	read_exactly(fd, &c, 1);
	(void)close(fd);
	before = status_value(worker_link_pid(f->link), "VmRSS");
	for (int i = 0; i < SLOW; i++) {
		fd = client(f, AF_INET, (uint64_t)i, i % 2 ? BUILTIN_ECHO : BUILTIN_CHARGEN);
		slow[i] = (struct pollfd){ .fd = fd, .events = i % 2 ? POLLOUT : 0 };
	}
	/* Until none of them has room any more for a while; the worker then holds all it ever will. */
	while (poll(slow, SLOW, 200) > 0)
		for (int i = 0; i < SLOW; i++)
			if (slow[i].revents & POLLOUT)
				(void)send(slow[i].fd, block, sizeof(block), MSG_DONTWAIT);

	fd = client(f, AF_INET, SLOW + 1, BUILTIN_ECHO);
	assert_int_equal(send(fd, &c, 1, 0), 1);
	read_exactly(fd, &c, 1);
	(void)close(fd);
#ifndef SANITIZED
	/* echo.c: 4 MiB for all, and then little for each. */
	assert_true(status_value(worker_link_pid(f->link), "VmRSS") - before < 6 * 1024);
#else
	(void)before;
#endif
	for (int i = 0; i < SLOW; i++)
		(void)close(slow[i].fd);
	UNTIL(f, f->ended == SLOW + 2);
}

/* --- the program itself --- */

/* Whether all users exist here, so that the worker has one to become. */
static bool is_first_user_namespace(void)
{
	FILE *map = fopen("/proc/self/uid_map", "re");
	unsigned long first = 1, outside = 1, count = 0;
	bool is_first = !map || (fscanf(map, "%lu %lu %lu", &first, &outside, &count) == 3 &&
				 count > 65536);

	if (map)
		(void)fclose(map);
	return is_first;
}

static void runs_without_privileges_in_an_empty_root(void **state)
{
	struct fixture *f = fixture_of(state);
	pid_t pid = worker_link_pid(f->link);
	int fd = client(f, AF_INET, 1, BUILTIN_ECHO);
	const struct dirent *entry;
	char path[64], c = 'x';
	DIR *dir;

	/* Once it serves it has given up everything. */
	assert_int_equal(send(fd, &c, 1, 0), 1);
	read_exactly(fd, &c, 1);
	(void)close(fd);
	assert_int_equal(status_value(pid, "NoNewPrivs"), 1);
	assert_int_equal(status_value(pid, "CapEff"), 0);
	assert_int_equal(status_value(pid, "CapPrm"), 0);
#if defined(HAVE_SECCOMP) && !defined(SANITIZED)
	assert_int_equal(status_value(pid, "Seccomp"), 2);
#endif
	if (geteuid() != 0 || !is_first_user_namespace()) {
		print_message("the rest of this test needs root\n");
		skip();
	}
	assert_true(status_value(pid, "Uid") > 0);
	assert_true(status_value(pid, "Gid") > 0);
	assert_int_equal(status_value(pid, "Groups"), 0);
	assert_int_equal(status_value(pid, "CapBnd"), 0);
	(void)snprintf(path, sizeof(path), "/proc/%d/root", pid);
	dir = opendir(path);
	assert_non_null(dir);
	/* Where nothing can be written the root is a view of its own descriptors: 0, 1, 2 … */
	while ((entry = readdir(dir)))
		assert_true(entry->d_name[strspn(entry->d_name, ".0123456789")] == '\0');
	(void)closedir(dir);
}

static void says_what_it_is_when_run_by_hand(void **state)
{
	int status;
	pid_t pid;

	(void)fixture_of(state);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		int null = open("/dev/null", O_RDWR);

		(void)dup2(null, 0);
		(void)dup2(null, 2);
		(void)execl(worker_path(), "usherd-worker", (char *)NULL);
		_exit(1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 64);
}

/* Sends @size bytes with @n_fds copies of @fd to a worker. */
static void send_raw(int to, const void *bytes, size_t size, int fd, unsigned n_fds)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(253 * sizeof(int))];
	} control = { .bytes = { 0 } };
	struct iovec iov = { (void *)(uintptr_t)bytes, size };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (n_fds > 0) {
		m.msg_control = &control;
		m.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
		control.align.cmsg_level = SOL_SOCKET;
		control.align.cmsg_type = SCM_RIGHTS;
		control.align.cmsg_len = CMSG_LEN(n_fds * sizeof(int));
		for (unsigned i = 0; i < n_fds; i++)
			memcpy(CMSG_DATA(&control.align) + i * sizeof(int), &fd, sizeof(fd));
	}
	assert_int_equal(sendmsg(to, &m, MSG_NOSIGNAL), (ssize_t)size);
}

static void survives_rubbish(void **state)
{
	struct {
		struct wire_head head;
		union {
			struct wire_stream streams[4];
			struct wire_dgram dgram;
		} u;
	} m;
	struct {
		struct wire_head head;
		struct wire_done done[WIRE_MAX_ENTRIES];
	} answer;
	struct {
		struct wire_head head;
		struct wire_stream streams[WIRE_MAX_FDS];
	} relays;
	int pair[2], stream[2], status;
	size_t one = sizeof(m.head) + sizeof(m.u.streams[0]);
	unsigned seed = 1, got = 0, ended[5] = { 0 };
	char c;
	pid_t pid;

	(void)fixture_of(state);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, stream), 0);
	set_deadline(pair[0]);
	set_deadline(stream[0]);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)dup2(pair[1], 0);
		(void)execl(worker_path(), "usherd-worker", (char *)NULL);
		_exit(1);
	}
	(void)close(pair[1]);

	memset(&m, 0, sizeof(m));
	send_raw(pair[0], "x", 1, stream[1], 1);
	send_raw(pair[0], &m, sizeof(m), stream[1], 100);
	for (uint32_t kind = 0; kind < 9; kind++) {
		static const uint32_t counts[] = { 0,  1,   2,        63,       64,
						   65, 256, 1u << 28, 1u << 31, UINT32_MAX };

		for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
			m.head = (struct wire_head){ WIRE_MAGIC, kind, counts[i], WIRE_ECHO };
			send_raw(pair[0], &m, sizeof(m.head), -1, 0);
			send_raw(pair[0], &m, sizeof(m.head) + 4, stream[1], 253);
		}
	}
	/* Lengths and addresses that lie. */
	for (unsigned i = 0; i < 2000; i++) {
		m.head = (struct wire_head){ WIRE_MAGIC, WIRE_DGRAM, 1 + (seed >> 28) % 3,
					     i % 7 == 6 ? WIRE_DGRAM_RELAY : (seed >> 24) % 7 };
		for (size_t n = 0; n < sizeof(m.u.dgram); n++) {
			seed = seed * 1103515245u + 12345u;
			((unsigned char *)&m.u.dgram)[n] = (unsigned char)(seed >> 16);
		}
		m.u.dgram.peer.sa.sa_family = (sa_family_t)(i % 3 == 0   ? AF_INET
							    : i % 3 == 1 ? AF_INET6
									 : AF_UNIX);
		/* An empty answer through the pair itself would be its end. */
		m.u.dgram.length = i % 2 ? m.u.dgram.length : 1 + (seed >> 20) % 15;
		m.u.dgram.peer_len = i % 5 ? (seed >> 18) % 200 : m.u.dgram.peer_len;
		send_raw(pair[0], &m, sizeof(m), i % 4 ? stream[1] : pair[0], 1);
	}
	/* No descriptor, an unknown service, too many descriptors, and one number twice. */
	memset(&m, 0, sizeof(m));
	m.head = (struct wire_head){ WIRE_MAGIC, WIRE_STREAM, 1, 0 };
	m.u.streams[0] = (struct wire_stream){ .session = 1, .service = WIRE_ECHO };
	send_raw(pair[0], &m, one, -1, 0);
	m.u.streams[0] = (struct wire_stream){ .session = 2, .service = 99 };
	send_raw(pair[0], &m, one, stream[1], 1);
	m.u.streams[0] = (struct wire_stream){ .session = 3, .service = WIRE_ECHO };
	send_raw(pair[0], &m, one, stream[1], 200);
	send_raw(pair[0], &m, one, stream[1], 1);
	/* A relay with one side only; more descriptors wanted than there can be. */
	m.u.streams[0] = (struct wire_stream){ .session = 4, .service = WIRE_RELAY };
	send_raw(pair[0], &m, one, stream[1], 1);
	m.head.count = WIRE_MAX_FDS;
	for (unsigned i = 0; i < WIRE_MAX_FDS; i++)
		relays.streams[i] = (struct wire_stream){ .session = 4, .service = WIRE_RELAY };
	relays.head = m.head;
	send_raw(pair[0], &relays, sizeof(relays), -1, 0);

	assert_int_equal(send(stream[0], "y", 1, 0), 1);
	read_exactly(stream[0], &c, 1);
	assert_int_equal(c, 'y');
	/* The worker has closed every copy but that of session 3. */
	(void)close(stream[1]);
	assert_int_equal(shutdown(stream[0], SHUT_WR), 0);
	assert_int_equal(recv(stream[0], &c, 1, 0), 0);
	while (got < 3 + 1 + WIRE_MAX_FDS) {
		ssize_t n = recv(pair[0], &answer, sizeof(answer), 0);

		assert_true(n > 0 && answer.head.kind == WIRE_DONE);
		for (uint32_t i = 0; i < answer.head.count; i++, got++) {
			static const int errors[] = {
				[1] = EMFILE, [2] = EPROTONOSUPPORT, [3] = 0, [4] = EMFILE
			};
			const struct wire_done *d = &answer.done[i];

			assert_in_range(d->session, 1, 4);
			ended[d->session]++;
			assert_int_equal(d->error, errors[d->session]);
			assert_int_equal(d->in_bytes, d->session == 3 ? 1 : 0);
		}
	}
	assert_int_equal(ended[1], 1);
	assert_int_equal(ended[2], 1);
	assert_int_equal(ended[3], 1);
	(void)close(stream[0]);
	(void)close(pair[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_WORKER(sends_texts_that_share_a_file),
		WITH_WORKER(serves_streams_over_ipv4),
		WITH_WORKER(serves_streams_over_ipv6),
		WITH_WORKER(echoes_a_megabyte_to_a_client_that_has_half_closed),
		WITH_WORKER(does_not_reset_a_client_that_sent_what_is_not_read),
		WITH_WORKER(lets_slow_readers_block_nobody_and_hold_little_memory),
		WITH_WORKER(runs_without_privileges_in_an_empty_root),
		WITHOUT(says_what_it_is_when_run_by_hand),
		WITHOUT(survives_rubbish),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
