/* SPDX-License-Identifier: ISC */
/* A server that says how the world looks to it, or misbehaves as it is told; knows the inetd contract only. */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
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

/* Name, inode (two that are the same socket have the same), and whether it blocks. */
static void say_descriptors(void)
{
	int n[1024];
	size_t count = 0;
	struct dirent *entry;
	DIR *dir = opendir("/proc/self/fd");

	if (!dir) {
		say("error=%s\n", strerror(errno));
		return;
	}
	while ((entry = readdir(dir)) && count < 1024)
		if (entry->d_name[0] != '.' && atoi(entry->d_name) != dirfd(dir))
			n[count++] = atoi(entry->d_name);
	(void)closedir(dir);
	for (size_t i = 0; i < count; i++) {
		struct stat st;

		if (fstat(n[i], &st) < 0)
			continue;
		say("fd=%d %s %lu %s\n", n[i], S_ISSOCK(st.st_mode) ? "socket" : "other",
		    (unsigned long)st.st_ino,
		    fcntl(n[i], F_GETFL) & O_NONBLOCK ? "nonblocking" : "blocking");
	}
}

static void say_signals(void)
{
	static const char *const names[] = { "SigBlk:", "SigIgn:", "SigCgt:", "Groups:",
					     "Seccomp:" };
	char line[4096];
	FILE *status = fopen("/proc/self/status", "re");

	while (status && fgets(line, sizeof(line), status))
		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
			if (strncmp(line, names[i], strlen(names[i])) == 0)
				say("%s", line);
	if (status)
		(void)fclose(status);
}

/* An option of the socket; -1 where it has no such option. */
static int option(int level, int name)
{
	int value = 0;
	socklen_t room = sizeof(value);

	return getsockopt(0, level, name, &value, &room) < 0 ? -1 : value != 0;
}

static void say_all(int argc, char **argv)
{
	struct sockaddr_storage address = { 0 };
	socklen_t room = sizeof(address);
	struct rlimit limit;
	mode_t mask = umask(0);
	char cwd[4096];

	say_descriptors();
	say_signals();
	for (int i = 0; i < argc; i++)
		say("argv=%s\n", argv[i]);
	for (char **v = environ; *v; v++)
		say("env=%s\n", *v);
	say("cwd=%s\n", getcwd(cwd, sizeof(cwd)) ? cwd : strerror(errno));
	say("pid=%d\nppid=%d\npgid=%d\nsid=%d\n", (int)getpid(), (int)getppid(), (int)getpgrp(),
	    (int)getsid(0));
	say("tty=%s\n", open("/dev/tty", O_RDWR | O_CLOEXEC) >= 0 ? "yes" : "no");
	{
		uid_t r, e, s;
		gid_t rg, eg, sg;

		if (getresuid(&r, &e, &s) == 0 && getresgid(&rg, &eg, &sg) == 0)
			say("uid=%u %u %u\ngid=%u %u %u\n", r, e, s, rg, eg, sg);
	}
	say("umask=%03o\nnice=%d\n", (unsigned)mask, getpriority(PRIO_PROCESS, 0));
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
		say("nofile=%llu %llu\n", (unsigned long long)limit.rlim_cur,
		    (unsigned long long)limit.rlim_max);
	if (getsockname(0, (struct sockaddr *)&address, &room) == 0)
		say("family=%d\n", address.ss_family);
	room = sizeof(address);
	memset(&address, 0, sizeof(address));
	if (getpeername(0, (struct sockaddr *)&address, &room) == 0)
		say("peer=%d\n", address.ss_family);
	say("nodelay=%d\nkeepalive=%d\n", option(IPPROTO_TCP, TCP_NODELAY),
	    option(SOL_SOCKET, SO_KEEPALIVE));
	say("end=\n");
}

static void put(const char *text, size_t size)
{
	while (size > 0) {
		ssize_t n = write(1, text, size);

		if (n <= 0)
			exit(2);
		text += n;
		size -= (size_t)n;
	}
}

/* The state of descriptor 0 is of interest, not what is in it: drained so that the close sends no reset. */
static void drain(void)
{
	(void)shutdown(0, SHUT_WR);
	while (read(0, buffer, sizeof(buffer)) > 0)
		continue;
}

static int readable(int fd, int timeout_ms)
{
	struct pollfd item = { .fd = fd, .events = POLLIN };

	return poll(&item, 1, timeout_ms) > 0;
}

/* Accepts @count connections, each of which gets a line, and ends when @idle_ms pass without one. */
static int accept_loop(int count, int idle_ms)
{
	for (int i = 0; i < count && readable(0, idle_ms); i++) {
		char text[64];
		int fd = accept(0, NULL, NULL);

		if (fd < 0)
			return 3;
		(void)snprintf(text, sizeof(text), "%d %d\n", (int)getpid(), i);
		(void)!write(fd, text, strlen(text));
		(void)shutdown(fd, SHUT_WR);
		while (read(fd, text, sizeof(text)) > 0)
			continue;
		(void)close(fd);
	}
	return 0;
}

/* Answers @count datagrams with "PID:" and what came. */
static int datagram_loop(int count, int idle_ms)
{
	for (int i = 0; i < count && readable(0, idle_ms); i++) {
		char text[2048];
		struct sockaddr_storage from;
		socklen_t room = sizeof(from);
		int head = snprintf(text, sizeof(text), "%d:", (int)getpid());
		ssize_t n = recvfrom(0, text + head, sizeof(text) - (size_t)head, 0,
				     (struct sockaddr *)&from, &room);

		if (n < 0)
			return 3;
		if (sendto(0, text, (size_t)head + (size_t)n, 0, (struct sockaddr *)&from, room) <
		    0)
			return 4;
	}
	return 0;
}

static int datagram_report(int argc, char **argv)
{
	struct sockaddr_storage from;
	socklen_t room = sizeof(from);

	if (recvfrom(0, buffer, sizeof(buffer), 0, (struct sockaddr *)&from, &room) < 0)
		return 3;
	say_all(argc, argv);
	return sendto(0, report, length, 0, (struct sockaddr *)&from, room) < 0 ? 4 : 0;
}

static int accept_report(int argc, char **argv)
{
	int fd;

	say_all(argc, argv);
	fd = accept(0, NULL, NULL);
	if (fd < 0 || dup2(fd, 1) < 0 || dup2(fd, 0) < 0)
		return 3;
	put(report, length);
	drain();
	return 0;
}

/* Where the tests count starts, whatever the daemon thinks. */
static void count_start(void)
{
	const char *path = getenv("COUNT");
	int fd = path ? open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666) : -1;

	if (fd >= 0) {
		(void)!write(fd, "x", 1);
		(void)close(fd);
	}
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "report";
	int first = argc > 2 ? atoi(argv[2]) : 0;
	int second = argc > 3 ? atoi(argv[3]) : 0;
	ssize_t n;

	count_start();
	if (strcmp(mode, "report") == 0) {
		say_all(argc, argv);
		put(report, length);
		drain();
		return 0;
	}
	if (strcmp(mode, "dgram-report") == 0)
		return datagram_report(argc, argv);
	if (strcmp(mode, "accept-report") == 0)
		return accept_report(argc, argv);
	if (strcmp(mode, "echo") == 0) {
		while ((n = read(0, buffer, sizeof(buffer))) > 0)
			put(buffer, (size_t)n);
		return n < 0;
	}
	if (strcmp(mode, "hold") == 0) { /* says who it is; ends with the client, or when told */
		put(buffer, (size_t)snprintf(buffer, sizeof(buffer), "%d\n", (int)getpid()));
		while (read(0, buffer, sizeof(buffer)) > 0)
			continue;
		return 0;
	}
	if (strcmp(mode, "stubborn") == 0 || strcmp(mode, "pause") == 0) {
		if (mode[0] == 's')
			(void)signal(SIGTERM, SIG_IGN);
		put(buffer, (size_t)snprintf(buffer, sizeof(buffer), "%d\n", (int)getpid()));
		for (;;)
			(void)pause();
	}
	if (strcmp(mode, "exit") == 0)
		return first;
	if (strcmp(mode, "kill") == 0) {
		(void)raise(first);
		return 5;
	}
	if (strcmp(mode, "accept") == 0)
		return accept_loop(first, second);
	if (strcmp(mode, "dgram") == 0)
		return datagram_loop(first, second);
	if (strcmp(mode, "shutdown") == 0) {
		(void)shutdown(0, SHUT_RDWR);
		return 0;
	}
	return 99;
}
