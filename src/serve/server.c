/* SPDX-License-Identifier: ISC */
/* The life of the server object, from start to end. */
#include "config.h"

#include "serve/server.h"

#include <errno.h>
#include <netdb.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include <systemd/sd-daemon.h>

#include "base/log.h"
#include "base/sink.h"
#include "serve/doors.h"
#include "serve/dump.h"
#include "serve/finish.h"
#include "serve/gate.h"
#include "serve/host.h"
#include "serve/inquiry.h"
#include "serve/intercept_dgrams.h"
#include "serve/listing.h"
#include "serve/low_numbers.h"
#include "serve/mux.h"
#include "serve/place.h"
#include "serve/ready.h"
#include "serve/reap.h"
#include "serve/reload.h"
#include "serve/resolver.h"
#include "serve/retry.h"
#include "serve/rpc.h"
#include "serve/signals.h"
#include "serve/sinks.h"
#include "serve/worker_link.h"

/* --- start and end ------------------------------------------------------------------- */

static void on_self_check(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)dump_check(arg);
}

static int add_self_check(struct server *server)
{
	struct timeval interval = { .tv_sec = server->options.check_sec };

	if (!server->options.check_sec)
		return 0;
	server->self_check = event_new(server->base, -1, EV_PERSIST, on_self_check, server);
	return server->self_check && event_add(server->self_check, &interval) == 0 ? 0 : -ENOMEM;
}

static void on_flush(evutil_socket_t fd, short what, void *arg)
{
	struct server *server = arg;
	bool several;

	(void)fd;
	(void)what;
	several = worker_link_waiting(server->worker) > 1;
	worker_link_flush(server->worker);
	if (several)
		give_way(&server->way);
}

static bool others_wait(void *arg)
{
	const struct server *server = arg;

	return doors_others_wait(server->doors) || doors_others_wait(server->worker_doors);
}

int server_new(const struct server_options *options, struct writer *writer,
	       char *const *environment, const struct rlimit *nofile, struct server **ret)
{
	struct server *server = calloc(1, sizeof(*server));
	int r = -ENOMEM;

	if (!server)
		return -ENOMEM;
	server->options = *options;
	server->writer = writer;
	server->place_closes = intercept_dgrams_end;
	sensor_init(&server->sensor);
	/* Without it, gates run as the daemon does, but gain nothing. */
	if (account_find(&server->gate_account) < 0)
		server->gate_account = (struct account){ .mapped = false };
	server->base = event_base_new();
	server->sinks = sinks_new(writer, options->ident);
	if (!server->base || !server->sinks ||
	    spawner_new(environment, nofile, &server->spawner) < 0)
		goto failed;
	r = doors_new(server->base, ready_place, &server->doors);
	if (r == 0)
		r = doors_new(server->base, ready_place_for_worker, &server->worker_doors);
	if (r == 0)
		spawner_set_others(server->spawner, others_wait, server);
	if (r == 0)
		r = worker_link_new(server->base, options->worker_path, &reap_worker_ops, server,
				    &server->worker);
	if (r == 0)
		r = gates_new(server, &server->gates);
	if (r == 0)
		r = inquiries_new(server, &server->inquiries);
	if (r == 0)
		r = resolver_new(server->base, getaddrinfo, &server->resolver);
	if (r == 0)
		r = rpc_new(server->base, options->rpc_path, &server->rpc);
	if (r < 0)
		goto failed;
	server->worker_flush = event_new(server->base, -1, 0, on_flush, server);
	r = server->worker_flush ? signals_new(server, &server->signals) : -ENOMEM;
	if (r == 0)
		r = add_self_check(server);
	if (r < 0)
		goto failed;
	spawner_note_signals(server->spawner);
	*ret = server;
	return 0;

failed:
	server_free(server);
	return r;
}

void server_make_room(const struct conf *conf)
{
	size_t n = 0;

	for (size_t i = 0; i < conf->n; i++)
		n += conf->services[i]->n_endpoints;
	low_numbers_make_room(n);
}

/* Opens the doors of all services. */
static void open_all(struct server *server)
{
	struct low_numbers low;
	size_t n = 0;

	for (size_t i = 0; i < server->n_runs; i++)
		n += server->runs[i]->n_places;
	low_numbers_take(&low, n);
	for (size_t i = 0; i < server->n_runs; i++)
		for (size_t e = 0; e < server->runs[i]->n_places; e++)
			(void)place_open(&server->runs[i]->places[e]);
	low_numbers_give_back(&low);
}

int server_start(struct server *server, const struct conf *conf)
{
	struct service_run **runs = calloc(conf->n + 1, sizeof(struct service_run *));

	if (!runs)
		return -ENOMEM;
	server->runs = runs;
	for (size_t i = 0; i < conf->n; i++) {
		struct service_run *run;

		if (host_new(server, conf->services[i], &run) < 0)
			continue;
		server->runs[server->n_runs++] = run;
	}
	open_all(server);
	mux_renew(server);
	return (int)server->n_runs;
}

int server_run(struct server *server)
{
	while (!server->stopping)
		if (event_base_loop(server->base, EVLOOP_ONCE) < 0)
			break;
	return server->exit_status;
}

/* Internal sessions end with the worker; each gets its EXIT. */
static void end_internal(struct server *server)
{
	const struct id_entry *entry;
	size_t at = 0;

	while ((entry = id_table_next(&server->by_number, &at)))
		finish_session(entry->value, SIGTERM);
	id_table_done(&server->by_number);
}

/* External servers go on; nobody will record their end. */
static void forget_external(struct server *server)
{
	const struct id_entry *entry;
	size_t at = 0;

	while ((entry = id_table_next(&server->by_pid, &at))) {
		struct session *session = entry->value;

		TAILQ_REMOVE(&session->run->sessions, session, of_run);
		if (session->place)
			session->place->holder = NULL;
		if (session->timeout)
			event_free(session->timeout);
		host_free_if_over(session->run);
		sink_unref(session->sink);
		session_free(session);
	}
	id_table_done(&server->by_pid);
}

void server_free(struct server *server)
{
	if (!server)
		return;
	/* Doors first: whoever comes now is told at once that nobody is here. */
	for (size_t i = 0; i < server->n_runs; i++)
		for (size_t e = 0; e < server->runs[i]->n_places; e++)
			place_close(&server->runs[i]->places[e],
				    server->runs[i]->places[e].state != PLACE_LENT);
	rpc_free(TAKE_PTR(server->rpc));
	reload_cancel(server);
	gates_end(server->gates);
	inquiries_free(server->inquiries);
	worker_link_free(server->worker);
	end_internal(server);
	retry_give_up_all(server);
	forget_external(server);
	for (size_t i = 0; i < server->n_runs; i++)
		host_free(server->runs[i]);
	free(server->runs);
	gates_free(server->gates);
	mux_free(server->mux);
	resolver_free(server->resolver);
	listings_free(server->listings);
	if (server->worker_flush)
		event_free(server->worker_flush);
	if (server->self_check)
		event_free(server->self_check);
	signals_free(server->signals);
	doors_free(server->doors);
	doors_free(server->worker_doors);
	sensor_done(&server->sensor);
	spawner_free(server->spawner);
	sinks_free(server->sinks);
	if (server->base)
		event_base_free(server->base);
	free(server);
}
