/* SPDX-License-Identifier: ISC */
/* Internal services that say a line and read nothing: answered where they are accepted. */
#include "config.h"

#include "serve/at_once.h"

#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>

#include "base/clock_text.h"
#include "record/record.h"
#include "serve/finish.h"
#include "serve/gate_plan.h"
#include "serve/state.h"

static bool is_tcp(const struct session *session)
{
	sa_family_t family = session->peer.family;

	return session->service->socktype == SOCK_STREAM &&
	       (family == AF_INET || family == AF_INET6);
}

bool at_once_can(const struct session *session, int fd)
{
	const struct service *service = session->service;
	int waiting;

	return (service->builtin == BUILTIN_DAYTIME || service->builtin == BUILTIN_TIME) &&
	       is_tcp(session) && !session->run->intercept &&
	       session->question == GATE_ASKS_NOTHING && ioctl(fd, FIONREAD, &waiting) == 0 &&
	       waiting == 0;
}

/* Returns how much the client was sent. */
static size_t say(int fd, const void *text, size_t length)
{
	/* More is to come: the end, which so goes in the same packet, and wakes the client once. */
	ssize_t n = send(fd, text, length, MSG_DONTWAIT | MSG_NOSIGNAL | MSG_MORE);

	/* Now and not by closing: over what came in the meantime that would withdraw the answer. */
	(void)shutdown(fd, SHUT_WR);
	return n > 0 ? (size_t)n : 0;
}

void at_once_answer(struct session *session, int fd)
{
	time_t now = time(NULL);

	record_start(session->run->server->writer, session->sink, session);
	if (session->service->builtin == BUILTIN_TIME) {
		uint8_t seconds[CLOCK_SECONDS];

		clock_seconds(now, seconds);
		session->out_bytes = say(fd, seconds, sizeof(seconds));
	} else {
		char text[CLOCK_TEXT_MAX];

		session->out_bytes = say(fd, text, clock_text(now, text));
	}
	finish_session(session, 0);
}
