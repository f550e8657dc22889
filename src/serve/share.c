/* SPDX-License-Identifier: ISC */
/* How many of the daemon's descriptors one service may hold while it waits for somebody. */
#include "config.h"

#include "serve/share.h"

#include <sys/resource.h>

#define SHARE     16
#define SHARE_MIN 64
#define SHARE_MAX 1024

unsigned share_of_descriptors(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) < 0 || files.rlim_cur / SHARE >= SHARE_MAX)
		return SHARE_MAX;
	return files.rlim_cur / SHARE <= SHARE_MIN ? SHARE_MIN : (unsigned)(files.rlim_cur / SHARE);
}
