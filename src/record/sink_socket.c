/* SPDX-License-Identifier: ISC */
/* What the sinks of local sockets have in common: connecting, sending line by line without blocking, coming back. */
#include "config.h"

#include "record/sink_socket.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/util.h"

static struct sink_socket *socket_of(struct sink *sink)
{
	return (struct sink_socket *)(void *)sink;
}

static void disconnect(struct sink_socket *log)
{
	if (log->fd >= 0)
		(void)close(log->fd);
	log->fd = -1;
	log->partial = 0;
}

static int connect_as(struct sink_socket *log, int type)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	CLEANUP_CLOSE int fd = -1;

	if (strlen(log->path) >= sizeof(un.sun_path))
		return -ENAMETOOLONG;
	(void)strcpy(un.sun_path, log->path);
	fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&un, sizeof(un)) < 0)
		return -errno;
	log->fd = sink_place_fd(take_fd(&fd));
	log->stream = type == SOCK_STREAM;
	return 0;
}

static int ensure_connected(struct sink_socket *log)
{
	int r;

	if (log->fd >= 0)
		return 0;
	r = connect_as(log, SOCK_DGRAM);
	return r == -EPROTOTYPE && !log->datagrams_only ? connect_as(log, SOCK_STREAM) : r;
}

/* Sends one line, or what remains of it. Returns 0 or -errno. */
static int send_line(struct sink_socket *log, const struct line *line, char *scratch)
{
	size_t len = log->format(log, line, scratch) + log->stream;

	do {
		ssize_t n = send(log->fd, scratch + log->partial, len - log->partial,
				 MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		/* A datagram goes whole or not at all. */
		log->partial += log->stream ? (size_t)n : len;
	} while (log->partial < len);
	log->partial = 0;
	return 0;
}

size_t sink_socket_write(struct sink *sink, const struct batch *batch, int *ret_error)
{
	struct sink_socket *log = socket_of(sink);
	bool again = log->fd >= 0;
	size_t done = 0;

	while (done < batch->n) {
		int r = ensure_connected(log);

		if (r == 0)
			r = send_line(log, batch->lines[done], batch->scratch);
		if (r == 0) {
			done++;
		} else if (r == -EMSGSIZE) {
			/* It would stand in the way of all others for ever. */
			sink->discarded++;
			sink->discard_error = r;
			done++;
		} else if (r == -EAGAIN || r == -ENOBUFS || r == -ENOMEM || log->fd < 0) {
			*ret_error = r;
			break;
		} else {
			/* The other end is gone: perhaps a new one has taken its place. */
			disconnect(log);
			*ret_error = r;
			if (!again)
				break;
			again = false;
		}
	}
	if (done == batch->n)
		*ret_error = 0;
	return done;
}

void sink_socket_reopen(struct sink *sink, const struct batch *batch)
{
	(void)batch;
	disconnect(socket_of(sink));
}

int sink_socket_init(struct sink_socket *log, const struct sink_ops *ops, const char *path,
		     const char *name)
{
	log->fd = -1;
	log->path = strdup(path);
	if (log->path && sink_init(&log->sink, ops, name) == 0)
		return 0;
	free(TAKE_PTR(log->path));
	return -ENOMEM;
}

void sink_socket_done(struct sink_socket *log)
{
	disconnect(log);
	free(log->path);
	sink_done(&log->sink);
}
