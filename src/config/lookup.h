/* SPDX-License-Identifier: ISC */
/* The system's databases (users, groups, protocols, services), each asked once a load. */
#pragma once

#include <stddef.h>
#include <sys/types.h>

/* Answers given so far; one object a load, so that every load sees the databases as they are now. */
struct lookup;
struct group_list;

/* A new, empty one, or NULL when memory ran out. */
struct lookup *lookup_new(void);
void lookup_free(struct lookup *lookup);

/*
 * All return 0, -ENOENT when there is no such entry, or -ENOMEM; what they
 * return through pointers is set only on success. They may block on name
 * services (nsswitch.conf(5)).
 */

/* A user by name, or by number when the name is all digits (then *@ret_gid is the user's group, or the number itself
 * where the number has no entry, as in xinetd). */
int lookup_user(struct lookup *lookup, const char *name, uid_t *ret_uid, gid_t *ret_gid);

/* A group by name or number. */
int lookup_group(struct lookup *lookup, const char *name, gid_t *ret_gid);

/* The groups that initgroups(3) would give user @uid with primary group @gid: a value (base/intern.h), with a
 * reference that is the caller's. */
int lookup_groups(struct lookup *lookup, uid_t uid, gid_t gid, const struct group_list **ret);

/* The number of a protocol ("tcp"). */
int lookup_protocol(struct lookup *lookup, const char *name, int *ret);

/* The port (host byte order) of a service for a protocol. */
int lookup_port(struct lookup *lookup, const char *name, const char *protocol, int *ret);

/* The program number of an RPC program name (rpc(5)). */
int lookup_rpc(struct lookup *lookup, const char *name, int *ret);
