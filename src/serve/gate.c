/* SPDX-License-Identifier: ISC */
/* Sessions that wait for what usherd-gate finds out about their client: host name, tcp_wrappers. */
#include "config.h"

#include "serve/gate.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

/* Without memory a connection is dropped, not the daemon. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "base/gate_wire.h"
#include "base/log.h"
#include "policy/identify.h"
#include "serve/admission.h"
#include "serve/gate_plan.h"
#include "serve/gate_room.h"
#include "serve/run.h"
#include "serve/run_doors.h"

/* One process, from its start until it is reaped. */
struct gate {
	struct gates *gates;
	struct session *session; /* NULL: it has answered */
	bool asking; /* its answer is waited for; else it holds the session until it ends */
	bool serves; /* the session takes a process of its own when it starts */
	pid_t pid;
	bool reaped; /* pid is nobody's, or somebody else's */
	int answer;  /* our end of the pipe */
	int client;  /* the connection of a stream, or -1 */
	const struct gate_ops *ops;
	void *data;
	struct event *event;
	UT_hash_handle by_pid;
};

struct gates {
	struct server *server;
	struct gate *by_pid;
};

int gates_new(struct server *server, struct gates **ret)
{
	struct gates *gates = calloc(1, sizeof(*gates));

	if (!gates)
		return -ENOMEM;
	gates->server = server;
	*ret = gates;
	return 0;
}

/* --- the end of asking --------------------------------------------------------------------- */

/* Of one that has not answered; a "twist" usually ends by itself, or with its client. */
static void report_failure(const struct gate *gate, const struct spawn_failure *failure,
			   int wait_status)
{
	struct log_limit *limit = &gate->session->run->errors;
	const char *id = gate->session->service->id;

	if (failure->error)
		log_limited(limit, LOG_LEVEL_ERROR, "service %s: %s cannot be executed: %s: %s", id,
			    gate->gates->server->options.gate_path, failure->step,
			    strerror(failure->error));
	else if (WIFSIGNALED(wait_status) && WTERMSIG(wait_status) != SIGPIPE)
		log_limited(limit, LOG_LEVEL_ERROR, "service %s: a gate was ended by signal %d", id,
			    WTERMSIG(wait_status));
}

/* Stops listening to the gate. */
static void stop_asking(struct gate *gate)
{
	event_free(gate->event);
	gate->event = NULL;
	cleanup_close(&gate->answer);
	gate->answer = -1;
	gate->asking = false;
	gate->session->run->asking--;
	gate->gates->server->gate_room.asking--;
}

/* Takes the session from the gate, which may live on without it. */
static struct session *take_session(struct gate *gate)
{
	struct gate_room *room = &gate->gates->server->gate_room;
	struct session *session = TAKE_PTR(gate->session);

	session->gate = NULL;
	room->sessions--;
	room->servers -= gate->serves;
	return session;
}

static void kill_gate(const struct gate *gate)
{
	/* It leads a session of its own: what it has started goes with it. */
	if (!gate->reaped && kill(-gate->pid, SIGKILL) < 0)
		(void)kill(gate->pid, SIGKILL);
}

/* Who refused where the gate has not said it: the last one that it was to ask. */
static enum gate_check last_check(const struct session *session)
{
	if (identify_when(session->service, &session->peer) & IDENTIFY_REQUIRED)
		return GATE_CHECK_IDENT;
	if (gate_plan_is_wrapped(session->service))
		return GATE_CHECK_LIBWRAP;
	return session->question == GATE_ASKS_RULES ? GATE_CHECK_NONE : GATE_CHECK_NAMES;
}

static enum verdict verdict_of(enum gate_check check)
{
	switch (check) {
	case GATE_CHECK_NAMES:
		return VERDICT_ADDRESS;
	case GATE_CHECK_LIBWRAP:
		return VERDICT_LIBWRAP;
	case GATE_CHECK_IDENT:
		return VERDICT_IDENT;
	case GATE_CHECK_NONE:
		break;
	}
	return VERDICT_FORK;
}

static int patience_of(const struct session *session)
{
	unsigned when = identify_when(session->service, &session->peer);

	return GATE_PATIENCE_SEC + (when & IDENTIFY_FIRST ? GATE_IDENT_SEC : 0);
}

static void log_refusal(const struct session *session, enum gate_check check, bool both)
{
	const struct service *service = session->service;
	char text[ADDR_TEXT_MAX];

	if (check == GATE_CHECK_LIBWRAP)
		log_info("libwrap refused connection to %s (libwrap=%s) from %s", service->id,
			 gate_plan_libwrap_name(service), addr_format(&session->peer, text));
	else if (both)
		log_limited(
			&session->run->errors, LOG_LEVEL_ERROR,
			"Service=%s: only_from list and no_access list match equally the address %s",
			service->id, addr_format(&session->peer, text));
}

static void refuse(struct gate *gate, enum gate_check check)
{
	struct gates *gates = gate->gates;
	struct session *session;

	stop_asking(gate);
	session = take_session(gate);
	gate->ops->turn_away(session, take_fd(&gate->client), gate->data);
	admission_abandon(session, verdict_of(check));
	gate_room_tell(&gates->server->gate_room, run_has_room);
}

static void go_on(struct gate *gate)
{
	struct gates *gates = gate->gates;
	struct session *session;

	stop_asking(gate);
	session = take_session(gate);
	session->question = GATE_ASKS_NOTHING;
	gate->ops->go_on(session, take_fd(&gate->client), gate->data);
	gate_room_tell(&gates->server->gate_room, run_has_room);
}

/*
 * It has closed its end without a word: it has died, or a "twist" of hosts.allow has put
 * another program in its place. That talks to the client, who is not to be told
 * anything else, and it counts as long as it runs.
 */
static void refuse_without_answer(struct gate *gate)
{
	/* Of all that it is to ask, only libwrap ends it so on purpose. */
	enum gate_check check = gate_plan_is_wrapped(gate->session->service)
					? GATE_CHECK_LIBWRAP
					: last_check(gate->session);

	/* It was only to find out who the client is, which keeps nobody out. */
	if (check == GATE_CHECK_NONE) {
		kill_gate(gate);
		go_on(gate);
		return;
	}
	log_refusal(gate->session, check, false);
	if (gate->client < 0) {
		kill_gate(gate);
		refuse(gate, check);
		return;
	}
	stop_asking(gate);
	cleanup_close(&gate->client);
	gate->client = -1;
	admission_refuse(gate->session, verdict_of(check));
	gate_room_tell(&gate->gates->server->gate_room, run_has_room);
}

static void hear(struct gate *gate)
{
	struct gate_answer answer;
	ssize_t size = read(gate->answer, &answer, sizeof(answer));

	if (size < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (!gate_answer_is_sound(&answer, size)) {
		refuse_without_answer(gate);
		return;
	}
	session_identify(gate->session, answer.ident, answer.text);
	if (answer.allowed) {
		go_on(gate);
		return;
	}
	log_refusal(gate->session, answer.check,
		    (answer.flags & GATE_BOTH_LISTS) ||
			    (gate->session->question == GATE_ASKS_BARRED &&
			     gate->session->service->only_from->given));
	refuse(gate, answer.check);
}

static void on_answer(evutil_socket_t fd, short what, void *arg)
{
	struct gate *gate = arg;
	struct session *session = gate->session;
	char text[ADDR_TEXT_MAX];

	(void)fd;
	if (!(what & EV_TIMEOUT)) {
		hear(gate);
		return;
	}
	kill_gate(gate);
	session_identify(session, IDENT_TIMEOUT, NULL);
	if (last_check(session) == GATE_CHECK_NONE) {
		go_on(gate);
		return;
	}
	log_limited(&session->run->errors, LOG_LEVEL_ERROR,
		    "service %s: no answer about %s within %d seconds; it is refused",
		    session->service->id, addr_format(&session->peer, text), patience_of(session));
	refuse(gate, last_check(session));
}

void gate_stop(struct session *session)
{
	struct gate *gate = session->gate;

	kill_gate(gate);
	if (gate->asking)
		refuse(gate, last_check(session));
}

static void gate_free(struct gate *gate)
{
	HASH_DELETE(by_pid, gate->gates->by_pid, gate);
	free(gate);
}

bool gates_reaped(struct gates *gates, pid_t pid, int wait_status)
{
	struct spawn_failure failure = { 0 };
	struct gate *gate;

	HASH_FIND(by_pid, gates->by_pid, &pid, sizeof(pid), gate);
	if (!gate)
		return false;
	(void)spawn_reaped(gates->server->spawner, pid, &failure);
	gate->reaped = true;
	if (gate->asking) {
		/* What it wrote before is still in the pipe. */
		hear(gate);
		if (gate->asking)
			refuse_without_answer(gate);
	}
	if (gate->session)
		report_failure(gate, &failure, wait_status);
	if (gate->session)
		admission_release(take_session(gate));
	gate_free(gate);
	return true;
}

void gates_end(struct gates *gates)
{
	struct gate *gate, *next;

	if (!gates)
		return;
	HASH_ITER(by_pid, gates->by_pid, gate, next)
	{
		if (gate->asking)
			gate_stop(gate->session);
		if (gate->session)
			admission_release(take_session(gate));
		gate_free(gate);
	}
}

void gates_free(struct gates *gates)
{
	free(gates);
}

/* --- its begin ------------------------------------------------------------------------------- */

static int listen_to(struct gate *gate)
{
	const struct timeval patience = { .tv_sec = patience_of(gate->session) };

	gate->event = event_new(gate->gates->server->base, gate->answer, EV_READ | EV_PERSIST,
				on_answer, gate);
	return gate->event && event_add(gate->event, &patience) == 0 ? 0 : -ENOMEM;
}

/* Starts the process. Returns 0 or -errno. */
static int start(struct gate *gate)
{
	struct session *session = gate->session;
	struct gates *gates = gate->gates;
	struct spawn *plan = run_plan(session->run, START_GATE);
	struct spawn_failure failure;
	int ends[2];

	if (!plan)
		return -ENOMEM;
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
		return -errno;
	gate->answer = ends[0];
	gate->pid = listen_to(gate) < 0 ? -ENOMEM
					: spawn_run_gate(plan, session->question, gate->client,
							 ends[1], &session->peer, &failure);
	(void)close(ends[1]);
	if (gate->pid < 0)
		return (int)gate->pid;
	HASH_ADD(by_pid, gates->by_pid, pid, sizeof(gate->pid), gate);
	if (!gate->by_pid.tbl) {
		/* It will not be known when it is reaped. */
		kill_gate(gate);
		return -ENOMEM;
	}
	/* The pipe is at its end then, and tells the rest. */
	if (failure.error)
		report_failure(gate, &failure, 0);
	return 0;
}

int gate_begin(struct session *session, const struct gate_ops *ops, int fd, void *data)
{
	struct service_run *run = session->run;
	struct gates *gates = run->server->gates;
	struct gate_room *room = &run->server->gate_room;
	struct gate *gate = calloc(1, sizeof(*gate));
	int r;

	if (!gate) {
		cleanup_close(&fd);
		admission_abandon(session, VERDICT_FORK);
		return -ENOMEM;
	}
	*gate = (struct gate){
		.gates = gates,
		.session = session,
		.asking = true,
		.serves = run_wants(run, START_SERVER),
		.answer = -1,
		.client = fd,
		.ops = ops,
		.data = data,
	};
	r = start(gate);
	if (r < 0) {
		log_limited(&session->run->errors, LOG_LEVEL_ERROR,
			    "service %s: no gate for a connection: %s (errno = %d)",
			    session->service->id, strerror(-r), -r);
		if (gate->event)
			event_free(gate->event);
		cleanup_close(&gate->answer);
		cleanup_close(&gate->client);
		free(gate);
		admission_abandon(session, VERDICT_FORK);
		return r;
	}
	session->gate = gate;
	run->asking++;
	room->asking++;
	room->sessions++;
	room->servers += gate->serves;
	return 0;
}
