/* SPDX-License-Identifier: ISC */
/* usherd-worker: everything inside usherd that reads or writes bytes of clients. */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/util.h"
#include "base/wire.h"
#include "worker/answers.h"
#include "worker/builtin.h"
#include "worker/confine.h"
#include "worker/dgrams.h"
#include "worker/flow.h"
#include "worker/loop.h"
#include "worker/pair.h"
#include "worker/sessions.h"

/* Our end of the pair. */
#define PAIR_FD 0

/* How many ends are held back at most, and for how long. */
#define HELD_ENDS 32
#define HELD_USEC USEC_PER_MSEC

/* Ends are held back until then. */
struct hold {
	struct alarm alarm;
	bool over;
};

struct worker {
	struct watch pair;
	struct loop *loop;
	struct sessions *sessions;
	struct hold hold;
	struct shared shared;
	_Alignas(8) char message[WIRE_MAX_MESSAGE];
};

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
		sessions_start(w->sessions, &entries[i], fd, target);
	}
}

static void pass_dgrams(struct worker *w, uint32_t count, char *entries, size_t size)
{
	for (uint32_t i = 0; i < count && i < WIRE_MAX_DGRAMS; i++) {
		const struct wire_dgram *d = dgrams_next(&entries, &size);

		if (!d)
			return;
		sessions_pass(w->sessions, d);
	}
}

static void on_hold_over(struct alarm *alarm)
{
	struct hold *hold = (struct hold *)alarm; /* its first member */

	hold->over = true;
}

/*
 * Whether the ends are to be told now. To wake usherd costs more than all that
 * it does with an end, so they wait a moment for others.
 */
static bool is_time_to_report(struct worker *w)
{
	size_t n = sessions_n_ended(w->sessions);
	bool over = w->hold.over;

	w->hold.over = false;
	if (n == 0 || over || n >= HELD_ENDS || sessions_are_urgent(w->sessions))
		return n > 0;
	return !w->hold.alarm.at && loop_set(w->loop, &w->hold.alarm, now_usec() + HELD_USEC) < 0;
}

/* Reports the sessions that have ended, as far as the pair takes it now. */
static void report(struct worker *w)
{
	struct report m;

	while (sessions_n_ended(w->sessions) > 0) {
		size_t size = sessions_report(w->sessions, &m);
		ssize_t sent = send(PAIR_FD, &m, size, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (sent < 0) {
			if (errno == EPIPE || errno == ECONNRESET)
				_exit(EX_OK); /* usherd is gone */
			break;
		}
		sessions_reported(w->sessions, m.head.count);
	}
	/* The rest goes out at the end of the turn in which there is room again. */
	if (loop_watch(w->loop, &w->pair,
		       EPOLLIN | (sessions_n_ended(w->sessions) > 0 ? EPOLLOUT : 0u)) < 0)
		_exit(EX_OSERR);
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
		else if (fds[0] >= 0 && builtin_find(head->service) &&
			 builtin_find(head->service)->dgram)
			dgrams_answer(builtin_find(head->service), &w->shared, head->count,
				      w->message + sizeof(*head), left, fds[0]);
		return;
	case WIRE_CANCEL:
		if (head->count > WIRE_MAX_ENTRIES || left != head->count * sizeof(*cancels))
			return;
		for (uint32_t i = 0; i < head->count; i++)
			sessions_cancel(w->sessions, cancels[i].session);
		return;
	case WIRE_DONE:
	case WIRE_NAME:
		return;
	}
}

/* One message, as there is rarely another; if there is, the loop comes back, and new work does not hold up the work there is. */
static void on_pair(struct watch *watch, uint32_t ready)
{
	struct worker *w = (struct worker *)watch; /* its first member */
	int fds[WIRE_MAX_FDS];
	ssize_t size;

	if (ready & EPOLLOUT)
		w->hold.over = true;
	if (!(ready & EPOLLIN))
		return;
	size = pair_receive(PAIR_FD, w->message, sizeof(w->message), fds);
	if (size < 0)
		return;
	if (size == 0)
		_exit(EX_OK); /* usherd has ended, and with it the internal services */
	handle_message(w, (size_t)size, fds);
	for (unsigned n = 0; n < WIRE_MAX_FDS; n++)
		cleanup_close(&fds[n]);
}

static struct worker *worker_new(void)
{
	struct worker *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	chargen_prepare(&w->shared);
	w->shared.joins_answers = answers_can_join();
	w->pair = (struct watch){ .fn = on_pair, .fd = PAIR_FD };
	w->hold.alarm.fn = on_hold_over;
	w->loop = loop_new();
	w->shared.flows = flow_pool_new(w->shared.scratch);
	if (!w->loop || !w->shared.flows || !(w->sessions = sessions_new(w->loop, &w->shared)) ||
	    loop_watch(w->loop, &w->pair, EPOLLIN) < 0) {
		loop_free(w->loop);
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
	while (loop_turn(w->loop, true) >= 0)
		if (is_time_to_report(w))
			report(w);
	return EX_SOFTWARE;
}
