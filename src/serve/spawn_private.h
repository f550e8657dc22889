/* SPDX-License-Identifier: ISC */
/* What the parts of spawning share: the spawner, and what is laid out for a service. */
#pragma once

#include <sys/queue.h>

#include "serve/label.h"
#include "serve/spawn.h"
#include "serve/spawn_child.h"
#include "serve/spawn_overdue.h"

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
	char remote_port[sizeof("REMOTE_PORT=65535")];
	char remote_host[sizeof("REMOTE_HOST=") + ADDR_TEXT_MAX];
	char label[LABEL_MAX];
	char *envp[]; /* room for REMOTE_PORT and REMOTE_HOST at the front; the stack is behind */
};

/* Whether the child reads the slot still: neither does it run its program, nor has it ended. */
static inline bool slot_shares_memory(const struct slot *slot)
{
	return __atomic_load_n(&slot->child.tid, __ATOMIC_ACQUIRE) != 0;
}

struct spawner {
	struct strv environment;
	struct rlimit nofile;
	int nice; /* the daemon's own */
	bool privileged;
	bool share_files; /* the kernel can unshare the descriptor table while closing */
	bool fork;        /* plain fork(2), for tools that know no other way */
	int signals[CHILD_SIGNALS];
	size_t n_signals;
	struct slot *free;
	unsigned n_free;
	struct overdue overdue; /* children that were left to themselves */
};

struct spawn {
	struct spawner *spawner;
	const struct service *service;
	char *const *environment; /* the spawner's, or own_environment; not ended by NULL */
	size_t n_environment;
	char **own_environment; /* of the spawner's strings and the stanza's; NULL where both are the same */
	struct child_limit limits[SERVICE_RLIMITS + 1];
	struct child plan;                           /* what all children are told */
	struct strv arguments[SPAWN_GATE_ARGUMENTS]; /* of a gate */
	struct label
		*label;   /* LABELED: makes those of servers; NULL: they have none of their own */
	unsigned overdue; /* children that still read this */
	bool freed;       /* goes with the last of them */
};

/* Whether the variable is one that is set for each connection. */
bool spawn_is_ours(const char *variable);
