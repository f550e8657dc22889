/* SPDX-License-Identifier: ISC */
/* An exchange over a connection that has an end. */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include "ctl/exchange.h"

/* How long input that is still open may be silent when the service has ended its side. */
#define GRACE_USEC USEC_PER_SEC
/* What is received at a time. More than that only delays what is sent. */
#define RECEIVE_MAX 65536

struct course {
	bool sending;
	bool receiving;
	int unsent; /* the errno of the send that failed, or 0 */
	uint64_t moved_usec;
	uint64_t grace_usec; /* of now_usec(); 0 while the service has not ended */
};

static enum status receive(struct exchange *x, struct course *course, struct failure *failure)
{
	/* A message of a seqpacket socket has to fit. */
	size_t room = x->feed->mode == FEED_BYTES ? RECEIVE_MAX : OUTLET_MAX;
	ssize_t n = recv(x->connection->fd, x->outlet->raw, room, 0);
	char where[ENDPOINT_TEXT_MAX];

	if (n > 0) {
		outlet_put(x->outlet, (size_t)n);
		x->received_messages++;
		return STATUS_CLEAN;
	}
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return STATUS_CLEAN;
	if (n < 0)
		return failure_errno(failure, errno, "%s", connection_format(x->connection, where));
	course->receiving = false;
	course->grace_usec = now_usec() + GRACE_USEC;
	return STATUS_CLEAN;
}

static void send_piece(struct exchange *x, struct course *course)
{
	const char *piece;
	size_t length;
	ssize_t n;

	if (!feed_piece(x->feed, &piece, &length))
		return;
	n = send(x->connection->fd, piece, length, MSG_NOSIGNAL);
	if (n >= 0) {
		feed_consume(x->feed, (size_t)n);
		x->sent_bytes += (uint64_t)n;
		x->sent_messages++;
	} else if (errno != EAGAIN && errno != EINTR) {
		/* What the service said before it stopped to listen can still be read. */
		course->unsent = errno;
		course->sending = false;
	}
}

/* Ends our side once all is sent. */
static void half_close(struct exchange *x, struct course *course)
{
	if (!course->sending || !feed_exhausted(x->feed))
		return;
	course->sending = false;
	(void)shutdown(x->connection->fd, SHUT_WR);
}

/* Whether nothing more can happen. */
static bool is_over(struct exchange *x, const struct course *course)
{
	const char *piece;
	size_t length;

	if (!outlet_empty(x->outlet))
		return false;
	if (outlet_found(x->outlet))
		return true;
	if (course->receiving || !outlet_end(x->outlet))
		return false;
	if (!course->sending)
		return true;
	if (feed_piece(x->feed, &piece, &length))
		return false;
	return x->patient || now_usec() >= course->grace_usec;
}

/* What is waited for at the socket. */
static short wanted(const struct exchange *x, const struct course *course)
{
	const char *piece;
	size_t length;
	short events = 0;

	if (course->receiving && outlet_empty(x->outlet))
		events |= POLLIN;
	if (course->sending && feed_piece(x->feed, &piece, &length))
		events |= POLLOUT;
	return events;
}

/* When waiting ends. That our own reader is slow is not the service's silence. */
static uint64_t limit(const struct exchange *x, const struct course *course, short events)
{
	uint64_t until = x->deadline_usec;

	if (!outlet_empty(x->outlet))
		return until;
	if (course->grace_usec && !events)
		until = exchange_earlier(until, course->grace_usec);
	if (x->silence_usec)
		until = exchange_earlier(until, course->moved_usec + x->silence_usec);
	return until;
}

static enum status verdict(const struct exchange *x, const struct course *course,
			   struct failure *failure)
{
	char where[ENDPOINT_TEXT_MAX];

	if (course->unsent && !outlet_found(x->outlet))
		return failure_set(
			failure, STATUS_CONNECTION, "%s: ended before it had taken all input: %s",
			connection_format(x->connection, where), failure_words(course->unsent));
	return exchange_verdict(x, failure);
}

enum status exchange_stream(struct exchange *x, struct failure *failure)
{
	struct course course = { .sending = true, .receiving = true, .moved_usec = now_usec() };

	for (;;) {
		enum status status;
		short events, ready;
		uint64_t until;
		bool moved;

		half_close(x, &course);
		if (is_over(x, &course))
			return verdict(x, &course, failure);
		events = wanted(x, &course);
		until = limit(x, &course, events);
		status = exchange_wait(x, course.sending && feed_wants(x->feed), events, until,
				       &ready, &moved, failure);
		if (status != STATUS_CLEAN)
			return status;
		if (ready & (POLLIN | POLLHUP | POLLERR) && events & POLLIN)
			status = receive(x, &course, failure);
		if (status != STATUS_CLEAN)
			return status;
		if (ready & (POLLOUT | POLLHUP | POLLERR) && events & POLLOUT)
			send_piece(x, &course);
		if (moved)
			course.moved_usec = now_usec();
		else if (until && until != course.grace_usec && now_usec() >= until)
			return exchange_too_late(x, failure);
	}
}
