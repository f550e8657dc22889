/* SPDX-License-Identifier: ISC */
/* The life of usherd-worker, the connections handed to it, and how they ended. */
#include "config.h"

#include "serve/worker_link.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

/* One connection's lack of memory is not the daemon's end. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "base/util.h"
#include "base/wire.h"
#include "serve/worker_link_private.h"
#include "serve/worker_pair.h"
#include "serve/worker_process.h"

static_assert((int)WIRE_ECHO == (int)BUILTIN_ECHO && (int)WIRE_DISCARD == (int)BUILTIN_DISCARD &&
		      (int)WIRE_CHARGEN == (int)BUILTIN_CHARGEN &&
		      (int)WIRE_DAYTIME == (int)BUILTIN_DAYTIME &&
		      (int)WIRE_TIME == (int)BUILTIN_TIME,
	      "both sides mean the same services");

/* Messages read at one wake-up, so that a worker with much to say does not hold up accepts. */
#define MESSAGES_AT_ONCE 16

/* More than its socket's buffer can hold. */
#define MESSAGES_OF_THE_DEAD 4096

/* The pause after the kernel was short of memory or had too many descriptors in flight. */
#define RETRY_USEC 10000

enum state {
	STATE_QUEUED,    /* in the list queue; fd and target are open */
	STATE_AT_WORKER, /* in no list, they are closed, as they are from now on */
	STATE_TO_CANCEL, /* in the list cancels */
	STATE_CANCELLED, /* in no list; the worker knows */
};

struct link_session {
	uint64_t id;
	int fd;
	int target; /* WIRE_RELAY; else -1 */
	uint32_t service;
	uint32_t idle_sec;
	enum state state;
	TAILQ_ENTRY(link_session) entry;
	UT_hash_handle hh;
};

TAILQ_HEAD(link_sessions, link_session);

struct worker_link {
	struct event_base *base;
	char *path;
	const struct worker_link_ops *ops;
	void *arg;

	pid_t pid; /* 0 while none runs */
	int fd;    /* our end of the pair, -1 while there is none or the other has been closed */
	struct event *in;
	struct event *out;
	struct event *timer; /* to restart, or to send again after a shortage */
	bool blocked;        /* out or timer will call worker_link_flush() */
	uint64_t started_usec;
	unsigned backoff_sec; /* before the next restart */

	struct link_session *sessions;
	struct link_sessions queue;
	struct link_sessions cancels;
	size_t n_queue;
	void *scratch; /* of worker_link_scratch() */
};

static void close_session(struct link_session *s)
{
	cleanup_close(&s->fd);
	cleanup_close(&s->target);
	s->fd = -1;
	s->target = -1;
}

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

/*
 * The other end is closed, or what comes from it makes no sense. The process
 * may still be there; it is ours until it is reaped, so the pid is the right one.
 */
static void give_up(struct worker_link *link)
{
	hang_up(link);
	if (link->pid > 0)
		(void)kill(link->pid, SIGKILL);
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
	TAILQ_INIT(&link->cancels);
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
	struct link_session *s, *next;

	if (!link)
		return;
	hang_up(link);
	event_free(link->timer);
	HASH_ITER(hh, link->sessions, s, next)
	{
		HASH_DEL(link->sessions, s);
		close_session(s);
		free(s);
	}
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
	pid = worker_process_start(link->path, theirs, has_stderr);
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

bool worker_link_exited(struct worker_link *link, pid_t pid, int wait_status)
{
	struct link_sessions lost = TAILQ_HEAD_INITIALIZER(lost);
	struct link_session *s, *next;

	if (pid <= 0 || pid != link->pid)
		return false;
	link->pid = 0;
	/* What it still reported is true. The bound is for a pair that somebody else has got hold of. */
	for (unsigned i = 0; i < MESSAGES_OF_THE_DEAD && read_message(link) > 0; i++)
		continue;
	hang_up(link);

	/* The calls below may change the table, so it is put in order before the first. */
	HASH_ITER(hh, link->sessions, s, next)
	{
		if (s->state == STATE_QUEUED)
			continue;
		HASH_DEL(link->sessions, s);
		if (s->state == STATE_TO_CANCEL)
			TAILQ_REMOVE(&link->cancels, s, entry);
		TAILQ_INSERT_TAIL(&lost, s, entry);
	}
	if (now_usec() - link->started_usec >= WORKER_LINK_STEADY_SEC * USEC_PER_SEC)
		link->backoff_sec = 0;
	arrange_start(link);

	while ((s = TAILQ_FIRST(&lost))) {
		uint64_t id = s->id;

		TAILQ_REMOVE(&lost, s, entry);
		free(s);
		link->ops->lost(link->arg, id, wait_status);
	}
	return true;
}

/* --- outcomes --- */

static struct link_session *find_session(struct worker_link *link, uint64_t id)
{
	struct link_session *s;

	HASH_FIND(hh, link->sessions, &id, sizeof(id), s);
	return s;
}

/* Forgets the session, where it is still known, and tells the owner. */
static void conclude(struct worker_link *link, const struct wire_done *done)
{
	struct link_session *s = find_session(link, done->session);

	if (!s)
		return;
	if (s->state == STATE_QUEUED) {
		TAILQ_REMOVE(&link->queue, s, entry);
		link->n_queue--;
		close_session(s);
	} else if (s->state == STATE_TO_CANCEL) {
		TAILQ_REMOVE(&link->cancels, s, entry);
	}
	HASH_DEL(link->sessions, s);
	free(s);
	link->ops->done(link->arg, done->session, done->in_bytes, done->out_bytes,
			done->error < 0 ? EPROTO : done->error);
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
		give_up(link);
	if (r <= 0)
		return 0;
	for (uint32_t i = 0; i < m.head.count; i++) {
		const struct link_session *s = find_session(link, m.done[i].session);

		if (s && s->state != STATE_QUEUED)
			conclude(link, &m.done[i]);
	}
	return 1;
}

static void on_message(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	for (unsigned i = 0; i < MESSAGES_AT_ONCE && read_message(arg) > 0; i++)
		continue;
}

/* --- streams --- */

static bool is_broken(int r)
{
	return r == -EPIPE || r == -ECONNRESET || r == -ENOTCONN;
}

/* Has worker_link_flush() called again when what made a message fail may be over. Returns false where that will not help. */
static bool try_later(struct worker_link *link, int r)
{
	const struct timeval pause = { .tv_usec = RETRY_USEC };

	if (r == -EAGAIN)
		link->blocked = event_add(link->out, NULL) == 0;
	else if (r == -ETOOMANYREFS || r == -ENOBUFS || r == -ENOMEM)
		link->blocked = evtimer_add(link->timer, &pause) == 0;
	else if (is_broken(r))
		give_up(link); /* what is queued waits for the next worker */
	else
		return false;
	return true;
}

/* Sends one message of queued streams. Returns whether to go on. */
static bool send_streams(struct worker_link *link)
{
	struct wire_stream entries[WIRE_MAX_FDS];
	int fds[WIRE_MAX_FDS];
	struct wire_head head = { .magic = WIRE_MAGIC, .kind = WIRE_STREAM };
	struct iovec iov[] = { { &head, sizeof(head) }, { entries, 0 } };
	struct link_session *s;
	unsigned n_fds = 0;
	int r;

	TAILQ_FOREACH(s, &link->queue, entry) {
		if (n_fds + WIRE_FDS(s->service) > WIRE_MAX_FDS)
			break;
		entries[head.count++] = (struct wire_stream){ .session = s->id,
							      .service = s->service,
							      .idle_sec = s->idle_sec };
		fds[n_fds++] = s->fd;
		if (s->target >= 0)
			fds[n_fds++] = s->target;
	}
	iov[1].iov_len = head.count * sizeof(entries[0]);
	r = worker_pair_send(link->fd, iov, ARRAY_SIZE(iov), fds, n_fds);
	if (r == 0) {
		for (uint32_t i = 0; i < head.count; i++) {
			s = TAILQ_FIRST(&link->queue);
			TAILQ_REMOVE(&link->queue, s, entry);
			link->n_queue--;
			close_session(s);
			s->state = STATE_AT_WORKER;
		}
		return true;
	}
	if (try_later(link, r))
		return false;
	/* Not to be sent at all, such as a descriptor that is none. */
	for (uint32_t i = 0; i < head.count; i++)
		conclude(link, &(struct wire_done){ .session = entries[i].session, .error = -r });
	return true;
}

static bool send_cancels(struct worker_link *link)
{
	struct wire_cancel entries[WIRE_MAX_ENTRIES];
	struct wire_head head = { .magic = WIRE_MAGIC, .kind = WIRE_CANCEL };
	struct iovec iov[] = { { &head, sizeof(head) }, { entries, 0 } };
	struct link_session *s;
	int r;

	TAILQ_FOREACH(s, &link->cancels, entry) {
		entries[head.count].session = s->id;
		if (++head.count == WIRE_MAX_ENTRIES)
			break;
	}
	iov[1].iov_len = head.count * sizeof(entries[0]);
	r = worker_pair_send(link->fd, iov, ARRAY_SIZE(iov), NULL, 0);
	if (r < 0) {
		if (!try_later(link, r))
			give_up(link);
		return false;
	}
	for (uint32_t i = 0; i < head.count; i++) {
		s = TAILQ_FIRST(&link->cancels);
		TAILQ_REMOVE(&link->cancels, s, entry);
		s->state = STATE_CANCELLED;
	}
	return true;
}

void worker_link_flush(struct worker_link *link)
{
	while (link->fd >= 0 && !link->blocked) {
		bool go_on = !TAILQ_EMPTY(&link->queue)     ? send_streams(link)
			     : !TAILQ_EMPTY(&link->cancels) ? send_cancels(link)
							    : false;

		if (!go_on)
			return;
	}
}

/* Takes over @fd, and @target, which is -1 where there is none. */
static int enqueue(struct worker_link *link, uint64_t session, uint32_t service, uint32_t idle_sec,
		   int fd, int target)
{
	CLEANUP_CLOSE int owned = fd;
	CLEANUP_CLOSE int owned_target = target;
	CLEANUP_FREE struct link_session *s = NULL;

	if (link->n_queue >= WORKER_LINK_QUEUE)
		return -EAGAIN;
	if (find_session(link, session))
		return -EEXIST;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->id = session;
	s->service = service;
	s->idle_sec = idle_sec;
	HASH_ADD(hh, link->sessions, id, sizeof(s->id), s);
	if (!s->hh.tbl)
		return -ENOMEM;
	s->fd = take_fd(&owned);
	s->target = take_fd(&owned_target);
	TAILQ_INSERT_TAIL(&link->queue, s, entry);
	TAKE_PTR(s);
	if (++link->n_queue >= WIRE_MAX_FDS)
		worker_link_flush(link);
	return 0;
}

int worker_link_stream(struct worker_link *link, uint64_t session, enum builtin builtin,
		       uint32_t idle_sec, int fd)
{
	CLEANUP_CLOSE int owned = fd;

	if (!worker_link_serves(builtin))
		return -EPROTONOSUPPORT;
	return enqueue(link, session, (uint32_t)builtin, idle_sec, take_fd(&owned), -1);
}

int worker_link_relay(struct worker_link *link, uint64_t session, uint32_t idle_sec, int client,
		      int target)
{
	return enqueue(link, session, WIRE_RELAY, idle_sec, client, target);
}

void worker_link_cancel(struct worker_link *link, uint64_t session)
{
	struct link_session *s = find_session(link, session);

	if (!s)
		return;
	if (s->state == STATE_QUEUED) {
		conclude(link, &(struct wire_done){ .session = session, .error = ECANCELED });
	} else if (s->state == STATE_AT_WORKER) {
		s->state = STATE_TO_CANCEL;
		TAILQ_INSERT_TAIL(&link->cancels, s, entry);
		worker_link_flush(link);
	}
}

size_t worker_link_sessions(const struct worker_link *link)
{
	return HASH_COUNT(link->sessions);
}

/* --- for worker_dgrams.c --- */

bool worker_link_serves(enum builtin builtin)
{
	return builtin >= BUILTIN_ECHO && builtin <= BUILTIN_TIME;
}

void *worker_link_scratch(struct worker_link *link, size_t size)
{
	if (!link->scratch)
		link->scratch = calloc(1, size);
	return link->scratch;
}

int worker_link_send(struct worker_link *link, struct iovec *iov, size_t n_iov, int fd)
{
	int r;

	if (link->fd < 0 || link->blocked)
		return -EAGAIN;
	r = worker_pair_send(link->fd, iov, n_iov, &fd, 1);
	if (is_broken(r)) {
		give_up(link);
		return -EAGAIN;
	}
	return r;
}
