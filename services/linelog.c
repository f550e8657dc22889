/* SPDX-License-Identifier: ISC */
/* Notes in the system's log who connects, each line that comes, and who disconnects. */
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "handed.h"

/* A longer line is logged in parts; syslog's own limit is often 1024 or 2048. */
#define LINE_BYTES 900
#define USAGE                                                                                  \
	"usage: linelog [--ident NAME] [--options cons,ndelay,nowait,odelay,perror,pid,none] " \
	"[--facility NAME] [--priority NAME]"

struct word {
	const char *name;
	int value;
};

static const struct word openlog_options[] = {
	{ "cons", LOG_CONS },
	{ "ndelay", LOG_NDELAY },
	{ "none", 0 },
	{ "nowait", LOG_NOWAIT },
	{ "odelay", LOG_ODELAY },
	{ "perror", LOG_PERROR },
	{ "pid", LOG_PID },
	{ NULL, 0 },
};

static const struct word facilities[] = {
	{ "auth", LOG_AUTH },
	{ "authpriv", LOG_AUTHPRIV },
	{ "cron", LOG_CRON },
	{ "daemon", LOG_DAEMON },
	{ "ftp", LOG_FTP },
	{ "lpr", LOG_LPR },
	{ "mail", LOG_MAIL },
	{ "news", LOG_NEWS },
	{ "user", LOG_USER },
	{ "uucp", LOG_UUCP },
	{ "local0", LOG_LOCAL0 },
	{ "local1", LOG_LOCAL1 },
	{ "local2", LOG_LOCAL2 },
	{ "local3", LOG_LOCAL3 },
	{ "local4", LOG_LOCAL4 },
	{ "local5", LOG_LOCAL5 },
	{ "local6", LOG_LOCAL6 },
	{ "local7", LOG_LOCAL7 },
	{ NULL, 0 },
};

static const struct word priorities[] = {
	{ "emerg", LOG_EMERG }, { "alert", LOG_ALERT },     { "crit", LOG_CRIT },
	{ "err", LOG_ERR },     { "warning", LOG_WARNING }, { "notice", LOG_NOTICE },
	{ "info", LOG_INFO },   { "debug", LOG_DEBUG },     { NULL, 0 },
};

static int value_of(const struct word *words, const char *name)
{
	for (; words->name; words++)
		if (strcmp(words->name, name) == 0)
			return words->value;
	handed_refuse("linelog", USAGE);
}

/* Words with commas between them; the string is taken apart. */
static int values_of(const struct word *words, char *list)
{
	int values = 0;
	char *rest;

	for (char *name = strtok_r(list, ",", &rest); name; name = strtok_r(NULL, ",", &rest))
		values |= value_of(words, name);
	return values;
}

/* An address, or a user of this machine. */
static void describe_peer(int fd, char text[HANDED_PLACE_BYTES])
{
	struct sockaddr_storage peer = { 0 };
	socklen_t length = sizeof(peer);
	void *address = &peer;
	char user[HANDED_USER_BYTES];

	if (handed_user(fd, user))
		snprintf(text, HANDED_PLACE_BYTES, "user %s", user);
	else if (getpeername(fd, address, &length) == 0)
		handed_describe(&peer, length, text);
	else
		snprintf(text, HANDED_PLACE_BYTES, "somebody who is gone");
}

/*
 * Controls are those of ASCII and the second set, U+0080 to U+009f, of which
 * each is two bytes in UTF-8 and a terminal obeys them as well.
 */
static bool is_control(const char *line, size_t length, size_t i)
{
	unsigned char byte = (unsigned char)line[i];
	unsigned char before = i > 0 ? (unsigned char)line[i - 1] : 0;
	unsigned char after = i + 1 < length ? (unsigned char)line[i + 1] : 0;

	if (byte == 0xc2)
		return after >= 0x80 && after < 0xa0;
	return byte < ' ' || byte == 0x7f || (before == 0xc2 && byte >= 0x80 && byte < 0xa0);
}

/*
 * One byte as the log shows it: what could end the record, or move a
 * terminal's cursor, is written as \ooo. Other UTF-8 is left alone.
 */
static size_t show(char byte, bool plain, char *to, size_t size)
{
	int length;

	if (plain)
		length = snprintf(to, size, "%c", byte);
	else
		length = snprintf(to, size, "\\%03o", (unsigned)(unsigned char)byte);
	return (size_t)length;
}

static void log_line(int priority, const char *peer, const char *line, size_t length)
{
	char text[4 * LINE_BYTES + 1] = "";
	size_t at = 0;

	if (length && line[length - 1] == '\r')
		length--;
	for (size_t i = 0; i < length; i++)
		at += show(line[i], line[i] != '\\' && !is_control(line, length, i), text + at,
			   sizeof(text) - at);
	syslog(priority, "line from %s: %s", peer, text);
}

/* Returns why the input ended: 0 or -errno. */
static int log_lines(int fd, int priority, const char *peer)
{
	char line[LINE_BYTES];
	size_t length = 0;
	ssize_t got;

	while ((got = read(fd, line + length, sizeof(line) - length)) > 0) {
		char *start = line;
		char *newline;

		length += (size_t)got;
		while ((newline = memchr(start, '\n', length))) {
			log_line(priority, peer, start, (size_t)(newline - start));
			length -= (size_t)(newline + 1 - start);
			start = newline + 1;
		}
		memmove(line, start, length);
		if (length == sizeof(line)) {
			log_line(priority, peer, line, length);
			length = 0;
		}
	}
	if (length)
		log_line(priority, peer, line, length);
	return got < 0 ? -errno : 0;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "ident", required_argument, NULL, 'i' },
		{ "options", required_argument, NULL, 'o' },
		{ "facility", required_argument, NULL, 'f' },
		{ "priority", required_argument, NULL, 'p' },
		{ NULL, 0, NULL, 0 },
	};
	const char *ident = strrchr(argv[0], '/') ? strrchr(argv[0], '/') + 1 : argv[0];
	int log_options = LOG_PID;
	int facility = LOG_DAEMON;
	int priority = LOG_INFO;
	char peer[HANDED_PLACE_BYTES];
	int c;
	int r;

	opterr = 0;
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 'i':
			ident = optarg;
			break;
		case 'o':
			log_options = values_of(openlog_options, optarg);
			break;
		case 'f':
			facility = value_of(facilities, optarg);
			break;
		case 'p':
			priority = value_of(priorities, optarg);
			break;
		default:
			handed_refuse("linelog", USAGE);
		}
	}
	if (handed_what(STDIN_FILENO) != HANDED_CONNECTION)
		handed_refuse("linelog", "serves one connection: a stream with wait = no");
	openlog(ident, log_options, facility);
	describe_peer(STDIN_FILENO, peer);
	syslog(priority, "connect from %s", peer);
	r = log_lines(STDIN_FILENO, priority, peer);
	if (r < 0)
		syslog(priority, "disconnect from %s: %s", peer, strerror(-r));
	else
		syslog(priority, "disconnect from %s", peer);
	return 0;
}
