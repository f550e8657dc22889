/* SPDX-License-Identifier: ISC */
/* The connections that the worker serves, from the message that brings them to the one that tells of their end. */
#include "config.h"

#include "worker/sessions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/id_table.h"
#include "base/util.h"
#include "worker/builtin.h"
#include "worker/dgram_relay.h"
#include "worker/loop.h"
#include "worker/mux_name.h"
#include "worker/relay.h"

/* How long, and how often, input is still read after our side has ended. */
#define LINGER_SEC   2
#define LINGER_READS 8

/* Ends a session that is quiet, or lingers, for too long. */
struct limit {
	struct alarm alarm;
	struct session *session;
	uint64_t quiet_usec; /* how long it may be */
	uint64_t since_usec; /* when the last byte passed */
	uint64_t bytes;      /* that had passed then */
};

struct session {
	struct watch watch;
	struct stream stream;
	uint64_t id;
	struct sessions *all;
	union {
		struct limit *limit;  /* while it runs; NULL: none */
		struct session *next; /* in the list of those that have ended */
	} as;
	int error;
	uint16_t service; /* enum wire_service */
	uint8_t lingers;  /* reads left when only the client's end is awaited; else 0 */
	bool named;       /* it ends with a name, for usherd to go on */
};

struct sessions {
	struct loop *loop;
	struct shared *shared;
	struct id_table running;
	struct session *ended; /* oldest first */
	struct session **ended_tail;
	size_t n_ended;
	bool named; /* one of them waits for usherd to go on with it */
};

struct sessions *sessions_new(struct loop *loop, struct shared *shared)
{
	struct sessions *all = calloc(1, sizeof(*all));

	if (!all)
		return NULL;
	all->loop = loop;
	all->shared = shared;
	all->ended_tail = &all->ended;
	return all;
}

/* --- the end --- */

static void drop_limit(struct session *s)
{
	if (!s->as.limit)
		return;
	loop_unset(s->all->loop, &s->as.limit->alarm);
	free(TAKE_PTR(s->as.limit));
}

/* Closes the connection and puts the session, which is in no table any more, on the list to be reported. */
static void conclude(struct session *s, int error)
{
	struct sessions *all = s->all;

	const struct builtin *builtin = builtin_find(s->service);

	(void)loop_watch(all->loop, &s->watch, 0);
	drop_limit(s);
	if (builtin && builtin->end)
		builtin->end(&s->stream, all->shared);
	if (s->service == WIRE_RELAY)
		relay_free(TAKE_PTR(s->stream.own.relay));
	else if (s->service == WIRE_DGRAM_RELAY)
		dgram_relay_free(TAKE_PTR(s->stream.own.dgrams));
	cleanup_close(&s->stream.fd);
	cleanup_close(&s->stream.text);
	s->error = error;
	s->as.next = NULL;
	*all->ended_tail = s;
	all->ended_tail = &s->as.next;
	all->n_ended++;
}

static void end_session(struct session *s, int error)
{
	(void)id_table_remove(&s->all->running, s->id);
	conclude(s, error);
}

/* --- limits of time --- */

static void note_activity(struct session *s)
{
	uint64_t bytes = s->stream.in_bytes + s->stream.out_bytes;

	if (!s->as.limit || s->as.limit->bytes == bytes)
		return;
	s->as.limit->bytes = bytes;
	s->as.limit->since_usec = now_usec();
}

/* The alarm is not set back with every byte; it finds out how much is left when it rings. */
static void on_quiet(struct alarm *alarm)
{
	struct limit *limit = (struct limit *)alarm; /* its first member */
	struct session *s = limit->session;
	uint64_t now = now_usec(), due = limit->since_usec + limit->quiet_usec;

	if (now >= due || loop_set(s->all->loop, alarm, due) < 0)
		end_session(s, s->lingers ? 0 : ETIMEDOUT);
}

/* Ends the session when it has been quiet for so long from now on; 0 stands for never. */
static int set_limit(struct session *s, uint32_t seconds)
{
	if (!seconds)
		return 0;
	if (!s->as.limit)
		s->as.limit = calloc(1, sizeof(*s->as.limit));
	if (!s->as.limit)
		return -ENOMEM;
	s->as.limit->alarm.fn = on_quiet;
	s->as.limit->session = s;
	s->as.limit->quiet_usec = seconds * USEC_PER_SEC;
	s->as.limit->since_usec = now_usec();
	return loop_set(s->all->loop, &s->as.limit->alarm,
			s->as.limit->since_usec + s->as.limit->quiet_usec);
}

/* --- streams --- */

/*
 * All is said. Closing a socket that has unread input, or gets some later,
 * sends RST, which may destroy what the client has not read yet: so its end is awaited.
 */
static int begin_to_linger(struct session *s)
{
	int r;

	if (shutdown(s->stream.fd, SHUT_WR) < 0)
		return -errno;
	s->lingers = LINGER_READS;
	r = set_limit(s, LINGER_SEC);
	return r < 0 ? r : WANT_READ;
}

/* Waits for @wants from now on, or ends the session where that is 0 or an error. */
static void await(struct session *s, int wants)
{
	if (wants == WANT_CLOSE)
		wants = begin_to_linger(s);
	if (wants > 0 && wants != WANT_HAND_BACK) {
		uint32_t events =
			(wants & WANT_READ ? EPOLLIN : 0u) | (wants & WANT_WRITE ? EPOLLOUT : 0u);

		if (loop_watch(s->all->loop, &s->watch, events) == 0)
			return;
		wants = -EBADF;
	}
	s->named = wants == WANT_HAND_BACK;
	s->all->named |= s->named;
	end_session(s, s->named ? 0 : -wants);
}

static void on_stream(struct watch *watch, uint32_t ready)
{
	struct session *s = (struct session *)watch; /* its first member */
	struct shared *shared = s->all->shared;

	if (!s->lingers) {
		int wants = builtin_find(s->service)
				    ->stream(&s->stream, shared,
					     (ready & EPOLLIN ? WANT_READ : 0u) |
						     (ready & EPOLLOUT ? WANT_WRITE : 0u));

		note_activity(s);
		await(s, wants);
		return;
	}
	/* Whatever comes now, an error included, is no fault of the session. */
	if (discard_input(&s->stream, shared) < 0 || s->stream.eof || --s->lingers == 0)
		end_session(s, 0);
	else
		note_activity(s);
}

/* --- the start --- */

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
	struct sessions *all = s->all;
	int r;

	if (s->stream.fd < 0 || (WIRE_FDS(entry->service) > 1 && target < 0))
		return -EMFILE;
	if (entry->service == WIRE_TCPMUX &&
	    !(s->stream.own.name = calloc(1, sizeof(struct mux_name))))
		return -ENOMEM;
	r = set_limit(s, entry->idle_sec);
	if (r < 0)
		return r;
	switch (entry->service) {
	case WIRE_RELAY:
		return relay_new(all->loop, all->shared->flows, &s->stream, take_fd(&owned),
				 on_relay, s, &s->stream.own.relay);
	case WIRE_DGRAM_RELAY:
		return dgram_relay_new(all->loop, all->shared, &s->stream, take_fd(&owned),
				       on_relay, s, &s->stream.own.dgrams);
	case WIRE_TEXT:
		s->stream.text = take_fd(&owned);
		return 0;
	default:
		return builtin_find(entry->service) ? 0 : -EPROTONOSUPPORT;
	}
}

/* Then usherd ends all sessions properly; going on would lose this one. */
static _Noreturn void give_up(void)
{
	(void)fputs("usherd-worker: out of memory\n", stderr);
	_exit(EX_OSERR);
}

void sessions_start(struct sessions *all, const struct wire_stream *entry, int fd, int target)
{
	CLEANUP_CLOSE int owned = fd;
	CLEANUP_CLOSE int owned_target = target;
	const struct builtin *builtin;
	struct session *s;
	int r;

	/* Not one of usherd's: its ids are unique. */
	if (id_table_find(&all->running, entry->session))
		return;
	s = calloc(1, sizeof(*s));
	if (!s)
		give_up();
	s->id = entry->session;
	s->all = all;
	s->service = entry->service <= UINT16_MAX ? (uint16_t)entry->service : 0;
	s->stream.fd = take_fd(&owned);
	s->stream.text = -1;
	s->watch = (struct watch){ .fn = on_stream, .fd = s->stream.fd };
	r = begin(s, entry, take_fd(&owned_target));
	if (r < 0) {
		conclude(s, -r);
		return;
	}
	if (id_table_add(&all->running, s->id, s) < 0)
		give_up();
	builtin = builtin_find(s->service);
	if (builtin)
		await(s, builtin->starts_at_once ? builtin->stream(&s->stream, all->shared, 0)
						 : WANT_READ);
}

void sessions_pass(struct sessions *all, const struct wire_dgram *dgram)
{
	struct session *s = id_table_find(&all->running, dgram->session);
	int r;

	if (!s || s->service != WIRE_DGRAM_RELAY)
		return;
	r = dgram_relay_pass(s->stream.own.dgrams, dgram);
	note_activity(s);
	if (r < 0)
		end_session(s, -r);
}

void sessions_cancel(struct sessions *all, uint64_t id)
{
	struct session *s = id_table_find(&all->running, id);

	if (s)
		end_session(s, ECANCELED);
}

/* --- what is told of them --- */

size_t sessions_n_ended(const struct sessions *all)
{
	return all->n_ended;
}

bool sessions_are_urgent(const struct sessions *all)
{
	return all->named;
}

size_t sessions_report(const struct sessions *all, struct report *ret)
{
	const struct session *s = all->ended;
	uint32_t n = 0;

	if (s->named) {
		const struct mux_name *name = s->stream.own.name;

		ret->head =
			(struct wire_head){ .magic = WIRE_MAGIC, .kind = WIRE_NAME, .count = 1 };
		ret->as.name = (struct wire_name){
			.session = s->id,
			.in_bytes = s->stream.in_bytes,
			.length = (uint32_t)name->length,
		};
		memcpy(ret->as.name.name, name->bytes, name->length);
		return sizeof(ret->head) + sizeof(ret->as.name);
	}
	for (; s && !s->named && n < WIRE_MAX_ENTRIES; s = s->as.next) {
		ret->as.done[n++] = (struct wire_done){
			.session = s->id,
			.in_bytes = s->stream.in_bytes,
			.out_bytes = s->stream.out_bytes,
			.error = s->error,
		};
	}
	ret->head = (struct wire_head){ .magic = WIRE_MAGIC, .kind = WIRE_DONE, .count = n };
	return sizeof(ret->head) + n * sizeof(ret->as.done[0]);
}

void sessions_reported(struct sessions *all, size_t n)
{
	for (; n > 0; n--) {
		struct session *s = all->ended;

		all->ended = s->as.next;
		all->n_ended--;
		if (s->service == WIRE_TCPMUX)
			free(s->stream.own.name);
		free(s);
	}
	if (!all->ended) {
		all->ended_tail = &all->ended;
		all->named = false;
	}
}
