/* SPDX-License-Identifier: ISC */
/* Answers to datagrams, gathered and sent through the socket they came by. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/uio.h>

#include "base/wire.h"
#include "worker/builtin.h"

/* One answer: to whom, and where it lies in the parts of all. */
struct answer {
	const struct wire_dgram *to;
	unsigned first;
	unsigned n;
	size_t length;
};

/* The answers to the datagrams of one message. Starts with both numbers 0; the rest need not be set. */
struct answers {
	unsigned n;
	unsigned n_parts;
	struct answer all[WIRE_MAX_DGRAMS];
	struct iovec parts[WIRE_MAX_DGRAMS * ANSWER_PARTS];
};

/*
 * Whether the kernel takes several datagrams of one length to one peer at once
 * (UDP_SEGMENT, Linux 4.18). Makes a socket to find out.
 */
bool answers_can_join(void);

/* Room for the parts of the next answer, ANSWER_PARTS of them. There is some until WIRE_MAX_DGRAMS have been added. */
struct iovec *answers_room(struct answers *answers);

/* Adds an answer to @to, which stays the caller's until all are sent, of @n parts that were laid out in that room. */
void answers_add(struct answers *answers, const struct wire_dgram *to, size_t n);

/*
 * Sends all, in their order, through the socket @fd, each from the address that its
 * question was sent to (D43). With @join those of one length to one peer, one after the other, leave
 * by one passage through the kernel; as packets they are the same. Does not wait: what finds no room is dropped.
 */
void answers_send(struct answers *answers, int fd, bool join);

/*
 * Sends one answer to @to so, of @n parts. Returns 0 or -errno.
 */
int answers_send_one(int fd, const struct wire_dgram *to, struct iovec *parts, size_t n);
