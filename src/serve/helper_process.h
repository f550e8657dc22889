/* SPDX-License-Identifier: ISC */
/* Starting a program of usherd's own, usherd-worker or usherd-rpc: what it inherits of us, and nothing else. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

/*
 * Runs the program @path in a process group of its own, with @fd as descriptor
 * 0, /dev/null as 1 and our stderr as 2, or /dev/null where @has_stderr is
 * false: the caller must have looked before it opened anything, as that may have
 * become descriptor 2. All others are to be close-on-exec. No signal is blocked
 * or ignored, and of the environment it gets what decides on the local time.
 * Blocks until the program is executed, nothing more. Returns its pid, which the
 * caller has to reap, or -errno.
 */
pid_t helper_process_start(const char *path, int fd, bool has_stderr);
