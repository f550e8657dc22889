/* SPDX-License-Identifier: ISC */
/* A bounded queue of lines between the threads that log and the one that writes. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <time.h>

struct line_chunk;

/* The longest text of a line. */
#define LINE_TEXT_MAX 4096
/* Stands for "the priority that the sink was created with". */
#define LINE_PRIORITY_SINK (-1)

/* A line as it waits in the queue; the text has no end mark and no newline. */
struct line {
	struct timespec wall;
	int priority; /* LOG_ERR … of syslog(3), or LINE_PRIORITY_SINK */
	uint32_t len;
	char text[];
};

/* The memory of all queues; starts zeroed. Keeps some of what was freed for reuse, so that pushing seldom allocates. */
struct line_pool {
	struct line_chunk *spare;
	size_t n_spare;
	size_t n_used; /* chunks in queues */
};

/*
 * Starts zeroed but for its limit. Lines are pushed at one end; the reader takes
 * all there are as its own, lists those, and removes them as they are dealt with.
 * Nothing here locks: one lock of the caller's is over a pool and all queues
 * that use it, and each function says whether it wants it held.
 */
struct line_queue {
	size_t limit_bytes;
	size_t bytes; /* of the lines queued, counted with what each costs beyond its text */
	uint64_t lines;
	struct line_chunk *in_head;
	struct line_chunk *in_tail;

	/* The reader's own. */
	struct line_chunk *out;
	size_t out_at;
};

/*
 * Queues a line of at most LINE_TEXT_MAX bytes, which are copied. The lock is
 * held. Returns 0; -ENOBUFS where the queue is full, or all queues of the pool
 * together hold 64 MiB and this one would need another chunk; or -ENOMEM.
 */
int line_queue_push(struct line_queue *queue, struct line_pool *pool, const struct timespec *wall,
		    int priority, const char *text, size_t len);

/* Unless something taken before is left, what is queued now becomes the reader's own. The lock is held. */
void line_queue_take(struct line_queue *queue);

/*
 * Writes to @ret_lines the first lines, at most @max, of what was taken; they
 * stay valid until removed. For the reader, which need not hold the lock.
 * Returns how many there are.
 */
size_t line_queue_list(const struct line_queue *queue, const struct line **ret_lines, size_t max);

/* Takes the first @n lines, of those that were taken, off the queue. The lock is held. */
void line_queue_remove(struct line_queue *queue, struct line_pool *pool, uint64_t n);

/* Throws away all that is queued, taken or not. The lock is held. Returns how many lines that were. */
uint64_t line_queue_clear(struct line_queue *queue, struct line_pool *pool);

/* Frees what the pool keeps; its queues must be empty. */
void line_pool_done(struct line_pool *pool);
