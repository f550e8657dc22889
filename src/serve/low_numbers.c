/* SPDX-License-Identifier: ISC */
/* Descriptor numbers for many listeners: room for all of them, and none so small that it would have to be moved up. */
#include "config.h"

#include "serve/low_numbers.h"

#include <fcntl.h>
#include <sys/resource.h>

#include "base/util.h"

/* Whether it pays, and leaves enough of all numbers. */
static bool is_worth_while(size_t n)
{
	struct rlimit limit;

	return n > LISTENER_MIN_FD && getrlimit(RLIMIT_NOFILE, &limit) == 0 &&
	       limit.rlim_cur > n + 2 * LISTENER_MIN_FD;
}

void low_numbers_make_room(size_t n)
{
	CLEANUP_CLOSE int last = -1;

	if (is_worth_while(n))
		last = fcntl(0, F_DUPFD_CLOEXEC, (int)n + LISTENER_MIN_FD);
}

void low_numbers_take(struct low_numbers *numbers, size_t n)
{
	int fd;

	numbers->n = 0;
	if (!is_worth_while(n))
		return;
	fd = open("/", O_PATH | O_CLOEXEC);
	while (fd >= 0 && fd < LISTENER_MIN_FD) {
		numbers->fds[numbers->n++] = fd;
		fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	}
	cleanup_close(&fd);
}

void low_numbers_give_back(struct low_numbers *numbers)
{
	while (numbers->n > 0)
		(void)close(numbers->fds[--numbers->n]);
}
