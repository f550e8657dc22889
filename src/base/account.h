/* SPDX-License-Identifier: ISC */
/* The account of what usherd does with least privilege: its worker, and its gates where nobody else's will do. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

struct account {
	uid_t uid;
	gid_t gid;
	bool mapped; /* both numbers exist in this user namespace: one can become it */
};

/*
 * WORKER_USER, or nobody where that does not exist, or the kernel's own numbers
 * for nobody where there is no passwd(5). Returns 0, or -EPERM where it would be
 * user or group 0.
 */
int account_find(struct account *ret);
