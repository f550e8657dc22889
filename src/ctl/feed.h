/* SPDX-License-Identifier: ISC */
/* Input that is to be sent, in the pieces in which it is sent. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum feed_mode {
	FEED_BYTES, /* whatever was read; may be consumed in part */
	FEED_LINES, /* a message a line, its end included; longer ones are cut */
	FEED_WHOLE, /* one message */
};

/* Longest line that is a message. RFC 862's servers, and xinetd's, take as much. */
#define FEED_LINE_MAX 8192
/* Longest message at all: what UDP over IPv4 can carry. */
#define FEED_MESSAGE_MAX 65507

struct feed {
	int fd; /* not owned */
	enum feed_mode mode;
	bool at_least_one; /* no input is one empty message */
	char *buffer;
	size_t start;
	size_t end;
	bool ended;    /* all was read */
	bool consumed; /* some piece was taken */
};

/* Returns 0 or -ENOMEM. feed_done() frees. */
int feed_init(struct feed *feed, int fd, enum feed_mode mode, bool at_least_one);
void feed_done(struct feed *feed);

/*
 * Reads once. A descriptor that is not open is an empty input. Returns 0 (also
 * where nothing was there yet), -EMSGSIZE when the whole is longer than a
 * message can be, or -errno.
 */
int feed_read(struct feed *feed);

/* Whether feed_read() could get something. */
bool feed_wants(const struct feed *feed);

/* Whether a piece is there: *@ret_length bytes at *@ret. */
bool feed_piece(const struct feed *feed, const char **ret, size_t *ret_length);

/* Takes @n bytes of that piece; all of them unless it is FEED_BYTES. */
void feed_consume(struct feed *feed, size_t n);

/* Whether all of the input was taken. */
bool feed_exhausted(const struct feed *feed);
