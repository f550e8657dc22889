/* SPDX-License-Identifier: ISC */
/* The worker's end of the pair of sockets between it and usherd: one message at a time. */
#include "config.h"

#include "worker/pair.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "worker/builtin.h"

ssize_t pair_receive(int fd, void *message, size_t size, int fds[static WIRE_MAX_FDS])
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(WIRE_MAX_FDS * sizeof(int))];
	} control;
	struct iovec iov = { .iov_base = message, .iov_len = size };
	struct msghdr m = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = &control,
			    .msg_controllen = sizeof(control) };
	unsigned n = 0;
	ssize_t got = recvmsg(fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	for (unsigned i = 0; i < WIRE_MAX_FDS; i++)
		fds[i] = -1;
	if (got < 0)
		return would_block(errno) ? -1 : 0;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
		size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < count && n < WIRE_MAX_FDS; i++, n++)
			memcpy(&fds[n], CMSG_DATA(c) + i * sizeof(int), sizeof(int));
	}
	return got;
}

bool pair_is(int fd)
{
	int domain = 0, type = 0;
	socklen_t domain_len = sizeof(domain), type_len = sizeof(type);

	return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &domain_len) == 0 &&
	       domain == AF_UNIX && getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_len) == 0 &&
	       type == SOCK_SEQPACKET;
}
