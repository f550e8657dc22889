/* SPDX-License-Identifier: ISC */
/* A connected socket to one of several places, which are tried in turn. */
#include "config.h"

#include "ctl/connection.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/time.h>
#include <sys/un.h>

/* What a place gets where there is no limit, but another place. */
#define SHARE_USEC (5 * USEC_PER_SEC)

static const char *format_place(const struct endpoint *place, char out[static ENDPOINT_TEXT_MAX])
{
	char raw[ENDPOINT_TEXT_MAX];

	return escape_text(out, ENDPOINT_TEXT_MAX, endpoint_format(place, raw));
}

const char *connection_format(const struct connection *c, char out[static ENDPOINT_TEXT_MAX])
{
	return format_place(c->place, out);
}

bool connection_has_next(const struct connection *c)
{
	return c->next < c->places->n;
}

void connection_close(struct connection *c)
{
	if (c->fd >= 0)
		(void)close(take_fd(&c->fd));
}

/* Unix sockets know no connection in progress: the call waits itself, for a server with a full backlog. */
static int connect_unix(int fd, const struct endpoint *place, uint64_t limit_usec)
{
	const struct timeval limit = { .tv_sec = (time_t)(limit_usec / USEC_PER_SEC),
				       .tv_usec = (suseconds_t)(limit_usec % USEC_PER_SEC) };
	const struct sockaddr_un nameless = { .sun_family = AF_UNIX };
	struct sockaddr_storage address;
	socklen_t length = endpoint_to_sockaddr(place, &address);

	/* The kernel picks an abstract name, which a confined server can answer to as well. */
	if (place->socktype == SOCK_DGRAM &&
	    bind(fd, (const struct sockaddr *)&nameless, sizeof(nameless.sun_family)) < 0)
		return errno;
	if (limit_usec && setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0)
		return errno;
	while (connect(fd, (struct sockaddr *)&address, length) < 0)
		if (errno != EINTR)
			return errno == EAGAIN ? ETIMEDOUT : errno;
	return -fd_set_nonblock(fd, true);
}

static int connect_inet(int fd, const struct endpoint *place, uint64_t limit_usec)
{
	struct pollfd writable = { .fd = fd, .events = POLLOUT };
	uint64_t end = now_usec() + limit_usec;
	struct sockaddr_storage address;
	socklen_t length = endpoint_to_sockaddr(place, &address);
	int r = fd_set_nonblock(fd, true), error = 0;

	if (r < 0)
		return -r;
	if (connect(fd, (struct sockaddr *)&address, length) == 0)
		return 0;
	if (errno != EINPROGRESS && errno != EINTR)
		return errno;
	do {
		uint64_t now = now_usec();
		uint64_t left = now < end ? (end - now) / USEC_PER_MSEC + 1 : 0;

		r = poll(&writable, 1, limit_usec ? (int)left : -1);
	} while (r < 0 && errno == EINTR);
	if (r == 0)
		return ETIMEDOUT;
	length = sizeof(error);
	if (r < 0 || getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0)
		return errno;
	return error;
}

/* Returns 0 with c->fd, or an errno. */
static int try_place(struct connection *c, const struct endpoint *place, uint64_t limit_usec)
{
	CLEANUP_CLOSE int fd =
		socket(place->addr.family, place->socktype | SOCK_CLOEXEC, place->protocol);
	int error;

	if (fd < 0)
		return errno;
	error = place->addr.family == AF_UNIX ? connect_unix(fd, place, limit_usec)
					      : connect_inet(fd, place, limit_usec);
	if (error == 0)
		c->fd = take_fd(&fd);
	return error;
}

/* How long the next place may take; 0 = as long as it wants. */
static uint64_t share(const struct connection *c, uint64_t deadline_usec)
{
	uint64_t now = now_usec(), n = c->places->n - c->next;

	if (deadline_usec == 0)
		return n > 1 ? SHARE_USEC : 0;
	return now < deadline_usec ? (deadline_usec - now) / n + 1 : 1;
}

/* The end of the connection that is this program's. */
static void format_own(const struct connection *c, char out[static ENDPOINT_TEXT_MAX])
{
	struct endpoint own = { .socktype = c->place->socktype, .protocol = c->place->protocol };
	union {
		struct sockaddr sa;
		struct sockaddr_un un;
		struct sockaddr_storage storage;
	} address = { .storage = { 0 } };
	char raw[ENDPOINT_TEXT_MAX];
	socklen_t length = sizeof(address.storage);

	if (getsockname(c->fd, &address.sa, &length) < 0 ||
	    (address.sa.sa_family == AF_UNIX && length <= sizeof(sa_family_t))) {
		(void)snprintf(out, ENDPOINT_TEXT_MAX, "unix, without a name,");
		return;
	}
	if (address.sa.sa_family == AF_UNIX) {
		(void)snprintf(raw, sizeof(raw), "unix %s%.107s", address.un.sun_path[0] ? "" : "@",
			       address.un.sun_path + !address.un.sun_path[0]);
		(void)escape_text(out, ENDPOINT_TEXT_MAX, raw);
		return;
	}
	addr_from_sockaddr(&own.addr, &address.sa, length);
	(void)format_place(&own, out);
}

static void tell_ends(const struct connection *c, uint64_t took_usec)
{
	char from[ENDPOINT_TEXT_MAX], to[ENDPOINT_TEXT_MAX];

	if (!c->trace)
		return;
	format_own(c, from);
	(void)fprintf(c->trace, "usherctl: connected: %s to %s in %.6f s\n", from,
		      format_place(c->place, to), (double)took_usec / (double)USEC_PER_SEC);
}

/* A refusal comes from the place itself, silence may, and that there is no way to it tells least. */
static int rank(enum status status)
{
	return status == STATUS_CONNECTION ? 2 : status == STATUS_TIME ? 1 : 0;
}

enum status connection_open(struct connection *c, uint64_t deadline_usec, struct failure *failure)
{
	char text[sizeof(failure->text)] = "", where[ENDPOINT_TEXT_MAX];
	enum status status = STATUS_ADDRESS;
	size_t at = 0;

	connection_close(c);
	while (connection_has_next(c)) {
		uint64_t began = now_usec(), limit = share(c, deadline_usec);
		const struct endpoint *place = &c->places->v[c->next++];
		int error = try_place(c, place, limit);

		if (error == 0) {
			c->place = place;
			tell_ends(c, now_usec() - began);
			return STATUS_CLEAN;
		}
		(void)format_place(place, where);
		if (c->trace && connection_has_next(c))
			(void)fprintf(c->trace, "usherctl: %s: %s\n", where, failure_words(error));
		if (at < sizeof(text))
			at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%s: %s",
					       at ? "; " : "", where, failure_words(error));
		if (at == 0 || rank(failure_kind(error)) >= rank(status))
			status = failure_kind(error);
	}
	return failure_set(failure, status, "%s", text);
}
