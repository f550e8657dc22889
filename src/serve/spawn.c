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

#include "serve/spawn_child.h"

#define SPAWN_STACK_BYTES (32 * 1024)

/* How long the daemon waits for a child that is its user's already: he may stop it, or its program may be on a dead file system. */
#define SPAWN_PATIENCE_MSEC 100
/* The same while some child is overdue. */
#define SPAWN_IMPATIENCE_MSEC 1

/*
 * Where one child runs: its stack, and what it is told. Used again for the next
 * one, but for those that were left to themselves; they keep theirs until they end.
 */
struct slot {
	struct slot *next;
	struct spawn *spawn; /* a child left to itself still reads what is laid out there */
	pid_t pid;
	size_t bytes; /* of the whole mapping */
	struct child child;
	char remote_port[sizeof("REMOTE_PORT=65535")];
	char remote_host[sizeof("REMOTE_HOST=") + ADDR_TEXT_MAX];
	char *envp[]; /* room for REMOTE_PORT and REMOTE_HOST at the front; the stack is behind */
};

struct spawner {
	struct strv environment;
	struct rlimit nofile;
	int nice; /* the daemon's own */
	bool privileged;
	bool share_files; /* the kernel can unshare the descriptor table while closing */
	bool fork;        /* plain fork(2), for tools that know no other way */
	int signals[CHILD_SIGNALS];
	size_t n_signals;
	struct slot *free;
	struct slot *overdue; /* of children that were left to themselves */
};

struct spawn {
	struct spawner *spawner;
	const struct service *service;
	struct strv environment;
	struct child_limit limits[SERVICE_RLIMITS + 1];
	size_t n_limits;
	unsigned overdue; /* children that still read this */
	bool freed;       /* goes with the last of them */
};

/* Whether the daemon may change identities: root, or a container's root with these capabilities. */
static bool has_privilege(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { 0 };
	uint32_t wanted = 1u << CAP_SETUID | 1u << CAP_SETGID;

	return syscall(SYS_capget, &header, data) == 0 && (data[0].effective & wanted) == wanted;
}

/* Variables that are set for each connection. */
static bool is_ours(const char *variable)
{
	return strncmp(variable, "REMOTE_HOST=", strlen("REMOTE_HOST=")) == 0 ||
	       strncmp(variable, "REMOTE_PORT=", strlen("REMOTE_PORT=")) == 0;
}

int spawner_new(char *const *environment, const struct rlimit *nofile, struct spawner **ret)
{
	static const char *const daemons[] = {
		"NOTIFY_SOCKET=", "WATCHDOG_USEC=",  "WATCHDOG_PID=", "LISTEN_FDS=",
		"LISTEN_PID=",    "LISTEN_FDNAMES=", "FDSTORE=",      "MAINPID=",
	};
	struct spawner *spawner = calloc(1, sizeof(*spawner));
	int r = spawner ? 0 : -ENOMEM;

	for (; r == 0 && *environment; environment++) {
		bool pass = !is_ours(*environment);

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

static bool shares_memory(const struct slot *slot)
{
	return __atomic_load_n(&slot->child.tid, __ATOMIC_ACQUIRE) != 0;
}

static void put_slot(struct spawner *spawner, struct slot *slot)
{
	slot->next = spawner->free;
	spawner->free = slot;
}

/* Takes the slot that *@at refers to off the list of the overdue. */
static void release(struct spawner *spawner, struct slot **at)
{
	struct slot *slot = *at;

	*at = slot->next;
	if (--slot->spawn->overdue == 0 && slot->spawn->freed)
		spawn_free(slot->spawn);
	put_slot(spawner, slot);
}

/* Forgets those that run their programs meanwhile; unless @all, why others could not is kept until they are reaped. */
static void forget_settled(struct spawner *spawner, bool all)
{
	for (struct slot **at = &spawner->overdue; *at;) {
		if (!shares_memory(*at) && (all || !(*at)->child.failure.error))
			release(spawner, at);
		else
			at = &(*at)->next;
	}
}

void spawner_free(struct spawner *spawner)
{
	if (!spawner)
		return;
	forget_settled(spawner, true);
	strv_done(&spawner->environment);
	free_slots(spawner->free);
#ifdef SANITIZED
	/* The others read their slot and what is laid out for them even when this process has ended. */
	for (const struct slot *slot = spawner->overdue; slot; slot = slot->next)
		__lsan_ignore_object(slot->spawn);
#endif
	free(spawner);
}

void spawner_note_signals(struct spawner *spawner)
{
	spawner->n_signals = 0;
	/* By the raw call, as the library hides 32 and 33, which a careless parent may have ignored too. */
	for (int signo = 1; signo <= CHILD_SIGNALS; signo++) {
		unsigned long action[16] = { 0 };
		bool changed = false;

		if (syscall(SYS_rt_sigaction, signo, NULL, action, (size_t)(CHILD_SIGNALS / 8)) < 0)
			continue;
		for (size_t i = 0; i < ARRAY_SIZE(action); i++)
			changed = changed || action[i] != 0;
		if (changed)
			spawner->signals[spawner->n_signals++] = signo;
	}
}

bool spawner_has_privilege(const struct spawner *spawner)
{
	return spawner->privileged;
}

/* --- laying out -------------------------------------------------------------- */

static size_t name_length(const char *variable)
{
	return strcspn(variable, "=");
}

/* Sets a variable: the last one of a name counts, as with setenv(3). */
static int set_variable(struct strv *list, const char *variable)
{
	size_t length = name_length(variable) + 1;

	for (size_t i = 0; i < list->n; i++) {
		char *copy;

		if (strncmp(list->v[i], variable, length) != 0)
			continue;
		copy = strdup(variable);
		if (!copy)
			return -ENOMEM;
		free(list->v[i]);
		list->v[i] = copy;
		return 0;
	}
	return strv_add(list, variable);
}

static bool passes(const struct service *service, const char *variable)
{
	size_t length = name_length(variable);

	if (!service->passenv_given)
		return true;
	for (size_t i = 0; i < service->passenv.n; i++)
		if (strlen(service->passenv.v[i]) == length &&
		    strncmp(service->passenv.v[i], variable, length) == 0)
			return true;
	return false;
}

static int lay_out_environment(struct spawn *spawn)
{
	const struct strv *inherited = &spawn->spawner->environment;
	int r = 0;

	for (size_t i = 0; i < inherited->n && r == 0; i++)
		if (passes(spawn->service, inherited->v[i]))
			r = strv_add(&spawn->environment, inherited->v[i]);
	/* Who the client is, is not for the stanza to say; both of a name would leave it to the server which one counts. */
	for (size_t i = 0; i < spawn->service->env.n && r == 0; i++)
		if (!is_ours(spawn->service->env.v[i]))
			r = set_variable(&spawn->environment, spawn->service->env.v[i]);
	return r;
}

static void lay_out_limits(struct spawn *spawn)
{
	static const int resources[SERVICE_RLIMITS] = {
		[SERVICE_RLIMIT_AS] = RLIMIT_AS,     [SERVICE_RLIMIT_CPU] = RLIMIT_CPU,
		[SERVICE_RLIMIT_DATA] = RLIMIT_DATA, [SERVICE_RLIMIT_FILES] = RLIMIT_NOFILE,
		[SERVICE_RLIMIT_RSS] = RLIMIT_RSS,   [SERVICE_RLIMIT_STACK] = RLIMIT_STACK,
	};
	struct rlimit own;

	for (size_t i = 0; i < SERVICE_RLIMITS; i++) {
		const struct rlimit_setting *setting = &spawn->service->rlimits[i];

		if (setting->given)
			spawn->limits[spawn->n_limits++] = (struct child_limit){
				.resource = resources[i],
				.value = { .rlim_cur = setting->value, .rlim_max = setting->value },
			};
	}
	/* The daemon raises its own limit on descriptors; servers get the one that it was started with. */
	if (!spawn->service->rlimits[SERVICE_RLIMIT_FILES].given &&
	    getrlimit(RLIMIT_NOFILE, &own) == 0 &&
	    (own.rlim_cur != spawn->spawner->nofile.rlim_cur ||
	     own.rlim_max != spawn->spawner->nofile.rlim_max))
		spawn->limits[spawn->n_limits++] = (struct child_limit){
			.resource = RLIMIT_NOFILE,
			.value = spawn->spawner->nofile,
		};
}

int spawn_new(struct spawner *spawner, const struct service *service, struct spawn **ret)
{
	bool privileged = spawner->privileged;
	struct spawn *spawn;

	if (!privileged && service->user && service->uid != 0 && service->uid != geteuid())
		return -EPERM;
	if (!privileged && service->group && service->gid != 0 && service->gid != getegid())
		return -EPERM;
	spawn = calloc(1, sizeof(*spawn));
	if (!spawn)
		return -ENOMEM;
	spawn->spawner = spawner;
	spawn->service = service_ref(service);
	lay_out_limits(spawn);
	if (lay_out_environment(spawn) < 0) {
		spawn_free(spawn);
		return -ENOMEM;
	}
	*ret = spawn;
	return 0;
}

void spawn_free(struct spawn *spawn)
{
	if (!spawn)
		return;
	spawn->freed = true;
	if (spawn->overdue)
		return;
	strv_done(&spawn->environment);
	service_unref(spawn->service);
	free(spawn);
}

/* --- starting ------------------------------------------------------------------ */

/* A slot with room for @n variables and the stack behind them. */
static struct slot *take_slot(struct spawner *spawner, size_t n)
{
	size_t bytes = sizeof(struct slot) + (n + 3) * sizeof(char *) + SPAWN_STACK_BYTES;
	struct slot *slot = spawner->free;

	if (slot && slot->bytes >= bytes) {
		spawner->free = slot->next;
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
	char text[ADDR_TEXT_MAX];
	int first = 2;

	if (spawn->environment.n)
		memcpy(slot->envp + 2, spawn->environment.v, spawn->environment.n * sizeof(char *));
	slot->envp[spawn->environment.n + 2] = NULL;
	if (peer->family != AF_UNIX) {
		(void)snprintf(slot->remote_host, sizeof(slot->remote_host), "REMOTE_HOST=%s",
			       addr_format(peer, text));
		slot->envp[--first] = slot->remote_host;
	}
	if (peer->family == AF_INET || peer->family == AF_INET6) {
		(void)snprintf(slot->remote_port, sizeof(slot->remote_port), "REMOTE_PORT=%u",
			       peer->port);
		slot->envp[--first] = slot->remote_port;
	}
	return slot->envp + first;
}

static void lay_out_child(struct slot *slot, const struct spawn *spawn, int fd,
			  const struct addr *peer)
{
	const struct spawner *spawner = spawn->spawner;
	const struct service *service = spawn->service;

	slot->child = (struct child){
		.fd = fd,
		.own_table = spawner->share_files,
		.report_fd = -1,
		.signals = spawner->signals,
		.n_signals = spawner->n_signals,
		.limits = spawn->limits,
		.n_limits = spawn->n_limits,
		.chroot = service->chroot,
		.directory = service->directory,
		.no_new_privs = service->no_new_privs,
		.umask = service->umask,
		.change_nice = service->nice != 0,
		.nice = spawner->nice + service->nice,
		.change_group = spawner->privileged && (service->user || service->group),
		.change_user = spawner->privileged && service->user,
		.uid = service->uid,
		.gid = service->gid,
		.groups = service->group_list,
		.n_groups = service->n_group_list,
		.path = service->server,
		.argv = service->argv.v,
		.envp = set_environment(slot, spawn, peer),
		.tid = 1,
	};
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
	long msec = spawner->overdue ? SPAWN_IMPATIENCE_MSEC : SPAWN_PATIENCE_MSEC;
	struct timespec pause = { .tv_nsec = msec * 1000000 };
	uint32_t tid;

	while ((tid = __atomic_load_n(&child->tid, __ATOMIC_ACQUIRE)) != 0) {
		if (syscall(SYS_futex, &child->tid, FUTEX_WAIT, tid, &pause, NULL, 0) < 0 &&
		    errno == ETIMEDOUT &&
		    __atomic_load_n(&child->stage, __ATOMIC_ACQUIRE) == CHILD_APART)
			return __atomic_load_n(&child->tid, __ATOMIC_ACQUIRE) == 0;
	}
	return true;
}

pid_t spawn_run(struct spawn *spawn, int fd, const struct addr *peer,
		struct spawn_failure *ret_failure)
{
	struct spawner *spawner = spawn->spawner;
	CLEANUP_CLOSE int low = -1;
	struct slot *slot;
	sigset_t all, old;
	pid_t pid;

	*ret_failure = (struct spawn_failure){ 0 };
	/* What the child unshares is the table up to the descriptor, so a listener is lent under a small number. */
	if (fd >= 64) {
		low = fcntl(fd, F_DUPFD_CLOEXEC, 3);
		if (low < 0)
			return -EMFILE;
	}
	forget_settled(spawner, false);
	slot = take_slot(spawner, spawn->environment.n);
	if (!slot)
		return -ENOMEM;
	lay_out_child(slot, spawn, low >= 0 ? low : fd, peer);
	/* No handler of ours may run in the child. */
	(void)sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, &old);
	pid = spawner->fork ? fork_child(&slot->child) : clone_child(spawner, slot);
	(void)sigprocmask(SIG_SETMASK, &old, NULL);
	if (pid > 0 && !await_child(spawner, &slot->child)) {
		slot->pid = pid;
		slot->spawn = spawn;
		slot->next = spawner->overdue;
		spawner->overdue = slot;
		spawn->overdue++;
		return pid;
	}
	*ret_failure = slot->child.failure;
	put_slot(spawner, slot);
	return pid;
}

bool spawn_reaped(struct spawner *spawner, pid_t pid, struct spawn_failure *ret_failure)
{
	for (struct slot **at = &spawner->overdue; *at; at = &(*at)->next) {
		struct slot *slot = *at;

		if (slot->pid != pid)
			continue;
		*ret_failure = slot->child.failure;
		release(spawner, at);
		return true;
	}
	return false;
}
