/* SPDX-License-Identifier: ISC */
/* A text in a memory file that nobody can change, for the worker to send (worker_link_text()). */
#include "config.h"

#include "serve/text_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>

#include "base/util.h"

int text_file_make(void (*write)(const void *arg, FILE *out), const void *arg)
{
	CLEANUP_CLOSE int fd = memfd_create("text", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	CLEANUP_CLOSE int copy = -1;
	FILE *out;
	bool failed;

	if (fd < 0)
		return -errno;
	copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (copy < 0)
		return -errno;
	out = fdopen(copy, "w");
	if (!out)
		return -errno;
	(void)take_fd(&copy);
	write(arg, out);
	failed = ferror(out);
	if (fclose(out) == EOF || failed)
		return -ENOSPC;
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)
		return -errno;
	return take_fd(&fd);
}
