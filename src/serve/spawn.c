/* SPDX-License-Identifier: ISC */
/* Starting a server: everything laid out beforehand, a clone in the same memory, a bounded wait. */
#include "config.h"

#include "serve/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>

#ifdef SANITIZED
#include <sanitizer/lsan_interface.h>
#endif

#include "serve/spawn_private.h"

#define SPAWN_STACK_BYTES (32 * 1024)

/*
 * How long the daemon waits for a child that has its descriptors. To start the next one before this one runs its program
 * would only have the two compete: the same rate, with a 99th percentile twice as long. But on a busy machine a child
 * waits for a processor, and everybody else would wait with it; or its user has stopped it, or its program is on a dead
 * file system.
 */
#define SPAWN_PATIENCE_USEC 3000
/* The same while so many are on their way: even more would get in each other's. */
#define SPAWN_CROWD      16
#define SPAWN_CROWD_USEC 6000
/* And while somebody waits at another door. */
#define SPAWN_SHORT_USEC 2000
/* Slots that are kept for the children to come. */
#define SPAWN_SPARE_SLOTS 16
/* Of those that were left to themselves, looked at before each start: one more than comes, so that they get fewer. */
#define SPAWN_LOOKS 2

/* Whether the daemon may change identities: root, or a container's root with these capabilities. */
static bool has_privilege(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { 0 };
	uint32_t wanted = 1u << CAP_SETUID | 1u << CAP_SETGID;

	return syscall(SYS_capget, &header, data) == 0 && (data[0].effective & wanted) == wanted;
}

static bool nobody_waits(void *arg)
{
	(void)arg;
	return false;
}

void spawner_set_others(struct spawner *spawner, bool (*wait)(void *arg), void *arg)
{
	spawner->others.wait = wait;
	spawner->others.arg = arg;
}

int spawner_new(char *const *environment, const struct rlimit *nofile, struct spawner **ret)
{
	static const char *const daemons[] = {
		"NOTIFY_SOCKET=", "WATCHDOG_USEC=",  "WATCHDOG_PID=", "LISTEN_FDS=",
		"LISTEN_PID=",    "LISTEN_FDNAMES=", "FDSTORE=",      "MAINPID=",
	};
	struct spawner *spawner = calloc(1, sizeof(*spawner));
	int r = spawner ? 0 : -ENOMEM;

	if (spawner) {
		overdue_init(&spawner->overdue);
		spawner_set_others(spawner, nobody_waits, NULL);
	}
	for (; r == 0 && *environment; environment++) {
		bool pass = !spawn_is_ours(*environment);

		for (size_t i = 0; i < ARRAY_SIZE(daemons); i++)
			pass = pass && strncmp(*environment, daemons[i], strlen(daemons[i])) != 0;
		if (pass)
			r = strv_add(&spawner->environment, *environment);
	}
	if (r < 0) {
		spawner_free(spawner);
		return r;
	}
	spawner->nofile = *nofile;
	errno = 0;
	spawner->nice = getpriority(PRIO_PROCESS, 0);
	spawner->privileged = has_privilege();
	spawner->fork = getenv("USHERD_SPAWN") && strcmp(getenv("USHERD_SPAWN"), "fork") == 0;
	/* An empty range far up changes nothing and tells whether the call is there. */
	spawner->share_files = !spawner->fork && syscall(SYS_close_range, ~0u, ~0u, 0u) == 0;
	*ret = spawner;
	return 0;
}

static void free_slots(struct slot *slot)
{
	while (slot) {
		struct slot *next = slot->next;

		(void)munmap(slot, slot->bytes);
		slot = next;
	}
}

/* --- children that were left to themselves --------------------------------------- */

static void put_slot(struct spawner *spawner, struct slot *slot)
{
	if (spawner->n_free >= SPAWN_SPARE_SLOTS) {
		(void)munmap(slot, slot->bytes);
		return;
	}
	slot->next = spawner->free;
	spawner->free = slot;
	spawner->n_free++;
}

/* The slot of a child that is not among the overdue any more. */
static void release(struct spawner *spawner, struct slot *slot)
{
	if (--slot->spawn->overdue == 0 && slot->spawn->freed)
		spawn_free(slot->spawn);
	put_slot(spawner, slot);
}

/* Forgets some that run their programs meanwhile. */
static void forget_some(struct spawner *spawner)
{
	for (unsigned i = 0; i < SPAWN_LOOKS; i++) {
		struct slot *slot = overdue_look(&spawner->overdue);

		if (slot)
			release(spawner, slot);
	}
}

/* Forgets all of them. Returns whether there is one that reads its slot and what is laid out for it still. */
static bool forget_all(struct spawner *spawner)
{
	struct slot *slot;
	bool found = false;

	for (size_t at = 0; (slot = overdue_next(&spawner->overdue, &at));) {
		if (!slot_shares_memory(slot)) {
			release(spawner, slot);
			continue;
		}
		found = true;
#ifdef SANITIZED
		__lsan_ignore_object(slot->spawn);
#endif
	}
	overdue_done(&spawner->overdue);
	return found;
}

void spawner_free(struct spawner *spawner)
{
	if (!spawner)
		return;
	/* Who is on its way to its program reads the environment even when this process has ended. */
	if (!forget_all(spawner))
		strv_done(&spawner->environment);
#ifdef SANITIZED
	else
		__lsan_ignore_object(spawner->environment.v);
#endif
	free_slots(spawner->free);
	free(spawner);
}

/* By the raw call where the library hides a signal, 32 and 33, which a careless parent may have ignored too. */
static bool is_changed(int signo)
{
	unsigned long raw[16] = { 0 };
	struct sigaction action;

	if (sigaction(signo, NULL, &action) == 0)
		return action.sa_handler != SIG_DFL;
	if (syscall(SYS_rt_sigaction, signo, NULL, raw, (size_t)(CHILD_SIGNALS / 8)) < 0)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(raw); i++)
		if (raw[i] != 0)
			return true;
	return false;
}

void spawner_note_signals(struct spawner *spawner)
{
	spawner->n_signals = 0;
	for (int signo = 1; signo <= CHILD_SIGNALS; signo++)
		if (is_changed(signo))
			spawner->signals[spawner->n_signals++] = signo;
}

bool spawner_has_privilege(const struct spawner *spawner)
{
	return spawner->privileged;
}

/* --- starting ------------------------------------------------------------------ */

/* A slot with room for @n variables and the stack behind them. */
static struct slot *take_slot(struct spawner *spawner, size_t n)
{
	size_t bytes = sizeof(struct slot) + (n + 3) * sizeof(char *) + SPAWN_STACK_BYTES;
	struct slot *slot = spawner->free;

	if (slot && slot->bytes >= bytes) {
		spawner->free = slot->next;
		spawner->n_free--;
		return slot;
	}
	slot = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (slot == MAP_FAILED)
		return NULL;
	slot->bytes = bytes;
	return slot;
}

/* Writes the environment into the slot, REMOTE_HOST and REMOTE_PORT at its front; returns where it begins. */
static char *const *set_environment(struct slot *slot, const struct spawn *spawn,
				    const struct addr *peer)
{
	int first = 2;

	if (spawn->n_environment)
		memcpy(slot->envp + 2, spawn->environment, spawn->n_environment * sizeof(char *));
	slot->envp[spawn->n_environment + 2] = NULL;
	if (peer->family != AF_UNIX) {
		memcpy(slot->remote_host, REMOTE_HOST, strlen(REMOTE_HOST));
		(void)addr_format(peer, slot->remote_host + strlen(REMOTE_HOST));
		slot->envp[--first] = slot->remote_host;
	}
	if (peer->family == AF_INET || peer->family == AF_INET6) {
		memcpy(slot->remote_port, REMOTE_PORT, strlen(REMOTE_PORT));
		*put_decimal(slot->remote_port + strlen(REMOTE_PORT), peer->port) = '\0';
		slot->envp[--first] = slot->remote_port;
	}
	return slot->envp + first;
}

/* How the server is to be labelled, after the client on its connection; without that it is not to run. */
static void set_label(struct slot *slot, const struct label *label)
{
	slot->child.label_error = -label_for(label, slot->child.fd, slot->label);
	slot->child.label = slot->label;
	slot->child.label_bytes = slot->child.label_error ? 0 : strlen(slot->label);
}

/* fork(2) and wait until the program runs or could not be: a pipe that closes on exec tells. */
static pid_t fork_child(struct child *child)
{
	struct spawn_failure failure = { 0 };
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	child->report_fd = ends[1];
	pid = fork();
	if (pid == 0)
		(void)child_run(child);
	if (pid < 0)
		pid = -errno;
	(void)close(ends[1]);
	if (pid > 0 && read(ends[0], &failure, sizeof(failure)) == sizeof(failure))
		child->failure = failure;
	(void)close(ends[0]);
	child->tid = 0;
	return pid;
}

static pid_t clone_child(const struct spawner *spawner, struct slot *slot)
{
	int flags = CLONE_VM | SIGCHLD | (spawner->share_files ? CLONE_FILES : 0) |
		    (child_can_run_beside() ? CLONE_CHILD_CLEARTID : CLONE_VFORK);
	/* The stack begins at the end of the slot, aligned as the machine wants it. */
	char *stack = (char *)slot + (slot->bytes & ~(size_t)63);
	pid_t pid = clone(child_run, stack, flags, &slot->child, NULL, NULL, &slot->child.tid);

	if (pid < 0)
		return -errno;
	if (!child_can_run_beside())
		slot->child.tid = 0;
	return pid;
}

/*
 * Waits until the child does not share our memory any more: it runs its program,
 * or has ended. Without bound until its descriptors are its own, which nobody
 * can delay; after that it belongs to its user, who may stop it, so only for a
 * moment. Returns whether it is done.
 */
static bool await_child(const struct spawner *spawner, struct child *child)
{
	uint64_t patience = overdue_count(&spawner->overdue) < SPAWN_CROWD ? SPAWN_PATIENCE_USEC
									   : SPAWN_CROWD_USEC;
	uint64_t usec = SPAWN_SHORT_USEC, waited = 0;
	uint32_t tid;

	/* Nobody wakes us when the descriptors are its own: longer and longer looks find that out. */
	while ((tid = __atomic_load_n(&child->tid, __ATOMIC_ACQUIRE)) != 0) {
		struct timespec pause = { .tv_sec = (time_t)(usec / USEC_PER_SEC),
					  .tv_nsec = (long)(usec % USEC_PER_SEC) * 1000 };

		if (syscall(SYS_futex, &child->tid, FUTEX_WAIT, tid, &pause, NULL, 0) == 0 ||
		    errno != ETIMEDOUT)
			continue;
		waited += usec;
		if (__atomic_load_n(&child->stage, __ATOMIC_ACQUIRE) == CHILD_APART &&
		    (waited >= patience || spawner->others.wait(spawner->others.arg)))
			return __atomic_load_n(&child->tid, __ATOMIC_ACQUIRE) == 0;
		usec = waited < patience ? patience - waited : 2 * usec;
	}
	return true;
}

/* Starts a child that is told what @told says of it beyond the plan. */
static pid_t start(struct spawn *spawn, const struct child *told, const struct addr *peer,
		   struct spawn_failure *ret_failure)
{
	struct spawner *spawner = spawn->spawner;
	CLEANUP_CLOSE int low = -1;
	struct slot *slot;
	pid_t pid;

	*ret_failure = (struct spawn_failure){ 0 };
	/* What the child unshares is the table up to the descriptor, so a listener is lent under a small number. */
	if (told->fd >= 64) {
		low = fcntl(told->fd, F_DUPFD_CLOEXEC, 3);
		if (low < 0)
			return -EMFILE;
	}
	forget_some(spawner);
	slot = overdue_reserve(&spawner->overdue) == 0 ? take_slot(spawner, spawn->n_environment)
						       : NULL;
	if (!slot)
		return -ENOMEM;
	slot->child = spawn->plan;
	slot->child.fd = low >= 0 ? low : told->fd;
	slot->child.answer_fd = told->answer_fd;
	slot->child.n_signals = spawner->n_signals;
	slot->child.argv = told->argv;
	slot->child.envp = set_environment(slot, spawn, peer);
	if (spawn->label)
		set_label(slot, spawn->label);
	pid = spawner->fork ? fork_child(&slot->child) : clone_child(spawner, slot);
	if (pid > 0 && !await_child(spawner, &slot->child)) {
		slot->pid = pid;
		slot->spawn = spawn;
		overdue_add(&spawner->overdue, slot);
		spawn->overdue++;
		return pid;
	}
	*ret_failure = slot->child.failure;
	put_slot(spawner, slot);
	return pid;
}

pid_t spawn_run(struct spawn *spawn, int fd, const struct addr *peer,
		struct spawn_failure *ret_failure)
{
	const struct child told = { .fd = fd, .answer_fd = -1, .argv = spawn->plan.argv };

	return start(spawn, &told, peer, ret_failure);
}

pid_t spawn_run_gate(struct spawn *spawn, unsigned arguments, int fd, int answer_fd,
		     const struct addr *peer, struct spawn_failure *ret_failure)
{
	const struct child told = {
		.fd = fd,
		.answer_fd = answer_fd,
		.argv = spawn->arguments[arguments].v,
	};

	return start(spawn, &told, peer, ret_failure);
}

bool spawn_reaped(struct spawner *spawner, pid_t pid, struct spawn_failure *ret_failure)
{
	struct slot *slot = overdue_take(&spawner->overdue, pid);

	if (!slot)
		return false;
	*ret_failure = slot->child.failure;
	release(spawner, slot);
	return true;
}
