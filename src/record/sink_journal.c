/* SPDX-License-Identifier: ISC */
/* The sink of log_type JOURNAL: entries with fields of their own, in systemd's native protocol. */
#include "config.h"

#include "record/sink_journal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "base/util.h"
#include "record/sink_socket.h"

#define IDENT_MAX 64
/* All that does not come with the line. */
#define HEAD_MAX (256 + IDENT_MAX)

_Static_assert(SINK_SCRATCH_BYTES >= HEAD_MAX + LINE_TEXT_MAX + 2, "one line always fits");

struct sink_journal {
	struct sink_socket socket;
	char *ident;
};

/*
 * The form for values without a newline, as all are: what is not printable is
 * escaped, and the newlines of a record part its fields, of which the message is the first.
 */
static size_t format_line(struct sink_socket *socket, const struct line *line, char *out)
{
	const struct sink_journal *log = (const struct sink_journal *)(void *)socket;
	int priority = line->priority == LINE_PRIORITY_SINK ? LOG_INFO : line->priority;
	size_t n;

	n = (size_t)snprintf(
		out, HEAD_MAX,
		"PRIORITY=%d\nSYSLOG_FACILITY=%d\nSYSLOG_IDENTIFIER=%s\nSYSLOG_PID=%ld\n"
		"USHERD_TIME_USEC=%llu\nMESSAGE=",
		priority & LOG_PRIMASK, LOG_FAC(LOG_DAEMON), log->ident, (long)getpid(),
		(unsigned long long)line->wall.tv_sec * USEC_PER_SEC +
			(unsigned long long)line->wall.tv_nsec / 1000);
	memcpy(out + n, line->text, line->len);
	n += line->len;
	out[n++] = '\n';
	out[n] = '\0';
	return n;
}

static void journal_free(struct sink *sink)
{
	struct sink_journal *log = (struct sink_journal *)(void *)sink;

	sink_socket_done(&log->socket);
	free(log->ident);
	free(log);
}

static const struct sink_ops ops = {
	.write = sink_socket_write,
	.reopen = sink_socket_reopen,
	.free = journal_free,
};

int sink_journal_new(const char *path, const char *name, const char *ident, struct sink **ret)
{
	CLEANUP_FREE struct sink_journal *log = calloc(1, sizeof(*log));
	CLEANUP_FREE char *ident_copy = strndup(ident, IDENT_MAX);

	if (!log || !ident_copy)
		return -ENOMEM;
	log->socket.format = format_line;
	log->socket.datagrams_only = true;
	if (sink_socket_init(&log->socket, &ops, path, name) < 0)
		return -ENOMEM;
	log->ident = TAKE_PTR(ident_copy);
	log->socket.sink.wants_fields = true;
	*ret = &log->socket.sink;
	log = NULL;
	return 0;
}
