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
#include "worker/answers.h"
#include "worker/builtin.h"

/* Ports below are those of other services, which would answer the answer (D42). */
#define FIRST_CLIENT_PORT 1024

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
	struct iovec part = { payload, length };

	return answers_send_one(fd, to, &part, 1);
}

void dgrams_answer(const struct builtin *builtin, struct shared *shared, uint32_t count,
		   char *entries, size_t size, int fd)
{
	struct answers answers;

	if (count > WIRE_MAX_DGRAMS)
		return;
	answers.n = answers.n_parts = 0;
	for (uint32_t i = 0; i < count; i++) {
		struct wire_dgram *d = dgrams_next(&entries, &size);
		size_t parts;

		if (!d)
			return;
		if (!may_answer(d))
			continue;
		parts = builtin->dgram(shared, d + 1, d->length, answers_room(&answers));
		if (parts > 0)
			answers_add(&answers, d, parts);
	}
	answers_send(&answers, fd, shared->joins_answers);
}
