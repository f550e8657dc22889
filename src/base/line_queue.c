/* SPDX-License-Identifier: ISC */
/* A bounded queue of lines between the threads that log and the one that writes. */
#include "config.h"

#include "base/line_queue.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

/* Whole pages: what a burst took goes back to the system, and leaves no holes in the heap. */
#define CHUNK_BYTES 8192
/* Chunks kept for reuse, so that the submitter seldom asks for one. */
#define SPARE_CHUNKS 8
/*
 * Beyond this many bytes in all, no queue gets more than a chunk for new lines:
 * thousands of services that log to one full disk must not fill the memory.
 */
#define POOL_BYTES (64u << 20)

struct line_chunk {
	struct line_chunk *next;
	size_t used;
	_Alignas(struct line) char data[];
};

static_assert(sizeof(struct line_chunk) + sizeof(struct line) + LINE_TEXT_MAX +
			      _Alignof(struct line) <=
		      CHUNK_BYTES,
	      "any line fits a chunk");

static size_t line_size(size_t len)
{
	size_t align = _Alignof(struct line);

	return (sizeof(struct line) + len + align - 1) & ~(align - 1);
}

static const struct line *line_at(const struct line_chunk *chunk, size_t at)
{
	return (const struct line *)(const void *)(chunk->data + at);
}

static struct line_chunk *chunk_get(struct line_pool *pool)
{
	struct line_chunk *chunk = pool->spare;

	if (chunk) {
		pool->spare = chunk->next;
		pool->n_spare--;
	} else {
		chunk = mmap(NULL, CHUNK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			     -1, 0);
		if (chunk == MAP_FAILED)
			return NULL;
	}
	chunk->next = NULL;
	chunk->used = 0;
	pool->n_used++;
	return chunk;
}

static void chunk_put(struct line_pool *pool, struct line_chunk *chunk)
{
	pool->n_used--;
	if (pool->n_spare >= SPARE_CHUNKS) {
		(void)munmap(chunk, CHUNK_BYTES);
		return;
	}
	chunk->next = pool->spare;
	pool->spare = chunk;
	pool->n_spare++;
}

int line_queue_push(struct line_queue *queue, struct line_pool *pool, const struct timespec *wall,
		    int priority, const char *text, size_t len)
{
	size_t need = line_size(len);
	struct line_chunk *tail = queue->in_tail;
	struct line *line;

	if (queue->bytes + need > queue->limit_bytes)
		return -ENOBUFS;
	if (!tail || tail->used + need > CHUNK_BYTES - sizeof(*tail)) {
		if (tail && pool->n_used >= POOL_BYTES / CHUNK_BYTES)
			return -ENOBUFS;
		tail = chunk_get(pool);
		if (!tail)
			return -ENOMEM;
		if (queue->in_tail)
			queue->in_tail->next = tail;
		else
			queue->in_head = tail;
		queue->in_tail = tail;
	}
	line = (struct line *)(void *)(tail->data + tail->used);
	line->wall = *wall;
	line->priority = priority;
	line->len = (uint32_t)len;
	memcpy(line->text, text, len);
	tail->used += need;
	queue->bytes += need;
	queue->lines++;
	return 0;
}

void line_queue_take(struct line_queue *queue)
{
	if (queue->out)
		return;
	queue->out = queue->in_head;
	queue->out_at = 0;
	queue->in_head = queue->in_tail = NULL;
}

size_t line_queue_list(const struct line_queue *queue, const struct line **ret_lines, size_t max)
{
	const struct line_chunk *chunk = queue->out;
	size_t at = queue->out_at, n = 0;

	while (chunk && n < max) {
		if (at == chunk->used) {
			chunk = chunk->next;
			at = 0;
			continue;
		}
		ret_lines[n] = line_at(chunk, at);
		at += line_size(ret_lines[n++]->len);
	}
	return n;
}

void line_queue_remove(struct line_queue *queue, struct line_pool *pool, uint64_t n)
{
	for (queue->lines -= n; queue->out && (n || queue->out_at == queue->out->used);) {
		struct line_chunk *chunk = queue->out;
		size_t need;

		if (queue->out_at == chunk->used) {
			queue->out = chunk->next;
			queue->out_at = 0;
			chunk_put(pool, chunk);
			continue;
		}
		need = line_size(line_at(chunk, queue->out_at)->len);
		queue->out_at += need;
		queue->bytes -= need;
		n--;
	}
}

uint64_t line_queue_clear(struct line_queue *queue, struct line_pool *pool)
{
	uint64_t n = queue->lines;

	while (queue->lines) {
		uint64_t ours = 0;

		line_queue_take(queue);
		for (const struct line_chunk *chunk = queue->out; chunk; chunk = chunk->next)
			for (size_t at = chunk == queue->out ? queue->out_at : 0; at < chunk->used;
			     ours++)
				at += line_size(line_at(chunk, at)->len);
		line_queue_remove(queue, pool, ours);
	}
	return n;
}

void line_pool_done(struct line_pool *pool)
{
	while (pool->spare) {
		struct line_chunk *chunk = pool->spare;

		pool->spare = chunk->next;
		(void)munmap(chunk, CHUNK_BYTES);
	}
}
