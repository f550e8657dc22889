/* SPDX-License-Identifier: ISC */
/* Messages of datagrams that were taken off their sockets when the pair to the worker was full. */
#include "config.h"

#include "serve/worker_backlog.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "serve/worker_pair.h"

struct worker_message {
	TAILQ_ENTRY(worker_message) entry;
	int fd;
	size_t size;
	char bytes[];
};

int worker_backlog_add(struct worker_backlog *backlog, const struct iovec *iov, size_t n_iov,
		       int fd)
{
	struct worker_message *message;
	size_t size = 0;
	char *at;

	for (size_t i = 0; i < n_iov; i++)
		size += iov[i].iov_len;
	message = malloc(sizeof(*message) + size);
	if (!message)
		return -ENOMEM;
	message->size = size;
	message->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (message->fd < 0) {
		free(message);
		return -EMFILE;
	}
	at = message->bytes;
	for (size_t i = 0; i < n_iov; i++) {
		memcpy(at, iov[i].iov_base, iov[i].iov_len);
		at += iov[i].iov_len;
	}
	TAILQ_INSERT_TAIL(backlog, message, entry);
	return 0;
}

int worker_backlog_send(struct worker_backlog *backlog, int pair)
{
	struct worker_message *message = TAILQ_FIRST(backlog);
	struct iovec iov = { message->bytes, message->size };
	int r = worker_pair_send(pair, &iov, 1, &message->fd, 1);

	if (r == 0)
		worker_backlog_drop(backlog);
	return r;
}

void worker_backlog_drop(struct worker_backlog *backlog)
{
	struct worker_message *message = TAILQ_FIRST(backlog);

	TAILQ_REMOVE(backlog, message, entry);
	(void)close(message->fd);
	free(message);
}
