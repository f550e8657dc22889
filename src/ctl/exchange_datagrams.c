/* SPDX-License-Identifier: ISC */
/* An exchange of datagrams, which has no end but that every message was answered. */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "ctl/exchange.h"

/* How long a full window waits for an answer: some services give none. */
#define PACE_USEC (100 * USEC_PER_MSEC)

struct message {
	char *data;
	size_t length;
};

struct course {
	unsigned under_way;                   /* messages that count for the window */
	struct message kept[EXCHANGE_WINDOW]; /* for the next place */
	size_t n_kept;
	bool keeping; /* all that was sent is in kept */
	uint64_t moved_usec;
};

static void forget(struct course *course)
{
	for (size_t i = 0; i < course->n_kept; i++)
		free(course->kept[i].data);
	course->n_kept = 0;
	course->keeping = false;
}

static void keep(struct course *course, const char *piece, size_t length)
{
	struct message *message = &course->kept[course->n_kept];

	if (!course->keeping)
		return;
	if (course->n_kept < ARRAY_SIZE(course->kept))
		message->data = malloc(length ? length : 1);
	if (course->n_kept == ARRAY_SIZE(course->kept) || !message->data) {
		forget(course);
		return;
	}
	memcpy(message->data, piece, length);
	message->length = length;
	course->n_kept++;
}

/* Goes to the next place, if what was sent can be sent again there; otherwise it was the end. */
static enum status go_on(struct exchange *x, struct course *course, int error,
			 struct failure *failure)
{
	struct failure last;
	char where[ENDPOINT_TEXT_MAX];

	(void)failure_errno(failure, error, "%s", connection_format(x->connection, where));
	while (course->keeping && connection_has_next(x->connection)) {
		if (x->connection->trace)
			(void)fprintf(x->connection->trace, "usherctl: %s\n", failure->text);
		if (connection_open(x->connection, x->deadline_usec, &last) != STATUS_CLEAN)
			break;
		error = 0;
		for (size_t i = 0; i < course->n_kept && error == 0; i++)
			if (send(x->connection->fd, course->kept[i].data, course->kept[i].length,
				 MSG_NOSIGNAL) < 0)
				error = errno;
		if (error == 0)
			return STATUS_CLEAN;
		(void)failure_errno(failure, error, "%s", connection_format(x->connection, where));
	}
	return failure->status;
}

static enum status send_piece(struct exchange *x, struct course *course, struct failure *failure)
{
	const char *piece;
	size_t length;

	if (!feed_piece(x->feed, &piece, &length))
		return STATUS_CLEAN;
	if (send(x->connection->fd, piece, length, MSG_NOSIGNAL) < 0) {
		if (errno == EAGAIN || errno == EINTR)
			return STATUS_CLEAN;
		if (errno == EMSGSIZE)
			return failure_set(
				failure, STATUS_UNREADABLE,
				"standard input: a message of %zu bytes is more than the socket takes",
				length);
		return go_on(x, course, errno, failure);
	}
	keep(course, piece, length);
	feed_consume(x->feed, length);
	x->sent_bytes += length;
	x->sent_messages++;
	course->under_way++;
	return STATUS_CLEAN;
}

static enum status receive(struct exchange *x, struct course *course, struct failure *failure)
{
	ssize_t n = recv(x->connection->fd, x->outlet->raw, OUTLET_MAX, 0);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? STATUS_CLEAN
							 : go_on(x, course, errno, failure);
	forget(course);
	if (n > 0)
		outlet_put(x->outlet, (size_t)n);
	x->received_messages++;
	if (course->under_way > 0)
		course->under_way--;
	return STATUS_CLEAN;
}

static enum status unanswered(const struct exchange *x, struct failure *failure)
{
	if (x->outlet->expect)
		return exchange_too_late(x, failure);
	return failure_set(failure, STATUS_TIME, "%ju of %ju messages were answered",
			   (uintmax_t)x->received_messages, (uintmax_t)x->sent_messages);
}

static enum status run(struct exchange *x, struct course *course, struct failure *failure)
{
	for (;;) {
		bool over = feed_exhausted(x->feed), full, ready_to_send, moved;
		const char *piece;
		enum status status;
		short events = 0, ready;
		uint64_t until = x->deadline_usec, limit = x->silence_usec;
		size_t length;

		if (outlet_empty(x->outlet) && outlet_found(x->outlet))
			return exchange_verdict(x, failure);
		if (over && x->received_messages >= x->sent_messages && outlet_end(x->outlet))
			return exchange_verdict(x, failure);
		full = course->under_way >= EXCHANGE_WINDOW;
		ready_to_send = feed_piece(x->feed, &piece, &length);
		if (outlet_empty(x->outlet))
			events |= POLLIN;
		if (ready_to_send && !full)
			events |= POLLOUT;
		if (ready_to_send && full)
			limit = PACE_USEC;
		else if (over && !limit && !x->deadline_usec)
			limit = EXCHANGE_LAST_USEC;
		/* That our own reader is slow is not the service's silence. */
		if (limit && outlet_empty(x->outlet))
			until = exchange_earlier(until, course->moved_usec + limit);
		status = exchange_wait(x, feed_wants(x->feed), events, until, &ready, &moved,
				       failure);
		if (status == STATUS_CLEAN && ready & (POLLIN | POLLERR) && events & POLLIN)
			status = receive(x, course, failure);
		if (status == STATUS_CLEAN && ready & POLLOUT)
			status = send_piece(x, course, failure);
		if (status != STATUS_CLEAN)
			return status;
		if (moved)
			course->moved_usec = now_usec();
		else if (until && now_usec() >= until && until != x->deadline_usec &&
			 ready_to_send && full)
			course->under_way = 0;
		else if (until && now_usec() >= until)
			return over ? unanswered(x, failure) : exchange_too_late(x, failure);
	}
}

enum status exchange_datagrams(struct exchange *x, struct failure *failure)
{
	struct course course = { .keeping = true, .moved_usec = now_usec() };
	enum status status = run(x, &course, failure);

	forget(&course);
	return status;
}
