/* SPDX-License-Identifier: ISC */
/* The server of the comparison with xinetd: says how the world looks to it, without what changes from run to run. */
#include "config.h"

#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static char report[60000];
static size_t length;
static char buffer[65536];

static void __attribute__((format(printf, 1, 2))) say(const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(report + length, sizeof(report) - length, format, args);
	va_end(args);
	if (n > 0 && length + (size_t)n < sizeof(report))
		length += (size_t)n;
}

static int option(int fd, int level, int name)
{
	int value = -1;
	socklen_t room = sizeof(value);

	return getsockopt(fd, level, name, &value, &room) == 0 ? value : -1;
}

static void say_descriptors(void)
{
	struct stat first, st;
	bool is_first = fstat(0, &first) == 0;
	int own = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	for (int fd = 0; fd < 2048; fd++) {
		if (fd == own || fstat(fd, &st) < 0)
			continue;
		say("fd %d: %s, %s, %s\n", fd, S_ISSOCK(st.st_mode) ? "a socket" : "no socket",
		    is_first && st.st_ino == first.st_ino ? "that of 0" : "another than 0",
		    fcntl(fd, F_GETFL) & O_NONBLOCK ? "does not block" : "blocks");
	}
}

static void say_socket(void)
{
	struct sockaddr_storage name = { 0 }, peer = { 0 };
	socklen_t room = sizeof(name);

	(void)getsockname(0, (struct sockaddr *)&name, &room);
	room = sizeof(peer);
	say("socket: type %d, ", option(0, SOL_SOCKET, SO_TYPE));
	if (getpeername(0, (struct sockaddr *)&peer, &room) == 0)
		say("peer family %d, ", peer.ss_family);
	else
		say("no peer, family %d, ", name.ss_family);
	if (option(0, SOL_SOCKET, SO_TYPE) == SOCK_STREAM)
		say("nodelay %d, ", option(0, IPPROTO_TCP, TCP_NODELAY) > 0);
	say("keepalive %d, listens %d\n", option(0, SOL_SOCKET, SO_KEEPALIVE),
	    option(0, SOL_SOCKET, SO_ACCEPTCONN));
}

static void say_status(void)
{
	static const char *const names[] = { "SigBlk:", "SigIgn:",  "SigCgt:",     "Groups:",
					     "CapInh:", "CapPrm:",  "CapEff:",     "CapBnd:",
					     "CapAmb:", "Seccomp:", "NoNewPrivs:", "Umask:" };
	char line[4096];
	FILE *status = fopen("/proc/self/status", "re");

	while (status && fgets(line, sizeof(line), status))
		for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
			if (strncmp(line, names[i], strlen(names[i])) == 0)
				say("%s", line);
	if (status)
		(void)fclose(status);
}

static void say_limits(void)
{
	static const struct {
		int which;
		const char *name;
	} limits[] = {
		{ RLIMIT_AS, "as" },
		{ RLIMIT_CORE, "core" },
		{ RLIMIT_CPU, "cpu" },
		{ RLIMIT_DATA, "data" },
		{ RLIMIT_FSIZE, "fsize" },
		{ RLIMIT_MEMLOCK, "memlock" },
		{ RLIMIT_NOFILE, "nofile" },
		{ RLIMIT_NPROC, "nproc" },
		{ RLIMIT_RSS, "rss" },
		{ RLIMIT_STACK, "stack" },
		{ RLIMIT_SIGPENDING, "sigpending" },
	};

	for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++) {
		struct rlimit limit = { 0 };

		(void)getrlimit((__rlimit_resource_t)limits[i].which, &limit);
		say("limit %s: %lld %lld\n", limits[i].name, (long long)limit.rlim_cur,
		    (long long)limit.rlim_max);
	}
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void say_environment(void)
{
	size_t n = 0;

	while (environ[n])
		n++;
	qsort(environ, n, sizeof(*environ), by_text);
	for (size_t i = 0; i < n; i++)
		say("env %s\n", environ[i]);
}

static void say_world(int argc, char **argv)
{
	uid_t r, e, s;
	gid_t rg, eg, sg;
	int tty;

	say_descriptors();
	say_socket();
	for (int i = 0; i < argc; i++)
		say("argv[%d] = %s\n", i, argv[i]);
	say("cwd %s\n", getcwd(buffer, sizeof(buffer)) ? buffer : "none");
	tty = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
	say("session: %s, group: %s, terminal: %s, parent %d\n",
	    getsid(0) == getpid() ? "own" : "another's",
	    getpgrp() == getpid() ? "own" : "another's", tty >= 0 ? "yes" : "none", (int)getppid());
	if (getresuid(&r, &e, &s) == 0 && getresgid(&rg, &eg, &sg) == 0)
		say("uid %u %u %u, gid %u %u %u\n", r, e, s, rg, eg, sg);
	say("nice %d\n", getpriority(PRIO_PROCESS, 0));
	say_status();
	say_limits();
	say_environment();
	say("end\n");
}

static void put(int fd, const char *text, size_t size)
{
	while (size > 0) {
		ssize_t n = write(fd, text, size);

		if (n <= 0)
			exit(2);
		text += n;
		size -= (size_t)n;
	}
}

/* Ends its side and reads to the end, so that the close sends no reset. */
static void finish(int fd)
{
	(void)shutdown(fd, SHUT_WR);
	while (read(fd, buffer, sizeof(buffer)) > 0)
		continue;
}

static int arrives(int idle_ms)
{
	struct pollfd item = { .fd = 0, .events = POLLIN };

	return poll(&item, 1, idle_ms) > 0;
}

/* wait = yes: takes @count connections, ends after @idle_ms without one. */
static int accept_some(int argc, char **argv, int count, int idle_ms, bool world)
{
	for (int i = 0; i < count && arrives(idle_ms); i++) {
		int fd;

		length = 0;
		if (world)
			say_world(argc, argv);
		else
			say("%d of one server\n", i + 1);
		fd = accept(0, NULL, NULL);
		if (fd < 0)
			return 3;
		put(fd, report, length);
		finish(fd);
		(void)close(fd);
	}
	return 0;
}

/* wait = yes: answers @count datagrams, ends after @idle_ms without one. */
static int answer_some(int argc, char **argv, int count, int idle_ms, bool world)
{
	for (int i = 0; i < count && arrives(idle_ms); i++) {
		struct sockaddr_storage from;
		socklen_t room = sizeof(from);
		ssize_t n = recvfrom(0, buffer, sizeof(buffer), 0, (struct sockaddr *)&from, &room);

		if (n < 0)
			return 3;
		length = 0;
		if (world)
			say_world(argc, argv);
		else
			say("%d of one server: %.*s", i + 1, (int)n, buffer);
		if (sendto(0, report, length, 0, (struct sockaddr *)&from, room) < 0)
			return 4;
	}
	return 0;
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "who";
	int first = argc > 2 ? atoi(argv[2]) : 0;
	int second = argc > 3 ? atoi(argv[3]) : 0;
	const char *host = getenv("REMOTE_HOST");
	ssize_t n;

	if (strcmp(mode, "world") == 0) {
		say_world(argc, argv);
		put(1, report, length);
		finish(0);
		return 0;
	}
	if (strcmp(mode, "who") == 0) {
		say("served %s\n", host ? host : "nobody");
		put(1, report, length);
		finish(0);
		return 0;
	}
	if (strcmp(mode, "echo") == 0) {
		while ((n = read(0, buffer, sizeof(buffer))) > 0)
			put(1, buffer, (size_t)n);
		return n < 0;
	}
	if (strcmp(mode, "hold") == 0 || strcmp(mode, "stubborn") == 0) {
		if (mode[0] == 's')
			(void)signal(SIGTERM, SIG_IGN);
		put(1, "held\n", 5);
		while (read(0, buffer, sizeof(buffer)) > 0)
			continue;
		return first;
	}
	if (strcmp(mode, "exit") == 0)
		return first;
	if (strcmp(mode, "kill") == 0) {
		(void)raise(first);
		return 5;
	}
	if (strcmp(mode, "accept") == 0 || strcmp(mode, "accept-world") == 0)
		return accept_some(argc, argv, first, second, mode[6] != '\0');
	if (strcmp(mode, "dgram") == 0 || strcmp(mode, "dgram-world") == 0)
		return answer_some(argc, argv, first, second, mode[5] != '\0');
	return 99;
}
