/* SPDX-License-Identifier: ISC */
/* The sink of log_type SYSLOG and of the daemon's messages: RFC 3164 lines to a local socket. */
#include "config.h"

#include "record/sink_syslog.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "base/util.h"
#include "record/sink_socket.h"

#define IDENT_MAX 64
/* "<191>Nov 21 00:01:03 " and "IDENT[PID]: ". */
#define HEAD_MAX (32 + IDENT_MAX + 24)

_Static_assert(SINK_SCRATCH_BYTES >= HEAD_MAX + LINE_TEXT_MAX + 1, "one line always fits");

struct sink_syslog {
	struct sink_socket socket;
	char *ident;
	int facility;
	int level;

	time_t second; /* which stamp shows */
	size_t stamp_len;
	char stamp[32]; /* "Nov 21 00:01:03 " */
};

/* The names of months are not the locale's here (RFC 3164, 4.1.2). */
static void make_stamp(struct sink_syslog *log, time_t second)
{
	static const char months[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
					    "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	struct tm tm;
	int n;

	if (!localtime_r(&second, &tm))
		tm = (struct tm){ .tm_mday = 1 };
	n = snprintf(log->stamp, sizeof(log->stamp), "%s %2d %02d:%02d:%02d ",
		     months[tm.tm_mon % 12], tm.tm_mday % 100, tm.tm_hour % 100, tm.tm_min % 100,
		     tm.tm_sec % 100);
	log->stamp_len = (size_t)n;
	log->second = second;
}

static size_t format_line(struct sink_socket *socket, const struct line *line, char *out)
{
	struct sink_syslog *log = (struct sink_syslog *)(void *)socket;
	int level = line->priority == LINE_PRIORITY_SINK ? log->level : line->priority;
	size_t n;

	if (!log->stamp_len || log->second != line->wall.tv_sec)
		make_stamp(log, line->wall.tv_sec);
	n = (size_t)snprintf(out, HEAD_MAX,
			     "<%d>%s%s[%ld]: ", log->facility | (level & LOG_PRIMASK), log->stamp,
			     log->ident, (long)getpid());
	memcpy(out + n, line->text, line->len);
	n += line->len;
	out[n] = '\0';
	return n;
}

static void syslog_free(struct sink *sink)
{
	struct sink_syslog *log = (struct sink_syslog *)(void *)sink;

	sink_socket_done(&log->socket);
	free(log->ident);
	free(log);
}

static const struct sink_ops ops = {
	.write = sink_socket_write,
	.reopen = sink_socket_reopen,
	.free = syslog_free,
};

int sink_syslog_new(const char *path, const char *name, const char *ident, int facility, int level,
		    struct sink **ret)
{
	CLEANUP_FREE struct sink_syslog *log = calloc(1, sizeof(*log));
	CLEANUP_FREE char *ident_copy = strndup(ident, IDENT_MAX);

	if (!log || !ident_copy)
		return -ENOMEM;
	log->socket.format = format_line;
	if (sink_socket_init(&log->socket, &ops, path, name) < 0)
		return -ENOMEM;
	log->ident = TAKE_PTR(ident_copy);
	log->facility = facility;
	log->level = level;
	*ret = &log->socket.sink;
	log = NULL;
	return 0;
}
