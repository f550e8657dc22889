/* SPDX-License-Identifier: ISC */
/* What usherd has usherd-rpc do at rpcbind: an array of orders in a memory file, answered in place. */
#pragma once

#include <stdint.h>

/* Where rpcbind takes registrations from; its directory is watched, as it comes back there after a restart. */
#define RPCBIND_DIRECTORY "/run"
#define RPCBIND_NAME      "rpcbind.sock"

/* Room for a universal address: a path of a Unix socket is the longest. */
#define RPC_ADDRESS_MAX 112

/* How an order ended. */
enum rpc_result {
	RPC_RESULT_NONE,   /* it was not come to */
	RPC_RESULT_KEPT,   /* rpcbind had it so already */
	RPC_RESULT_CHANGED /* now it is so */
};

/*
 * Makes rpcbind have @address for a version of a program, or none where it is
 * empty. What is registered otherwise is replaced where it is @old, or where nobody
 * listens there any more; it is left alone where somebody does (-EADDRINUSE),
 * and nothing but @old is ever removed for good.
 * Both ends come from one build, so the structure travels as it is.
 */
struct rpc_order {
	uint32_t program;
	uint32_t version;
	int32_t result; /* enum rpc_result, or -errno */
	char netid[8];  /* netconfig(5): tcp, udp, tcp6, udp6, local */
	char address[RPC_ADDRESS_MAX];
	char old[RPC_ADDRESS_MAX];
};
