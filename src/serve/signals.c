/* SPDX-License-Identifier: ISC */
/* What signals mean to the daemon (compat.md 4): taken from a descriptor in the loop, never by a handler. */
#include "config.h"

#include "serve/signals.h"

#include <errno.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/log.h"
#include "base/util.h"
#include "serve/dump.h"
#include "serve/reap.h"
#include "serve/reload.h"
#include "serve/state.h"
#include "serve/stop.h"

/* Taken with one call: more than there are signals that can wait at once. */
#define SIGNALS_A_READ 16

struct signals {
	struct server *server;
	struct event *event;
	struct event *children; /* there are more to reap */
	int fd;
};

/* Nobody finds them any more, and they would keep the ports: as in xinetd, they do not outlive the daemon (D36). */
static void end_rpc_servers(struct server *server)
{
	for (size_t i = 0; i < server->n_runs; i++) {
		struct session *session;

		if (!(server->runs[i]->service->type & SERVICE_RPC))
			continue;
		TAILQ_FOREACH(session, &server->runs[i]->sessions, of_run)
			if (session->pid)
				stop_session(session);
	}
}

static void end(struct server *server)
{
	log_warning("Exiting...");
	server_stop(server, 0);
}

static void on_terminate(struct server *server)
{
	end_rpc_servers(server);
	end(server);
}

static void on_interrupt(struct server *server)
{
	if (server->options.foreground)
		end(server);
}

static void on_check(struct server *server)
{
	if (dump_check(server) == 0)
		log_info("Consistency check passed");
}

/* What others wait for comes in between, which it does once the loop has looked for it. */
static void on_children(struct server *server)
{
	static const struct timeval at_once;

	while (reap_children(server))
		if (event_add(server->signals->children, &at_once) == 0)
			return;
}

static void on_more_children(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	on_children(arg);
}

static const struct {
	int signo;
	void (*act)(struct server *server);
} meanings[] = {
	{ SIGHUP, reload_begin }, { SIGUSR2, reload_begin }, { SIGTERM, on_terminate },
	{ SIGQUIT, end },         { SIGINT, on_interrupt },  { SIGCHLD, on_children },
	{ SIGUSR1, dump_state },  { SIGABRT, on_check },
};

/* Those that xinetd catches and ignores: blocked is enough. */
static const int without_meaning[] = {
	SIGPIPE,   SIGALRM, SIGIO,    SIGTSTP, SIGTTIN, SIGTTOU,
	SIGVTALRM, SIGPROF, SIGWINCH, SIGURG,  SIGXFSZ, SIGPWR,
};

static void on_signals(evutil_socket_t fd, short what, void *arg)
{
	struct signalfd_siginfo taken[SIGNALS_A_READ];
	struct signals *signals = arg;
	ssize_t bytes = read(fd, taken, sizeof(taken));

	(void)what;
	/* What would not fit is still there, and tells the loop. */
	for (ssize_t i = 0; i < bytes / (ssize_t)sizeof(taken[0]); i++)
		for (size_t m = 0; m < ARRAY_SIZE(meanings); m++)
			if (meanings[m].signo == (int)taken[i].ssi_signo)
				meanings[m].act(signals->server);
}

int signals_new(struct server *server, struct signals **ret)
{
	struct signals *signals = calloc(1, sizeof(*signals));
	sigset_t heard, blocked;
	int r;

	if (!signals)
		return -ENOMEM;
	signals->server = server;
	(void)sigemptyset(&heard);
	for (size_t i = 0; i < ARRAY_SIZE(meanings); i++)
		(void)sigaddset(&heard, meanings[i].signo);
	blocked = heard;
	for (size_t i = 0; i < ARRAY_SIZE(without_meaning); i++)
		(void)sigaddset(&blocked, without_meaning[i]);
	(void)sigprocmask(SIG_SETMASK, &blocked, NULL);
	signals->fd = signalfd(-1, &heard, SFD_NONBLOCK | SFD_CLOEXEC);
	if (signals->fd < 0) {
		r = -errno;
		free(signals);
		return r;
	}
	signals->event =
		event_new(server->base, signals->fd, EV_READ | EV_PERSIST, on_signals, signals);
	signals->children = event_new(server->base, -1, 0, on_more_children, server);
	if (!signals->event || !signals->children || event_add(signals->event, NULL) < 0) {
		signals_free(signals);
		return -ENOMEM;
	}
	*ret = signals;
	return 0;
}

void signals_free(struct signals *signals)
{
	if (!signals)
		return;
	if (signals->event)
		event_free(signals->event);
	if (signals->children)
		event_free(signals->children);
	(void)close(signals->fd);
	free(signals);
}
