/* SPDX-License-Identifier: ISC */
/* What a child does between clone and exec: no allocation, no lock, no library call, no shared errno. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "serve/spawn_failure.h"

/* Signals that the kernel knows, from 1 on. */
#define CHILD_SIGNALS 64

struct child_limit {
	int resource;
	struct rlimit value;
};

/* How far a child has come; written by it alone. */
enum child_stage {
	CHILD_BEGUN,
	CHILD_APART, /* its descriptor table is its own, the connection in its place: the parent may go on */
};

/*
 * One start. The child runs in the parent's memory, on a stack of its own, and
 * maybe at the same time as the parent: everything that it reads stays as it is
 * until tid is 0.
 */
struct child {
	/* What to do; laid out by the parent. */
	int fd;         /* becomes 0, 1 and 2 */
	int answer_fd;  /* a gate's: becomes 1, and there is no 2; else -1 */
	bool own_table; /* the table is shared with the daemon until the child has its own */
	int report_fd;  /* by fork, where memory is not shared: failure is written here; else -1 */
	const int *signals;
	size_t n_signals;
	const struct child_limit *limits;
	size_t n_limits;
	int umask;             /* UNLIMITED: as it is */
	const char *chroot;    /* NULL: none */
	const char *directory; /* within it; NULL: /, where the daemon is */
	bool no_new_privs;
	const char *label; /* of SELinux, for the program; NULL: as the policy has it */
	size_t label_bytes;
	int label_error; /* there has to be one, and there is none: errno; else 0 */
	bool change_nice;
	int nice;
	bool change_group;
	bool change_user;
	uid_t uid;
	gid_t gid;
	const gid_t *groups;
	size_t n_groups;
	const char *path;
	char *const *argv;
	char *const *envp;

	/* What became of it. */
	uint32_t
		tid; /* the kernel writes 0 and wakes the futex once the memory is not shared any more */
	uint32_t stage; /* enum child_stage */
	struct spawn_failure failure;
};

/*
 * Whether children may run beside the parent. Not on machines for which there
 * is no raw system call here: the library's would write the parent's errno.
 */
bool child_can_run_beside(void);

/* For clone(2): becomes the server that the struct child at @arg describes, or notes its failure and ends. */
int child_run(void *arg) __attribute__((noreturn));
