/* SPDX-License-Identifier: ISC */
/* What a client is told before it is served or refused: the bytes of a file, read when the configuration is. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/intern.h"

/* Longest banner; what a file has beyond is not sent. */
#define BANNER_MAX_BYTES (64 * 1024)

/* One banner file and its contents. */
struct banner {
	const char *path; /* as written; NULL = none. Path and text are values (base/intern.h) */
	const char *text; /* NULL where there are no bytes */
	size_t bytes;
	bool unread; /* there was no reading the file */
};

/*
 * Reads the file at @path into @ret, which must have no text yet. Returns 0; 1 where the file is longer
 * than BANNER_MAX_BYTES and was cut; or -errno. Does not wait for what is behind a FIFO or a device.
 */
int banner_read(const char *path, struct banner *ret);

/* Whether both have the same path, and the same text. */
bool banner_equal(const struct banner *a, const struct banner *b);

/* Lets go of what the struct banner at @value refers to. */
intern_done banner_done;
