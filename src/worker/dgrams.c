/* SPDX-License-Identifier: ISC */
/* Answers to datagrams: from what usherd forwards to what leaves by their socket. */
#include "config.h"

#include "worker/dgrams.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/wire.h"
#include "worker/builtin.h"

/* Ports below are those of other services, which would answer the answer (D42). */
#define FIRST_CLIENT_PORT 1024

union control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(struct in6_pktinfo))];
};

/* The answers to the datagrams of one message, as sendmmsg(2) wants them. */
struct answers {
	unsigned n;
	struct mmsghdr messages[WIRE_MAX_DGRAMS];
	struct iovec parts[WIRE_MAX_DGRAMS][ANSWER_PARTS];
	union control control[WIRE_MAX_DGRAMS];
};

/*
 * Whether an answer may go to this peer: to a client's port of one host, or to
 * a Unix peer with a name. Names in the file system are out of our reach, and
 * usherd must not send for us: root would go wherever the peer's name points.
 */
static bool may_answer(const struct wire_dgram *d)
{
	const struct sockaddr_in *in = &d->peer.in;
	const struct sockaddr_in6 *in6 = &d->peer.in6;
	in_addr_t host;

	switch (d->peer.sa.sa_family) {
	case AF_INET:
		if (d->peer_len < sizeof(*in) || ntohs(in->sin_port) < FIRST_CLIENT_PORT)
			return false;
		host = ntohl(in->sin_addr.s_addr);
		return host != INADDR_ANY && host != INADDR_BROADCAST && !IN_MULTICAST(host);
	case AF_INET6:
		if (d->peer_len < sizeof(*in6) || ntohs(in6->sin6_port) < FIRST_CLIENT_PORT)
			return false;
		return !IN6_IS_ADDR_UNSPECIFIED(&in6->sin6_addr) &&
		       !IN6_IS_ADDR_MULTICAST(&in6->sin6_addr);
	case AF_UNIX:
		return d->peer_len > offsetof(struct sockaddr_un, sun_path) &&
		       d->peer.un.sun_path[0] == '\0';
	default:
		return false;
	}
}

static void add_control(struct msghdr *m, union control *room, int level, int type,
			const void *data, size_t length)
{
	m->msg_control = room;
	m->msg_controllen = CMSG_SPACE(length);
	memset(room, 0, sizeof(*room));
	room->align.cmsg_level = level;
	room->align.cmsg_type = type;
	room->align.cmsg_len = CMSG_LEN(length);
	memcpy(CMSG_DATA(&room->align), data, length);
}

/* Has the answer leave from where the question was sent to (D43). */
static void answer_from(struct msghdr *m, union control *room, const struct wire_dgram *d)
{
	if (d->local.sa.sa_family == AF_INET && d->peer.sa.sa_family == AF_INET) {
		const struct in_pktinfo info = { .ipi_spec_dst = d->local.in.sin_addr };

		add_control(m, room, IPPROTO_IP, IP_PKTINFO, &info, sizeof(info));
	} else if (d->local.sa.sa_family == AF_INET6 && d->peer.sa.sa_family == AF_INET6) {
		const struct in6_pktinfo info = { .ipi6_addr = d->local.in6.sin6_addr,
						  .ipi6_ifindex = d->local.in6.sin6_scope_id };

		add_control(m, room, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof(info));
	}
}

/* Sends what goes without waiting; nobody relies on the rest. */
static void send_answers(struct answers *a, int fd)
{
	unsigned i = 0;

	while (i < a->n) {
		struct msghdr *m = &a->messages[i].msg_hdr;
		int sent = sendmmsg(fd, &a->messages[i], a->n - i, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (sent > 0) {
			i += (unsigned)sent;
		} else if (errno == EAGAIN || errno == ENOBUFS) {
			return;
		} else if (errno != EINTR && m->msg_controllen > 0) {
			/* An address that nobody can send from, such as that of a broadcast. */
			m->msg_control = NULL;
			m->msg_controllen = 0;
		} else if (errno != EINTR) {
			i++;
		}
	}
}

struct wire_dgram *dgrams_next(char **entries, size_t *size)
{
	struct wire_dgram *d = (void *)*entries;

	if (*size < sizeof(*d) || d->length > WIRE_MAX_PAYLOAD || d->peer_len > sizeof(d->peer) ||
	    *size - sizeof(*d) < WIRE_PADDED(d->length))
		return NULL;
	*entries += sizeof(*d) + WIRE_PADDED(d->length);
	*size -= sizeof(*d) + WIRE_PADDED(d->length);
	return d;
}

int dgrams_send(int fd, const struct wire_dgram *to, void *payload, size_t length)
{
	union wire_peer peer = to->peer;
	struct iovec iov = { payload, length };
	struct msghdr m = {
		.msg_name = &peer, .msg_namelen = to->peer_len, .msg_iov = &iov, .msg_iovlen = 1
	};
	union control control;

	answer_from(&m, &control, to);
	return sendmsg(fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

void dgrams_answer(const struct builtin *builtin, struct shared *shared, uint32_t count,
		   char *entries, size_t size, int fd)
{
	struct answers a;

	if (count > WIRE_MAX_DGRAMS)
		return;
	a.n = 0;
	for (uint32_t i = 0; i < count; i++) {
		struct wire_dgram *d = dgrams_next(&entries, &size);
		struct msghdr *m = &a.messages[a.n].msg_hdr;
		size_t parts;

		if (!d)
			return;
		if (!may_answer(d))
			continue;
		parts = builtin->dgram(shared, d + 1, d->length, a.parts[a.n]);
		if (parts == 0)
			continue;
		*m = (struct msghdr){ .msg_name = &d->peer,
				      .msg_namelen = d->peer_len,
				      .msg_iov = a.parts[a.n],
				      .msg_iovlen = parts };
		answer_from(m, &a.control[a.n], d);
		a.n++;
	}
	send_answers(&a, fd);
}
