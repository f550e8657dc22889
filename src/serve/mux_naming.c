/* SPDX-License-Identifier: ISC */
/* Clients of tcpmux, RFC 1078, until they have named their service. */
#include "config.h"

#include "serve/mux_naming.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>

#include "base/log.h"
#include "serve/greet.h"
#include "serve/listener.h"
#include "serve/share.h"
#include "serve/state.h"
#include "serve/stop.h"
#include "serve/worker_link.h"

static const char go[] = "+Go\r\n";

/* The connections of one service whose names are being read, oldest first. */
struct namings {
	TAILQ_HEAD(, naming) list;
	unsigned n;
};

/* A connection whose name is being read. */
struct naming {
	struct holding holding;
	struct session *session;
	int fd;
	TAILQ_ENTRY(naming) entry;
};

uint32_t mux_naming_limit(const struct service *service)
{
	return service->idle_timeout_sec ? service->idle_timeout_sec : MUX_TIMEOUT_SEC;
}

/* Returns the connection, which is the caller's. */
static int take_connection(struct session *session, struct naming *naming)
{
	struct namings *namings = session->run->namings;
	int fd = naming->fd;

	TAILQ_REMOVE(&namings->list, naming, entry);
	namings->n--;
	free(naming);
	return fd;
}

static void end(struct session *session, struct holding *held)
{
	int fd = take_connection(session, (struct naming *)held); /* its first member */

	cleanup_close(&fd);
}

static const struct holding_ops holding_ops = { .end = end };

int mux_naming_take_back(struct session *session)
{
	struct naming *naming = session_let_go(session, &holding_ops);

	return naming ? take_connection(session, naming) : -1;
}

/*
 * Ends the session that has been silent for longest where they hold as much as
 * they may: a crowd of clients that say nothing keeps nobody else out.
 */
static void make_room(struct service_run *run)
{
	struct namings *namings = run->namings;
	struct session *session;

	if (namings->n < share_of_descriptors())
		return;
	session = TAILQ_FIRST(&namings->list)->session;
	log_limited(&run->errors, LOG_LEVEL_WARNING,
		    "service %s: %u clients have not named a service yet; the one that has had the "
		    "longest time is turned away",
		    run->service->id, namings->n);
	end(session, TAKE_PTR(session->held));
	stop_session(session);
}

static int ensure_namings(struct service_run *run)
{
	if (run->namings)
		return 0;
	run->namings = calloc(1, sizeof(*run->namings));
	if (!run->namings)
		return -ENOMEM;
	TAILQ_INIT(&run->namings->list);
	return 0;
}

int mux_naming_begin(struct session *session, int fd)
{
	CLEANUP_CLOSE int owned = fd;
	CLEANUP_FREE struct naming *naming = NULL;
	CLEANUP_CLOSE int kept = -1;
	struct service_run *run = session->run;
	int r;

	if (ensure_namings(run) < 0)
		return -ENOMEM;
	make_room(run);
	naming = calloc(1, sizeof(*naming));
	if (!naming)
		return -ENOMEM;
	/* As listeners, out of the way of what a child unshares. */
	kept = fcntl(fd, F_DUPFD_CLOEXEC, LISTENER_MIN_FD);
	if (kept < 0)
		kept = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (kept < 0)
		return -errno;
	r = worker_link_stream(run->server->worker, session->number, BUILTIN_TCPMUX,
			       mux_naming_limit(session->service), take_fd(&owned));
	if (r < 0)
		return r;
	naming->holding.ops = &holding_ops;
	naming->session = session;
	naming->fd = take_fd(&kept);
	TAILQ_INSERT_TAIL(&run->namings->list, naming, entry);
	run->namings->n++;
	session->held = &TAKE_PTR(naming)->holding;
	return 0;
}

bool mux_naming_speaks(const struct service *service)
{
	return service->type & SERVICE_TCPMUXPLUS;
}

void mux_naming_greet(int fd, const struct service *service, struct log_limit *limit)
{
	(void)send(fd, go, strlen(go), MSG_DONTWAIT | MSG_NOSIGNAL);
	greet(fd, service, GREETING_ALWAYS, limit);
}
