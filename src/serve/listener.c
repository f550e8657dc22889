/* SPDX-License-Identifier: ISC */
/* The socket of one endpoint: open, adjust, accept or peek, close. Knows descriptors, not events. */
#include "config.h"

#include "serve/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

#include "serve/worker_dgrams.h"

/* Numbers that listeners leave free where there are too few to live up there. */
#define LISTENER_RESERVE_FDS 32

static bool listens(int socktype)
{
	return socktype == SOCK_STREAM || socktype == SOCK_SEQPACKET;
}

/* Whether usherd itself takes connections or datagrams off the socket. */
static bool takes_itself(const struct service *service)
{
	return !service->wait || (service->type & SERVICE_INTERNAL) ||
	       (service->flags & FLAG_INTERCEPT);
}

static void set_option(int fd, int level, int option, int value)
{
	(void)setsockopt(fd, level, option, &value, sizeof(value));
}

/* Options that may change while the socket is open; a @fresh one has none of them. */
static void apply_options(int fd, const struct endpoint *endpoint, const struct service *service,
			  bool fresh)
{
	bool nodelay = service->flags & FLAG_NODELAY, keepalive = service->flags & FLAG_KEEPALIVE;

	if (endpoint->protocol == IPPROTO_TCP) {
		if (nodelay || !fresh)
			set_option(fd, IPPROTO_TCP, TCP_NODELAY, nodelay);
		if (keepalive || !fresh)
			set_option(fd, SOL_SOCKET, SO_KEEPALIVE, keepalive);
	}
	if (endpoint->socktype == SOCK_DGRAM &&
	    (service->builtin != BUILTIN_NONE || (service->flags & FLAG_INTERCEPT)))
		(void)worker_dgrams_prepare(fd);
}

static bool is_multicast(const struct endpoint *endpoint)
{
	const struct addr *addr = &endpoint->addr;

	return (addr->family == AF_INET && addr->bytes[0] >> 4 == 0xe) ||
	       (addr->family == AF_INET6 && addr->bytes[0] == 0xff);
}

/* Joins the group that the socket is bound to (D45). */
static int join_group(int fd, const struct endpoint *endpoint)
{
	struct ip_mreqn ipv4 = { 0 };
	struct ipv6_mreq ipv6 = { .ipv6mr_interface = endpoint->addr.scope };
	int r;

	if (!is_multicast(endpoint))
		return 0;
	memcpy(&ipv4.imr_multiaddr, endpoint->addr.bytes, sizeof(ipv4.imr_multiaddr));
	memcpy(&ipv6.ipv6mr_multiaddr, endpoint->addr.bytes, sizeof(ipv6.ipv6mr_multiaddr));
	if (endpoint->addr.family == AF_INET)
		r = setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &ipv4, sizeof(ipv4));
	else
		r = setsockopt(fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, &ipv6, sizeof(ipv6));
	return r < 0 ? -errno : 0;
}

/* The path of a Unix socket in the file system, or NULL. */
static const char *socket_path(const struct endpoint *endpoint)
{
	return endpoint->path && endpoint->path[0] == '/' ? endpoint->path : NULL;
}

/* Whether the file is a socket that nobody listens on any more. */
static bool is_stale(const struct endpoint *endpoint)
{
	CLEANUP_CLOSE int fd =
		socket(AF_UNIX, endpoint->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_storage address;
	socklen_t length = endpoint_to_sockaddr(endpoint, &address);
	struct stat st;

	return fd >= 0 && lstat(socket_path(endpoint), &st) == 0 && S_ISSOCK(st.st_mode) &&
	       connect(fd, (struct sockaddr *)&address, length) < 0 && errno == ECONNREFUSED;
}

/*
 * Owner and mode of a Unix socket's file, through a descriptor: whoever may
 * write in the directory may have put something else in its place.
 */
static int set_owner(const struct endpoint *endpoint, const struct service *service)
{
	CLEANUP_CLOSE int file = -1;
	char link[sizeof("/proc/self/fd/") + 12];
	struct stat st;

	if (!socket_path(endpoint))
		return 0;
	file = open(socket_path(endpoint), O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (file < 0)
		return errno == ENOENT ? -ESTALE : -errno;
	if (fstat(file, &st) < 0 || !S_ISSOCK(st.st_mode))
		return -ESTALE;
	if ((service->owner->uid != (uid_t)-1 || service->owner->gid != (gid_t)-1) &&
	    fchownat(file, "", service->owner->uid, service->owner->gid, AT_EMPTY_PATH) < 0)
		return -errno;
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", file);
	if (chmod(link, service->owner->mode == (mode_t)-1 ? 0755 : service->owner->mode) < 0)
		return -errno;
	return 0;
}

static int bind_to(int fd, const struct endpoint *endpoint)
{
	struct sockaddr_storage address;
	socklen_t length = endpoint_to_sockaddr(endpoint, &address);

	return bind(fd, (struct sockaddr *)&address, length) < 0 ? -errno : 0;
}

static int bind_unix(int fd, const struct endpoint *endpoint, const struct service *service)
{
	int r;

	/*
	 * Nobody gets in before owner and mode are right; no stanza may leave a
	 * socket open to all by accident. The file gets the mode of the socket, and
	 * the umask, which the thread that creates logs shares, is left alone.
	 */
	if (fchmod(fd, 0) < 0)
		return -errno;
	r = bind_to(fd, endpoint);
	if (r == -EADDRINUSE && socket_path(endpoint) && is_stale(endpoint) &&
	    unlink(socket_path(endpoint)) == 0)
		r = bind_to(fd, endpoint);
	return r < 0 ? r : set_owner(endpoint, service);
}

/*
 * Moves a listener up, unless the low numbers are taken (serve/low_numbers.h). Where that is impossible it may stay, as long as there
 * are numbers left for connections, logs and reading configuration.
 */
static int move_up(int fd)
{
	struct rlimit limit;
	int high;

	if (fd >= LISTENER_MIN_FD)
		return fd;
	high = fcntl(fd, F_DUPFD_CLOEXEC, LISTENER_MIN_FD);
	if (high < 0 && getrlimit(RLIMIT_NOFILE, &limit) == 0 &&
	    (rlim_t)fd + LISTENER_RESERVE_FDS < limit.rlim_cur)
		return fd;
	(void)close(fd);
	return high < 0 ? -EMFILE : high;
}

static int open_endpoint(const struct endpoint *endpoint, const struct service *service)
{
	int flags = SOCK_CLOEXEC | (takes_itself(service) ? SOCK_NONBLOCK : 0);
	CLEANUP_CLOSE int fd =
		socket(endpoint->addr.family, endpoint->socktype | flags, endpoint->protocol);
	int r;

	if (fd < 0)
		return -errno;
	if (endpoint->addr.family == AF_UNIX) {
		r = bind_unix(fd, endpoint, service);
	} else {
		/* For datagrams it would let anybody else on the machine take the port, too. */
		if (listens(endpoint->socktype) || is_multicast(endpoint))
			set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
		if (endpoint->addr.family == AF_INET6)
			set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, endpoint->v6only);
		r = bind_to(fd, endpoint);
	}
	if (r == 0)
		r = join_group(fd, endpoint);
	if (r == 0)
		apply_options(fd, endpoint, service, true);
	if (r == 0 && listens(endpoint->socktype) &&
	    listen(fd, service->backlog == UNLIMITED ? SOMAXCONN : service->backlog) < 0)
		r = -errno;
	return r < 0 ? r : move_up(take_fd(&fd));
}

int listener_open(const struct endpoint *endpoint, const struct service *service,
		  bool *ret_fell_back)
{
	struct endpoint plain;
	int fd = open_endpoint(endpoint, service);

	*ret_fell_back = false;
	if (!endpoint->fallback_ipv4 || (fd != -EAFNOSUPPORT && fd != -EADDRNOTAVAIL))
		return fd;
	plain = *endpoint;
	plain.addr = (struct addr){ .family = AF_INET, .port = endpoint->addr.port };
	*ret_fell_back = true;
	return open_endpoint(&plain, service);
}

/* A datagram server may have connected the socket, which would be deaf to all others then. */
static void disconnect(int fd)
{
	struct sockaddr nobody = { .sa_family = AF_UNSPEC };
	struct sockaddr_storage peer;
	socklen_t length = sizeof(peer);

	if (getpeername(fd, (struct sockaddr *)&peer, &length) == 0)
		(void)connect(fd, &nobody, sizeof(nobody));
}

int listener_adjust(int fd, const struct endpoint *endpoint, const struct service *service)
{
	int r = fd_set_nonblock(fd, takes_itself(service));

	apply_options(fd, endpoint, service, false);
	if (endpoint->socktype == SOCK_DGRAM)
		disconnect(fd);
	if (r == 0 && listens(endpoint->socktype) &&
	    listen(fd, service->backlog == UNLIMITED ? SOMAXCONN : service->backlog) < 0)
		r = -errno;
	return r < 0 ? r : set_owner(endpoint, service);
}

bool listener_is_shared(const struct endpoint *endpoint, const struct service *service)
{
	return socket_path(endpoint) || !takes_itself(service);
}

void listener_close(int fd, const struct endpoint *endpoint, bool remove)
{
	if (remove && socket_path(endpoint))
		(void)unlink(socket_path(endpoint));
	(void)close(fd);
}

int listener_accept(int fd, bool nonblock, struct addr *ret_peer)
{
	struct sockaddr_storage peer;
	socklen_t length = sizeof(peer);
	int flags = SOCK_CLOEXEC | (nonblock ? SOCK_NONBLOCK : 0);
	int accepted;

	accepted = accept4(fd, (struct sockaddr *)&peer, &length, flags);
	if (accepted < 0)
		return -errno;
	addr_from_sockaddr(ret_peer, (struct sockaddr *)&peer, length);
	if (peer.ss_family == AF_INET6 && ret_peer->family == AF_INET) {
		set_option(accepted, IPPROTO_IPV6, IPV6_ADDRFORM, AF_INET);
	}
	return accepted;
}

int listener_peek(int fd, struct addr *ret_peer)
{
	struct sockaddr_storage peer;
	socklen_t length = sizeof(peer);
	char byte;

	if (recvfrom(fd, &byte, sizeof(byte), MSG_PEEK | MSG_DONTWAIT, (struct sockaddr *)&peer,
		     &length) < 0)
		return -errno;
	addr_from_sockaddr(ret_peer, (struct sockaddr *)&peer, length);
	return 0;
}

bool listener_is_shut(int fd)
{
	struct pollfd item = { .fd = fd, .events = POLLRDHUP };

	return poll(&item, 1, 0) > 0 && (item.revents & (POLLHUP | POLLRDHUP)) != 0;
}

void listener_drop(int fd)
{
	char byte;

	(void)recv(fd, &byte, sizeof(byte), MSG_DONTWAIT);
}

/* The time stamp of the datagram at the head: kept by the kernel with the datagram once it was asked for. */
static bool head_stamp(int fd, uint64_t *ret)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(struct timespec))];
	} control;
	char byte;
	struct iovec iov = { .iov_base = &byte, .iov_len = sizeof(byte) };
	struct msghdr message = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t got;

	/* On only for this look: the server must not find control messages that it did not ask for. */
	set_option(fd, SOL_SOCKET, SO_TIMESTAMPNS, 1);
	got = recvmsg(fd, &message, MSG_PEEK | MSG_DONTWAIT);
	set_option(fd, SOL_SOCKET, SO_TIMESTAMPNS, 0);
	if (got < 0)
		return false;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c)) {
		struct timespec stamp;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPNS)
			continue;
		memcpy(&stamp, CMSG_DATA(c), sizeof(stamp));
		*ret = (uint64_t)stamp.tv_sec * 1000000000u + (uint64_t)stamp.tv_nsec;
		return true;
	}
	return false;
}

void listener_mark(int fd, bool exact, struct listener_mark *ret)
{
	uint32_t memory[SK_MEMINFO_VARS] = { 0 };
	socklen_t length = sizeof(memory);
	char byte;

	*ret = (struct listener_mark){ 0 };
	(void)getsockopt(fd, SOL_SOCKET, SO_MEMINFO, memory, &length);
	ret->queued_bytes = memory[SK_MEMINFO_RMEM_ALLOC];
	/* Unix datagrams are charged to their senders: that there are any must do. */
	if (ret->queued_bytes == 0 && recv(fd, &byte, sizeof(byte), MSG_PEEK | MSG_DONTWAIT) >= 0)
		ret->queued_bytes = 1;
	ret->exact = exact && head_stamp(fd, &ret->stamp_nsec);
}

bool listener_untouched(const struct listener_mark *before, const struct listener_mark *after,
			bool *ret_sure)
{
	*ret_sure = before->exact && after->exact;
	if (*ret_sure)
		return before->stamp_nsec == after->stamp_nsec;
	return after->queued_bytes > 0 && after->queued_bytes >= before->queued_bytes;
}
