/* SPDX-License-Identifier: ISC */
/* What rpcbind is to know of us and what it is believed to know: doors of RPC services in, orders out. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "base/rpc_order.h"
#include "config/service.h"

struct rpc_table;

/* The programs that are to be found behind one open socket. */
struct rpc_door;

/* Returns NULL when memory ran out. rpc_table_free() accepts NULL; all doors must be gone. */
struct rpc_table *rpc_table_new(void);
void rpc_table_free(struct rpc_table *table);

/*
 * Wants all versions of the program of @service (referenced) registered with the
 * port of the bound socket @fd: for tcp or udp, for tcp6 or udp6, for both where
 * one socket serves both, for local with a path. As xinetd's, a registration
 * has no address but the wildcard, for which rpcbind gives each client the one
 * that it came by. Where two doors want the same, the one that was there first has
 * it. Returns 0 or -errno.
 */
int rpc_door_open(struct rpc_table *table, const struct service *service, int fd,
		  struct rpc_door **ret);

/* Wants it no more. NULL is fine. */
void rpc_door_close(struct rpc_door *door);

/* A line for each registration, and whether rpcbind is known to have it. */
void rpc_door_dump(const struct rpc_door *door, FILE *out);

/* Whether there is nothing that is wanted or that may be registered. */
bool rpc_table_is_empty(const struct rpc_table *table);

/*
 * What usherd-rpc has to do for rpcbind to know what is wanted; with @all also to
 * look whether it still does. *@ret is for free(3), and NULL where there is
 * nothing to do. Returns 0 or -ENOMEM.
 */
int rpc_table_orders(struct rpc_table *table, bool all, struct rpc_order **ret, size_t *ret_n);

/*
 * Notes how the orders ended; those that were not come to failed with @error. The
 * first failure of a registration is an ERROR in xinetd's words, one for a
 * service; and a NOTICE says when it has worked at last. Returns how many failed.
 */
size_t rpc_table_take(struct rpc_table *table, const struct rpc_order *orders, size_t n, int error);
