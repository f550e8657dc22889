/* SPDX-License-Identifier: ISC */
/* A client of rpcbind(8) on libtirpc's calls, over a connection and with a time limit of our own. */
#include "config.h"

#include "rpc/rpcbind.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <rpc/rpc.h>
#include <rpc/rpcb_prot.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/rpc_order.h"
#include "base/util.h"

/* For each answer; usherd limits the whole. */
#define ANSWER_SEC 5

struct rpcbind {
	CLIENT *client;
	RPCBLIST *table;
};

static int connect_to(const char *path)
{
	CLEANUP_CLOSE int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un un = { .sun_family = AF_UNIX };

	if (fd < 0)
		return -errno;
	(void)snprintf(un.sun_path, sizeof(un.sun_path), "%s", path);
	if (connect(fd, (struct sockaddr *)&un, sizeof(un)) < 0)
		return -errno;
	return take_fd(&fd);
}

int rpcbind_open(struct rpcbind **ret)
{
	/* libtirpc writes to neither, but its prototypes are older than const. */
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	struct netbuf address = { .buf = &un, .len = sizeof(un), .maxlen = sizeof(un) };
	struct rpcbind *rpcbind;
	int fd = connect_to(RPCBIND_DIRECTORY "/" RPCBIND_NAME);

	/* Where /run and /var/run are two directories, libtirpc and rpcbind agree on that one. */
	if (fd == -ENOENT)
		fd = connect_to(_PATH_RPCBINDSOCK);
	if (fd < 0)
		return fd;
	rpcbind = calloc(1, sizeof(*rpcbind));
	if (rpcbind)
		rpcbind->client = clnt_vc_create(fd, &address, (rpcprog_t)RPCBPROG,
						 (rpcvers_t)RPCBVERS, 0, 0);
	if (!rpcbind || !rpcbind->client) {
		free(rpcbind);
		(void)close(fd);
		return -ENOMEM;
	}
	(void)clnt_control(rpcbind->client, CLSET_FD_CLOSE, NULL);
	*ret = rpcbind;
	return 0;
}

static void drop_table(struct rpcbind *rpcbind)
{
	/* xdr_rpcblist_ptr() frees entry by entry, recursion and limits apart. */
	while (rpcbind->table) {
		RPCBLIST *entry = rpcbind->table;

		rpcbind->table = entry->rpcb_next;
		free(entry->rpcb_map.r_netid);
		free(entry->rpcb_map.r_addr);
		free(entry->rpcb_map.r_owner);
		free(entry);
	}
}

void rpcbind_close(struct rpcbind *rpcbind)
{
	if (!rpcbind)
		return;
	drop_table(rpcbind);
	clnt_destroy(rpcbind->client);
	free(rpcbind);
}

/* What became of a call, as an error that people know. */
static int error_of(enum clnt_stat status)
{
	switch (status) {
	case RPC_SUCCESS:
		return 0;
	case RPC_TIMEDOUT:
		return -ETIMEDOUT;
	case RPC_CANTSEND:
	case RPC_CANTRECV:
		return -ECONNRESET;
	case RPC_AUTHERROR:
		return -EACCES;
	default:
		return -EPROTO;
	}
}

static int call(struct rpcbind *rpcbind, rpcproc_t procedure, xdrproc_t xdr_args, void *args,
		xdrproc_t xdr_result, void *result)
{
	const struct timeval limit = { .tv_sec = ANSWER_SEC };

	return error_of(
		clnt_call(rpcbind->client, procedure, xdr_args, args, xdr_result, result, limit));
}

/* A procedure without arguments; xdr_void() is of another type. */
static bool_t xdr_nothing(XDR *xdrs, ...)
{
	(void)xdrs;
	return TRUE;
}

int rpcbind_read(struct rpcbind *rpcbind)
{
	drop_table(rpcbind);
	return call(rpcbind, (rpcproc_t)RPCBPROC_DUMP, xdr_nothing, NULL,
		    (xdrproc_t)xdr_rpcblist_ptr, &rpcbind->table);
}

const char *rpcbind_find(const struct rpcbind *rpcbind, uint32_t program, uint32_t version,
			 const char *netid)
{
	for (const RPCBLIST *entry = rpcbind->table; entry; entry = entry->rpcb_next)
		if (entry->rpcb_map.r_prog == program && entry->rpcb_map.r_vers == version &&
		    strcmp(entry->rpcb_map.r_netid, netid) == 0)
			return entry->rpcb_map.r_addr;
	return NULL;
}

static int change(struct rpcbind *rpcbind, rpcproc_t procedure, uint32_t program, uint32_t version,
		  const char *netid, const char *address)
{
	char netid_text[sizeof(((struct rpc_order *)0)->netid)], address_text[RPC_ADDRESS_MAX];
	char owner[] = ""; /* rpcbind sees for itself who asks */
	RPCB entry = { .r_prog = program,
		       .r_vers = version,
		       .r_netid = netid_text,
		       .r_addr = address_text,
		       .r_owner = owner };
	bool_t done = FALSE;
	int r;

	(void)snprintf(netid_text, sizeof(netid_text), "%s", netid);
	(void)snprintf(address_text, sizeof(address_text), "%s", address);
	r = call(rpcbind, procedure, (xdrproc_t)xdr_rpcb, &entry, (xdrproc_t)xdr_bool, &done);
	return r < 0 ? r : done ? 0 : -EPERM;
}

int rpcbind_set(struct rpcbind *rpcbind, uint32_t program, uint32_t version, const char *netid,
		const char *address)
{
	return change(rpcbind, (rpcproc_t)RPCBPROC_SET, program, version, netid, address);
}

int rpcbind_unset(struct rpcbind *rpcbind, uint32_t program, uint32_t version, const char *netid)
{
	return change(rpcbind, (rpcproc_t)RPCBPROC_UNSET, program, version, netid, "");
}
