/* SPDX-License-Identifier: ISC */
/* What SIGUSR1 and SIGABRT ask for: the state as a file, and whether the books agree. */
#include "config.h"

#include "serve/dump.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/log.h"
#include "serve/dump_service.h"
#include "serve/intercept.h"
#include "serve/place.h"
#include "serve/retry.h"
#include "serve/rpc_table.h"
#include "serve/state.h"

static const char *state_of(const struct service_run *run)
{
	bool open = false, lent = false;

	if (run->resting)
		return "Disabled";
	for (size_t i = 0; i < run->n_places; i++) {
		open |= run->places[i].state == PLACE_OPEN;
		lent |= run->places[i].state == PLACE_LENT;
	}
	return open ? "Active" : lent ? "Suspended" : "Not started";
}

static void dump_time(FILE *out, const char *label, time_t when)
{
	struct tm local;
	char text[64] = "";

	if (localtime_r(&when, &local))
		(void)strftime(text, sizeof(text), "%a %b %e %H:%M:%S %Y", &local);
	(void)fprintf(out, "%s%s\n", label, text);
}

static void dump_run(const struct service_run *run, FILE *out)
{
	const struct service_run *inner = intercept_inner(run);
	char text[ENDPOINT_TEXT_MAX];

	(void)fprintf(out, "Service = %s\n\tState = %s\n", run->service->name, state_of(run));
	dump_service(run->service, out);
	(void)fprintf(out, "\trunning servers = %u\n\tretry servers = %u\n",
		      run->limits.running - run->waiting, run->waiting);
	for (size_t i = 0; i < run->n_places; i++) {
		(void)fprintf(out, "\tservice fd = %d, %s\n", run->places[i].fd,
			      endpoint_format(run->places[i].endpoint, text));
		if (run->places[i].rpc)
			rpc_door_dump(run->places[i].rpc, out);
	}
	if (inner)
		(void)fprintf(out,
			      "\tintercepted: private endpoint descriptor = %d, servers = %u\n",
			      inner->places[0].fd, inner->limits.running);
	(void)fputc('\n', out);
}

static void dump_session(const struct session *session, FILE *out)
{
	time_t age = (time_t)((now_usec() - session->start_usec) / USEC_PER_SEC);
	char text[ADDR_TEXT_MAX];

	(void)fprintf(out, "%s server\npid = %d\n", session->service->id, (int)session->pid);
	dump_time(out, "start_time = ", time(NULL) - age);
	(void)fprintf(out, "Connection info:\n\tservice = %s\n\tremote_address = %s,%u\n",
		      session->service->id, addr_format(&session->peer, text), session->peer.port);
	if (retry_failures(session) > 0)
		(void)fprintf(out, "fork_failures = %u\n", retry_failures(session));
	(void)fputc('\n', out);
}

void dump_sessions(const struct server *server, bool waiting, FILE *out)
{
	const struct session *session;

	for (size_t i = 0; i < server->n_runs; i++)
		for (const struct service_run *run = server->runs[i]; run;
		     run = intercept_inner(run))
			TAILQ_FOREACH(session, &run->sessions, of_run)
				if (waiting == (retry_failures(session) > 0))
					dump_session(session, out);
}

static void dump_server(const struct server *server, FILE *out)
{
	(void)fprintf(out, "INTERNAL STATE DUMP: %s\n", PACKAGE_STRING);
	dump_time(out, "Current time: ", time(NULL));
	(void)fputs("\nServices:\n", out);
	for (size_t i = 0; i < server->n_runs; i++)
		dump_run(server->runs[i], out);
	(void)fputs("Server table dump:\n", out);
	dump_sessions(server, false, out);
	(void)fputs("Retry table dump:\n", out);
	dump_sessions(server, true, out);
	(void)fprintf(
		out,
		"available_services = %zu\nrunning_servers = %u\nprocess_limit = %u\nconfig_file = %s\n"
		"END OF DUMP\n",
		server->n_runs, server->running, server->options.process_limit,
		server->options.source.file);
}

static int write_dump(const struct server *server)
{
	CLEANUP_CLOSE int fd = -1;
	CLEANUP_FCLOSE FILE *out = NULL;

	(void)mkdir(DUMP_DIRECTORY, 0755);
	(void)unlink(DUMP_FILE ".new");
	fd = open(DUMP_FILE ".new", O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	out = fdopen(fd, "w");
	if (!out)
		return -errno;
	fd = -1;
	dump_server(server, out);
	if (fflush(out) == EOF || ferror(out))
		return -EIO;
	return rename(DUMP_FILE ".new", DUMP_FILE) < 0 ? -errno : 0;
}

void dump_state(struct server *server)
{
	int r = write_dump(server);

	if (r < 0)
		log_write_errno(LOG_LEVEL_ERROR, r, "state dump: %s cannot be written: %m",
				DUMP_FILE);
	else
		log_info("generated state dump in file %s", DUMP_FILE);
}

unsigned dump_check(struct server *server)
{
	size_t sessions = 0, indexed = id_table_count(&server->by_pid) +
				       id_table_count(&server->by_number) + server->waiting;
	unsigned errors = 0;
	const struct session *session;

	for (size_t i = 0; i < server->n_runs; i++) {
		const struct service_run *run = server->runs[i];
		unsigned n = 0;

		TAILQ_FOREACH(session, &run->sessions, of_run)
			n++;
		if (n != run->limits.running && ++errors)
			log_error("service %s: %u sessions, but %u are counted", run->service->id,
				  n, run->limits.running);
		for (size_t e = 0; e < run->n_places; e++)
			if ((run->places[e].state == PLACE_CLOSED) != (run->places[e].fd < 0) &&
			    ++errors)
				log_error("service %s: endpoint %zu is %s open", run->service->id,
					  e, run->places[e].fd < 0 ? "not" : "still");
		sessions += n;
	}
	/* Sessions of services that the configuration has dropped are in the tables only. */
	indexed += server->gate_room.sessions;
	if (sessions > indexed && ++errors)
		log_error("%zu sessions, but %zu can be found", sessions, indexed);
	if (server->running != id_table_count(&server->by_pid) && ++errors)
		log_error("%u servers are counted, but %zu are known", server->running,
			  id_table_count(&server->by_pid));
	if (errors)
		log_error("Consistency check detected %u errors", errors);
	return errors;
}
