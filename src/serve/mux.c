/* SPDX-License-Identifier: ISC */
/* tcpmux, RFC 1078: a connection waits until the worker has read a name, and goes to the service of that name. */
#include "config.h"

#include "serve/mux.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "base/log.h"
#include "policy/admit.h"
#include "serve/gate.h"
#include "serve/greet.h"
#include "serve/launch.h"
#include "serve/listener.h"
#include "serve/mux_table.h"
#include "serve/reap.h"
#include "serve/redirect.h"
#include "serve/run.h"
#include "serve/server.h"
#include "serve/share.h"
#include "serve/text_file.h"
#include "serve/worker_link.h"

static const char go[] = "+Go\r\n";

/* What tcpmux leads to, and what it answers otherwise: memory files, -1 where there is none. */
struct mux {
	struct mux_table *table;
	int help;
	int unknown;
};

/* The connections of one service whose names are being read, oldest first. */
struct namings {
	TAILQ_HEAD(, naming) list;
	unsigned n;
};

/* A connection whose name is being read. */
struct naming {
	struct session *session;
	int fd;
	TAILQ_ENTRY(naming) entry;
};

static void write_help(const void *arg, FILE *out)
{
	mux_table_help(arg, out);
}

static void write_unknown(const void *arg, FILE *out)
{
	(void)arg;
	(void)fputs("-Service name not found\r\n", out);
}

void mux_renew(struct server *server)
{
	struct mux *mux = calloc(1, sizeof(*mux));
	int r = mux ? mux_table_new(server->runs, server->n_runs, &mux->table) : -ENOMEM;

	mux_free(TAKE_PTR(server->mux));
	if (r < 0) {
		free(mux);
		log_error("no memory for the names of the services behind tcpmux: reload when "
			  "there is; until then none is found");
		return;
	}
	mux->help = text_file_make(write_help, mux->table);
	mux->unknown = text_file_make(write_unknown, NULL);
	if (mux->help < 0 || mux->unknown < 0)
		log_write_errno(LOG_LEVEL_ERROR, mux->help < 0 ? mux->help : mux->unknown,
				"tcpmux cannot answer to \"help\" and to unknown names: %m");
	server->mux = mux;
}

void mux_free(struct mux *mux)
{
	if (!mux)
		return;
	mux_table_free(mux->table);
	cleanup_close(&mux->help);
	cleanup_close(&mux->unknown);
	free(mux);
}

static uint32_t limit_of(const struct service *service)
{
	return service->idle_timeout_sec ? service->idle_timeout_sec : MUX_TIMEOUT_SEC;
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
	mux_end(session);
	reap_stop(session);
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

int mux_begin(struct session *session, int fd)
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
			       limit_of(session->service), take_fd(&owned));
	if (r < 0)
		return r;
	naming->session = session;
	naming->fd = take_fd(&kept);
	TAILQ_INSERT_TAIL(&run->namings->list, naming, entry);
	run->namings->n++;
	session_hold(session, HOLDS_NAMING, TAKE_PTR(naming));
	return 0;
}

/* Takes the connection back; -1 where the session has none. */
static int take_back(struct session *session)
{
	struct naming *naming = session_let_go(session, HOLDS_NAMING);
	int fd;

	if (!naming)
		return -1;
	fd = naming->fd;
	TAILQ_REMOVE(&session->run->namings->list, naming, entry);
	session->run->namings->n--;
	free(naming);
	return fd;
}

void mux_end(struct session *session)
{
	int fd = take_back(session);

	cleanup_close(&fd);
}

static void set_option(int fd, int level, int name, bool on)
{
	const int value = on;

	/* Not for a client at a Unix socket. */
	(void)setsockopt(fd, level, name, &value, sizeof(value));
}

/* Makes the connection as its service wants it, whatever tcpmux's stanza, or a worker that was taken over, made of it. */
static void adjust(int fd, const struct service_run *run)
{
	const struct linger none = { .l_onoff = 0 };

	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
	set_option(fd, IPPROTO_TCP, TCP_NODELAY, run->service->flags & FLAG_NODELAY);
	set_option(fd, SOL_SOCKET, SO_KEEPALIVE, run->service->flags & FLAG_KEEPALIVE);
	(void)fd_set_nonblock(fd, !run_wants(run, START_SERVER));
}

/* What keeps the door of other services shut for a while; this one has none, so clients are refused. */
static enum verdict verdict_at_door(struct service_run *run)
{
	const char *what = NULL;

	if (run->resting)
		return VERDICT_CPS;
	if (gate_is_busy(run))
		what = "are being asked about";
	else if (run->service->redirect_host && !redirect_has_room(run))
		what = "wait for their target";
	if (!what)
		return VERDICT_ALLOW;
	log_limited(&run->errors, LOG_LEVEL_ERROR,
		    "service %s: too many clients %s; a client of tcpmux is refused",
		    run->service->id, what);
	return VERDICT_FORK;
}

/* Takes over @fd. */
static void enter(struct service_run *run, int fd, const struct addr *peer)
{
	CLEANUP_CLOSE int connection = fd;
	enum verdict verdict = verdict_at_door(run);

	adjust(connection, run);
	if (verdict == VERDICT_ALLOW) {
		(void)launch_connection(run, take_fd(&connection), peer);
		return;
	}
	record_fail(run->server->writer, run->sink, run->service, peer, verdict_reason(verdict));
	greet_refused(connection, run->service, &run->errors);
}

static void finish(struct session *session)
{
	struct server *server = session->run->server;

	(void)id_table_remove(&server->by_number, session->number);
	reap_finish(server, session, 0);
}

/* Has the worker answer with the memory file @text, which ends the session, too. */
static void answer(struct session *session, int text)
{
	struct server *server = session->run->server;
	int copy = text < 0 ? -1 : fcntl(text, F_DUPFD_CLOEXEC, LISTENER_MIN_FD);
	int r;

	if (copy < 0) {
		finish(session);
		return;
	}
	session->starting = true;
	r = worker_link_text(server->worker, session->number, limit_of(session->service),
			     take_back(session), copy);
	session->starting = false;
	if (r < 0) {
		log_limited(&session->run->errors, LOG_LEVEL_ERROR,
			    "service %s: the worker cannot answer a client (error %d)",
			    session->service->id, -r);
		finish(session);
	} else if (session->ended) {
		/* The link found out at once that it cannot. */
		reap_finish(server, session, session->status);
	} else {
		event_active(server->worker_flush, EV_TIMEOUT, 1);
	}
}

void mux_named(struct session *session, const char *name)
{
	const struct mux *mux = session->run->server->mux;
	bool help = strcasecmp(name, "help") == 0;
	struct addr peer = session->peer;
	struct service_run *run;
	int fd;

	if (session->ending || !session_held(session, HOLDS_NAMING) || !mux) {
		finish(session);
		return;
	}
	run = help ? NULL : mux_table_find(mux->table, name);
	if (!run) {
		answer(session, help ? mux->help : mux->unknown);
		return;
	}
	fd = take_back(session);
	finish(session);
	enter(run, fd, &peer);
}

bool mux_speaks(const struct service *service)
{
	return service->type & SERVICE_TCPMUXPLUS;
}

void mux_greet(int fd, const struct service *service, struct log_limit *limit)
{
	(void)send(fd, go, strlen(go), MSG_DONTWAIT | MSG_NOSIGNAL);
	greet(fd, service, GREETING_ALWAYS, limit);
}
