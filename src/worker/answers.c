/* SPDX-License-Identifier: ISC */
/* Answers to datagrams, gathered and sent through the socket they came by. */
#include "config.h"

#include "worker/answers.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* What is longer may need more than one packet, which the kernel does not do for several at once. */
#define JOINED_LENGTH_MAX 1400

/* Less than what it takes at once. */
#define JOINED_BYTES_MAX 65000

union control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(uint16_t))];
};

/* Answers that are sent as one message: the first, and how many follow each other. */
struct run {
	unsigned first;
	unsigned n;
	size_t bytes;
};

/* What sendmmsg(2) wants to know of all runs. */
struct passage {
	unsigned n;
	struct run runs[WIRE_MAX_DGRAMS];
	struct mmsghdr messages[WIRE_MAX_DGRAMS];
	union control control[WIRE_MAX_DGRAMS];
};

bool answers_can_join(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), value;
	socklen_t length = sizeof(value);
	bool can;

	if (fd < 0)
		return false;
	can = getsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &value, &length) == 0;
	(void)close(fd);
	return can;
}

struct iovec *answers_room(struct answers *answers)
{
	return &answers->parts[answers->n_parts];
}

void answers_add(struct answers *answers, const struct wire_dgram *to, size_t n)
{
	struct answer *answer = &answers->all[answers->n++];

	*answer = (struct answer){ .to = to, .first = answers->n_parts, .n = (unsigned)n };
	for (size_t i = 0; i < n; i++)
		answer->length += answers->parts[answers->n_parts++].iov_len;
}

/* --- one message ---------------------------------------------------------------------- */

static void add_control(struct msghdr *m, union control *room, int level, int type,
			const void *data, size_t length)
{
	struct cmsghdr *c = (void *)(room->bytes + m->msg_controllen);

	memset(c, 0, CMSG_SPACE(length));
	c->cmsg_level = level;
	c->cmsg_type = type;
	c->cmsg_len = CMSG_LEN(length);
	memcpy(CMSG_DATA(c), data, length);
	m->msg_control = room;
	m->msg_controllen += CMSG_SPACE(length);
}

/* Has the answer leave from where the question was sent to. */
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

static void lay_out(struct msghdr *m, union control *room, const struct wire_dgram *to,
		    struct iovec *parts, size_t n)
{
	/* sendmsg(2) does not write there. */
	*m = (struct msghdr){ .msg_name = (void *)(uintptr_t)&to->peer,
			      .msg_namelen = to->peer_len,
			      .msg_iov = parts,
			      .msg_iovlen = n };
	answer_from(m, room, to);
}

int answers_send_one(int fd, const struct wire_dgram *to, struct iovec *parts, size_t n)
{
	union control control;
	struct msghdr m;
	ssize_t sent;

	lay_out(&m, &control, to, parts, n);
	do {
		sent = sendmsg(fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL);
	} while (sent < 0 && errno == EINTR);
	if (sent < 0 && m.msg_controllen > 0 && errno != EAGAIN && errno != ENOBUFS) {
		/* An address that nobody can send from, such as that of a broadcast. */
		m.msg_control = NULL;
		m.msg_controllen = 0;
		sent = sendmsg(fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL);
	}
	return sent < 0 ? -errno : 0;
}

/* --- all of them ---------------------------------------------------------------------- */

static bool is_same_way(const struct wire_dgram *a, const struct wire_dgram *b)
{
	return a->peer_len == b->peer_len && memcmp(&a->peer, &b->peer, a->peer_len) == 0 &&
	       memcmp(&a->local, &b->local, sizeof(a->local)) == 0;
}

/* Whether @next may leave with @run. Of its answers all are as long as the first, and the last may be shorter. */
static bool may_join(const struct answers *answers, const struct run *run,
		     const struct answer *next)
{
	const struct answer *first = &answers->all[run->first];
	sa_family_t family = next->to->peer.sa.sa_family;

	return (family == AF_INET || family == AF_INET6) && next->length > 0 &&
	       next->length <= first->length && first->length <= JOINED_LENGTH_MAX &&
	       run->bytes == run->n * first->length &&
	       run->bytes + next->length <= JOINED_BYTES_MAX && is_same_way(first->to, next->to);
}

static void find_runs(const struct answers *answers, bool join, struct passage *ret)
{
	struct run *run = NULL;

	ret->n = 0;
	for (unsigned i = 0; i < answers->n; i++) {
		const struct answer *next = &answers->all[i];

		if (!run || !join || !may_join(answers, run, next)) {
			run = &ret->runs[ret->n++];
			*run = (struct run){ .first = i };
		}
		run->n++;
		run->bytes += next->length;
	}
}

static void lay_out_run(struct answers *answers, const struct run *run, struct msghdr *m,
			union control *room)
{
	const struct answer *first = &answers->all[run->first];
	const struct answer *last = first + run->n - 1;
	uint16_t length = (uint16_t)first->length;

	lay_out(m, room, first->to, &answers->parts[first->first],
		last->first + last->n - first->first);
	if (run->n > 1)
		add_control(m, room, IPPROTO_UDP, UDP_SEGMENT, &length, sizeof(length));
}

/* Those of @run each by itself. Returns 0, or -errno where no more can be sent now. */
static int send_apart(struct answers *answers, const struct run *run, int fd)
{
	for (unsigned i = run->first; i < run->first + run->n; i++) {
		const struct answer *answer = &answers->all[i];
		int r = answers_send_one(fd, answer->to, &answers->parts[answer->first], answer->n);

		if (r == -EAGAIN || r == -ENOBUFS)
			return r;
	}
	return 0;
}

void answers_send(struct answers *answers, int fd, bool join)
{
	struct passage p;
	unsigned i = 0;

	find_runs(answers, join, &p);
	for (unsigned k = 0; k < p.n; k++)
		lay_out_run(answers, &p.runs[k], &p.messages[k].msg_hdr, &p.control[k]);
	while (i < p.n) {
		int sent = sendmmsg(fd, &p.messages[i], p.n - i, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (sent > 0)
			i += (unsigned)sent;
		else if (errno == EAGAIN || errno == ENOBUFS)
			return;
		else if (errno != EINTR && send_apart(answers, &p.runs[i++], fd) < 0)
			return;
	}
}
