/* SPDX-License-Identifier: ISC */
/* The chargen service, RFC 864, with the pattern and the rotation of xinetd. */
#include "config.h"

#include <assert.h>
#include <sys/socket.h>

#include "worker/builtin.h"

/* From '!' to '}': xinetd sends neither the space nor '~'. */
#define FIRST_CHARACTER '!'
#define CHARACTERS      93

#define LINE_BYTES ((size_t)CHARGEN_COLUMNS + 2)

/* RFC 864 allows a datagram 512 characters; xinetd sends 1024 (D42). */
#define DGRAM_BYTES ((size_t)512)
#define DGRAM_LINES ((unsigned)(DGRAM_BYTES / LINE_BYTES)) /* and a shorter one */

static_assert(DGRAM_LINES < CHARGEN_LINES && CHARGEN_REPEATS >= 2,
	      "a datagram lies in the pattern");

void chargen_prepare(struct shared *shared)
{
	char *p = shared->pattern;

	for (unsigned i = 0; i < CHARGEN_LINES * CHARGEN_REPEATS; i++) {
		for (unsigned column = 0; column < CHARGEN_COLUMNS; column++)
			*p++ = (char)(FIRST_CHARACTER + (i % CHARGEN_LINES + column) % CHARACTERS);
		*p++ = '\r';
		*p++ = '\n';
	}
}

static int chargen_stream(struct stream *stream, struct shared *shared, unsigned ready)
{
	if (ready & WANT_READ) {
		int r = discard_input(stream, shared);

		if (r < 0)
			return r;
	}
	if (ready != WANT_READ) {
		ssize_t n =
			send(stream->fd, shared->pattern + stream->position,
			     sizeof(shared->pattern) - CHARGEN_PERIOD, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && !would_block(errno))
			return -errno;
		if (n > 0) {
			stream->out_bytes += (size_t)n;
			stream->position =
				(uint32_t)((stream->position + (size_t)n) % CHARGEN_PERIOD);
		}
	}
	/* A client that only listens may have ended its own side at once. */
	return stream->eof ? WANT_WRITE : WANT_READ | WANT_WRITE;
}

static size_t chargen_dgram(struct shared *shared, void *payload, size_t length,
			    struct iovec parts[static ANSWER_PARTS])
{
	static const char line_end[] = { '\r', '\n' };
	char *start = shared->pattern + shared->line * LINE_BYTES;

	(void)payload;
	(void)length;
	shared->line = (shared->line + DGRAM_LINES + 1) % CHARGEN_LINES;
	parts[0] = (struct iovec){ .iov_base = start, .iov_len = DGRAM_BYTES - 2 };
	/* sendmmsg() does not write through it. */
	parts[1] = (struct iovec){ .iov_base = (char *)(uintptr_t)line_end, .iov_len = 2 };
	return 2;
}

const struct builtin chargen_builtin = {
	.starts_at_once = true,
	.stream = chargen_stream,
	.dgram = chargen_dgram,
};
