/* SPDX-License-Identifier: ISC */
/*
 * When usherd-rpc is run, and with what. A process for each change is cheap, as
 * all changes of a round go to one; and with none running there is nothing that
 * could hang. Its orders and answers stand in a memory file, so that neither side
 * ever waits for the other to read.
 */
#include "config.h"

#include "serve/rpc.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

#include "base/log.h"
#include "base/util.h"
#include "serve/helper_process.h"
#include "serve/rpc_table.h"

/* rpcbind that hangs is left to itself after so long. */
#define LIMIT_SEC 10
/* Pauses between attempts: one second, doubled up to a minute. */
#define RETRY_MAX_SEC 60
/* How often it is looked whether rpcbind, which forgets all when it crashes, still knows us. */
#define CHECK_SEC 60
/* From the appearance of its socket until rpcbind listens. */
#define SETTLE_MSEC 200
/* What the end of the daemon may wait. */
#define END_USEC (2 * USEC_PER_SEC)

struct rpc {
	struct event_base *base;
	char *helper;
	struct rpc_table *table;
	struct event *work;  /* orders are to be given when this round is over */
	struct event *timer; /* the next attempt, or the next look */
	struct event *limit; /* of the running helper's time */
	struct event *watch; /* inotify(7) for rpcbind's socket, while there are RPC services */
	unsigned tries;
	pid_t pid; /* of the helper; 0 = none runs */
	int fd;    /* its memory file */
	size_t n_orders;
	bool overdue; /* it was killed */
	bool again;   /* more came meanwhile */
};

static void arm(struct rpc *rpc, uint64_t usec)
{
	struct timeval pause = { .tv_sec = (time_t)(usec / USEC_PER_SEC),
				 .tv_usec = (suseconds_t)(usec % USEC_PER_SEC) };

	if (event_add(rpc->timer, &pause) < 0)
		log_error("no memory for a timer: rpcbind is asked again at the next change only");
}

/* --- rpcbind's socket -------------------------------------------------------------- */

static void on_watch(evutil_socket_t fd, short what, void *arg)
{
	char buffer[sizeof(struct inotify_event) + NAME_MAX + 1]
		__attribute__((aligned(__alignof__(struct inotify_event))));
	struct rpc *rpc = arg;
	ssize_t got;

	(void)what;
	while ((got = read(fd, buffer, sizeof(buffer))) > 0) {
		for (ssize_t at = 0; at < got;) {
			struct inotify_event event;

			memcpy(&event, buffer + at, sizeof(event));
			if (event.len && strcmp(buffer + at + sizeof(event), RPCBIND_NAME) == 0) {
				rpc->tries = 0;
				arm(rpc, SETTLE_MSEC * USEC_PER_MSEC);
			}
			at += (ssize_t)(sizeof(event) + event.len);
		}
	}
}

static void stop_watching(struct rpc *rpc)
{
	if (!rpc->watch)
		return;
	(void)close(event_get_fd(rpc->watch));
	event_free(rpc->watch);
	rpc->watch = NULL;
}

/* Where it cannot be watched, the timers must do. */
static void start_watching(struct rpc *rpc)
{
	int fd;

	if (rpc->watch)
		return;
	fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (fd < 0)
		return;
	rpc->watch = event_new(rpc->base, fd, EV_READ | EV_PERSIST, on_watch, rpc);
	if (!rpc->watch) {
		(void)close(fd);
		return;
	}
	if (inotify_add_watch(fd, RPCBIND_DIRECTORY, IN_CREATE | IN_MOVED_TO | IN_ONLYDIR) < 0 ||
	    event_add(rpc->watch, NULL) < 0)
		stop_watching(rpc);
}

/* --- the helper --------------------------------------------------------------------- */

static int start_helper(struct rpc *rpc, const struct rpc_order *orders, size_t n)
{
	bool has_stderr = fcntl(STDERR_FILENO, F_GETFD) >= 0;
	CLEANUP_CLOSE int fd = memfd_create("usherd-rpc", MFD_CLOEXEC);
	size_t size = n * sizeof(*orders);
	pid_t pid;

	if (fd < 0)
		return -errno;
	if (pwrite(fd, orders, size, 0) != (ssize_t)size)
		return -ENOMEM;
	pid = helper_process_start(rpc->helper, fd, has_stderr);
	if (pid < 0)
		return pid;
	rpc->pid = pid;
	rpc->fd = take_fd(&fd);
	rpc->n_orders = n;
	rpc->overdue = false;
	return 0;
}

/* What comes next, now that @failed orders have failed. */
static void plan_ahead(struct rpc *rpc, size_t failed)
{
	unsigned pause = rpc->tries < 6 ? 1u << rpc->tries : RETRY_MAX_SEC;

	if (failed) {
		rpc->tries++;
		arm(rpc, pause * USEC_PER_SEC);
		return;
	}
	rpc->tries = 0;
	if (rpc_table_is_empty(rpc->table)) {
		(void)event_del(rpc->timer);
		stop_watching(rpc);
		return;
	}
	arm(rpc, CHECK_SEC * USEC_PER_SEC);
}

/* Starts the helper where it has something to do; with @all it looks after everything. */
static void give_orders(struct rpc *rpc, bool all)
{
	const struct timeval limit = { .tv_sec = LIMIT_SEC };
	CLEANUP_FREE struct rpc_order *orders = NULL;
	size_t n = 0;
	int r;

	if (rpc->pid) {
		rpc->again = true;
		return;
	}
	r = rpc_table_orders(rpc->table, all, &orders, &n);
	if (r == 0 && n == 0) {
		plan_ahead(rpc, 0);
		return;
	}
	start_watching(rpc);
	if (r == 0)
		r = start_helper(rpc, orders, n);
	if (r < 0) {
		if (rpc->tries == 0)
			log_write_errno(LOG_LEVEL_ERROR, r, "%s cannot be started: %m",
					rpc->helper);
		plan_ahead(rpc, n ? rpc_table_take(rpc->table, orders, n, r) : 1);
		return;
	}
	(void)event_del(rpc->timer);
	(void)event_add(rpc->limit, &limit);
}

/* The answers of a helper that has ended. Returns how many orders have failed. */
static size_t take_answers(struct rpc *rpc)
{
	size_t size = rpc->n_orders * sizeof(struct rpc_order), failed;
	CLEANUP_FREE struct rpc_order *orders = malloc(size);

	rpc->pid = 0;
	(void)event_del(rpc->limit);
	if (!orders || pread(rpc->fd, orders, size, 0) != (ssize_t)size)
		failed = 1;
	else
		failed = rpc_table_take(rpc->table, orders, rpc->n_orders,
					rpc->overdue ? -ETIMEDOUT : -EIO);
	(void)close(take_fd(&rpc->fd));
	return failed;
}

bool rpc_reaped(struct rpc *rpc, pid_t pid, int wait_status)
{
	if (pid <= 0 || pid != rpc->pid)
		return false;
	if (wait_status && !rpc->overdue)
		log_error("%s has ended with wait status %#x", rpc->helper, (unsigned)wait_status);
	plan_ahead(rpc, take_answers(rpc));
	if (rpc->again) {
		rpc->again = false;
		event_active(rpc->work, EV_TIMEOUT, 1);
	}
	return true;
}

static void on_work(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	give_orders(arg, false);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	give_orders(arg, true);
}

static void on_limit(evutil_socket_t fd, short what, void *arg)
{
	struct rpc *rpc = arg;

	(void)fd;
	(void)what;
	rpc->overdue = true;
	(void)kill(rpc->pid, SIGKILL);
}

/* --- for the owner -------------------------------------------------------------------- */

int rpc_new(struct event_base *base, const char *helper_path, struct rpc **ret)
{
	struct rpc *rpc = calloc(1, sizeof(*rpc));

	if (!rpc)
		return -ENOMEM;
	rpc->base = base;
	rpc->fd = -1;
	rpc->helper = strdup(helper_path);
	rpc->table = rpc_table_new();
	rpc->work = event_new(base, -1, 0, on_work, rpc);
	rpc->timer = event_new(base, -1, 0, on_timer, rpc);
	rpc->limit = event_new(base, -1, 0, on_limit, rpc);
	if (!rpc->helper || !rpc->table || !rpc->work || !rpc->timer || !rpc->limit) {
		rpc_free(rpc);
		return -ENOMEM;
	}
	*ret = rpc;
	return 0;
}

/* Waits for the helper until @deadline. Returns whether it has ended. */
static bool wait_for_helper(struct rpc *rpc, uint64_t deadline_usec)
{
	const struct timespec moment = { .tv_nsec = 2 * 1000 * 1000 };

	while (waitpid(rpc->pid, NULL, WNOHANG) == 0) {
		if (now_usec() >= deadline_usec)
			return false;
		(void)nanosleep(&moment, NULL);
	}
	return true;
}

/* The daemon ends: the loop does not run any more, and nobody is served who could have to wait. */
static void unregister_all(struct rpc *rpc)
{
	uint64_t deadline = now_usec() + END_USEC;
	CLEANUP_FREE struct rpc_order *orders = NULL;
	size_t n = 0;
	int r;

	if (rpc->pid) {
		if (!wait_for_helper(rpc, deadline)) {
			(void)kill(rpc->pid, SIGKILL);
			(void)waitpid(rpc->pid, NULL, 0);
		}
		(void)take_answers(rpc);
	}
	r = rpc_table_orders(rpc->table, false, &orders, &n);
	if (r == 0 && n > 0)
		r = start_helper(rpc, orders, n);
	if (r < 0)
		log_write_errno(LOG_LEVEL_ERROR, r, "%s cannot be started: %m", rpc->helper);
	if (!rpc->pid)
		return;
	if (wait_for_helper(rpc, deadline))
		(void)take_answers(rpc);
	else
		log_warning(
			"rpcbind does not answer: what is registered there for usherd may stay (rpcinfo -d removes it)");
}

void rpc_free(struct rpc *rpc)
{
	if (!rpc)
		return;
	if (rpc->table && rpc->limit)
		unregister_all(rpc);
	cleanup_close(&rpc->fd);
	stop_watching(rpc);
	if (rpc->work)
		event_free(rpc->work);
	if (rpc->timer)
		event_free(rpc->timer);
	if (rpc->limit)
		event_free(rpc->limit);
	rpc_table_free(rpc->table);
	free(rpc->helper);
	free(rpc);
}

void rpc_announce(struct rpc *rpc, const struct service *service, int fd, struct rpc_door **door)
{
	int r;

	if (!(service->type & SERVICE_RPC))
		return;
	r = rpc_door_open(rpc->table, service, fd, door);
	if (r < 0)
		log_write_errno(LOG_LEVEL_ERROR, r,
				"service %s cannot be registered with rpcbind: %m", service->id);
	event_active(rpc->work, EV_TIMEOUT, 1);
}

void rpc_withdraw(struct rpc *rpc, struct rpc_door **door)
{
	if (!*door)
		return;
	rpc_door_close(TAKE_PTR(*door));
	event_active(rpc->work, EV_TIMEOUT, 1);
}
