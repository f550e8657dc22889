/* SPDX-License-Identifier: ISC */
/* Turns clients away, and where the stanza wants it, finds out who they were (log_on_failure = USERID). */
#include "config.h"

#include "serve/inquiry.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>

/* Without memory there is no look-up, but a daemon. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "base/gate_wire.h"
#include "base/log.h"
#include "base/sink.h"
#include "policy/identify.h"
#include "record/record.h"
#include "serve/gate_plan.h"
#include "serve/greet.h"
#include "serve/run.h"

/* One look-up, from the start of its process until that is reaped. */
struct inquiry {
	struct inquiries *inquiries;
	const struct service *service; /* a reference */
	struct sink *sink;             /* a reference */
	pid_t pid;
	bool reaped; /* pid is nobody's, or somebody else's */
	int client;  /* the connection, or -1 once it is let go */
	int answer;  /* our end of the pipe */
	struct event *answered;
	struct event *held;
	UT_hash_handle by_pid;
};

struct inquiries {
	struct server *server;
	struct inquiry *by_pid;
	struct log_limit too_many;
};

int inquiries_new(struct server *server, struct inquiries **ret)
{
	struct inquiries *inquiries = calloc(1, sizeof(*inquiries));

	if (!inquiries)
		return -ENOMEM;
	inquiries->server = server;
	inquiries->too_many = (struct log_limit){ .burst = 1, .interval_usec = 60 * USEC_PER_SEC };
	*ret = inquiries;
	return 0;
}

/* --- the end -------------------------------------------------------------------------- */

/* The process may still have the connection, so that closing alone would not end it. */
static void let_go(struct inquiry *inquiry)
{
	if (inquiry->client < 0)
		return;
	greet_end(inquiry->client);
	(void)shutdown(inquiry->client, SHUT_RDWR);
	(void)close(take_fd(&inquiry->client));
}

static void inquiry_free(struct inquiry *inquiry)
{
	let_go(inquiry);
	if (inquiry->answered)
		event_free(inquiry->answered);
	if (inquiry->held)
		event_free(inquiry->held);
	cleanup_close(&inquiry->answer);
	sink_unref(inquiry->sink);
	service_unref(inquiry->service);
	free(inquiry);
}

static void kill_process(const struct inquiry *inquiry)
{
	if (!inquiry->reaped && kill(-inquiry->pid, SIGKILL) < 0)
		(void)kill(inquiry->pid, SIGKILL);
}

static void on_held(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	let_go(arg);
}

/* What the process says, if anything: that it has ended is heard when it is reaped. */
static void on_answer(evutil_socket_t fd, short what, void *arg)
{
	struct inquiry *inquiry = arg;
	struct server *server = inquiry->inquiries->server;
	struct gate_answer answer;
	ssize_t size;

	if (what & EV_TIMEOUT) {
		kill_process(inquiry);
		return;
	}
	size = read(fd, &answer, sizeof(answer));
	if (size < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	(void)event_del(inquiry->answered);
	let_go(inquiry);
	/* It has nothing else to do, and its user could keep it from ending. */
	kill_process(inquiry);
	if (gate_answer_is_sound(&answer, size) && answer.ident == IDENT_ANSWERED)
		record_userid(server->writer, inquiry->sink, inquiry->service, answer.text);
}

bool inquiries_reaped(struct inquiries *inquiries, pid_t pid)
{
	struct spawn_failure failure = { 0 };
	struct inquiry *inquiry;

	HASH_FIND(by_pid, inquiries->by_pid, &pid, sizeof(pid), inquiry);
	if (!inquiry)
		return false;
	(void)spawn_reaped(inquiries->server->spawner, pid, &failure);
	inquiry->reaped = true;
	/* What it wrote before is still in the pipe. */
	if (event_pending(inquiry->answered, EV_READ, NULL))
		on_answer(inquiry->answer, EV_READ, inquiry);
	HASH_DELETE(by_pid, inquiries->by_pid, inquiry);
	inquiry_free(inquiry);
	return true;
}

void inquiries_free(struct inquiries *inquiries)
{
	struct inquiry *inquiry, *next;

	if (!inquiries)
		return;
	HASH_ITER(by_pid, inquiries->by_pid, inquiry, next)
	{
		kill_process(inquiry);
		HASH_DELETE(by_pid, inquiries->by_pid, inquiry);
		inquiry_free(inquiry);
	}
	free(inquiries);
}

/* --- the begin ------------------------------------------------------------------------- */

static bool is_wanted(const struct service_run *run, const struct addr *peer)
{
	struct inquiries *inquiries = run->server->inquiries;
	unsigned most = run->server->options.inquiries;

	if (!run_wants(run, START_INQUIRER) || run->server->stopping ||
	    !(identify_when(run->service, peer) & IDENTIFY_REFUSED))
		return false;
	if (HASH_CNT(by_pid, inquiries->by_pid) < most)
		return true;
	if (most)
		log_limited(
			&inquiries->too_many, LOG_LEVEL_WARNING,
			"service %s: a refused client is not identified: %u look-ups run already (-logprocs)",
			run->service->id, most);
	return false;
}

static int listen_to(struct inquiry *inquiry)
{
	const struct timeval patience = { .tv_sec = GATE_IDENT_SEC + INQUIRY_HOLD_SEC };
	const struct timeval hold = { .tv_sec = INQUIRY_HOLD_SEC };
	struct event_base *base = inquiry->inquiries->server->base;

	inquiry->answered =
		event_new(base, inquiry->answer, EV_READ | EV_PERSIST, on_answer, inquiry);
	inquiry->held = event_new(base, -1, 0, on_held, inquiry);
	return inquiry->answered && inquiry->held && event_add(inquiry->answered, &patience) == 0 &&
			       event_add(inquiry->held, &hold) == 0
		       ? 0
		       : -ENOMEM;
}

/* Starts the process. Returns 0 or -errno; what was made is inquiry_free()'s. */
static int start(struct inquiry *inquiry, struct service_run *run, const struct addr *peer)
{
	struct spawn *plan = run_plan(run, START_INQUIRER);
	struct spawn_failure failure;
	int ends[2], r;

	if (!plan)
		return -ENOMEM;
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
		return -errno;
	inquiry->answer = ends[0];
	r = listen_to(inquiry);
	if (r == 0) {
		inquiry->pid = spawn_run_gate(plan, GATE_ASKS_NOTHING, inquiry->client, ends[1],
					      peer, &failure);
		r = inquiry->pid < 0 ? (int)inquiry->pid : 0;
	}
	(void)close(ends[1]);
	if (r < 0)
		return r;
	HASH_ADD(by_pid, inquiry->inquiries->by_pid, pid, sizeof(inquiry->pid), inquiry);
	if (!inquiry->by_pid.tbl) {
		kill_process(inquiry);
		return -ENOMEM;
	}
	return 0;
}

/* Begins a look-up, which has *@fd from then on. */
static int begin(struct service_run *run, int *fd, const struct addr *peer)
{
	struct inquiry *inquiry = calloc(1, sizeof(*inquiry));
	int r;

	if (!inquiry)
		return -ENOMEM;
	*inquiry = (struct inquiry){
		.inquiries = run->server->inquiries,
		.service = service_ref(run->service),
		.sink = run->sink ? sink_ref(run->sink) : NULL,
		.client = *fd,
		.answer = -1,
	};
	r = start(inquiry, run, peer);
	if (r < 0) {
		inquiry->client = -1;
		inquiry_free(inquiry);
		return r;
	}
	(void)take_fd(fd);
	return 0;
}

void inquiry_turn_away(struct service_run *run, int fd, const struct addr *peer)
{
	struct log_limit *limit = &run->errors;
	CLEANUP_CLOSE int client = fd;
	int r;

	if (is_wanted(run, peer)) {
		greet(client, run->service, GREETING_FAIL, limit);
		r = begin(run, &client, peer);
		if (r == 0)
			return;
		log_limited(limit, LOG_LEVEL_ERROR,
			    "service %s: no process to identify a refused client: %s",
			    run->service->id, strerror(-r));
		greet_end(client);
		return;
	}
	greet_refused(client, run->service, limit);
}
