/* SPDX-License-Identifier: ISC */
/* The SELinux label that a server gets after its client's (xinetd.conf(5) "LABELED"), by the kernel's own interface. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Longest label, its NUL included: the kernel takes no more than a page. */
#define LABEL_MAX 4096

/* Where the kernel tells: its policy, and the label of the process that asks. Tests have others. */
struct label_places {
	const char *policy;
	const char *own;
};

extern const struct label_places label_kernel;

struct label;

/*
 * What is known about servers of @program before any client comes: the daemon's
 * label, the program's (within @chroot, where that is not NULL), the class of
 * processes. Returns 0 or -errno.
 */
int label_new(const struct label_places *places, const char *chroot, const char *program,
	      struct label **ret);
void label_free(struct label *label);

/*
 * Makes the label of a server for the client on @fd: what the policy makes of
 * the program when it is started by the daemon at the client's level. As in
 * xinetd, user, role and type are not the client's. Never blocks. Returns 0; or
 * -errno, and then no server may be started: -ENOPROTOOPT where the client has
 * no label, otherwise as label_make().
 */
int label_for(const struct label *label, int fd, char out[static LABEL_MAX]);

/* The same for a client whose label is @peer. Returns 0; -ENODATA where that has no level; or what the policy says. */
int label_make(const struct label *label, const char *peer, char out[static LABEL_MAX]);
