/* SPDX-License-Identifier: ISC */
/* The people's sockets: what they send becomes lines in the room, what is said there goes to them. */
#include "chat_visitor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* Bytes that are read from one person at once. */
#define INPUT_BYTES 4096

/* Bytes that are sent to one person at once. */
#define OUTPUT_BYTES 32768

/* Lines that somebody can have said before the rate counts: a few, or what was pasted. */
#define BURST_LINES 20

/* How often those are looked at who have more to say than they may; ms. */
#define SLOW_MSEC 200

/* How long who has left may take to read what was said until then, and to hang up; ms. */
#define PARTING_MSEC 5000

/* How long who has hung up is still heard, slowly; ms. */
#define HEARD_MSEC 30000

struct visitor {
	TAILQ_ENTRY(visitor) of_all;
	struct person person;
	int fd;
	enum {
		HERE,    /* in the room */
		PARTING, /* has left; gets what was said until then */
		GONE,    /* got it, and has to hang up: a reset could cost it the last lines */
		OVER,    /* to be freed */
	} state;
	bool is_watched;
	uint32_t watched; /* events that epoll looks for */
	bool blocked;     /* the socket takes no more for now */
	bool deaf;        /* the socket takes nothing any more; what came by it is still heard */
	bool slowed;      /* more was typed than may be said now */
	bool warned;      /* that it is slowed */
	uint64_t parting_end; /* place in the backlog */
	uint64_t deadline;    /* ms; of PARTING, GONE, and of who is deaf */
	uint64_t allowance;   /* thousandths of a line */
	uint64_t counted;     /* ms, when the allowance was last reckoned */
	size_t from, to;      /* of what was read and not looked at in input[] */
	struct line line;
	char input[INPUT_BYTES];
};

/* --- the socket ------------------------------------------------------------------------------ */

static bool is_reading(const struct visitor *visitor)
{
	return visitor->state == GONE || (visitor->state == HERE && !visitor->slowed);
}

/* Has epoll look for what matters now. Returns 0 or -errno. */
static int watch(struct visitors *visitors, struct visitor *visitor)
{
	struct epoll_event event = { .data.ptr = visitor };
	int what = visitor->is_watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;

	event.events = (is_reading(visitor) ? EPOLLIN : 0u) | (visitor->blocked ? EPOLLOUT : 0u);
	if (visitor->deaf && !is_reading(visitor)) {
		/* epoll tells of a hang-up whether one wants to know or not, again and again. */
		if (visitor->is_watched)
			(void)epoll_ctl(visitors->epoll, EPOLL_CTL_DEL, visitor->fd, NULL);
		visitor->is_watched = false;
		return 0;
	}
	if (visitor->is_watched && event.events == visitor->watched)
		return 0;
	if (epoll_ctl(visitors->epoll, what, visitor->fd, &event) < 0)
		return -errno;
	visitor->is_watched = true;
	visitor->watched = event.events;
	return 0;
}

static void go_deaf(struct visitors *visitors, struct visitor *visitor)
{
	if (visitor->deaf)
		return;
	visitor->deaf = true;
	visitor->blocked = false;
	visitor->deadline = visitors->now + HEARD_MSEC;
}

/* Gives what the socket takes. */
static void send_some(struct visitors *visitors, struct visitor *visitor)
{
	const struct backlog *backlog = visitors->room->backlog;
	struct reader *reader = &visitor->person.reader;
	char output[OUTPUT_BYTES];

	while (!visitor->blocked && !visitor->deaf && !backlog_lost(backlog, reader)) {
		bool here = visitor->state == HERE;
		uint64_t end = here ? backlog_end(backlog) : visitor->parting_end;
		size_t length = backlog_read(backlog, reader, end, output, sizeof(output));
		ssize_t put;

		if (length == 0)
			return;
		put = send(visitor->fd, output, length, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0 && errno != EAGAIN) {
			go_deaf(visitors, visitor);
			return;
		}
		if (put > 0)
			backlog_taken(backlog, reader, (size_t)put);
		visitor->blocked = put < (ssize_t)length;
	}
}

/* Nobody who reads may be thought slow because others said much in one turn. */
static void keep_up(struct visitors *visitors)
{
	const struct backlog *backlog = visitors->room->backlog;

	if (backlog_end(backlog) - visitors->sent > backlog_size(backlog) / 4)
		visitors_send(visitors);
}

/* --- what somebody says -------------------------------------------------------------------------- */

static void part(struct visitors *visitors, struct visitor *visitor, const char *why)
{
	room_leave(visitors->room, &visitor->person, why);
	visitor->parting_end = backlog_end(visitors->room->backlog);
	visitor->state = visitor->deaf ? OVER : PARTING;
	visitor->deadline = visitors->now + PARTING_MSEC;
}

/* Whether one more line may be said now. */
static bool may_speak(const struct visitors *visitors, struct visitor *visitor)
{
	uint64_t most = UINT64_C(1000) * BURST_LINES;

	if (!visitors->rate)
		return true;
	visitor->allowance += (visitors->now - visitor->counted) * visitors->rate;
	visitor->counted = visitors->now;
	if (visitor->allowance >= most) {
		visitor->allowance = most;
		visitor->warned = false;
	}
	return visitor->allowance >= 1000;
}

static void slow_down(struct visitors *visitors, struct visitor *visitor)
{
	visitor->slowed = true;
	if (!visitor->warned)
		room_tell(visitors->room, &visitor->person,
			  "Not so fast: of your lines %u a second are passed on.", visitors->rate);
	visitor->warned = true;
}

static void act_on(struct visitors *visitors, struct visitor *visitor, enum line_event event)
{
	struct room *room = visitors->room;
	struct line *line = &visitor->line;

	if (event != LINE_NOTHING && visitors->rate)
		visitor->allowance -= 1000;
	switch (event) {
	case LINE_NOTHING:
	case LINE_GOES_ON:
		break;
	case LINE_COMPLETE:
		if (!room_line(room, &visitor->person, line->text, line->length))
			part(visitors, visitor, "");
		break;
	case LINE_TOO_LONG:
		room_tell(room, &visitor->person,
			  "That line is longer than %d bytes; nobody was shown it.", LINE_BYTES);
		break;
	case LINE_LEAVE:
		part(visitors, visitor, "");
		break;
	}
}

/* Lets the room have what was read, as far as that may be said now. */
static void hear(struct visitors *visitors, struct visitor *visitor)
{
	visitor->slowed = false;
	while (visitor->state == HERE && visitor->from < visitor->to) {
		enum line_event event;

		if (!may_speak(visitors, visitor)) {
			slow_down(visitors, visitor);
			return;
		}
		visitor->from += line_feed(&visitor->line, visitor->input + visitor->from,
					   visitor->to - visitor->from, &event);
		act_on(visitors, visitor, event);
		keep_up(visitors);
	}
}

/* The end of the input, where an unfinished line may be left: text of a file, say. */
static void hear_end(struct visitors *visitors, struct visitor *visitor, const char *why)
{
	struct line *line = &visitor->line;

	if (line_finish(line))
		(void)room_line(visitors->room, &visitor->person, line->text, line->length);
	part(visitors, visitor, why);
}

static void receive(struct visitors *visitors, struct visitor *visitor)
{
	ssize_t got = recv(visitor->fd, visitor->input, sizeof(visitor->input), MSG_DONTWAIT);

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (visitor->state == GONE) {
		if (got <= 0)
			visitor->state = OVER;
		return;
	}
	if (got <= 0) {
		if (got < 0)
			go_deaf(visitors, visitor);
		hear_end(visitors, visitor, got < 0 ? "the connection is lost" : "");
		return;
	}
	visitor->from = 0;
	visitor->to = (size_t)got;
	hear(visitors, visitor);
}

/* --- looking after one ---------------------------------------------------------------------------- */

/* Resets the connection, so that the kernel need not keep what is never read. */
static void drop(struct visitors *visitors, struct visitor *visitor, const char *why)
{
	static const struct linger at_once = { .l_onoff = 1 };

	(void)setsockopt(visitor->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	room_leave(visitors->room, &visitor->person, why);
	visitor->state = OVER;
}

static void tend_here(struct visitors *visitors, struct visitor *visitor)
{
	if (visitor->slowed)
		hear(visitors, visitor);
	send_some(visitors, visitor);
	if (visitor->state != HERE)
		return;
	if (visitor->deaf && visitors->now >= visitor->deadline)
		part(visitors, visitor, "the connection is lost");
	else if (!visitor->deaf && backlog_lost(visitors->room->backlog, &visitor->person.reader))
		drop(visitors, visitor, "too slow a reader");
}

static void tend_parting(struct visitors *visitors, struct visitor *visitor)
{
	const struct reader *reader = &visitor->person.reader;

	send_some(visitors, visitor);
	if (visitor->deaf || backlog_lost(visitors->room->backlog, reader)) {
		visitor->state = OVER;
	} else if (reader->at >= visitor->parting_end) {
		(void)shutdown(visitor->fd, SHUT_WR);
		visitor->state = GONE;
		visitor->deadline = visitors->now + PARTING_MSEC;
	}
}

/* Returns when this one has to be looked after again, in ms; UINT64_MAX when epoll tells. */
static uint64_t tend(struct visitors *visitors, struct visitor *visitor)
{
	if (visitor->state == HERE)
		tend_here(visitors, visitor);
	if (visitor->state == PARTING)
		tend_parting(visitors, visitor);
	if (visitor->state != HERE && visitors->now >= visitor->deadline)
		visitor->state = OVER;
	if (visitor->state != OVER && watch(visitors, visitor) < 0) {
		/* Without memory for the kernel's own book the connection cannot be kept. */
		if (visitor->state == HERE)
			drop(visitors, visitor, "the connection is lost");
		visitor->state = OVER;
	}
	if (visitor->state == HERE && visitor->slowed)
		return visitors->now + SLOW_MSEC;
	return visitor->state == HERE && !visitor->deaf ? UINT64_MAX : visitor->deadline;
}

static void forget(struct visitors *visitors, struct visitor *visitor)
{
	TAILQ_REMOVE(&visitors->all, visitor, of_all);
	visitors->count--;
	/* Which takes it out of the epoll set, too. */
	(void)close(visitor->fd);
	free(visitor);
}

/* --- all of them ----------------------------------------------------------------------------------- */

void visitors_init(struct visitors *visitors, struct room *room, int epoll, unsigned rate)
{
	*visitors = (struct visitors){ .room = room, .epoll = epoll, .rate = rate };
	TAILQ_INIT(&visitors->all);
}

void visitors_done(struct visitors *visitors)
{
	while (!TAILQ_EMPTY(&visitors->all))
		forget(visitors, TAILQ_FIRST(&visitors->all));
}

void visitors_add(struct visitors *visitors, int fd, const char *account, uint64_t now)
{
	struct visitor *visitor = calloc(1, sizeof(*visitor));

	if (!visitor) {
		(void)close(fd);
		return;
	}
	visitors->now = now;
	visitor->fd = fd;
	visitor->allowance = UINT64_C(1000) * BURST_LINES;
	visitor->counted = now;
	TAILQ_INSERT_TAIL(&visitors->all, visitor, of_all);
	visitors->count++;
	room_enter(visitors->room, &visitor->person, account);
	keep_up(visitors);
}

void visitor_ready(struct visitors *visitors, struct visitor *visitor, uint32_t events,
		   uint64_t now)
{
	visitors->now = now;
	if (events & EPOLLOUT)
		visitor->blocked = false;
	if (is_reading(visitor) && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
		receive(visitors, visitor);
	else if (events & (EPOLLHUP | EPOLLERR))
		go_deaf(visitors, visitor);
}

void visitors_send(struct visitors *visitors)
{
	struct visitor *visitor;

	TAILQ_FOREACH(visitor, &visitors->all, of_all)
		if (visitor->state == HERE || visitor->state == PARTING)
			send_some(visitors, visitor);
	visitors->sent = backlog_end(visitors->room->backlog);
}

uint64_t visitors_tend(struct visitors *visitors, uint64_t now)
{
	const struct backlog *backlog = visitors->room->backlog;
	struct visitor *visitor, *next_visitor;
	uint64_t end, next;

	visitors->now = now;
	/* That somebody leaves, or goes on, is something that the others are to hear. */
	do {
		end = backlog_end(backlog);
		next = UINT64_MAX;
		TAILQ_FOREACH(visitor, &visitors->all, of_all) {
			uint64_t due = tend(visitors, visitor);

			next = due < next ? due : next;
		}
	} while (backlog_end(backlog) != end);
	visitors->sent = end;
	for (visitor = TAILQ_FIRST(&visitors->all); visitor; visitor = next_visitor) {
		next_visitor = TAILQ_NEXT(visitor, of_all);
		if (visitor->state == OVER)
			forget(visitors, visitor);
	}
	return next;
}
