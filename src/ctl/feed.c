/* SPDX-License-Identifier: ISC */
/* Input that is to be sent, in the pieces in which it is sent. */
#include "config.h"

#include "ctl/feed.h"

#include <errno.h>
#include <string.h>

#include "base/util.h"

/* Must be more than FEED_MESSAGE_MAX, so that too much is seen. */
#define BUFFER_SIZE 65536

int feed_init(struct feed *feed, int fd, enum feed_mode mode, bool at_least_one)
{
	*feed = (struct feed){ .fd = fd, .mode = mode, .at_least_one = at_least_one };
	feed->buffer = malloc(BUFFER_SIZE);
	return feed->buffer ? 0 : -ENOMEM;
}

void feed_done(struct feed *feed)
{
	free(TAKE_PTR(feed->buffer));
}

bool feed_piece(const struct feed *feed, const char **ret, size_t *ret_length)
{
	size_t length = feed->end - feed->start;
	const char *newline;

	*ret = feed->buffer + feed->start;
	*ret_length = length;
	if (feed->ended && length == 0)
		return feed->at_least_one && !feed->consumed;
	switch (feed->mode) {
	case FEED_BYTES:
		return length > 0;
	case FEED_LINES:
		newline = memchr(*ret, '\n', length);
		if (newline)
			*ret_length = (size_t)(newline - *ret) + 1;
		if (*ret_length > FEED_LINE_MAX)
			*ret_length = FEED_LINE_MAX;
		return newline || length >= FEED_LINE_MAX || feed->ended;
	case FEED_WHOLE:
		return feed->ended;
	}
	return false;
}

bool feed_wants(const struct feed *feed)
{
	const char *piece;
	size_t length;

	return !feed->ended && !feed_piece(feed, &piece, &length);
}

int feed_read(struct feed *feed)
{
	ssize_t n;

	if (feed->start > 0) {
		memmove(feed->buffer, feed->buffer + feed->start, feed->end - feed->start);
		feed->end -= feed->start;
		feed->start = 0;
	}
	n = read(feed->fd, feed->buffer + feed->end, BUFFER_SIZE - feed->end);
	if (n < 0 && errno == EBADF)
		n = 0;
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	feed->ended = n == 0;
	feed->end += (size_t)n;
	return feed->mode == FEED_WHOLE && feed->end > FEED_MESSAGE_MAX ? -EMSGSIZE : 0;
}

void feed_consume(struct feed *feed, size_t n)
{
	feed->consumed = true;
	feed->start += n;
}

bool feed_exhausted(const struct feed *feed)
{
	const char *piece;
	size_t length;

	return feed->ended && !feed_piece(feed, &piece, &length);
}
