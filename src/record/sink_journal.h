/* SPDX-License-Identifier: ISC */
/* The sink of log_type JOURNAL: entries with fields of their own, in systemd's native protocol. */
#pragma once

struct sink;

#define JOURNAL_PATH "/run/systemd/journal/socket"

/*
 * A sink that writes each line as an entry of the journal whose socket is @path:
 * MESSAGE, PRIORITY (info for records), SYSLOG_FACILITY, SYSLOG_IDENTIFIER
 * (@ident), SYSLOG_PID, USHERD_TIME_USEC (when it happened, by the wall clock),
 * and the fields that came with the record (record/fields.h). It never blocks;
 * sd_journal_sendv(3) may, when the journal does not keep up, and that is why
 * it is not used. @name is what messages call the log. Nothing is opened here.
 * Returns 0 or -ENOMEM.
 */
int sink_journal_new(const char *path, const char *name, const char *ident, struct sink **ret);
