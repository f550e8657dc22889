/* SPDX-License-Identifier: ISC */
/* The daemon's own messages on their way to a sink. */
#include "config.h"

#include "base/daemon_log.h"

#include "base/sink.h"
#include "base/writer.h"

/* What does not fit the queue is counted there. */
static void output_write(const struct log_output *output, const struct timespec *wall, int priority,
			 const char *line, size_t len)
{
	(void)writer_submit(output->writer, output->sink, wall, priority, line, len);
}

static void output_reopen(const struct log_output *output)
{
	writer_reopen(output->writer, output->sink);
}

static void output_release(const struct log_output *output)
{
	sink_unref(output->sink);
}

void daemon_log_open(struct writer *writer, struct sink *sink, enum log_style style,
		     enum log_level max)
{
	const struct log_output output = {
		.write = output_write,
		.reopen = output_reopen,
		.release = output_release,
		.writer = writer,
		.sink = sink_ref(sink),
	};

	if (!sink->daemon)
		sink->daemon = true;
	log_open(&output, style, max);
}
