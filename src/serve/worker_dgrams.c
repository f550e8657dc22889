/* SPDX-License-Identifier: ISC */
/* Takes datagrams for internal services off their sockets, and hands those admitted to the worker. */
#include "config.h"

#include "serve/worker_dgrams.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "base/wire.h"
#include "serve/worker_link_private.h"

/* Datagrams taken off a socket at once; each has room for the longest, of which memory is only what was ever used. */
#define DGRAM_BATCH 64

union dgram_control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(struct in_pktinfo)) + CMSG_SPACE(sizeof(struct in6_pktinfo))];
};

/* A batch of datagrams; made when the first comes. */
struct dgram_room {
	struct mmsghdr messages[DGRAM_BATCH];
	struct iovec iov[DGRAM_BATCH];
	struct wire_dgram entries[DGRAM_BATCH];
	union dgram_control control[DGRAM_BATCH];
	uint64_t tokens[DGRAM_BATCH];
	char payload[DGRAM_BATCH][WIRE_PADDED(WIRE_MAX_PAYLOAD)];
};

int worker_dgrams_prepare(int fd)
{
	const int on = 1;
	int domain = 0;
	socklen_t len = sizeof(domain);

	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) < 0)
		return -errno;
	if (domain == AF_INET && setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on)) < 0)
		return -errno;
	if (domain == AF_INET6 &&
	    setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on)) < 0)
		return -errno;
	return 0;
}

/* Writes to @ret the own address that the datagram came to; leaves it alone where that is not known. */
static void find_local(const struct msghdr *m, union wire_local *ret)
{
	/* CMSG_NXTHDR() wants it writable and does not write. */
	struct msghdr *walk = (struct msghdr *)(uintptr_t)m;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(walk, c)) {
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo info;

			memcpy(&info, CMSG_DATA(c), sizeof(info));
			/* Our own address on that net where the datagram was a broadcast. */
			ret->in.sin_family = AF_INET;
			ret->in.sin_addr = info.ipi_spec_dst;
		} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
			struct in6_pktinfo info;

			memcpy(&info, CMSG_DATA(c), sizeof(info));
			if (IN6_IS_ADDR_MULTICAST(&info.ipi6_addr))
				continue;
			ret->in6.sin6_family = AF_INET6;
			ret->in6.sin6_addr = info.ipi6_addr;
			if (IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr))
				ret->in6.sin6_scope_id = info.ipi6_ifindex;
		}
	}
}

/* Receives at most @most datagrams into @room. Returns the number of datagrams or -errno. */
static int receive(struct dgram_room *room, int fd, unsigned most)
{
	int n;

	for (size_t i = 0; i < most; i++) {
		room->iov[i] = (struct iovec){ room->payload[i], WIRE_MAX_PAYLOAD };
		room->messages[i].msg_hdr = (struct msghdr){
			.msg_name = &room->entries[i].peer,
			.msg_namelen = sizeof(room->entries[i].peer),
			.msg_iov = &room->iov[i],
			.msg_iovlen = 1,
			.msg_control = &room->control[i],
			.msg_controllen = sizeof(room->control[i]),
		};
	}
	n = recvmmsg(fd, room->messages, most, MSG_DONTWAIT | MSG_CMSG_CLOEXEC, NULL);
	return n < 0 ? -errno : n;
}

/* Closes descriptors that a Unix peer has sent along. */
static void drop_descriptors(struct msghdr *m)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t at = CMSG_LEN(0); at + sizeof(int) <= c->cmsg_len; at += sizeof(int)) {
			int fd;

			memcpy(&fd, (char *)c + at, sizeof(fd));
			(void)close(fd);
		}
	}
}

/* One turn: where its datagrams go, and what became of them so far. */
struct batch {
	struct worker_link *link;
	struct dgram_room *room;
	uint32_t service; /* enum wire_service */
	int fd;
	const struct worker_dgrams_ops *ops;
	void *arg;
	struct worker_dgrams_counts counts;
	unsigned picked[DGRAM_BATCH];
	unsigned n;
	size_t size; /* of the message made of those picked */
};

/* Sends the datagrams picked as one message, with their socket. Returns 0 or -errno. */
static int forward(struct batch *batch)
{
	struct dgram_room *room = batch->room;
	struct wire_head head = { .magic = WIRE_MAGIC,
				  .kind = WIRE_DGRAM,
				  .count = batch->n,
				  .service = batch->service };
	struct iovec iov[1 + 2 * DGRAM_BATCH] = { { &head, sizeof(head) } };

	for (unsigned i = 0; i < batch->n; i++) {
		unsigned at = batch->picked[i];
		struct wire_dgram *d = &room->entries[at];

		iov[1 + 2 * i] = (struct iovec){ d, sizeof(*d) };
		iov[2 + 2 * i] = (struct iovec){ room->payload[at], WIRE_PADDED(d->length) };
	}
	return worker_link_send(batch->link, iov, 1 + 2 * batch->n, batch->fd);
}

static void tell(struct batch *batch, unsigned i, int error)
{
	struct wire_dgram *d = &batch->room->entries[i];

	if (error == 0)
		batch->counts.forwarded++;
	else
		batch->counts.dropped++;
	if (batch->ops->outcome)
		batch->ops->outcome(batch->arg, (const void *)&d->peer, d->peer_len,
				    batch->room->tokens[i], d->length, error);
}

static void forward_picked(struct batch *batch)
{
	int r;

	if (batch->n == 0)
		return;
	r = forward(batch);
	for (unsigned i = 0; i < batch->n; i++)
		tell(batch, batch->picked[i], -r);
	batch->n = 0;
	batch->size = sizeof(struct wire_head);
}

/* Completes the entry of one received datagram. */
static struct wire_dgram *complete(struct dgram_room *room, unsigned i)
{
	struct msghdr *m = &room->messages[i].msg_hdr;
	struct wire_dgram *d = &room->entries[i];

	d->length = room->messages[i].msg_len;
	d->peer_len = m->msg_namelen < sizeof(d->peer) ? m->msg_namelen : sizeof(d->peer);
	if (d->peer_len == 0)
		d->peer.sa.sa_family = AF_UNSPEC;
	memset(&d->local, 0, sizeof(d->local));
	find_local(m, &d->local);
	drop_descriptors(m);
	return d;
}

/* Has one received datagram decided about, and adds it to those to be sent. */
static void take_dgram(struct batch *batch, unsigned i)
{
	struct msghdr *m = &batch->room->messages[i].msg_hdr;
	struct wire_dgram *d = complete(batch->room, i);
	size_t size;

	batch->room->tokens[i] = 0;
	if (!batch->ops->admit(batch->arg, (const void *)&d->peer, d->peer_len,
			       &batch->room->tokens[i])) {
		batch->counts.refused++;
		return;
	}
	if (m->msg_flags & MSG_TRUNC) {
		tell(batch, i, EMSGSIZE);
		return;
	}
	size = sizeof(*d) + WIRE_PADDED(d->length);
	if (batch->size + size > WIRE_MAX_MESSAGE)
		forward_picked(batch);
	d->session = batch->service == WIRE_DGRAM_RELAY ? batch->room->tokens[i] : 0;
	batch->picked[batch->n++] = i;
	batch->size += size;
}

static int take_batch(struct worker_link *link, uint32_t service, int fd,
		      const struct worker_dgrams_ops *ops, void *arg,
		      struct worker_dgrams_counts *ret)
{
	struct batch batch = { .link = link,
			       .service = service,
			       .fd = fd,
			       .ops = ops,
			       .arg = arg,
			       .size = sizeof(struct wire_head) };
	int n;

	batch.room = worker_link_scratch(link, sizeof(*batch.room));
	if (!batch.room)
		return -ENOMEM;
	n = receive(batch.room, fd, DGRAM_BATCH);
	if (n < 0)
		return n;
	batch.counts.received = (unsigned)n;
	for (unsigned i = 0; i < (unsigned)n; i++)
		take_dgram(&batch, i);
	forward_picked(&batch);
	*ret = batch.counts;
	return 0;
}

int worker_dgrams_forward(struct worker_link *link, enum builtin builtin, int fd,
			  const struct worker_dgrams_ops *ops, void *arg,
			  struct worker_dgrams_counts *ret)
{
	if (!worker_link_serves(builtin))
		return -EPROTONOSUPPORT;
	return take_batch(link, (uint32_t)builtin, fd, ops, arg, ret);
}

int worker_dgrams_relay(struct worker_link *link, int fd, const struct worker_dgrams_ops *ops,
			void *arg, struct worker_dgrams_counts *ret)
{
	return take_batch(link, WIRE_DGRAM_RELAY, fd, ops, arg, ret);
}

/* --- one by one -------------------------------------------------------------------------- */

struct worker_dgram {
	int fd; /* of its socket: that may be closed before it is answered */
	struct wire_dgram entry;
	char payload[];
};

int worker_dgrams_take(struct worker_link *link, int fd, struct worker_dgram **ret)
{
	struct dgram_room *room = worker_link_scratch(link, sizeof(*room));
	const struct wire_dgram *entry;
	struct worker_dgram *dgram;
	int n;

	if (!room)
		return -ENOMEM;
	n = receive(room, fd, 1);
	if (n <= 0)
		return n < 0 ? n : -EAGAIN;
	entry = complete(room, 0);
	if (room->messages[0].msg_hdr.msg_flags & MSG_TRUNC)
		return -EMSGSIZE;
	dgram = malloc(sizeof(*dgram) + WIRE_PADDED(entry->length));
	if (!dgram)
		return -ENOMEM;
	dgram->entry = *entry;
	memcpy(dgram->payload, room->payload[0], WIRE_PADDED(entry->length));
	dgram->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (dgram->fd < 0) {
		free(dgram);
		return -EMFILE;
	}
	*ret = dgram;
	return 0;
}

static int give(struct worker_link *link, uint32_t service, uint64_t session,
		struct worker_dgram *dgram)
{
	struct wire_head head = {
		.magic = WIRE_MAGIC, .kind = WIRE_DGRAM, .count = 1, .service = service
	};
	struct iovec iov[] = {
		{ &head, sizeof(head) },
		{ &dgram->entry, sizeof(dgram->entry) },
		{ dgram->payload, WIRE_PADDED(dgram->entry.length) },
	};

	dgram->entry.session = session;
	return worker_link_send(link, iov, ARRAY_SIZE(iov), dgram->fd);
}

int worker_dgrams_give(struct worker_link *link, enum builtin builtin, struct worker_dgram *dgram)
{
	if (!worker_link_serves(builtin))
		return -EPROTONOSUPPORT;
	return give(link, (uint32_t)builtin, 0, dgram);
}

int worker_dgrams_pass(struct worker_link *link, uint64_t session, struct worker_dgram *dgram)
{
	return give(link, WIRE_DGRAM_RELAY, session, dgram);
}

struct addr worker_dgrams_peer(const struct worker_dgram *dgram)
{
	struct addr peer;

	addr_from_sockaddr(&peer, (const void *)&dgram->entry.peer, dgram->entry.peer_len);
	return peer;
}

size_t worker_dgrams_length(const struct worker_dgram *dgram)
{
	return dgram->entry.length;
}

void worker_dgrams_drop(struct worker_dgram *dgram)
{
	(void)close(dgram->fd);
	free(dgram);
}
