/* SPDX-License-Identifier: ISC */
/* usherctl call: a client for any service. */
#include "config.h"

#include "ctl/call.h"

#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>

#include "ctl/exchange.h"
#include "ctl/options.h"
#include "ctl/places_find.h"
#include "ctl/probe.h"
#include "ctl/talk.h"

struct options {
	bool all;
	bool json;
	bool verbose;
	bool interactive;
	bool whole;
	uint64_t timeout_usec; /* 0 = none */
	const char *expect;
	const char *config;
	const char *inetd_file;
	const char *word;
};

static void parse(int argc, char **argv, struct options *options)
{
	const struct option_row rows[] = {
		{ "--all", OPTION_FLAG, .flag = &options->all },
		{ "--json", OPTION_FLAG, .flag = &options->json },
		{ "-v", OPTION_FLAG, .flag = &options->verbose },
		{ "--verbose", OPTION_FLAG, .flag = &options->verbose },
		{ "-i", OPTION_FLAG, .flag = &options->interactive },
		{ "--interactive", OPTION_FLAG, .flag = &options->interactive },
		{ "--whole", OPTION_FLAG, .flag = &options->whole },
		{ "--timeout", OPTION_SECONDS, .usec = &options->timeout_usec },
		{ "--expect", OPTION_VALUE, .text = &options->expect },
		{ "--config", OPTION_VALUE, .text = &options->config },
		{ "--inetd", OPTION_MAYBE, .text = &options->inetd_file, CONF_INETD_FILE },
	};
	const struct option_words words = { &options->word, 1, "only one service" };

	(void)options_parse(argc, argv, rows, ARRAY_SIZE(rows), &words);
	if (options->expect && !*options->expect)
		ctl_usage_error("text missing", "--expect");
	if (options->all && options->config && options->word)
		ctl_usage_error("only one file", options->word);
	if (options->all && (options->expect || options->interactive || options->whole))
		ctl_usage_error("not together with --expect, --interactive or --whole", "--all");
	if (options->json && !options->all)
		ctl_usage_error("only together with --all", "--json");
	if (!options->all && !options->word)
		ctl_usage_error("service missing", "call");
}

/*
 * What we open must not become standard input or output because that was
 * closed. What takes its place reads as empty, and cannot be written.
 */
static void hold_standard_descriptors(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			(void)open("/dev/null", O_RDONLY);
}

/* What is to be looked at while the exchange runs, and after it. */
struct session {
	struct connection connection;
	struct printable printable;
	struct expect expect;
	struct feed feed;
	struct outlet outlet;
};

static int prepare(const struct options *options, struct session *session)
{
	int socktype = session->connection.place->socktype;
	enum feed_mode mode = socktype == SOCK_STREAM ? FEED_BYTES
			      : options->whole        ? FEED_WHOLE
						      : FEED_LINES;

	if (options->interactive)
		session->printable.utf8 =
			setlocale(LC_CTYPE, "") && strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	if (options->expect && expect_init(&session->expect, options->expect) < 0)
		return -ENOMEM;
	if (feed_init(&session->feed, STDIN_FILENO, mode, socktype == SOCK_DGRAM) < 0)
		return -ENOMEM;
	return outlet_init(&session->outlet, STDOUT_FILENO,
			   options->interactive ? &session->printable : NULL,
			   options->expect ? &session->expect : NULL);
}

static void tell_sums(const struct exchange *x, uint64_t began_usec)
{
	double seconds = (double)(now_usec() - began_usec) / (double)USEC_PER_SEC;

	if (x->feed->mode == FEED_BYTES)
		(void)fprintf(stderr, "usherctl: sent %ju bytes, received %ju bytes in %.6f s\n",
			      (uintmax_t)x->sent_bytes, (uintmax_t)x->outlet->received, seconds);
	else
		(void)fprintf(stderr,
			      "usherctl: sent %ju bytes (messages: %ju), received %ju bytes "
			      "(messages: %ju) in %.6f s\n",
			      (uintmax_t)x->sent_bytes, (uintmax_t)x->sent_messages,
			      (uintmax_t)x->outlet->received, (uintmax_t)x->received_messages,
			      seconds);
}

static enum status exchange(const struct options *options, struct session *session,
			    uint64_t deadline_usec, struct failure *failure)
{
	struct exchange x = {
		.connection = &session->connection,
		.feed = &session->feed,
		.outlet = &session->outlet,
		/* People may think as long as they like; an expected text has to come in time. */
		.silence_usec = options->interactive || options->expect ? 0 : options->timeout_usec,
		.deadline_usec = options->expect ? deadline_usec : 0,
		.patient = isatty(STDIN_FILENO),
	};
	uint64_t began = now_usec();
	enum status status;

	if (options->interactive && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO))
		status = talk(&x, failure);
	else if (session->connection.place->socktype == SOCK_DGRAM)
		status = exchange_datagrams(&x, failure);
	else
		status = exchange_stream(&x, failure);
	if (options->verbose)
		tell_sums(&x, began);
	return status;
}

static enum status call(const struct options *options, const struct target *target,
			struct failure *failure)
{
	uint64_t deadline = options->timeout_usec ? now_usec() + options->timeout_usec : 0;
	const struct places_source source = { options->config, options->inetd_file, deadline };
	struct session session = { .connection = { .fd = -1 } };
	struct places places = { 0 };
	enum status status = places_find(target, &source, &places, failure);

	if (status != STATUS_CLEAN)
		return status;
	if (options->verbose && places.origin[0])
		(void)fprintf(stderr, "usherctl: %s\n", places.origin);
	session.connection.places = &places;
	session.connection.trace = options->verbose ? stderr : NULL;
	status = connection_open(&session.connection, deadline, failure);
	if (status == STATUS_CLEAN) {
		if (prepare(options, &session) < 0)
			status = failure_set(failure, STATUS_UNREADABLE,
					     "there is not enough memory");
		else
			status = exchange(options, &session, deadline, failure);
	}
	outlet_done(&session.outlet);
	feed_done(&session.feed);
	expect_done(&session.expect);
	connection_close(&session.connection);
	places_done(&places);
	return status;
}

int ctl_call(int argc, char **argv)
{
	struct options options = { 0 };
	struct failure failure = { 0 };
	struct target target;
	enum status status;
	const char *why;
	int r;

	parse(argc, argv, &options);
	hold_standard_descriptors();
	(void)signal(SIGPIPE, SIG_IGN);
	if (options.all)
		return (int)probe_all(options.config ? options.config : options.word,
				      options.inetd_file, options.timeout_usec, options.json);
	r = target_parse(options.word, &target, &why);
	if (r == -EINVAL)
		ctl_usage_error(why, options.word);
	if (r < 0)
		return STATUS_UNREADABLE;
	status = call(&options, &target, &failure);
	target_done(&target);
	if (status != STATUS_CLEAN && failure.text[0])
		(void)failure_print(&failure);
	return (int)status;
}
