/* SPDX-License-Identifier: ISC */
/* rpcbind(8) as a client sees it: a connection, the table of what is registered, set and unset. */
#pragma once

#include <stdint.h>

struct rpcbind;

/*
 * Connects to rpcbind's Unix socket, the only way in which it takes
 * registrations; whose they are it knows from who connects here. Returns 0 or
 * -errno: -ENOENT or -ECONNREFUSED where it does not run.
 */
int rpcbind_open(struct rpcbind **ret);
void rpcbind_close(struct rpcbind *rpcbind);

/* Reads its table anew. Returns 0 or -errno. */
int rpcbind_read(struct rpcbind *rpcbind);

/* The address that the table, as it was read, has for that version of a program; NULL where it has none. */
const char *rpcbind_find(const struct rpcbind *rpcbind, uint32_t program, uint32_t version,
			 const char *netid);

/* Registers; what is registered already stays. Returns 0, -EPERM where rpcbind refuses, or another -errno. */
int rpcbind_set(struct rpcbind *rpcbind, uint32_t program, uint32_t version, const char *netid,
		const char *address);

/* Removes what is registered. Returns as rpcbind_set(). */
int rpcbind_unset(struct rpcbind *rpcbind, uint32_t program, uint32_t version, const char *netid);
