/* SPDX-License-Identifier: ISC */
/* A text that usherd has written to a memory file, sent to a connection. */
#include "config.h"

#include <sys/sendfile.h>

#include "worker/builtin.h"

static int text_stream(struct stream *stream, struct shared *shared, unsigned ready)
{
	/* Many sessions send the same file: none of them uses its position. */
	off_t position = (off_t)stream->out_bytes;
	ssize_t n = sendfile(stream->fd, stream->text, &position, SCRATCH_BYTES);

	(void)shared;
	(void)ready;
	if (n < 0)
		return would_block(errno) ? WANT_WRITE : -errno;
	stream->out_bytes += (uint64_t)n;
	return n > 0 ? WANT_WRITE : WANT_CLOSE;
}

const struct builtin text_builtin = {
	.starts_at_once = true,
	.stream = text_stream,
};
