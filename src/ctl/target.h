/* SPDX-License-Identifier: ISC */
/* What a person writes to name a service to call, taken apart. */
#pragma once

#include <sys/socket.h>

/*
 * One of
 *	NAME, PORT                          on this machine
 *	HOST:NAME, HOST:PORT, [ADDRESS]:PORT
 * which tcp: or udp: may precede, and
 *	unix:/PATH, unix:@NAME (abstract), /PATH, @NAME
 * where unix-dgram: and unix-seqpacket: stand for the other types of socket.
 */
struct target {
	sa_family_t family; /* AF_UNIX, or AF_UNSPEC for what is on a network */
	int socktype;       /* SOCK_STREAM …; 0 = not said */
	char *host;         /* NULL = this machine */
	char *service;      /* name or number; path or @name for AF_UNIX */
};

/*
 * Returns 0; -EINVAL, with *@ret_why saying what to write instead; or -ENOMEM.
 * The caller ends what it got with target_done().
 */
int target_parse(const char *text, struct target *ret, const char **ret_why);

void target_done(struct target *target);
