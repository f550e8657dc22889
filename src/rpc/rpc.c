/* SPDX-License-Identifier: ISC */
/*
 * usherd-rpc: does at rpcbind(8) what usherd asks for, once, and ends.
 *
 * A program of its own, as libtirpc's calls block for as long as rpcbind likes:
 * this process can be killed, which a thread cannot, and what it leaks or
 * locks goes with it. rpcbind is reached over its Unix socket and knows who we are
 * from the moment of connecting; that done, the process gives up its user before
 * it reads a byte of what rpcbind, which talks to the network, has to say.
 *
 * Standard input is the memory file with the orders (base/rpc_order.h).
 */
#include "config.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/rpc_order.h"
#include "base/util.h"
#include "rpc/ports.h"
#include "rpc/rpcbind.h"

/* The kernel's own number for "nobody", where there is no passwd(5). */
#define OVERFLOW_ID 65534

/* Returns 0 or -errno; after an error the process must not go on. */
static int give_up_privileges(void)
{
	const struct rlimit none = { 0, 0 };
	const struct passwd *pw;
	uid_t uid = OVERFLOW_ID;
	gid_t gid = OVERFLOW_ID;

	if (setrlimit(RLIMIT_CORE, &none) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	if (geteuid() != 0)
		return 0;
	pw = getpwnam(WORKER_USER);
	if (!pw)
		pw = getpwnam("nobody");
	if (pw) {
		uid = pw->pw_uid;
		gid = pw->pw_gid;
	}
	if (setgroups(0, NULL) == 0 && setresgid(gid, gid, gid) == 0 &&
	    setresuid(uid, uid, uid) == 0)
		return 0;
	/* A user namespace that has nobody but its root: there is nobody else to be. */
	return errno == EINVAL || errno == EPERM ? 0 : -errno;
}

static int carry_out(struct rpcbind *rpcbind, const struct rpc_order *order)
{
	const char *now = rpcbind_find(rpcbind, order->program, order->version, order->netid);
	bool ours = now && strcmp(now, order->old) == 0;
	int r;

	if (now && strcmp(now, order->address) == 0)
		return RPC_RESULT_KEPT;
	if (!order->address[0] && !ours)
		return RPC_RESULT_KEPT;
	if (now && !ours && ports_are_used(order->netid, now))
		return -EADDRINUSE;
	if (now) {
		r = rpcbind_unset(rpcbind, order->program, order->version, order->netid);
		if (r < 0)
			return r;
	}
	r = order->address[0] ? rpcbind_set(rpcbind, order->program, order->version, order->netid,
					    order->address)
			      : 0;
	return r < 0 ? r : RPC_RESULT_CHANGED;
}

/* Takes what comes from the file as text that ends. */
static struct rpc_order order_of(const struct rpc_order *shared)
{
	struct rpc_order order = *shared;

	order.netid[sizeof(order.netid) - 1] = '\0';
	order.address[sizeof(order.address) - 1] = '\0';
	order.old[sizeof(order.old) - 1] = '\0';
	return order;
}

static void carry_out_all(struct rpc_order *orders, size_t n)
{
	struct rpcbind *rpcbind = NULL;
	int r = rpcbind_open(&rpcbind);

	if (r == 0)
		r = give_up_privileges();
	if (r == 0)
		r = rpcbind_read(rpcbind);
	for (size_t i = 0; i < n; i++) {
		struct rpc_order order = order_of(&orders[i]);

		orders[i].result = r < 0 ? r : carry_out(rpcbind, &order);
		/* rpcbind has gone, or hangs: that holds for the rest, too. */
		if (orders[i].result == -ETIMEDOUT || orders[i].result == -ECONNRESET)
			r = orders[i].result;
	}
	rpcbind_close(rpcbind);
}

int main(void)
{
	struct rpc_order *orders;
	struct stat st;
	size_t n;

	if (fstat(STDIN_FILENO, &st) < 0 || !S_ISREG(st.st_mode))
		return 1;
	n = (size_t)st.st_size / sizeof(*orders);
	if (n == 0)
		return 0;
	orders = mmap(NULL, n * sizeof(*orders), PROT_READ | PROT_WRITE, MAP_SHARED, STDIN_FILENO,
		      0);
	if (orders == MAP_FAILED)
		return 1;
	carry_out_all(orders, n);
	return munmap(orders, n * sizeof(*orders)) < 0;
}
