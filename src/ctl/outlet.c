/* SPDX-License-Identifier: ISC */
/* What was received, on its way to standard output: as it is, or made fit for a terminal. */
#include "config.h"

#include "ctl/outlet.h"

#include <errno.h>
#include <limits.h>
#include <sys/stat.h>

#include "base/util.h"

int outlet_init(struct outlet *outlet, int fd, struct printable *printable, struct expect *expect)
{
	struct stat st;

	*outlet = (struct outlet){ .fd = fd, .printable = printable, .expect = expect };
	/* A pipe that has some room may still make a longer write wait. */
	outlet->most = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? OUTLET_MAX : PIPE_BUF;
	outlet->raw = malloc(OUTLET_MAX);
	if (printable)
		outlet->shown = malloc((OUTLET_MAX + PRINTABLE_HELD) * (size_t)PRINTABLE_GROWTH);
	if (outlet->raw && (outlet->shown || !printable))
		return 0;
	outlet_done(outlet);
	return -ENOMEM;
}

void outlet_done(struct outlet *outlet)
{
	free(TAKE_PTR(outlet->raw));
	free(TAKE_PTR(outlet->shown));
}

bool outlet_empty(const struct outlet *outlet)
{
	return outlet->n_rest == 0;
}

void outlet_put(struct outlet *outlet, size_t n)
{
	outlet->received += n;
	if (outlet->expect)
		(void)expect_look(outlet->expect, outlet->raw, n);
	outlet->rest = outlet->raw;
	outlet->n_rest = n;
	if (!outlet->printable)
		return;
	outlet->rest = outlet->shown;
	outlet->n_rest = printable_put(outlet->printable, outlet->raw, n, outlet->shown);
}

bool outlet_end(struct outlet *outlet)
{
	if (outlet_empty(outlet) && outlet->printable && !outlet->ended) {
		outlet->rest = outlet->shown;
		outlet->n_rest = printable_end(outlet->printable, outlet->shown);
		outlet->ended = true;
	}
	return outlet_empty(outlet);
}

int outlet_write(struct outlet *outlet)
{
	size_t n = outlet->n_rest < outlet->most ? outlet->n_rest : outlet->most;
	ssize_t written = write(outlet->fd, outlet->rest, n);

	if (written < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	outlet->rest += written;
	outlet->n_rest -= (size_t)written;
	return 0;
}

bool outlet_found(const struct outlet *outlet)
{
	return outlet->expect && outlet->expect->found;
}
