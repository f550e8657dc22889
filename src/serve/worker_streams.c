/* SPDX-License-Identifier: ISC */
/* The way of connections to the worker: a queue, messages of many at once, and what ends one before its time. */
#include "config.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>

#include "base/util.h"
#include "base/wire.h"
#include "serve/worker_link.h"
#include "serve/worker_link_private.h"
#include "serve/worker_pair.h"

static_assert((int)WIRE_ECHO == (int)BUILTIN_ECHO && (int)WIRE_DISCARD == (int)BUILTIN_DISCARD &&
		      (int)WIRE_CHARGEN == (int)BUILTIN_CHARGEN &&
		      (int)WIRE_DAYTIME == (int)BUILTIN_DAYTIME &&
		      (int)WIRE_TIME == (int)BUILTIN_TIME &&
		      (int)WIRE_TCPMUX == (int)BUILTIN_TCPMUX,
	      "both sides mean the same services");

/* The pause after the kernel was short of memory or had too many descriptors in flight. */
#define RETRY_USEC 10000

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
		worker_link_give_up(link); /* what is queued waits for the next worker */
	else
		return false;
	return true;
}

/* What is known of a session that the worker has. The table takes nothing const; nobody writes to it. */
static void *mark_of(bool may_name, bool is_cancelled)
{
	static const struct link_mark marks[2][2] = {
		{ { .may_name = false }, { .is_cancelled = true } },
		{ { .may_name = true }, { .may_name = true, .is_cancelled = true } },
	};

	return (void *)(uintptr_t)&marks[may_name][is_cancelled];
}

/* Takes the first @count sessions off the queue, whose message was sent, or never will be: then with its @error. */
static void take_off(struct worker_link *link, uint32_t count, int error)
{
	for (; count > 0; count--) {
		struct link_session *s = TAILQ_FIRST(&link->queue);
		const struct wire_done done = { .session = s->id, .error = error };
		void *mark = mark_of(s->service == WIRE_TCPMUX, false);

		worker_link_unqueue(link, s);
		if (error) {
			(void)id_table_remove(&link->sessions, done.session);
			worker_link_tell(link, &done);
		} else {
			id_table_replace(&link->sessions, done.session, mark);
		}
	}
}

/* Sends one message of queued streams. Returns whether to go on. */
static bool send_streams(struct worker_link *link)
{
	struct wire_stream entries[WIRE_MAX_FDS];
	int fds[WIRE_MAX_FDS];
	struct wire_head head = { .magic = WIRE_MAGIC, .kind = WIRE_STREAM };
	struct iovec iov[] = { { &head, sizeof(head) }, { entries, 0 } };
	const struct link_session *s;
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
	if (r < 0 && try_later(link, r))
		return false;
	/* Where it failed: not to be sent at all, such as a descriptor that is none. */
	take_off(link, head.count, -r);
	return true;
}

static bool send_cancels(struct worker_link *link)
{
	struct wire_cancel entries[WIRE_MAX_ENTRIES];
	struct wire_head head = { .magic = WIRE_MAGIC, .kind = WIRE_CANCEL };
	struct iovec iov[] = { { &head, sizeof(head) }, { entries, 0 } };
	int r;

	while (head.count < link->n_cancels && head.count < WIRE_MAX_ENTRIES) {
		entries[head.count].session = link->cancels[link->n_cancels - 1 - head.count];
		head.count++;
	}
	iov[1].iov_len = head.count * sizeof(entries[0]);
	r = worker_pair_send(link->fd, iov, ARRAY_SIZE(iov), NULL, 0);
	if (r < 0) {
		if (!try_later(link, r))
			worker_link_give_up(link);
		return false;
	}
	link->n_cancels -= head.count;
	return true;
}

/* Sends the oldest datagrams that were kept. Returns whether to go on. */
static bool send_backlog(struct worker_link *link)
{
	int r = worker_backlog_send(&link->backlog, link->fd);

	if (r < 0 && try_later(link, r))
		return false;
	if (r < 0)
		worker_backlog_drop(&link->backlog);
	return true;
}

static bool has_room(const struct worker_link *link)
{
	return link->fd >= 0 && !link->blocked && TAILQ_EMPTY(&link->backlog);
}

bool worker_link_has_room(struct worker_link *link)
{
	link->awaited = !has_room(link);
	return !link->awaited;
}

void worker_link_flush(struct worker_link *link)
{
	bool go_on = true;

	while (go_on && link->fd >= 0 && !link->blocked)
		go_on = !TAILQ_EMPTY(&link->queue)     ? send_streams(link)
			: link->n_cancels > 0          ? send_cancels(link)
			: !TAILQ_EMPTY(&link->backlog) ? send_backlog(link)
						       : false;
	if (!link->awaited || !has_room(link))
		return;
	link->awaited = false;
	if (link->ops->room)
		link->ops->room(link->arg);
}

/* Takes over @fd, and @target, which is -1 where there is none. */
static int enqueue(struct worker_link *link, uint64_t session, uint32_t service, uint32_t idle_sec,
		   int fd, int target)
{
	CLEANUP_CLOSE int owned = fd;
	CLEANUP_CLOSE int owned_target = target;
	CLEANUP_FREE struct link_session *s = NULL;
	int r;

	if (link->n_queue >= WORKER_LINK_QUEUE)
		return -EAGAIN;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->mark.is_queued = true;
	s->id = session;
	s->service = service;
	s->idle_sec = idle_sec;
	r = id_table_add(&link->sessions, session, s);
	if (r < 0)
		return r;
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

int worker_link_text(struct worker_link *link, uint64_t session, uint32_t idle_sec, int client,
		     int text)
{
	return enqueue(link, session, WIRE_TEXT, idle_sec, client, text);
}

int worker_link_dgrams(struct worker_link *link, uint64_t session, uint32_t idle_sec, int socket,
		       int target)
{
	return enqueue(link, session, WIRE_DGRAM_RELAY, idle_sec, socket, target);
}

void worker_link_cancel(struct worker_link *link, uint64_t session)
{
	const struct wire_done cancelled = { .session = session, .error = ECANCELED };
	struct link_mark *mark = id_table_find(&link->sessions, session);

	if (!mark || mark->is_cancelled)
		return;
	if (mark->is_queued) {
		(void)id_table_remove(&link->sessions, session);
		worker_link_unqueue(link, (void *)mark);
		worker_link_tell(link, &cancelled);
		return;
	}
	if (array_grow(&link->cancels, link->n_cancels, sizeof(*link->cancels)) < 0) {
		/* It has to end; so all of them do. */
		worker_link_give_up(link);
		return;
	}
	id_table_replace(&link->sessions, session, mark_of(mark->may_name, true));
	link->cancels[link->n_cancels++] = session;
	worker_link_flush(link);
}

bool worker_link_serves(enum builtin builtin)
{
	return builtin >= BUILTIN_ECHO && builtin <= BUILTIN_TCPMUX;
}

int worker_link_send(struct worker_link *link, struct iovec *iov, size_t n_iov, int fd)
{
	int r;

	/* Streams go first: a datagram may be for one of them. */
	worker_link_flush(link);
	if (has_room(link)) {
		r = worker_pair_send(link->fd, iov, n_iov, &fd, 1);
		if (r == 0 || !try_later(link, r))
			return r;
	}
	return worker_backlog_add(&link->backlog, iov, n_iov, fd);
}
