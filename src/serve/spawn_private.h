/* SPDX-License-Identifier: ISC */
/* What the parts of spawning share: the spawner, and what is laid out for a service. */
#pragma once

#include "serve/label.h"
#include "serve/spawn.h"
#include "serve/spawn_child.h"
#include "serve/spawn_overdue.h"
#include "serve/spawn_slot.h"

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
	struct {
		bool (*wait)(void *arg);
		void *arg;
	} others; /* see spawner_set_others() */
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
