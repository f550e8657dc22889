/* SPDX-License-Identifier: ISC */
/* usherctl call --all: which services of a configuration answer. */
#include "config.h"

#include "ctl/probe.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>

#include "ctl/connection.h"
#include "ctl/json_text.h"
#include "ctl/places_conf.h"

#define TIMEOUT_USEC (2 * USEC_PER_SEC)
#define CALLERS      16
/* How much of an answer is shown. */
#define ANSWER_MAX 60
/* Of an id, escaped. */
#define ID_ROOM 200

enum result {
	RESULT_ANSWERS, /* something came */
	RESULT_ENDS,    /* it took the connection and ended it without a word */
	RESULT_SILENT,  /* nothing came within the time */
	RESULT_FAILS,   /* it cannot be reached */
	RESULT_NONE,    /* there is nothing to call */
};

struct row {
	const struct service *service;
	const struct endpoint *endpoint; /* NULL: it has none, */
	const char *refusal;             /* and this is why */
	enum result result;
	uint64_t took_usec;
	char answer[ANSWER_MAX + 1]; /* as it came */
	struct failure failure;
};

struct probe {
	struct row *rows;
	size_t n;
	uint64_t timeout_usec;
	atomic_size_t next;
};

static const char *result_word(enum result result)
{
	switch (result) {
	case RESULT_ANSWERS:
		return "answers";
	case RESULT_ENDS:
		return "ends";
	case RESULT_SILENT:
		return "silent";
	case RESULT_FAILS:
		return "fails";
	case RESULT_NONE:
		break;
	}
	return "not called";
}

/* Waits for what the service says. Returns 0, or the errno that a datagram or the connection gave. */
static int listen_to(struct row *row, int fd, uint64_t deadline_usec)
{
	struct pollfd readable = { .fd = fd, .events = POLLIN };
	bool datagrams = row->endpoint->socktype == SOCK_DGRAM;

	for (;;) {
		uint64_t now = now_usec();
		ssize_t n;

		if (now >= deadline_usec) {
			row->result = RESULT_SILENT;
			return 0;
		}
		if (poll(&readable, 1, (int)((deadline_usec - now) / USEC_PER_MSEC) + 1) <= 0)
			continue;
		n = recv(fd, row->answer, ANSWER_MAX, 0);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (n < 0)
			return errno;
		row->answer[n] = '\0';
		row->result = n > 0 || datagrams ? RESULT_ANSWERS : RESULT_ENDS;
		return 0;
	}
}

/* Says as little as there is to say, and waits. */
static int try_it(struct row *row, int fd, uint64_t deadline_usec)
{
	if (row->endpoint->socktype != SOCK_DGRAM)
		(void)shutdown(fd, SHUT_WR);
	else if (send(fd, "", 0, MSG_NOSIGNAL) < 0)
		return errno;
	return listen_to(row, fd, deadline_usec);
}

static void call(struct row *row, uint64_t timeout_usec)
{
	uint64_t began = now_usec(), deadline = began + timeout_usec;
	struct places places = { 0 };
	struct connection connection = { .places = &places, .fd = -1 };
	int error = ENOMEM;

	row->result = RESULT_FAILS;
	if (places_add_endpoint(&places, row->endpoint) == 0)
		while (error && connection_has_next(&connection) &&
		       connection_open(&connection, deadline, &row->failure) == STATUS_CLEAN) {
			error = try_it(row, connection.fd, deadline);
			if (error)
				(void)failure_set(&row->failure, failure_kind(error), "%s",
						  failure_words(error));
		}
	else
		(void)failure_set(&row->failure, STATUS_UNREADABLE, "%s", failure_words(error));
	row->took_usec = now_usec() - began;
	connection_close(&connection);
	places_done(&places);
}

static void *run(void *arg)
{
	struct probe *probe = arg;

	for (;;) {
		size_t i = atomic_fetch_add(&probe->next, 1);

		if (i >= probe->n)
			return NULL;
		if (probe->rows[i].endpoint)
			call(&probe->rows[i], probe->timeout_usec);
	}
}

/* Calls them from several threads, and from this one: most of the time is spent waiting. */
static void run_all(struct probe *probe)
{
	pthread_t callers[CALLERS];
	size_t n = 0;

	while (n < CALLERS && n + 1 < probe->n &&
	       pthread_create(&callers[n], NULL, run, probe) == 0)
		n++;
	(void)run(probe);
	while (n > 0)
		(void)pthread_join(callers[--n], NULL);
}

/* A row an endpoint. Returns 0 or -ENOMEM. */
static int collect(const struct conf *conf, struct probe *probe)
{
	for (size_t i = 0; i < conf->n; i++) {
		const struct service *s = conf->services[i];
		const char *refusal = places_refuse(s);
		size_t n = refusal ? 1 : s->n_endpoints;

		for (size_t e = 0; e < n; e++) {
			if (array_grow(&probe->rows, probe->n, sizeof(*probe->rows)) < 0)
				return -ENOMEM;
			probe->rows[probe->n++] = (struct row){
				.service = s,
				.endpoint = refusal ? NULL : &s->endpoints[e],
				.refusal = refusal,
				.result = RESULT_NONE,
			};
		}
	}
	return 0;
}

static const char *where(const struct row *row, char out[static ENDPOINT_TEXT_MAX])
{
	char raw[ENDPOINT_TEXT_MAX];

	if (!row->endpoint)
		return strcpy(out, "-");
	return escape_text(out, ENDPOINT_TEXT_MAX, endpoint_format(row->endpoint, raw));
}

/* The widths of the first two columns: as wide as what stands there, and never narrower than what is usual. */
static void measure(const struct probe *probe, int *ret_service, int *ret_where)
{
	*ret_service = 20;
	*ret_where = 28;
	for (size_t i = 0; i < probe->n; i++) {
		char id[ID_ROOM], place[ENDPOINT_TEXT_MAX];
		size_t service = strlen(escape_text(id, sizeof(id), probe->rows[i].service->id));
		size_t wide = strlen(where(&probe->rows[i], place));

		if (service > (size_t)*ret_service)
			*ret_service = (int)service;
		if (wide > (size_t)*ret_where)
			*ret_where = (int)wide;
	}
}

static void print_table(const struct probe *probe)
{
	int service_width, where_width;

	measure(probe, &service_width, &where_width);
	(void)printf("%-*s  %-*s  %-10s  %8s  %s\n", service_width, "SERVICE", where_width, "WHERE",
		     "RESULT", "SECONDS", "ANSWER");
	for (size_t i = 0; i < probe->n; i++) {
		const struct row *row = &probe->rows[i];
		char id[ID_ROOM], place[ENDPOINT_TEXT_MAX], first[ANSWER_MAX + 1],
			answer[4 * ANSWER_MAX + 1];

		(void)snprintf(first, sizeof(first), "%.*s", (int)strcspn(row->answer, "\r\n"),
			       row->answer);
		(void)printf("%-*s  %-*s  %-10s  %8.3f  %s\n", service_width,
			     escape_text(id, sizeof(id), row->service->id), where_width,
			     where(row, place), result_word(row->result),
			     (double)row->took_usec / USEC_PER_SEC,
			     row->result == RESULT_FAILS ? row->failure.text
			     : row->refusal              ? row->refusal
					    : escape_text(answer, sizeof(answer), first));
	}
}

static int print_json(const struct probe *probe)
{
	json_t *root = json_array();

	for (size_t i = 0; i < probe->n; i++) {
		const struct row *row = &probe->rows[i];
		bool fails = row->result == RESULT_FAILS;
		char place[ENDPOINT_TEXT_MAX];

		(void)json_array_append_new(
			root,
			json_pack("{s:o, s:o, s:s, s:f, s:o, s:o}", "service",
				  json_text(row->service->id), "where",
				  row->endpoint ? json_text(where(row, place)) : json_null(),
				  "result", result_word(row->result), "seconds",
				  (double)row->took_usec / USEC_PER_SEC, "answer",
				  json_text(row->result == RESULT_ANSWERS ? row->answer : NULL),
				  "failure", json_text(fails ? row->failure.text : row->refusal)));
	}
	return json_print(root);
}

enum status probe_all(const char *file, const char *inetd_file, uint64_t timeout_usec, bool json)
{
	struct probe probe = { .timeout_usec = timeout_usec ? timeout_usec : TIMEOUT_USEC };
	struct diag diag = { 0 };
	struct conf *conf = NULL;
	int r = ctl_load(file ? file : CONF_DEFAULT_FILE, inetd_file, &diag, &conf);
	enum status status = ctl_status(&diag, r, false);

	ctl_print_findings(&diag, stderr);
	if (conf && collect(conf, &probe) < 0)
		status = STATUS_UNREADABLE;
	run_all(&probe);
	for (size_t i = 0; i < probe.n && status == STATUS_CLEAN; i++)
		if (probe.rows[i].result == RESULT_FAILS)
			status = STATUS_ERRORS;
	if (!json)
		print_table(&probe);
	else if (print_json(&probe) < 0)
		status = STATUS_UNREADABLE;
	free(probe.rows);
	conf_free(conf);
	diag_done(&diag);
	return ctl_flush(status);
}
