/* SPDX-License-Identifier: ISC */
/*
 * The least that a super-server can do: an epoll loop that starts a program for each connection, without checks,
 * limits, log or anybody to answer to. What a super-server adds is measured against it.
 *
 * usage: floor_spawn [-d] [-s] FIRST_PORT LAST_PORT PROGRAM [ARGUMENT...]
 *
 * -s gives each child what the bench's stanza asks of one: a session, a limit, masks, an identity (nobody's, where the
 * floor is root), an environment.
 * -d lends a UDP socket to one program at a time instead.
 */
#include "config.h"

#include <grp.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "gauge.h"

#define NOBODY 65534

static struct {
	char **argv;
	char *environment[4];
	bool set_up;
	int epoll_fd;
	char stack[65536] __attribute__((aligned(16)));
} floor_ = { .environment = { (char[]){ "REMOTE_HOST=127.0.0.1" }, (char[]){ "BENCH=yes" },
			      (char[]){ "PATH=/usr/bin:/bin" } } };

static volatile sig_atomic_t child_ended;

static void on_child(int signo)
{
	(void)signo;
	child_ended = 1;
}

/* Raw calls: the memory is the parent's, and the library would change the identity of all threads. */
static void become_servant(void)
{
	static const uint64_t cpu_seconds[2] = { 60, 60 };
	static const unsigned long no_signals[16];

	(void)syscall(SYS_setsid);
	(void)syscall(SYS_prlimit64, 0, RLIMIT_CPU, cpu_seconds, NULL);
	(void)syscall(SYS_umask, 027);
	(void)syscall(SYS_rt_sigprocmask, SIG_SETMASK, no_signals, NULL, 8);
	(void)syscall(SYS_setgid, NOBODY);
	(void)syscall(SYS_setgroups, 0, NULL);
	(void)syscall(SYS_setuid, NOBODY);
}

static int child(void *arg)
{
	int fd = *(int *)arg;

	/* The table is shared with the parent until here; only what stands below the connection is copied. */
	(void)syscall(SYS_close_range, fd + 1, ~0u, CLOSE_RANGE_UNSHARE);
	for (int i = 0; i < 3; i++)
		(void)syscall(SYS_dup3, fd, i, 0);
	(void)syscall(SYS_close_range, 3, ~0u, 0);
	if (floor_.set_up)
		become_servant();
	(void)syscall(SYS_execve, floor_.argv[0], floor_.argv,
		      floor_.set_up ? floor_.environment : environ);
	_exit(127);
}

static void start(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	(void)fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
	if (clone(child, floor_.stack + sizeof(floor_.stack),
		  CLONE_VM | CLONE_VFORK | CLONE_FILES | SIGCHLD, &fd) < 0)
		perror("clone");
}

static int open_port(unsigned port, int type)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	int fd = socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int)) < 0 ||
	    bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 ||
	    (type == SOCK_STREAM && listen(fd, 4096) < 0))
		gauge_fail("listen");
	/* Up, so that the table a child copies is small. */
	if (fd < 64) {
		int high = fcntl(fd, F_DUPFD_CLOEXEC, 64);

		if (high < 0)
			gauge_fail("dup");
		(void)close(fd);
		fd = high;
	}
	return fd;
}

static void serve_streams(unsigned first, unsigned last)
{
	sigset_t none;

	(void)sigemptyset(&none);
	for (unsigned port = first; port <= last; port++)
		gauge_watch(floor_.epoll_fd, open_port(port, SOCK_STREAM), EPOLLIN, NULL);
	/* Who listens where comes back in the event: its data is the descriptor. */
	for (int fd = 64; fd < 64 + (int)(last - first + 1); fd++) {
		struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

		(void)epoll_ctl(floor_.epoll_fd, EPOLL_CTL_MOD, fd, &event);
	}
	for (;;) {
		struct epoll_event events[256];
		int n = epoll_pwait(floor_.epoll_fd, events, 256, -1, &none);

		for (int i = 0; i < n; i++) {
			int fd;

			while ((fd = accept4(events[i].data.fd, NULL, NULL,
					     SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
				start(fd);
				(void)close(fd);
			}
		}
		if (child_ended) {
			child_ended = 0;
			while (waitpid(-1, NULL, WNOHANG) > 0)
				;
		}
	}
}

static void serve_datagrams(unsigned port)
{
	int fd = open_port(port, SOCK_DGRAM);

	gauge_watch(floor_.epoll_fd, fd, EPOLLIN, NULL);
	for (;;) {
		struct epoll_event event;

		if (epoll_wait(floor_.epoll_fd, &event, 1, -1) != 1)
			continue;
		start(fd);
		while (waitpid(-1, NULL, 0) < 0 && errno == EINTR)
			;
	}
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = on_child };
	bool datagrams = false;
	unsigned first, last;
	sigset_t blocked;
	int c;

	while ((c = getopt(argc, argv, "+ds")) != -1) {
		if (c == 'd')
			datagrams = true;
		else if (c == 's')
			floor_.set_up = true;
		else
			return 2;
	}
	if (argc - optind < 3) {
		fprintf(stderr, "floor_spawn: wants two ports and a program\n");
		return 2;
	}
	first = (unsigned)gauge_number(argv[optind], 65535);
	last = (unsigned)gauge_number(argv[optind + 1], 65535);
	floor_.argv = argv + optind + 2;
	gauge_raise_files();
	floor_.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (floor_.epoll_fd < 0)
		gauge_fail("epoll_create");
	(void)sigemptyset(&blocked);
	(void)sigaddset(&blocked, SIGCHLD);
	if (datagrams)
		serve_datagrams(first);
	(void)sigprocmask(SIG_BLOCK, &blocked, NULL);
	(void)sigaction(SIGCHLD, &action, NULL);
	serve_streams(first, last);
	return 0;
}
