/* SPDX-License-Identifier: ISC */
/* The memory of one child, until it runs its program. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>
#include <sys/types.h>

#include "base/addr.h"
#include "base/util.h"
#include "serve/label.h"
#include "serve/spawn_child.h"

struct spawn;

/* What each server is told of its client. */
#define REMOTE_HOST "REMOTE_HOST="
#define REMOTE_PORT "REMOTE_PORT="

/*
 * Where one child runs: its stack, and what it is told. Used again for the next
 * one, but for those that were left to themselves; they keep theirs until they end.
 */
struct slot {
	struct slot *next;            /* of those that are free */
	TAILQ_ENTRY(slot) of_waiting; /* serve/spawn_overdue.h */
	bool waits;
	struct spawn *spawn; /* a child left to itself still reads what is laid out there */
	pid_t pid;
	size_t bytes; /* of the whole mapping */
	struct child child;
	char remote_port[sizeof(REMOTE_PORT) + DECIMAL_MAX];
	char remote_host[sizeof(REMOTE_HOST) + ADDR_TEXT_MAX];
	char label[LABEL_MAX];
	char *envp[]; /* room for REMOTE_PORT and REMOTE_HOST at the front; the stack is behind */
};

/* Whether the child reads the slot still: neither does it run its program, nor has it ended. */
static inline bool slot_shares_memory(const struct slot *slot)
{
	return __atomic_load_n(&slot->child.tid, __ATOMIC_ACQUIRE) != 0;
}
