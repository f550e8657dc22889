/* SPDX-License-Identifier: ISC */
/* The sink of log_type FILE and -filelog, and of a terminal or other open descriptor. */
#pragma once

#include <stdint.h>

struct sink;

/* What stands before a line; the time is local, as "26/1/9@23:50:30". */
enum envelope {
	ENVELOPE_SERVICE, /* "TIME: LINE" */
	ENVELOPE_DAEMON,  /* "TIME LINE" */
};

/*
 * Opens (creates, mode 0644) the file to append to. /dev/stdout and /dev/stderr
 * stand for those descriptors of the daemon. A FIFO without a reader is fine:
 * it holds what it can, then the queue does. @name is what messages call the
 * log: "common", or the service's id.
 *
 * Limits are xinetd.conf(5) "log_type" FILE's; 0 is none, and what is no regular
 * file has none. Once the file is larger than @soft_bytes, WARNING "Size of NAME
 * log exceeded soft limit"; once larger than @hard_bytes, ERROR "... hard
 * limit", and lines are dropped until a reopen finds a smaller file: unlike in
 * xinetd each message comes once (D26). The line that passes a limit is written.
 * A file that is too large already when it is first opened gets no line.
 *
 * A reopen that fails says so and goes on with the old file.
 * Returns 0; -ENOMEM; or why the file cannot be opened (-EACCES, -ENOENT …).
 */
int sink_file_new(const char *path, const char *name, enum envelope envelope, uint64_t soft_bytes,
		  uint64_t hard_bytes, struct sink **ret);

/*
 * A sink on a duplicate of @fd, which stays the caller's. The open file's flags
 * are left alone, and still no write blocks. Returns 0, -ENOMEM or -EBADF.
 */
int sink_fd_new(int fd, const char *name, enum envelope envelope, struct sink **ret);
