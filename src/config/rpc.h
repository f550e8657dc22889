/* SPDX-License-Identifier: ISC */
/* The share of a service that says which RPC program it is: number, versions, transports. */
#pragma once

#include <stdbool.h>

#include "config/draft.h"
#include "config/service.h"

/* Versions that one service may have: each is a registration of its own. */
#define RPC_VERSIONS_MAX 128

/* Fills in what "type = RPC" needs (compat.md 1.8, 2.1); the endpoints are there. Nothing for other services. */
void build_rpc(struct build *build);

/* Whether both are RPC services, and rpcbind could have one address only for what they have in common. */
bool rpc_clashes(const struct service *a, const struct service *b);
