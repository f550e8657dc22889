/* SPDX-License-Identifier: ISC */
/* What a child does between clone and exec: no allocation, no lock, no library call, no shared errno. */
#include "config.h"

#include "serve/spawn_child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "config/service.h"

#ifdef SYS_setuid32
#define CHILD_SETUID    SYS_setuid32
#define CHILD_SETGID    SYS_setgid32
#define CHILD_SETGROUPS SYS_setgroups32
#else
#define CHILD_SETUID    SYS_setuid
#define CHILD_SETGID    SYS_setgid
#define CHILD_SETGROUPS SYS_setgroups
#endif

/* close_range(2): give the caller a table of its own first. */
#define CHILD_UNSHARE 2ul

/* The child's exit status when the program could not be executed, and when its surroundings could not be made. */
#define STATUS_EXEC  127
#define STATUS_SETUP 126

#define IN_CHILD __attribute__((no_sanitize("address", "undefined")))

/* A system call that returns -errno and touches no memory of the library's. */
#if defined(__x86_64__) && !defined(__ILP32__)
#define CHILD_RAW 1
IN_CHILD static inline long raw(long number, long a, long b, long c, long d)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = 0; /* prctl(2) wants a fifth one that is 0 */
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
			 : "rcx", "r11", "memory");
	return result;
}
#elif defined(__aarch64__)
#define CHILD_RAW 1
IN_CHILD static inline long raw(long number, long a, long b, long c, long d)
{
	register long x8 __asm__("x8") = number;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = 0; /* prctl(2) wants a fifth one that is 0 */

	__asm__ volatile("svc 0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4)
			 : "memory");
	return x0;
}
#else
#define CHILD_RAW 0
IN_CHILD static inline long raw(long number, long a, long b, long c, long d)
{
	long result = syscall(number, a, b, c, d, 0L);

	return result < 0 ? -errno : result;
}
#endif

#define RAW(number, a, b, c, d) raw((long)(number), (long)(a), (long)(b), (long)(c), (long)(d))

bool child_can_run_beside(void)
{
	return CHILD_RAW;
}

/* Notes the failure for the parent and leaves. */
IN_CHILD static _Noreturn void fail(struct child *child, int status, long error, const char *step)
{
	child->failure.step = step;
	child->failure.error = (int)-error;
	if (child->report_fd >= 0)
		(void)RAW(SYS_write, child->report_fd, &child->failure, sizeof(child->failure), 0);
	for (;;)
		(void)RAW(SYS_exit_group, status, 0, 0, 0);
}

IN_CHILD static void set_gate_descriptors(struct child *child)
{
	long r = child->fd >= 0 ? RAW(SYS_dup3, child->fd, 0, 0, 0) : 0;

	if (r >= 0)
		r = RAW(SYS_dup3, child->answer_fd, 1, 0, 0);
	if (r < 0)
		fail(child, STATUS_SETUP, r, "dup3");
#ifndef SANITIZED /* whose reports should be seen */
	(void)RAW(SYS_close, 2, 0, 0, 0);
#endif
}

IN_CHILD static void set_descriptors(struct child *child)
{
	int last = child->fd > child->answer_fd ? child->fd : child->answer_fd;
	long r = 0;

	/* Only what stands below the connection is copied, and what is the daemon's is never touched. */
	if (child->own_table)
		r = RAW(SYS_close_range, last + 1, ~0u, CHILD_UNSHARE, 0);
	if (r < 0)
		fail(child, STATUS_SETUP, r, "close_range");
	if (child->answer_fd >= 0)
		set_gate_descriptors(child);
	for (long fd = 0; fd < 3 && child->answer_fd < 0; fd++) {
		r = RAW(SYS_dup3, child->fd, fd, 0, 0);
		if (r < 0)
			fail(child, STATUS_SETUP, r, "dup3");
	}
	/* Where the table was copied instead, all of the rest is close-on-exec. */
	if (child->own_table)
		r = RAW(SYS_close_range, 3u, ~0u, 0, 0);
	if (r < 0)
		fail(child, STATUS_SETUP, r, "close_range");
	__atomic_store_n(&child->stage, CHILD_APART, __ATOMIC_RELEASE);
}

IN_CHILD static void set_limits(struct child *child)
{
	long r = 0;

	for (size_t i = 0; i < child->n_limits; i++) {
		uint64_t value[2] = { child->limits[i].value.rlim_cur,
				      child->limits[i].value.rlim_max };

		r = RAW(SYS_prlimit64, 0, child->limits[i].resource, value, 0);
		if (r < 0)
			fail(child, STATUS_SETUP, r, "setrlimit");
	}
	if (child->change_nice)
		r = RAW(SYS_setpriority, PRIO_PROCESS, 0, child->nice, 0);
	if (r < 0)
		fail(child, STATUS_SETUP, r, "setpriority");
	if (child->umask != UNLIMITED)
		(void)RAW(SYS_umask, child->umask, 0, 0, 0);
}

/* For the program that is executed next; before the root is changed, as there may be no /proc in the new one. */
IN_CHILD static void set_label(struct child *child)
{
	long r = child->label_error
			 ? -child->label_error
			 : RAW(SYS_openat, AT_FDCWD, "/proc/self/attr/exec", O_WRONLY, 0);
	long fd = r;

	if (r >= 0)
		r = RAW(SYS_write, fd, child->label, child->label_bytes, 0);
	if (r < 0)
		fail(child, STATUS_SETUP, r, "label");
	(void)RAW(SYS_close, fd, 0, 0, 0);
}

/* While it may still change its root. */
IN_CHILD static void set_place(struct child *child)
{
	long r = 0;

	if (child->chroot)
		r = RAW(SYS_chroot, child->chroot, 0, 0, 0);
	if (r < 0)
		fail(child, STATUS_SETUP, r, "chroot");
	/* Whoever keeps a directory outside of its root has not changed it. */
	if (child->chroot || child->directory)
		r = RAW(SYS_chdir, child->directory ? child->directory : "/", 0, 0, 0);
	if (r < 0)
		fail(child, STATUS_SETUP, r, "chdir");
}

/* Raw calls, as the library's would change the identity of all threads: the daemon's. */
IN_CHILD static void set_identity(struct child *child)
{
	long r;

	if (child->change_group) {
		r = RAW(CHILD_SETGID, child->gid, 0, 0, 0);
		if (r < 0)
			fail(child, STATUS_SETUP, r, "setgid");
		r = RAW(CHILD_SETGROUPS, child->n_groups, child->groups, 0, 0);
		if (r < 0)
			fail(child, STATUS_SETUP, r, "setgroups");
	}
	if (child->change_user) {
		r = RAW(CHILD_SETUID, child->uid, 0, 0, 0);
		if (r < 0)
			fail(child, STATUS_SETUP, r, "setuid");
	}
}

IN_CHILD static void reset_signals(struct child *child)
{
	/* All zero is SIG_DFL without flags in the kernel's own layout, whatever the machine. */
	static const unsigned long zero[16];

	for (size_t i = 0; i < child->n_signals; i++)
		(void)RAW(SYS_rt_sigaction, child->signals[i], zero, 0, CHILD_SIGNALS / 8);
	(void)RAW(SYS_rt_sigprocmask, SIG_SETMASK, zero, 0, CHILD_SIGNALS / 8);
}

IN_CHILD int child_run(void *arg)
{
	struct child *child = arg;
	long r;

	set_descriptors(child);
	r = RAW(SYS_setsid, 0, 0, 0, 0);
	if (r < 0)
		fail(child, STATUS_SETUP, r, "setsid");
	set_limits(child);
	/* Handlers first: once the identity is the user's, so are signals. */
	reset_signals(child);
	if (child->label || child->label_error)
		set_label(child);
	set_place(child);
	set_identity(child);
	r = child->no_new_privs ? RAW(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0) : 0;
	if (r < 0)
		fail(child, STATUS_SETUP, r, "prctl");
	r = RAW(SYS_execve, child->path, child->argv, child->envp, 0);
	fail(child, STATUS_EXEC, r, "exec");
}
