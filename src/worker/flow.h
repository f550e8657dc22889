/* SPDX-License-Identifier: ISC */
/* Moves bytes from one connection to another. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct flow_pipe;
struct flow_pool;

/* What comes from one socket and goes to another. All zero but for the first three members at the start. */
struct flow {
	int from;
	int to;
	uint64_t *bytes;        /* those passed on are added */
	struct flow_pipe *pipe; /* while something is in it */
	size_t in_pipe;
	int lost;     /* errno of a side that takes no more; then it is done */
	bool done;    /* all has been passed on, and the end as well; or it cannot be any more */
	bool stalled; /* the other side has to read first */
	bool bulk;    /* much is to be expected: it is spliced */
};

/*
 * What flows share: @scratch of SCRATCH_BYTES, and pipes. The pipes that splice(2)
 * needs are made here, so that the filter of system calls need not allow to make
 * any. Returns NULL when memory ran out; without pipes, or where the kernel cannot
 * splice sockets, bytes are copied.
 */
struct flow_pool *flow_pool_new(char *scratch);

/* Moves a bounded amount of what is there. Not to be called while it is stalled or done. Returns 0 or -errno. */
int flow_pump(struct flow_pool *pool, struct flow *flow);

/* The same for a stalled one whose other side reads again. */
int flow_resume(struct flow_pool *pool, struct flow *flow);

/* Gives back what it has borrowed; what was in there is lost. */
void flow_done(struct flow_pool *pool, struct flow *flow);
