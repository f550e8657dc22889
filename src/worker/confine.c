/* SPDX-License-Identifier: ISC */
/* Gives up files, user, capabilities and system calls. */
#include "config.h"

#include "worker/confine.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "base/account.h"
#include "base/util.h"

#ifdef HAVE_SECCOMP
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/socket.h>
#endif

/* Connections that the worker should be able to hold, where root may decide it. */
#define WANTED_FILES 65536

static int fail(const char *what)
{
	int error = errno ? errno : EIO;

	(void)fprintf(stderr, "usherd-worker: %s: %s\n", what, strerror(error));
	return -error;
}

static int limit_resources(void)
{
	const struct rlimit none = { 0, 0 };
	struct rlimit files;

	if (setrlimit(RLIMIT_CORE, &none) < 0)
		return fail("cannot forbid core dumps");
	if (getrlimit(RLIMIT_NOFILE, &files) < 0)
		return fail("cannot read the limit of open files");
	if (geteuid() == 0 && files.rlim_max < WANTED_FILES) {
		const struct rlimit more = { WANTED_FILES, WANTED_FILES };

		/* Not granted in every container; what there is will do. */
		if (setrlimit(RLIMIT_NOFILE, &more) == 0)
			files = more;
	}
	files.rlim_cur = files.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &files) < 0)
		return fail("cannot raise the limit of open files");
#ifndef SANITIZED
	if (setrlimit(RLIMIT_NPROC, &none) < 0)
		return fail("cannot forbid child processes");
#endif
	return 0;
}

/* Makes the working directory an empty one without a name. */
static int enter_empty_directory(void)
{
	static const char *const places[] = { "/run", "/tmp", "/var/tmp", "/dev/shm" };
	struct statfs fs;

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		char path[64];
		bool entered;

		(void)snprintf(path, sizeof(path), "%s/usherd-worker.XXXXXX", places[i]);
		if (!mkdtemp(path))
			continue;
		entered = chdir(path) == 0;
		if (rmdir(path) == 0 && entered)
			return 0;
	}
	/*
	 * Nothing can be written here. /proc/self/fdinfo holds a few numbers on
	 * our own descriptors and nothing else, and takes no file.
	 */
	if (chdir("/proc/self/fdinfo") < 0 || statfs(".", &fs) < 0)
		return -1;
	if (fs.f_type != PROC_SUPER_MAGIC) {
		errno = ENOENT;
		return -1;
	}
	return 0;
}

static int leave_file_system(void)
{
	if (enter_empty_directory() < 0)
		return fail(
			"no place for an empty root directory (/run, /tmp, /var/tmp, /dev/shm, /proc)");
	if (chroot(".") < 0 || chdir("/") < 0)
		return fail("cannot change the root directory");
	return 0;
}

static int drop_capabilities(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { { 0 } };

	/* Kernels before 4.3 have no ambient set to clear. */
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 && errno != EINVAL)
		return fail("cannot clear the ambient capabilities");
	if (syscall(SYS_capset, &header, none) < 0)
		return fail("cannot give up capabilities");
	return 0;
}

static int become(const struct account *account)
{
	/* Without CAP_SETPCAP, or for a capability the kernel does not have: it is not ours to gain anyway. */
	for (int cap = 0; cap < 64; cap++)
		(void)prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
	if (setgroups(0, NULL) < 0)
		return fail("cannot leave the supplementary groups");
	if (setresgid(account->gid, account->gid, account->gid) < 0 ||
	    setresuid(account->uid, account->uid, account->uid) < 0)
		return fail("cannot become another user");
	if (geteuid() != account->uid || getuid() != account->uid || getegid() != account->gid) {
		errno = EPERM;
		return fail("still not another user");
	}
	return 0;
}

int confine_enter(void)
{
	bool root = geteuid() == 0;
	struct account account = { 0 };
	int r;

	tzset();
	r = limit_resources();
	if (r < 0)
		return r;
	if (root) {
		if (account_find(&account) < 0) {
			errno = EPERM;
			return fail("the account " WORKER_USER " must be neither user nor group 0");
		}
		r = leave_file_system();
		if (r < 0)
			return r;
	}
	if (account.mapped) {
		r = become(&account);
		if (r < 0)
			return r;
	}
	r = drop_capabilities();
	if (r < 0)
		return r;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return fail("cannot forbid new privileges");
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return fail("cannot forbid tracing");
	return 0;
}

#if defined(HAVE_SECCOMP) && !defined(SANITIZED)

static int add_rules(scmp_filter_ctx ctx)
{
	static const int calls[] = { SCMP_SYS(recvmsg), SCMP_SYS(recvfrom), SCMP_SYS(recv),
				     SCMP_SYS(sendmsg), SCMP_SYS(sendto), SCMP_SYS(send),
				     SCMP_SYS(sendmmsg), SCMP_SYS(shutdown), SCMP_SYS(close),
				     /* relays, with the pipes that are there */
				     SCMP_SYS(splice), SCMP_SYS(read),
				     /* texts */
				     SCMP_SYS(sendfile), SCMP_SYS(sendfile64),
				     /* the loop */
				     SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait),
				     SCMP_SYS(epoll_pwait2), SCMP_SYS(epoll_ctl),
				     SCMP_SYS(timerfd_settime), SCMP_SYS(timerfd_settime64),
				     SCMP_SYS(clock_gettime), SCMP_SYS(clock_gettime64),
				     SCMP_SYS(gettimeofday), SCMP_SYS(time),
				     /* malloc */
				     SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap),
				     SCMP_SYS(madvise), SCMP_SYS(getrandom),
				     /* the C library */
				     SCMP_SYS(futex), SCMP_SYS(rt_sigreturn),
				     SCMP_SYS(restart_syscall), SCMP_SYS(exit),
				     SCMP_SYS(exit_group) };
	static const int maps[] = { SCMP_SYS(mmap), SCMP_SYS(mmap2) };
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, calls[i], 0);
		/* -EDOM: no such call on this machine. */
		if (r < 0 && r != -EDOM)
			return r;
	}
	for (size_t i = 0; i < ARRAY_SIZE(maps); i++) {
		/* Memory, but no file and nothing to execute. */
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, maps[i], 2,
				     SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0),
				     SCMP_A3(SCMP_CMP_MASKED_EQ, MAP_ANONYMOUS, MAP_ANONYMOUS));
		if (r < 0 && r != -EDOM)
			return r;
	}
	r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
			     SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	if (r < 0)
		return r;
	/* To see that a connection has failed, and to reset the other one then. */
	r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(getsockopt), 2,
			     SCMP_A1(SCMP_CMP_EQ, SOL_SOCKET, 0),
			     SCMP_A2(SCMP_CMP_EQ, SO_ERROR, 0));
	if (r < 0)
		return r;
	r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(setsockopt), 2,
			     SCMP_A1(SCMP_CMP_EQ, SOL_SOCKET, 0),
			     SCMP_A2(SCMP_CMP_EQ, SO_LINGER, 0));
	if (r < 0)
		return r;
	return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(write), 1,
				SCMP_A0(SCMP_CMP_EQ, STDERR_FILENO, 0));
}

int confine_filter(void)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int r;

	if (!ctx)
		return fail("cannot make a system call filter");
	r = add_rules(ctx);
	if (r == 0)
		r = seccomp_load(ctx);
	seccomp_release(ctx);
	if (r < 0) {
		errno = -r;
		return fail("cannot load the system call filter");
	}
	return 0;
}

#else

int confine_filter(void)
{
	return 0;
}

#endif
