/* SPDX-License-Identifier: ISC */
/* The base of all places that log lines go to: making one, references, and where its descriptor goes. */
#include "config.h"

#include "base/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The lowest number for a log's descriptor. */
#define LOG_FD_MIN 64

int sink_init(struct sink *sink, const struct sink_ops *ops, const char *name)
{
	sink->name = strdup(name);
	if (!sink->name)
		return -ENOMEM;
	sink->ops = ops;
	sink->queue.limit_bytes = SINK_LIMIT_BYTES;
	atomic_init(&sink->refs, 1);
	return 0;
}

void sink_done(struct sink *sink)
{
	free(sink->name);
}

struct sink *sink_ref(struct sink *sink)
{
	(void)atomic_fetch_add_explicit(&sink->refs, 1, memory_order_relaxed);
	return sink;
}

void sink_unref(struct sink *sink)
{
	if (sink && atomic_fetch_sub_explicit(&sink->refs, 1, memory_order_acq_rel) == 1)
		sink->ops->free(sink);
}

int sink_place_fd(int fd)
{
	int high;

	if (fd >= LOG_FD_MIN)
		return fd;
	high = fcntl(fd, F_DUPFD_CLOEXEC, LOG_FD_MIN);
	if (high < 0)
		return fd;
	(void)close(fd);
	return high;
}
