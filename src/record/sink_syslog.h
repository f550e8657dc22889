/* SPDX-License-Identifier: ISC */
/* The sink of log_type SYSLOG and of the daemon's messages: RFC 3164 lines to a local socket. */
#pragma once

struct sink;

#define SYSLOG_PATH "/dev/log"

/*
 * A sink that writes "<PRI>Mmm dd hh:mm:ss IDENT[PID]: text" to the datagram or
 * stream socket at @path, each line a datagram or ended by NUL, as syslog(3)
 * does; but it never blocks. The socket need not be there yet, and may go and
 * come back. @facility and @level are those of syslog(3); the level is for lines
 * of LINE_PRIORITY_SINK, others bring their own. @name is what messages call
 * the log. Nothing is opened here. Returns 0 or -ENOMEM.
 */
int sink_syslog_new(const char *path, const char *name, const char *ident, int facility, int level,
		    struct sink **ret);
