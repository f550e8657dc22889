/* SPDX-License-Identifier: ISC */
/* Keeps rpcbind informed about the RPC services that are open, without ever waiting for it. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "config/service.h"

struct event_base;
struct rpc;
struct rpc_door;

/*
 * Makes one that runs the program @helper_path (usherd-rpc) whenever there is
 * something to register, to unregister or to look after. Without RPC services it does
 * nothing and wakes nobody. Where rpcbind is away or hangs it is tried again with
 * back-off, and at once when rpcbind's socket appears; what rpcbind has lost it
 * gets back, at the latest a minute later. Returns 0 or -ENOMEM.
 */
int rpc_new(struct event_base *base, const char *helper_path, struct rpc **ret);

/*
 * Unregisters what is registered, as all doors are closed by now, and waits for
 * that two seconds at most, as the daemon ends here. NULL is fine.
 */
void rpc_free(struct rpc *rpc);

/*
 * The bound socket @fd of @service is open: its programs are registered once
 * this round of the loop is over, together with all others. Nothing happens for
 * services that are not of type RPC. *@door is what rpc_withdraw() takes.
 */
void rpc_announce(struct rpc *rpc, const struct service *service, int fd, struct rpc_door **door);

/* It is to be found no more. What is announced again in the same round, by whatever service, is left alone. */
void rpc_withdraw(struct rpc *rpc, struct rpc_door **door);

/* To be called with each reaped pid: whether it was the helper. */
bool rpc_reaped(struct rpc *rpc, pid_t pid, int wait_status);
