/* SPDX-License-Identifier: ISC */
/* Starts the server of a session. */
#include "config.h"

#include "serve/child.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "base/log.h"
#include "record/record.h"
#include "serve/admission.h"
#include "serve/gate_plan.h"
#include "serve/run.h"
#include "serve/spawn.h"
#include "serve/stop.h"

void child_report_failure(const struct session *session, const struct spawn_failure *failure)
{
	const struct service *service = session->service;

	log_write_errno(LOG_LEVEL_ERROR, failure->error,
			"service %s: %s( %s ) failed: %m [file=%s] [line=%u]", service->id,
			strcmp(failure->step, "exec") == 0 ? "execv" : failure->step,
			service->server, service->file, service->line);
}

int child_start(struct session *session, int fd)
{
	struct service_run *run = session->run;
	struct server *server = run->server;
	struct spawn *plan = run_plan(run, START_SERVER);
	struct spawn_failure failure;
	/* Whoever has forgotten to ask starts nothing. */
	bool may_start = session->question == GATE_ASKS_NOTHING;
	pid_t pid = !plan       ? -ENOMEM
		    : may_start ? spawn_run(plan, fd, &session->peer, &failure)
				: -EPERM;

	if (pid < 0) {
		log_limited(&session->run->errors, LOG_LEVEL_ERROR,
			    "%s: fork failed: %s (errno = %d)", session->service->id,
			    strerror(-pid), -pid);
		return pid;
	}
	session->pid = pid;
	if (id_table_add(&server->by_pid, (uint64_t)pid, session) < 0) {
		/* It would not be known when it is reaped. */
		session->pid = 0;
		if (kill(-pid, SIGKILL) < 0)
			(void)kill(pid, SIGKILL);
		return -ENOMEM;
	}
	server->running++;
	record_start(server->writer, session->sink, session);
	if (failure.error)
		child_report_failure(session, &failure);
	else if (session->service->session_timeout_sec)
		stop_later(session, session->service->session_timeout_sec);
	return 0;
}

bool child_start_or_abandon(struct session *session, int fd)
{
	if (child_start(session, fd) == 0)
		return true;
	admission_abandon(session, VERDICT_FORK);
	return false;
}
