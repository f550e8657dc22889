/* SPDX-License-Identifier: ISC */
/* Connections whose server could not be started for want of processes or memory: kept, and tried again. */
#include "config.h"

#include "serve/retry.h"

#include <errno.h>
#include <poll.h>
#include <sys/resource.h>

#include "base/log.h"
#include "serve/admission.h"
#include "serve/child.h"
#include "serve/gate_plan.h"
#include "serve/greet.h"
#include "serve/run.h"
#include "serve/state.h"

struct retry {
	struct holding holding;
	struct session *session;
	int fd;
	unsigned failures;
	struct event *timer;
	void (*ask)(struct session *session, int fd);
};

static void retry_free(struct retry *retry)
{
	if (!retry)
		return;
	if (retry->timer)
		event_free(retry->timer);
	cleanup_close(&retry->fd);
	free(retry);
}

static void count_off(struct session *session)
{
	session->run->waiting--;
	session->run->server->waiting--;
}

/* From here on the session waits no more; what it waited with is the caller's. */
static struct retry *detach(struct session *session)
{
	count_off(session);
	return (struct retry *)TAKE_PTR(session->held); /* its first member */
}

static int attach(struct retry *retry)
{
	const struct timeval pause = { .tv_sec = RETRY_SEC };
	struct session *session = retry->session;

	if (event_add(retry->timer, &pause) < 0)
		return -ENOMEM;
	session->held = &retry->holding;
	session->run->waiting++;
	session->run->server->waiting++;
	return 0;
}

/* FAIL fork for a session that waits no more; the client is told and let go. */
static void turn_away(struct retry *retry)
{
	struct service_run *run = retry->session->run;

	greet_refused(retry->fd, run->service, &run->errors);
	admission_abandon(retry->session, VERDICT_FORK);
	retry_free(retry);
}

static void give_up(struct session *session)
{
	turn_away(detach(session));
}

/* The session ends otherwise than by being given up. */
static void end(struct session *session, struct holding *held)
{
	count_off(session);
	retry_free((struct retry *)held); /* its first member */
}

static const struct holding_ops holding_ops = { .end = end, .stop = give_up };

/* Whether a reload has left the service in a form that such a connection can be served in. */
static bool still_spawns(const struct service_run *run)
{
	return run_wants(run, START_SERVER) && !run->service->wait &&
	       !(run->service->flags & FLAG_NORETRY);
}

/* One that only said its last word (FIN) may still wait for the answer. */
static bool client_has_gone(int fd)
{
	struct pollfd state = { .fd = fd };

	return poll(&state, 1, 0) > 0;
}

static void on_time(evutil_socket_t fd, short what, void *arg)
{
	struct retry *retry = arg;
	struct session *session = retry->session;
	struct service_run *run = session->run;

	(void)fd;
	(void)what;
	(void)detach(session);
	if (!still_spawns(run) || client_has_gone(retry->fd)) {
		turn_away(retry);
		return;
	}
	if (!admission_again(session)) {
		greet_refused(retry->fd, run->service, &run->errors);
		retry_free(retry);
		return;
	}
	if (session->question != GATE_ASKS_NOTHING) {
		retry->ask(session, take_fd(&retry->fd));
		retry_free(retry);
		return;
	}
	if (child_start(session, retry->fd) == 0) {
		retry_free(retry);
		return;
	}
	if (++retry->failures < RETRY_MAX_FAILURES && attach(retry) == 0)
		return;
	log_error("service %s: too many consecutive fork failures", run->service->id);
	turn_away(retry);
}

static bool has_room(const struct service_run *run)
{
	struct rlimit files;

	return run->waiting < RETRY_PER_SERVICE && getrlimit(RLIMIT_NOFILE, &files) == 0 &&
	       run->server->waiting < files.rlim_cur / RETRY_DESCRIPTOR_SHARE;
}

bool retry_later(struct session *session, int *fd, void (*ask)(struct session *session, int fd))
{
	struct service_run *run = session->run;
	struct retry *retry;

	if (!still_spawns(run) || !has_room(run))
		return false;
	retry = calloc(1, sizeof(*retry));
	if (!retry)
		return false;
	retry->holding.ops = &holding_ops;
	retry->session = session;
	retry->ask = ask;
	retry->fd = -1;
	retry->failures = 1;
	retry->timer = event_new(run->server->base, -1, 0, on_time, retry);
	if (!retry->timer || attach(retry) < 0) {
		retry_free(retry);
		return false;
	}
	retry->fd = take_fd(fd);
	return true;
}

unsigned retry_failures(const struct session *session)
{
	const struct retry *retry = session_held(session, &holding_ops);

	return retry ? retry->failures : 0;
}

void retry_give_up_all(struct server *server)
{
	for (size_t i = 0; i < server->n_runs; i++) {
		struct session *session, *next;

		for (session = TAILQ_FIRST(&server->runs[i]->sessions); session; session = next) {
			next = TAILQ_NEXT(session, of_run);
			if (session_held(session, &holding_ops))
				give_up(session);
		}
	}
}
