/* SPDX-License-Identifier: ISC */
/* Our own side of an exchange: standard input and output, and the time. */
#include "config.h"

#include "ctl/exchange.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>

static enum status read_input(struct exchange *x, struct failure *failure)
{
	int r = feed_read(x->feed);

	if (r == 0)
		return STATUS_CLEAN;
	if (r == -EMSGSIZE)
		return failure_set(failure, STATUS_UNREADABLE,
				   "standard input: more than a message can hold (%d bytes)",
				   FEED_MESSAGE_MAX);
	return failure_set(failure, STATUS_UNREADABLE, "standard input: %s", failure_words(-r));
}

/* That whoever reads the output has seen enough is nothing to complain about. */
static enum status output_failed(int error, struct failure *failure)
{
	if (error == EPIPE)
		return failure_set(failure, STATUS_UNREADABLE, "%s", "");
	return failure_set(failure, STATUS_UNREADABLE, "standard output: %s", failure_words(error));
}

uint64_t exchange_earlier(uint64_t a, uint64_t b)
{
	if (a == 0 || b == 0)
		return a + b;
	return a < b ? a : b;
}

static int milliseconds_until(uint64_t until_usec)
{
	uint64_t now = now_usec(), left;

	if (until_usec == 0)
		return -1;
	left = now < until_usec ? (until_usec - now) / USEC_PER_MSEC + 1 : 0;
	return left > INT_MAX ? INT_MAX : (int)left;
}

enum status exchange_wait(struct exchange *x, bool want_input, short socket_events,
			  uint64_t until_usec, short *ret_socket, bool *ret_moved,
			  struct failure *failure)
{
	bool writing = !outlet_empty(x->outlet);
	struct pollfd fds[EXCHANGE_FDS] = {
		[EXCHANGE_INPUT] = { want_input ? x->feed->fd : -1, POLLIN, 0 },
		[EXCHANGE_SOCKET] = { socket_events ? x->connection->fd : -1, socket_events, 0 },
		[EXCHANGE_OUTPUT] = { x->outlet->fd, writing ? POLLOUT : 0, 0 },
	};
	int n = poll(fds, EXCHANGE_FDS, milliseconds_until(until_usec)), r;
	enum status status = STATUS_CLEAN;

	if (n < 0 && errno != EINTR)
		return failure_set(failure, STATUS_UNREADABLE, "poll: %s", failure_words(errno));
	*ret_moved = n > 0;
	*ret_socket = n > 0 ? fds[EXCHANGE_SOCKET].revents : 0;
	if (n <= 0)
		return STATUS_CLEAN;
	if (fds[EXCHANGE_INPUT].revents)
		status = read_input(x, failure);
	if (status != STATUS_CLEAN)
		return status;
	if (writing && fds[EXCHANGE_OUTPUT].revents) {
		r = outlet_write(x->outlet);
		if (r < 0)
			return output_failed(-r, failure);
	} else if (fds[EXCHANGE_OUTPUT].revents & (POLLERR | POLLHUP)) {
		return output_failed(EPIPE, failure);
	}
	return STATUS_CLEAN;
}

enum status exchange_too_late(const struct exchange *x, struct failure *failure)
{
	if (x->deadline_usec && now_usec() >= x->deadline_usec)
		return failure_set(failure, STATUS_TIME, "the answer did not come within the time");
	return failure_set(failure, STATUS_TIME, "nothing was sent or received for %.6g s",
			   (double)x->silence_usec / (double)USEC_PER_SEC);
}

enum status exchange_verdict(const struct exchange *x, struct failure *failure)
{
	char text[200];

	if (!x->outlet->expect || x->outlet->expect->found)
		return STATUS_CLEAN;
	return failure_set(failure, STATUS_ERRORS, "the answer does not hold \"%s\"",
			   escape_text(text, sizeof(text), x->outlet->expect->text));
}
