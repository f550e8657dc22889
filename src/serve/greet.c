/* SPDX-License-Identifier: ISC */
/* The banners of a service, sent to a connection without ever waiting for it (D14). */
#include "config.h"

#include "serve/greet.h"

#include <sys/socket.h>

#include "base/log.h"

/* What is thrown away of a refused client's words, at most: the daemon has others to see to. */
#define DRAIN_TIMES 4
#define DRAIN_BYTES 4096

void greet(int fd, const struct service *service, enum greeting greeting, struct log_limit *limit)
{
	const struct banner *const known[] = {
		[GREETING_ALWAYS] = &service->banners->always,
		[GREETING_SUCCESS] = &service->banners->success,
		[GREETING_FAIL] = &service->banners->fail,
	};
	const struct banner *banner = known[greeting];
	size_t sent = 0;

	if (banner->unread)
		log_limited(limit, LOG_LEVEL_ERROR, "service = %s, open of banner %s failed",
			    service->id, banner->path);
	while (sent < banner->bytes) {
		ssize_t n = send(fd, banner->text + sent, banner->bytes - sent,
				 MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n <= 0)
			return;
		sent += (size_t)n;
	}
}

void greet_end(int fd)
{
	char nothing[DRAIN_BYTES];

	(void)shutdown(fd, SHUT_WR);
	for (int i = 0; i < DRAIN_TIMES; i++)
		if (recv(fd, nothing, sizeof(nothing), MSG_DONTWAIT) <= 0)
			return;
}

void greet_refused(int fd, const struct service *service, struct log_limit *limit)
{
	if (!service->banners->always.bytes && !service->banners->fail.path)
		return;
	greet(fd, service, GREETING_FAIL, limit);
	greet_end(fd);
}
