/* SPDX-License-Identifier: ISC */
/* The life of usherd-worker, the connections handed to it, and how they ended. */
#include "config.h"

#include "serve/worker_link.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"
#include "base/wire.h"
#include "serve/helper_process.h"
#include "serve/worker_link_private.h"
#include "serve/worker_pair.h"

/* More than its socket's buffer can hold. */
#define MESSAGES_OF_THE_DEAD 4096

static int read_message(struct worker_link *link);
static void on_message(evutil_socket_t fd, short what, void *arg);

static void on_room(evutil_socket_t fd, short what, void *arg)
{
	struct worker_link *link = arg;

	(void)fd;
	(void)what;
	link->blocked = false;
	worker_link_flush(link);
}

/* --- life of the worker --- */

static void hang_up(struct worker_link *link)
{
	if (link->in)
		event_free(link->in);
	if (link->out)
		event_free(link->out);
	if (link->fd >= 0)
		(void)close(link->fd);
	(void)event_del(link->timer);
	link->in = NULL;
	link->out = NULL;
	link->fd = -1;
	link->blocked = false;
}

void worker_link_give_up(struct worker_link *link)
{
	/* It is ours until it is reaped, so the pid is the right one. First of all: it must not have the time to end well. */
	if (link->pid > 0)
		(void)kill(link->pid, SIGKILL);
	hang_up(link);
}

static void arrange_start(struct worker_link *link)
{
	const struct timeval pause = { .tv_sec = link->backoff_sec };

	link->backoff_sec = link->backoff_sec ? link->backoff_sec * 2 : 1;
	if (link->backoff_sec > WORKER_LINK_BACKOFF_MAX)
		link->backoff_sec = WORKER_LINK_BACKOFF_MAX;
	/* Fails for want of memory only; the heap of timers keeps its room, so not after the first time. */
	(void)evtimer_add(link->timer, &pause);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct worker_link *link = arg;

	if (link->pid > 0) {
		on_room(fd, what, arg);
		return;
	}
	pid_t r = worker_link_start(link);

	if (link->ops->restarted)
		link->ops->restarted(link->arg, r);
}

int worker_link_new(struct event_base *base, const char *worker_path,
		    const struct worker_link_ops *ops, void *arg, struct worker_link **ret)
{
	struct worker_link *link = calloc(1, sizeof(*link));

	if (!link)
		return -ENOMEM;
	link->base = base;
	link->ops = ops;
	link->arg = arg;
	link->fd = -1;
	TAILQ_INIT(&link->queue);
	TAILQ_INIT(&link->backlog);
	link->path = strdup(worker_path);
	link->timer = evtimer_new(base, on_timer, link);
	if (!link->path || !link->timer) {
		if (link->timer)
			event_free(link->timer);
		free(link->path);
		free(link);
		return -ENOMEM;
	}
	*ret = link;
	return 0;
}

void worker_link_free(struct worker_link *link)
{
	struct link_session *s;

	if (!link)
		return;
	hang_up(link);
	event_free(link->timer);
	while ((s = TAILQ_FIRST(&link->queue)))
		worker_link_unqueue(link, s);
	while (!TAILQ_EMPTY(&link->backlog))
		worker_backlog_drop(&link->backlog);
	id_table_done(&link->sessions);
	free(link->cancels);
	free(link->scratch);
	free(link->path);
	free(link);
}

static pid_t try_start(struct worker_link *link)
{
	bool has_stderr = fcntl(STDERR_FILENO, F_GETFD) >= 0;
	CLEANUP_CLOSE int ours = -1;
	CLEANUP_CLOSE int theirs = -1;
	pid_t pid;
	int r;

	r = worker_pair_open(&ours, &theirs);
	if (r < 0)
		return r;
	link->in = event_new(link->base, ours, EV_READ | EV_PERSIST, on_message, link);
	link->out = event_new(link->base, ours, EV_WRITE, on_room, link);
	if (!link->in || !link->out || event_add(link->in, NULL) < 0)
		return -ENOMEM;
	pid = helper_process_start(link->path, theirs, has_stderr);
	if (pid > 0)
		link->fd = take_fd(&ours);
	else
		(void)event_del(link->in);
	return pid;
}

pid_t worker_link_start(struct worker_link *link)
{
	pid_t pid;

	if (link->pid > 0)
		return link->pid;
	pid = try_start(link);
	if (pid < 0) {
		hang_up(link);
		arrange_start(link);
		return pid;
	}
	link->pid = pid;
	link->started_usec = now_usec();
	worker_link_flush(link);
	return pid;
}

pid_t worker_link_pid(const struct worker_link *link)
{
	return link->pid;
}

/* Tells of all sessions that the worker had. The calls may have anything done to the link but start a worker. */
static void lose_sessions(struct worker_link *link, int wait_status)
{
	const struct id_entry *entry;
	bool again = true;

	link->n_cancels = 0;
	while (again) {
		size_t at = 0;

		again = false;
		while ((entry = id_table_next(&link->sessions, &at))) {
			const struct link_mark *mark = entry->value;
			uint64_t id = entry->id;

			if (mark->is_queued)
				continue;
			/* Another may have moved to its place, or the whole table elsewhere. */
			(void)id_table_remove(&link->sessions, id);
			at--;
			again = true;
			link->ops->lost(link->arg, id, wait_status);
		}
	}
}

bool worker_link_exited(struct worker_link *link, pid_t pid, int wait_status)
{
	if (pid <= 0 || pid != link->pid)
		return false;
	link->pid = 0;
	/* What it still reported is true. The bound is for a pair that somebody else has got hold of. */
	for (unsigned i = 0; i < MESSAGES_OF_THE_DEAD && read_message(link) > 0; i++)
		continue;
	hang_up(link);
	if (now_usec() - link->started_usec >= WORKER_LINK_STEADY_SEC * USEC_PER_SEC)
		link->backoff_sec = 0;
	arrange_start(link);
	lose_sessions(link, wait_status);
	return true;
}

/* --- outcomes --- */

void worker_link_unqueue(struct worker_link *link, struct link_session *s)
{
	TAILQ_REMOVE(&link->queue, s, entry);
	link->n_queue--;
	cleanup_close(&s->fd);
	cleanup_close(&s->target);
	free(s);
}

void worker_link_tell(struct worker_link *link, const struct wire_done *done)
{
	link->ops->done(link->arg, done->session, done->in_bytes, done->out_bytes,
			done->error < 0 ? EPROTO : done->error);
}

static void take_done(struct worker_link *link, const struct wire_done *done)
{
	const struct link_mark *mark = id_table_find(&link->sessions, done->session);

	if (!mark || mark->is_queued)
		return;
	(void)id_table_remove(&link->sessions, done->session);
	worker_link_tell(link, done);
}

static void take_name(struct worker_link *link, const struct wire_name *name)
{
	const struct link_mark *mark = id_table_find(&link->sessions, name->session);

	if (!mark || mark->is_queued || !mark->may_name)
		return;
	(void)id_table_remove(&link->sessions, name->session);
	link->ops->named(link->arg, name->session, name->in_bytes, name->name);
}

/*
 * Takes one message of the worker, if one is there. It is not trusted: only
 * what ends a session that it has been given has any effect. Returns 1, or 0
 * where there was none or the pair has been given up.
 */
static int read_message(struct worker_link *link)
{
	struct worker_outcomes m;
	int r;

	if (link->fd < 0)
		return 0;
	r = worker_pair_receive(link->fd, &m);
	if (r < 0)
		worker_link_give_up(link);
	if (r <= 0)
		return 0;
	if (m.head.kind == WIRE_NAME) {
		take_name(link, &m.as.name);
		return 1;
	}
	for (uint32_t i = 0; i < m.head.count; i++)
		take_done(link, &m.as.done[i]);
	return 1;
}

/* One message, as there is rarely another; if there is, the loop comes back, with accepts in between. */
static void on_message(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)read_message(arg);
}

size_t worker_link_sessions(const struct worker_link *link)
{
	return id_table_count(&link->sessions);
}

size_t worker_link_waiting(const struct worker_link *link)
{
	return link->n_queue;
}

void *worker_link_scratch(struct worker_link *link, size_t size)
{
	if (!link->scratch)
		link->scratch = calloc(1, size);
	return link->scratch;
}
