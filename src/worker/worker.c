/* SPDX-License-Identifier: ISC */
/* usherd-worker: everything inside usherd that reads or writes bytes of clients. */
#include "config.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sysexits.h>
#include <unistd.h>
#include <uthash.h>

#include "base/util.h"
#include "base/wire.h"
#include "worker/builtin.h"
#include "worker/confine.h"
#include "worker/dgram_relay.h"
#include "worker/dgrams.h"
#include "worker/mux_name.h"
#include "worker/pair.h"
#include "worker/relay.h"

/* Our end of the pair. */
#define PAIR_FD 0

/* Messages taken at one wake-up, so that new work does not hold up the work there is. */
#define MESSAGES_AT_ONCE 8

/* How long, and how often, input is still read after our side has ended. */
#define LINGER_SEC   2
#define LINGER_READS 8

/* Ends a session that is quiet for too long. */
struct idle {
	struct event timer;
	uint64_t limit_usec;
	uint64_t since_usec; /* when the last byte passed */
	uint64_t bytes;      /* that had passed then */
};

struct session {
	struct stream stream;
	uint64_t id;
	const struct builtin *builtin; /* NULL: a relay of one or the other kind */
	struct relay *relay;
	struct dgram_relay *dgrams;
	struct idle *idle; /* NULL: no limit */
	struct worker *worker;
	struct event event;
	unsigned wants;   /* what event waits for; 0 while it is not added */
	unsigned lingers; /* reads left when only the client's end is awaited; else 0 */
	bool named;       /* it ends with a name, for usherd to go on */
	int error;
	struct session *next; /* in the list of those that have ended */
	UT_hash_handle hh;
};

struct worker {
	struct event_base *base;
	struct event pair_in;
	struct event pair_out;
	struct session *sessions; /* those that run, by id */
	struct session *ended;    /* those to be reported, oldest first */
	struct session **ended_tail;
	struct relay_pool *relays;
	struct shared shared;
	_Alignas(8) char message[WIRE_MAX_MESSAGE];
};

static const struct builtin *builtin_of(uint32_t service)
{
	static const struct builtin *const builtins[] = {
		[WIRE_ECHO] = &echo_builtin,       [WIRE_DISCARD] = &discard_builtin,
		[WIRE_CHARGEN] = &chargen_builtin, [WIRE_DAYTIME] = &daytime_builtin,
		[WIRE_TIME] = &time_builtin,       [WIRE_TCPMUX] = &tcpmux_builtin,
	};

	if (service == WIRE_TEXT)
		return &text_builtin;
	return service < ARRAY_SIZE(builtins) ? builtins[service] : NULL;
}

/* --- sessions --- */

/* Closes the connection and puts the session, which is in no table any more, on the list to be reported. */
static void conclude(struct session *s, int error)
{
	if (s->wants)
		(void)event_del(&s->event);
	if (s->idle)
		(void)event_del(&s->idle->timer);
	relay_free(TAKE_PTR(s->relay));
	dgram_relay_free(TAKE_PTR(s->dgrams));
	free(TAKE_PTR(s->idle));
	if (s->stream.fd >= 0)
		(void)close(s->stream.fd);
	cleanup_close(&s->stream.text);
	s->wants = 0;
	s->stream.fd = -1;
	s->stream.text = -1;
	s->error = error;
	*s->worker->ended_tail = s;
	s->worker->ended_tail = &s->next;
}

static void end_session(struct session *s, int error)
{
	HASH_DEL(s->worker->sessions, s);
	conclude(s, error);
}

static void note_activity(struct session *s)
{
	uint64_t bytes = s->stream.in_bytes + s->stream.out_bytes;

	if (!s->idle || s->idle->bytes == bytes)
		return;
	s->idle->bytes = bytes;
	s->idle->since_usec = now_usec();
}

static int add_timer(struct idle *idle, uint64_t usec)
{
	const struct timeval pause = { .tv_sec = (time_t)(usec / USEC_PER_SEC),
				       .tv_usec = (suseconds_t)(usec % USEC_PER_SEC) };

	return event_add(&idle->timer, &pause);
}

/* The timer is not set back with every byte; it finds out how much is left when it has run. */
static void on_idle(evutil_socket_t fd, short what, void *arg)
{
	struct session *s = arg;
	uint64_t quiet = now_usec() - s->idle->since_usec;

	(void)fd;
	(void)what;
	if (quiet >= s->idle->limit_usec ||
	    add_timer(s->idle, s->idle->limit_usec - quiet + USEC_PER_MSEC) < 0)
		end_session(s, ETIMEDOUT);
}

static int watch_idle(struct session *s, uint32_t seconds)
{
	if (!seconds)
		return 0;
	s->idle = calloc(1, sizeof(*s->idle));
	if (!s->idle)
		return -ENOMEM;
	s->idle->limit_usec = seconds * USEC_PER_SEC;
	s->idle->since_usec = now_usec();
	if (event_assign(&s->idle->timer, s->worker->base, -1, 0, on_idle, s) == 0 &&
	    add_timer(s->idle, s->idle->limit_usec) == 0)
		return 0;
	free(TAKE_PTR(s->idle));
	return -ENOMEM;
}

static void on_stream(evutil_socket_t fd, short what, void *arg);

/* Waits for @wants from now on, or ends the session where that is 0 or an error. */
static void await(struct session *s, int wants)
{
	const struct timeval limit = { .tv_sec = LINGER_SEC };
	short events = EV_PERSIST;

	if (wants <= 0) {
		end_session(s, -wants);
		return;
	}
	if (wants == WANT_HAND_BACK) {
		s->named = true;
		end_session(s, 0);
		return;
	}
	if (wants == WANT_CLOSE) {
		/*
		 * Closing a socket that has unread input, or gets some later,
		 * sends RST, which may destroy what the client has not read yet.
		 */
		if (shutdown(s->stream.fd, SHUT_WR) < 0) {
			end_session(s, errno);
			return;
		}
		s->lingers = LINGER_READS;
		wants = WANT_READ;
	}
	if ((unsigned)wants == s->wants)
		return;
	if (s->wants)
		(void)event_del(&s->event);
	s->wants = 0;
	if (wants & WANT_READ)
		events |= EV_READ;
	if (wants & WANT_WRITE)
		events |= EV_WRITE;
	if (event_assign(&s->event, s->worker->base, s->stream.fd, events, on_stream, s) < 0 ||
	    event_add(&s->event, s->lingers ? &limit : NULL) < 0) {
		end_session(s, EBADF);
		return;
	}
	s->wants = (unsigned)wants;
}

static void on_stream(evutil_socket_t fd, short what, void *arg)
{
	struct session *s = arg;
	struct shared *shared = &s->worker->shared;
	unsigned ready = (what & EV_READ ? WANT_READ : 0u) | (what & EV_WRITE ? WANT_WRITE : 0u);

	(void)fd;
	if (!s->lingers) {
		int wants = s->builtin->stream(&s->stream, shared, ready);

		note_activity(s);
		await(s, wants);
		return;
	}
	/* All was said; whatever comes now, an error included, is no fault of the session. */
	if (!ready || discard_input(&s->stream, shared) < 0 || s->stream.eof || --s->lingers == 0)
		end_session(s, 0);
}

static void on_relay(void *arg, int result)
{
	struct session *s = arg;

	note_activity(s);
	if (result <= 0)
		end_session(s, -result);
}

/* Begins with the work of a session whose descriptor is there. Takes over @target. Returns 0 or -errno. */
static int begin(struct session *s, const struct wire_stream *entry, int target)
{
	CLEANUP_CLOSE int owned = target;
	struct worker *w = s->worker;
	int r;

	if (s->stream.fd < 0 || (WIRE_FDS(entry->service) > 1 && target < 0))
		return -EMFILE;
	if (entry->service == WIRE_TCPMUX && !(s->stream.name = calloc(1, sizeof(struct mux_name))))
		return -ENOMEM;
	r = watch_idle(s, entry->idle_sec);
	if (r < 0)
		return r;
	switch (entry->service) {
	case WIRE_RELAY:
		return relay_new(w->relays, &s->stream, take_fd(&owned), on_relay, s, &s->relay);
	case WIRE_DGRAM_RELAY:
		return dgram_relay_new(w->base, &w->shared, &s->stream, take_fd(&owned), on_relay,
				       s, &s->dgrams);
	case WIRE_TEXT:
		s->stream.text = take_fd(&owned);
		break;
	default:
		break;
	}
	return s->builtin ? 0 : -EPROTONOSUPPORT;
}

/* Takes over @fd and @target, which are -1 where none came. */
static void start_session(struct worker *w, const struct wire_stream *entry, int fd, int target)
{
	CLEANUP_CLOSE int owned = target;
	struct session *s;
	int r;

	HASH_FIND(hh, w->sessions, &entry->session, sizeof(entry->session), s);
	if (s) {
		/* Not one of usherd's: its ids are unique. */
		if (fd >= 0)
			(void)close(fd);
		return;
	}
	s = calloc(1, sizeof(*s));
	if (!s) {
		/* Then usherd ends all sessions properly; going on would lose this one. */
		(void)fputs("usherd-worker: out of memory\n", stderr);
		_exit(EX_OSERR);
	}
	s->stream.fd = fd;
	s->stream.text = -1;
	s->id = entry->session;
	s->worker = w;
	s->builtin = builtin_of(entry->service);
	r = begin(s, entry, take_fd(&owned));
	if (r < 0) {
		conclude(s, -r);
		return;
	}
	HASH_ADD(hh, w->sessions, id, sizeof(s->id), s);
	if (s->builtin)
		await(s, s->builtin->speaks_first ? s->builtin->stream(&s->stream, &w->shared, 0)
						  : WANT_READ);
}

/* Starts the sessions of a WIRE_STREAM, as far as it has descriptors for them. */
static void start_sessions(struct worker *w, const struct wire_stream *entries, uint32_t count,
			   int fds[static WIRE_MAX_FDS])
{
	size_t at = 0;

	for (uint32_t i = 0; i < count; i++) {
		size_t n = WIRE_FDS(entries[i].service);
		bool fits = at + n <= WIRE_MAX_FDS;
		int fd = fits ? take_fd(&fds[at]) : -1;
		int target = fits && n > 1 ? take_fd(&fds[at + 1]) : -1;

		at += n;
		start_session(w, &entries[i], fd, target);
	}
}

/* Gives datagrams to the relays of their clients; those of sessions that have ended are dropped. */
static void pass_dgrams(struct worker *w, uint32_t count, char *entries, size_t size)
{
	for (uint32_t i = 0; i < count && i < WIRE_MAX_DGRAMS; i++) {
		const struct wire_dgram *d = dgrams_next(&entries, &size);
		struct session *s;
		int r;

		if (!d)
			return;
		HASH_FIND(hh, w->sessions, &d->session, sizeof(d->session), s);
		if (!s || !s->dgrams)
			continue;
		r = dgram_relay_pass(s->dgrams, d);
		note_activity(s);
		if (r < 0)
			end_session(s, -r);
	}
}

static void cancel_session(struct worker *w, uint64_t id)
{
	struct session *s;

	HASH_FIND(hh, w->sessions, &id, sizeof(id), s);
	if (s)
		end_session(s, ECANCELED);
}

struct report {
	struct wire_head head;
	union {
		struct wire_done done[WIRE_MAX_ENTRIES];
		struct wire_name name;
	} as;
};

/* Lays out one message about the session @s and, as far as they can go with it, those behind it. Returns its size. */
static size_t lay_out(const struct session *s, struct report *m)
{
	uint32_t n = 0;

	if (s->named) {
		m->head = (struct wire_head){ .magic = WIRE_MAGIC, .kind = WIRE_NAME, .count = 1 };
		m->as.name = (struct wire_name){
			.session = s->id,
			.in_bytes = s->stream.in_bytes,
			.length = (uint32_t)s->stream.name->length,
		};
		memcpy(m->as.name.name, s->stream.name->bytes, s->stream.name->length);
		return sizeof(m->head) + sizeof(m->as.name);
	}
	for (; s && !s->named && n < WIRE_MAX_ENTRIES; s = s->next) {
		m->as.done[n++] = (struct wire_done){
			.session = s->id,
			.in_bytes = s->stream.in_bytes,
			.out_bytes = s->stream.out_bytes,
			.error = s->error,
		};
	}
	m->head = (struct wire_head){ .magic = WIRE_MAGIC, .kind = WIRE_DONE, .count = n };
	return sizeof(m->head) + n * sizeof(m->as.done[0]);
}

/* Reports the sessions that have ended, as far as the pair takes it now. */
static void report(struct worker *w)
{
	struct report m;

	while (w->ended) {
		size_t size = lay_out(w->ended, &m);
		ssize_t sent = send(PAIR_FD, &m, size, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (sent < 0) {
			if (errno == EPIPE || errno == ECONNRESET)
				_exit(EX_OK); /* usherd is gone */
			if (event_add(&w->pair_out, NULL) < 0)
				_exit(EX_OSERR);
			return;
		}
		for (uint32_t n = m.head.count; n > 0; n--) {
			struct session *s = w->ended;

			w->ended = s->next;
			free(s->stream.name);
			free(s);
		}
		if (!w->ended)
			w->ended_tail = &w->ended;
	}
}

/* --- the pair --- */

/* Does what the message of @size bytes says; sets those of @fds to -1 that it keeps. */
static void handle_message(struct worker *w, size_t size, int fds[static WIRE_MAX_FDS])
{
	const struct wire_head *head = (const void *)w->message;
	size_t left = size < sizeof(*head) ? 0 : size - sizeof(*head);
	const struct wire_stream *streams = (const void *)(head + 1);
	const struct wire_cancel *cancels = (const void *)(head + 1);

	if (size < sizeof(*head) || head->magic != WIRE_MAGIC)
		return;
	switch ((enum wire_kind)head->kind) {
	case WIRE_STREAM:
		if (head->count > WIRE_MAX_FDS || left != head->count * sizeof(*streams))
			return;
		start_sessions(w, streams, head->count, fds);
		return;
	case WIRE_DGRAM:
		if (head->service == WIRE_DGRAM_RELAY)
			pass_dgrams(w, head->count, w->message + sizeof(*head), left);
		else if (fds[0] >= 0 && builtin_of(head->service) &&
			 builtin_of(head->service)->dgram)
			dgrams_answer(builtin_of(head->service), &w->shared, head->count,
				      w->message + sizeof(*head), left, fds[0]);
		return;
	case WIRE_CANCEL:
		if (head->count > WIRE_MAX_ENTRIES || left != head->count * sizeof(*cancels))
			return;
		for (uint32_t i = 0; i < head->count; i++)
			cancel_session(w, cancels[i].session);
		return;
	case WIRE_DONE:
	case WIRE_NAME:
		return;
	}
}

static void on_pair(evutil_socket_t fd, short what, void *arg)
{
	struct worker *w = arg;

	(void)fd;
	(void)what;
	for (unsigned i = 0; i < MESSAGES_AT_ONCE; i++) {
		int fds[WIRE_MAX_FDS];
		ssize_t size = pair_receive(PAIR_FD, w->message, sizeof(w->message), fds);

		if (size < 0)
			return;
		if (size == 0)
			_exit(EX_OK); /* usherd has ended, and with it the internal services */
		handle_message(w, (size_t)size, fds);
		for (unsigned n = 0; n < WIRE_MAX_FDS; n++)
			cleanup_close(&fds[n]);
	}
}

/* The pair has room again; what is to be reported goes out at the end of each turn of the loop. */
static void on_room(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
}

static void ignore_log(int severity, const char *text)
{
	(void)severity;
	(void)text;
}

static struct worker *worker_new(void)
{
	struct worker *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->ended_tail = &w->ended;
	chargen_prepare(&w->shared);
	/* A descriptor that cannot be watched ends its session; libevent need not tell stderr. */
	event_set_log_callback(ignore_log);
	w->base = event_base_new();
	if (!w->base ||
	    event_assign(&w->pair_in, w->base, PAIR_FD, EV_READ | EV_PERSIST, on_pair, w) < 0 ||
	    event_assign(&w->pair_out, w->base, PAIR_FD, EV_WRITE, on_room, w) < 0 ||
	    event_add(&w->pair_in, NULL) < 0 ||
	    !(w->relays = relay_pool_new(w->base, &w->shared))) {
		if (w->base)
			event_base_free(w->base);
		free(w);
		return NULL;
	}
	return w;
}

int main(int argc, char **argv)
{
	struct worker *w;

	(void)argv;
	if (argc != 1 || !pair_is(PAIR_FD)) {
		(void)fputs(
			"usherd-worker serves the internal services of usherd, which starts it by "
			"itself; it takes no arguments and is of no use by hand.\n",
			stderr);
		return EX_USAGE;
	}
	/* splice(2) has no MSG_NOSIGNAL. */
	(void)signal(SIGPIPE, SIG_IGN);
	/* Kernels before 5.9 lack it; usherd marks its descriptors close-on-exec anyway. */
	(void)syscall(SYS_close_range, 3, ~0u, 0);
	if (confine_enter() < 0)
		return EX_OSERR;
	w = worker_new();
	if (!w) {
		(void)fputs("usherd-worker: cannot make an event loop\n", stderr);
		return EX_OSERR;
	}
	if (confine_filter() < 0)
		return EX_OSERR;
	while (event_base_loop(w->base, EVLOOP_ONCE) == 0)
		report(w);
	return EX_SOFTWARE;
}
