/* SPDX-License-Identifier: ISC */
/* What a client is told before it is served or refused: the bytes of a file, read when the configuration is. */
#include "config.h"

#include "config/banner.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

int banner_read(const char *path, struct banner *ret)
{
	CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	CLEANUP_FREE char *text = NULL;
	size_t bytes = 0;
	bool cut;

	if (fd < 0)
		return -errno;
	/* One byte more tells whether the file is too long. */
	text = malloc(BANNER_MAX_BYTES + 1);
	if (!text)
		return -ENOMEM;
	while (bytes <= BANNER_MAX_BYTES) {
		ssize_t n = read(fd, text + bytes, BANNER_MAX_BYTES + 1 - bytes);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		bytes += (size_t)n;
	}
	cut = bytes > BANNER_MAX_BYTES;
	if (cut)
		bytes = BANNER_MAX_BYTES;
	if (bytes > 0) {
		/* Most banners are one line, and need no more room. */
		char *value = intern_alloc(bytes);

		if (!value)
			return -ENOMEM;
		ret->text = memcpy(value, text, bytes);
	}
	ret->bytes = bytes;
	return cut;
}

bool banner_equal(const struct banner *a, const struct banner *b)
{
	return str_equal(a->path, b->path) && a->unread == b->unread && a->bytes == b->bytes &&
	       (a->bytes == 0 || memcmp(a->text, b->text, a->bytes) == 0);
}

void banner_done(void *value)
{
	struct banner *banner = value;

	intern_unref(banner->path);
	intern_unref(banner->text);
	*banner = (struct banner){ 0 };
}
