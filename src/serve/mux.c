/* SPDX-License-Identifier: ISC */
/* tcpmux, RFC 1078: what a client has named is found, and begins. */
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
#include "record/record.h"
#include "serve/finish.h"
#include "serve/gate_room.h"
#include "serve/greet.h"
#include "serve/hand_over.h"
#include "serve/launch.h"
#include "serve/listener.h"
#include "serve/mux_naming.h"
#include "serve/mux_table.h"
#include "serve/redirect.h"
#include "serve/run.h"
#include "serve/text_file.h"
#include "serve/worker_link.h"

/* What tcpmux leads to, and what it answers otherwise: memory files, -1 where there is none. */
struct mux {
	struct mux_table *table;
	int help;
	int unknown;
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
	if (gate_room_is_short(run))
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

/* Has the worker answer @fd, which is taken over, with the memory file @text, which ends the session, too. */
static void answer(struct session *session, int fd, int text)
{
	CLEANUP_CLOSE int owned = fd;
	int copy = text < 0 ? -1 : fcntl(text, F_DUPFD_CLOEXEC, LISTENER_MIN_FD);

	if (copy < 0) {
		finish_by_number(session, 0);
		return;
	}
	hand_over_more(session);
	(void)hand_over_done(session,
			     worker_link_text(session->run->server->worker, session->number,
					      mux_naming_limit(session->service), take_fd(&owned),
					      copy));
}

void mux_named(struct session *session, const char *name)
{
	const struct mux *mux = session->run->server->mux;
	CLEANUP_CLOSE int fd = mux_naming_take_back(session);
	bool help = strcasecmp(name, "help") == 0;
	struct addr peer = session->peer;
	struct service_run *run;

	if (session->ending || fd < 0 || !mux) {
		finish_by_number(session, 0);
		return;
	}
	run = help ? NULL : mux_table_find(mux->table, name);
	if (!run) {
		answer(session, take_fd(&fd), help ? mux->help : mux->unknown);
		return;
	}
	finish_by_number(session, 0);
	enter(run, take_fd(&fd), &peer);
}
