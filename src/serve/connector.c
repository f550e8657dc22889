/* SPDX-License-Identifier: ISC */
/* Connects to a host and port without blocking: looks the name up, and tries its addresses in turn. */
#include "config.h"

#include "serve/connector.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/socket.h>

#include "base/util.h"
#include "serve/resolver.h"

/* An address is given this long even where many are left. */
#define SHARE_MIN_USEC USEC_PER_SEC

struct connector {
	struct event_base *base;
	struct connector_request request;
	connector_fn *fn;
	void *arg;
	struct event event;
	bool armed; /* event is assigned */
	struct resolver_query *query;
	struct addr *addrs;
	size_t n;
	size_t next;
	uint64_t deadline_usec;
	int fd; /* being connected, or -1 */
	struct connector_failure failure;
};

static int arm(struct connector *c, int fd, short events, event_callback_fn fn, uint64_t usec)
{
	const struct timeval pause = { .tv_sec = (time_t)(usec / USEC_PER_SEC),
				       .tv_usec = (suseconds_t)(usec % USEC_PER_SEC) };

	if (c->armed)
		(void)event_del(&c->event);
	c->armed = event_assign(&c->event, c->base, fd, events, fn, c) == 0;
	return c->armed && event_add(&c->event, &pause) == 0 ? 0 : -ENOMEM;
}

static void note_error(struct connector *c, int error)
{
	(void)log_errno_text(error, c->failure.why);
}

/*
 * A socket that counts as the user's in all that the kernel keeps with it. It
 * has its owner from the moment when it is made, so it is made in that
 * identity, which only this thread takes on.
 */
static int owned_socket(const struct connector_request *request, int family)
{
	bool change = request->uid != (uid_t)-1 && geteuid() == 0;
	int fd, error;

	if (change) {
		(void)setfsgid(request->gid);
		(void)setfsuid(request->uid);
	}
	fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	error = errno;
	if (change) {
		(void)setfsuid(geteuid());
		(void)setfsgid(getegid());
	}
	errno = error;
	return fd;
}

/* Begins to connect. Returns 0, or the errno that is known already. */
static int try_address(struct connector *c, const struct addr *addr)
{
	const int on = 1;
	struct sockaddr_storage sa;
	struct addr target = *addr;
	socklen_t length;

	target.port = c->request.port;
	length = addr_to_sockaddr(&target, &sa);
	c->fd = owned_socket(&c->request, addr->family);
	if (c->fd < 0)
		return errno;
	(void)setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (c->request.keepalive)
		(void)setsockopt(c->fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	if (connect(c->fd, (struct sockaddr *)&sa, length) < 0 && errno != EINPROGRESS &&
	    errno != EINTR)
		return errno;
	return 0;
}

static void on_connected(evutil_socket_t fd, short what, void *arg);

/* Goes on to the next address. The connector may be gone when it returns. */
static void try_next(struct connector *c)
{
	while (c->next < c->n) {
		uint64_t now = now_usec();
		uint64_t left = now < c->deadline_usec ? c->deadline_usec - now : 0;
		uint64_t share = left / (c->n - c->next);
		const struct addr *addr = &c->addrs[c->next++];
		int error;

		if (left == 0)
			break;
		(void)addr_format(addr, c->failure.where);
		error = try_address(c, addr);
		if (error == 0) {
			if (share < SHARE_MIN_USEC)
				share = left < SHARE_MIN_USEC ? left : SHARE_MIN_USEC;
			if (arm(c, c->fd, EV_WRITE, on_connected, share) == 0)
				return;
			error = ENOMEM;
		}
		note_error(c, error);
		cleanup_close(&c->fd);
		c->fd = -1;
	}
	c->fn(c->arg, -1, &c->failure);
}

static void on_connected(evutil_socket_t fd, short what, void *arg)
{
	struct connector *c = arg;
	int error = 0;
	socklen_t length = sizeof(error);

	if (what & EV_WRITE) {
		if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0)
			error = errno;
	} else {
		error = ETIMEDOUT;
	}
	if (error == 0) {
		c->fn(c->arg, take_fd(&c->fd), NULL);
		return;
	}
	note_error(c, error);
	(void)event_del(&c->event);
	(void)close(take_fd(&c->fd));
	try_next(c);
}

static void on_begin(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	try_next(arg);
}

static void on_answer(void *arg, const struct resolver_answer *answer)
{
	struct connector *c = arg;

	c->query = NULL;
	(void)event_del(&c->event);
	if (answer->n > 0) {
		c->addrs = calloc(answer->n, sizeof(*c->addrs));
		if (c->addrs) {
			memcpy(c->addrs, answer->addrs, answer->n * sizeof(*c->addrs));
			c->n = answer->n;
		}
		note_error(c, ENOMEM);
	} else {
		(void)snprintf(c->failure.why, sizeof(c->failure.why), "%s",
			       gai_strerror(answer->error));
	}
	try_next(c);
}

static void on_no_answer(evutil_socket_t fd, short what, void *arg)
{
	struct connector *c = arg;

	(void)fd;
	(void)what;
	(void)snprintf(c->failure.why, sizeof(c->failure.why), "%s", "its name is not found out");
	resolver_cancel(TAKE_PTR(c->query));
	try_next(c);
}

int connector_new(struct event_base *base, struct resolver *resolver,
		  const struct connector_request *request, connector_fn *fn, void *arg,
		  struct connector **ret)
{
	struct connector *c = calloc(1, sizeof(*c));
	struct addr numeric;
	int r;

	if (!c)
		return -ENOMEM;
	c->base = base;
	c->request = *request;
	c->fn = fn;
	c->arg = arg;
	c->fd = -1;
	c->deadline_usec = now_usec() + request->timeout_usec;
	(void)snprintf(c->failure.where, sizeof(c->failure.where), "%s", request->host);
	if (addr_parse(request->host, &numeric) == 0) {
		c->addrs = malloc(sizeof(*c->addrs));
		if (c->addrs) {
			c->addrs[0] = numeric;
			c->n = 1;
		}
		r = c->addrs ? arm(c, -1, 0, on_begin, 0) : -ENOMEM;
	} else {
		r = resolver_ask(resolver, request->host, on_answer, c, &c->query);
		if (r == 0)
			r = arm(c, -1, 0, on_no_answer, request->timeout_usec);
	}
	if (r < 0) {
		connector_free(c);
		return r;
	}
	*ret = c;
	return 0;
}

void connector_free(struct connector *c)
{
	if (!c)
		return;
	if (c->armed)
		(void)event_del(&c->event);
	if (c->query)
		resolver_cancel(c->query);
	cleanup_close(&c->fd);
	free(c->addrs);
	free(c);
}
