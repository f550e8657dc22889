/* SPDX-License-Identifier: ISC */
/* The pair of sockets between usherd and its worker: making it, and one message at a time over it. */
#include "config.h"

#include "serve/worker_pair.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

/* Room for messages that the worker has not read yet. */
#define PAIR_BUFFER (1024 * 1024)

int worker_pair_open(int *ret_ours, int *ret_theirs)
{
	const int size = PAIR_BUFFER;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
		return -errno;
	/* The first needs CAP_NET_ADMIN; the second is cut down to net.core.wmem_max, which will do. */
	if (setsockopt(pair[0], SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) < 0)
		(void)setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	*ret_ours = pair[0];
	*ret_theirs = pair[1];
	return 0;
}

int worker_pair_send(int fd, struct iovec *iov, size_t n_iov, const int *fds, size_t n_fds)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(WIRE_MAX_FDS * sizeof(int))];
	} control = { .bytes = { 0 } };
	struct msghdr m = { .msg_iov = iov, .msg_iovlen = n_iov };
	ssize_t sent;

	if (n_fds > 0) {
		m.msg_control = &control;
		m.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
		control.align.cmsg_level = SOL_SOCKET;
		control.align.cmsg_type = SCM_RIGHTS;
		control.align.cmsg_len = CMSG_LEN(n_fds * sizeof(int));
		memcpy(CMSG_DATA(&control.align), fds, n_fds * sizeof(int));
	}
	do
		sent = sendmsg(fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent < 0 ? -errno : 0;
}

/* The worker reads what strangers write, so its word is checked like theirs. */
static bool is_in_form(struct worker_outcomes *m, size_t size)
{
	size_t entries = size - sizeof(m->head);
	struct wire_name *name = &m->as.name;

	if (m->head.magic != WIRE_MAGIC)
		return false;
	if (m->head.kind == WIRE_DONE)
		return m->head.count <= WIRE_MAX_ENTRIES &&
		       entries == m->head.count * sizeof(m->as.done[0]);
	if (m->head.kind != WIRE_NAME || m->head.count != 1 || entries != sizeof(*name) ||
	    name->length > WIRE_MAX_NAME || !wire_name_is_sound(name->name, name->length))
		return false;
	name->name[name->length] = '\0';
	return true;
}

int worker_pair_receive(int fd, struct worker_outcomes *ret)
{
	ssize_t size = recv(fd, ret, sizeof(*ret), MSG_DONTWAIT | MSG_TRUNC);

	if (size < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	return size >= (ssize_t)sizeof(ret->head) && is_in_form(ret, (size_t)size) ? 1 : -EPROTO;
}
