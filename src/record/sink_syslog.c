/* SPDX-License-Identifier: ISC */
/* The sink of log_type SYSLOG and of the daemon's messages: RFC 3164 lines to a local socket. */
#include "config.h"

#include "record/sink_syslog.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "base/sink.h"
#include "base/util.h"

#define IDENT_MAX 64
/* "<191>Nov 21 00:01:03 " and "IDENT[PID]: ". */
#define HEAD_MAX (32 + IDENT_MAX + 24)

_Static_assert(SINK_SCRATCH_BYTES >= HEAD_MAX + LINE_TEXT_MAX + 1, "one line always fits");

struct sink_syslog {
	struct sink sink;
	char *path;
	char *ident;
	int facility;
	int level;
	int fd; /* -1: not connected */
	bool stream;

	size_t partial; /* stream: bytes of the next line that are sent already */
	time_t second;  /* which stamp shows */
	size_t stamp_len;
	char stamp[32]; /* "Nov 21 00:01:03 " */
};

static struct sink_syslog *syslog_of(struct sink *sink)
{
	return (struct sink_syslog *)(void *)sink;
}

static void disconnect(struct sink_syslog *log)
{
	if (log->fd >= 0)
		(void)close(log->fd);
	log->fd = -1;
	log->partial = 0;
}

static int connect_as(struct sink_syslog *log, int type)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	CLEANUP_CLOSE int fd = -1;

	if (strlen(log->path) >= sizeof(un.sun_path))
		return -ENAMETOOLONG;
	(void)strcpy(un.sun_path, log->path);
	fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&un, sizeof(un)) < 0)
		return -errno;
	log->fd = sink_place_fd(take_fd(&fd));
	log->stream = type == SOCK_STREAM;
	return 0;
}

static int ensure_connected(struct sink_syslog *log)
{
	int r;

	if (log->fd >= 0)
		return 0;
	r = connect_as(log, SOCK_DGRAM);
	return r == -EPROTOTYPE ? connect_as(log, SOCK_STREAM) : r;
}

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

/* Writes the line with its closing NUL into @out. Returns the length without it. */
static size_t format_line(struct sink_syslog *log, const struct line *line, char *out)
{
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

/* Sends one line, or what remains of it. Returns 0 or -errno. */
static int send_line(struct sink_syslog *log, const struct line *line, char *scratch)
{
	size_t len = format_line(log, line, scratch) + log->stream;

	do {
		ssize_t n = send(log->fd, scratch + log->partial, len - log->partial,
				 MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		/* A datagram goes whole or not at all. */
		log->partial += log->stream ? (size_t)n : len;
	} while (log->partial < len);
	log->partial = 0;
	return 0;
}

static size_t syslog_write(struct sink *sink, const struct batch *batch, int *ret_error)
{
	struct sink_syslog *log = syslog_of(sink);
	bool again = log->fd >= 0;
	size_t done = 0;

	while (done < batch->n) {
		int r = ensure_connected(log);

		if (r == 0)
			r = send_line(log, batch->lines[done], batch->scratch);
		if (r == 0) {
			done++;
		} else if (r == -EMSGSIZE) {
			/* It would stand in the way of all others for ever. */
			sink->discarded++;
			sink->discard_error = r;
			done++;
		} else if (r == -EAGAIN || r == -ENOBUFS || r == -ENOMEM || log->fd < 0) {
			*ret_error = r;
			break;
		} else {
			/* The other end is gone: perhaps a new one has taken its place. */
			disconnect(log);
			*ret_error = r;
			if (!again)
				break;
			again = false;
		}
	}
	if (done == batch->n)
		*ret_error = 0;
	return done;
}

static void syslog_reopen(struct sink *sink, const struct batch *batch)
{
	(void)batch;
	disconnect(syslog_of(sink));
}

static void syslog_free(struct sink *sink)
{
	struct sink_syslog *log = syslog_of(sink);

	disconnect(log);
	free(log->path);
	free(log->ident);
	sink_done(sink);
	free(log);
}

static const struct sink_ops ops = {
	.write = syslog_write,
	.reopen = syslog_reopen,
	.free = syslog_free,
};

int sink_syslog_new(const char *path, const char *name, const char *ident, int facility, int level,
		    struct sink **ret)
{
	CLEANUP_FREE struct sink_syslog *log = calloc(1, sizeof(*log));
	CLEANUP_FREE char *path_copy = strdup(path);
	CLEANUP_FREE char *ident_copy = strndup(ident, IDENT_MAX);

	if (!log || !path_copy || !ident_copy || sink_init(&log->sink, &ops, name) < 0)
		return -ENOMEM;
	log->path = TAKE_PTR(path_copy);
	log->ident = TAKE_PTR(ident_copy);
	log->facility = facility;
	log->level = level;
	log->fd = -1;
	*ret = &log->sink;
	log = NULL;
	return 0;
}
