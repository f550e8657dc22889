/* SPDX-License-Identifier: ISC */
/* Asks the ident server of a client (RFC 1413) whose the connection is. */
#include "config.h"

#include "gate/ident.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/log.h"
#include "base/util.h"

/* --- the answer ---------------------------------------------------------------- */

/* A line that is being read: what is left of it. */
struct line {
	const char *at;
	size_t left;
};

static void skip_blanks(struct line *line)
{
	while (line->left && (*line->at == ' ' || *line->at == '\t')) {
		line->at++;
		line->left--;
	}
}

/* Takes @word, and blanks around it. */
static bool take(struct line *line, const char *word)
{
	size_t length = strlen(word);

	skip_blanks(line);
	if (line->left < length || memcmp(line->at, word, length) != 0)
		return false;
	line->at += length;
	line->left -= length;
	skip_blanks(line);
	return true;
}

/* Takes a decimal number that is @port. */
static bool take_port(struct line *line, uint16_t port)
{
	uint32_t value = 0;
	bool digits = false;

	skip_blanks(line);
	while (line->left && *line->at >= '0' && *line->at <= '9' && value <= UINT16_MAX) {
		value = value * 10 + (uint32_t)(*line->at - '0');
		line->at++;
		line->left--;
		digits = true;
	}
	return digits && value == port;
}

enum ident_outcome ident_parse(const char *reply, size_t length, uint16_t peer_port,
			       uint16_t local_port, char text[static IDENT_TEXT_MAX + 1])
{
	const char *end = length ? memchr(reply, '\n', length) : NULL;
	struct line line = { .at = reply, .left = end ? (size_t)(end - reply) : 0 };

	text[0] = '\0';
	if (line.left && line.at[line.left - 1] == '\r')
		line.left--;
	if (!line.left || memchr(line.at, '\0', line.left) || memchr(line.at, '\r', line.left))
		return IDENT_BAD_RESPONSE;
	if (!take_port(&line, peer_port) || !take(&line, ",") || !take_port(&line, local_port) ||
	    !take(&line, ":") || !take(&line, "USERID") || !take(&line, ":") || !line.left)
		return IDENT_BAD_RESPONSE;
	(void)log_escape(text, IDENT_TEXT_MAX + 1, line.at, line.left);
	return IDENT_ANSWERED;
}

/* --- the question ---------------------------------------------------------------- */

/* Waits until @fd is ready for @events. Returns 0, -ETIMEDOUT or another -errno. */
static int await(int fd, short events, uint64_t deadline_usec)
{
	struct pollfd wanted = { .fd = fd, .events = events };

	for (;;) {
		uint64_t now = now_usec();
		uint64_t msec;
		int n;

		if (now >= deadline_usec)
			return -ETIMEDOUT;
		/* Rounded up, so as not to spin through the last millisecond. */
		msec = (deadline_usec - now) / USEC_PER_MSEC + 1;
		n = poll(&wanted, 1, msec < 3600000 ? (int)msec : 3600000);
		if (n > 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return -errno;
	}
}

static enum ident_outcome connect_to(int fd, const struct addr *server, uint64_t deadline_usec)
{
	struct sockaddr_storage sa;
	socklen_t length = addr_to_sockaddr(server, &sa);
	int error = 0;
	socklen_t size = sizeof(error);
	int r;

	if (connect(fd, (struct sockaddr *)&sa, length) < 0 && errno != EINPROGRESS &&
	    errno != EINTR)
		return IDENT_NO_SERVER;
	r = await(fd, POLLOUT, deadline_usec);
	if (r == -ETIMEDOUT)
		return IDENT_TIMEOUT;
	if (r < 0 || getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
		return IDENT_SYSTEM_ERROR;
	if (error)
		return error == ETIMEDOUT ? IDENT_TIMEOUT : IDENT_NO_SERVER;
	return IDENT_ANSWERED;
}

/* Reads until there is the end of a line; @reply gets the bytes. */
static enum ident_outcome receive(int fd, char reply[static IDENT_REPLY_MAX], size_t *ret_length,
				  uint64_t deadline_usec)
{
	size_t length = 0;

	while (length < IDENT_REPLY_MAX && !(length && memchr(reply, '\n', length))) {
		int r = await(fd, POLLIN, deadline_usec);
		ssize_t n;

		if (r < 0)
			return r == -ETIMEDOUT ? IDENT_TIMEOUT : IDENT_SYSTEM_ERROR;
		n = recv(fd, reply + length, IDENT_REPLY_MAX - length, 0);
		if (n == 0)
			return IDENT_RECEIVE_ERROR;
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return IDENT_RECEIVE_ERROR;
		if (n > 0)
			length += (size_t)n;
	}
	*ret_length = length;
	return memchr(reply, '\n', length) ? IDENT_ANSWERED : IDENT_RECEIVE_ERROR;
}

enum ident_outcome ident_ask(const struct addr *local, const struct addr *peer, uint16_t port,
			     uint64_t deadline_usec, char text[static IDENT_TEXT_MAX + 1])
{
	struct addr server = *peer, source = *local;
	char question[sizeof("65535,65535\r\n")], reply[IDENT_REPLY_MAX];
	CLEANUP_CLOSE int fd = -1;
	struct sockaddr_storage sa;
	enum ident_outcome outcome;
	socklen_t source_length;
	size_t length;

	text[0] = '\0';
	server.port = port;
	source.port = 0;
	source_length = addr_to_sockaddr(&source, &sa);
	if (source_length == 0 || source.family != server.family)
		return IDENT_SYSTEM_ERROR;
	fd = socket(source.family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&sa, source_length) < 0)
		return IDENT_SYSTEM_ERROR;
	outcome = connect_to(fd, &server, deadline_usec);
	if (outcome != IDENT_ANSWERED)
		return outcome;
	length = (size_t)snprintf(question, sizeof(question), "%u,%u\r\n", peer->port, local->port);
	/* So few bytes fit the buffer of a new socket. */
	if (send(fd, question, length, MSG_NOSIGNAL) != (ssize_t)length)
		return IDENT_RECEIVE_ERROR;
	outcome = receive(fd, reply, &length, deadline_usec);
	if (outcome != IDENT_ANSWERED)
		return outcome;
	return ident_parse(reply, length, peer->port, local->port, text);
}
