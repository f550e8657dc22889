/* SPDX-License-Identifier: ISC */
/* usherd-gate: makes the slow checks about one connection beside the daemon, and answers in one message. */
#include "config.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/gate_wire.h"
#include "base/util.h"
#include "gate/ident.h"
#include "gate/names.h"
#include "gate/wrap.h"

static const char options[] = { GATE_OPTION_ONLY_FROM, ':',
				GATE_OPTION_NO_ACCESS, ':',
				GATE_OPTION_LIBWRAP,   ':',
				GATE_OPTION_IDENT,     GATE_OPTION_IDENTIFY,
				GATE_OPTION_STREAM,    '\0' };

/* What is to be checked. */
struct request {
	struct addr peer; /* AF_UNSPEC: nobody knows */
	bool stream;
	const char **only_from;
	size_t n_only_from;
	const char **no_access;
	size_t n_no_access;
	const char *libwrap; /* NULL: not asked */
	bool ident;
	bool must_identify;
};

/* What usherd has written into the environment, as for a server. */
static void read_peer(struct addr *ret)
{
	const char *host = getenv("REMOTE_HOST"), *port = getenv("REMOTE_PORT");
	long long number;

	if (!host || addr_parse(host, ret) < 0)
		*ret = (struct addr){ .family = AF_UNSPEC };
	if (port && parse_number(port, 10, 0, UINT16_MAX, &number) == 0)
		ret->port = (uint16_t)number;
}

static bool read_request(int argc, char **argv, struct request *ret)
{
	int option;

	read_peer(&ret->peer);
	ret->only_from = calloc((size_t)argc, sizeof(char *));
	ret->no_access = calloc((size_t)argc, sizeof(char *));
	if (!ret->only_from || !ret->no_access)
		return false;
	while ((option = getopt(argc, argv, options)) != -1) {
		switch (option) {
		case GATE_OPTION_ONLY_FROM:
			ret->only_from[ret->n_only_from++] = optarg;
			break;
		case GATE_OPTION_NO_ACCESS:
			ret->no_access[ret->n_no_access++] = optarg;
			break;
		case GATE_OPTION_LIBWRAP:
			ret->libwrap = optarg;
			break;
		case GATE_OPTION_IDENTIFY:
			ret->must_identify = true;
			break;
		case GATE_OPTION_IDENT:
			ret->ident = true;
			break;
		case GATE_OPTION_STREAM:
			ret->stream = true;
			break;
		default:
			return false;
		}
	}
	return optind == argc;
}

static void refuse(struct gate_answer *answer, enum gate_check check)
{
	answer->allowed = 0;
	answer->check = check;
}

static void check_names(const struct request *request, struct gate_answer *answer)
{
	const struct names_lists lists = {
		.only_from = request->only_from,
		.n_only_from = request->n_only_from,
		.no_access = request->no_access,
		.n_no_access = request->n_no_access,
	};
	char name[NAMES_MAX];
	bool found, both;

	if (lists.n_only_from == 0 && lists.n_no_access == 0)
		return;
	found = names_find(&request->peer, name);
	if (!names_allow(&lists, found ? name : NULL, &both))
		refuse(answer, GATE_CHECK_NAMES);
	if (both)
		answer->flags |= GATE_BOTH_LISTS;
}

static void check_ident(const struct request *request, struct gate_answer *answer)
{
	uint64_t deadline_usec = now_usec() + GATE_IDENT_SEC * USEC_PER_SEC;
	struct sockaddr_storage storage;
	socklen_t length = sizeof(storage);
	struct addr own;

	if (getsockname(STDIN_FILENO, (void *)&storage, &length) < 0) {
		answer->ident = IDENT_SYSTEM_ERROR;
	} else {
		addr_from_sockaddr(&own, (void *)&storage, length);
		answer->ident =
			ident_ask(&own, &request->peer, IDENT_PORT, deadline_usec, answer->text);
	}
	if (request->must_identify && answer->ident != IDENT_ANSWERED)
		refuse(answer, GATE_CHECK_IDENT);
}

/* The checks in xinetd's order; the first that refuses is the last. */
static void make_checks(const struct request *request, struct gate_answer *answer)
{
	check_names(request, answer);
	if (answer->allowed && request->libwrap &&
	    !wrap_allows(request->libwrap, &request->peer, request->stream))
		refuse(answer, GATE_CHECK_LIBWRAP);
	if (answer->allowed && (request->ident || request->must_identify))
		check_ident(request, answer);
}

int main(int argc, char **argv)
{
	struct gate_answer answer = { .magic = GATE_MAGIC, .allowed = 1 };
	struct request request = { .stream = false };

	/* What is opened from here on must not become standard error. */
	while (fcntl(STDERR_FILENO, F_GETFD) < 0)
		if (open("/dev/null", O_RDWR) < 0)
			return EXIT_FAILURE;
	if (!read_request(argc, argv, &request))
		return EXIT_FAILURE;
	make_checks(&request, &answer);
	/* The client is the daemon's from here on, however long the end of this process takes. */
	(void)close(STDIN_FILENO);
	/*
	 * At once: nothing is left to be cleaned up, and a sanitizer would have a helper look for
	 * leaks, and wait without end for one that was killed.
	 */
	_exit(write(STDOUT_FILENO, &answer, sizeof(answer)) == sizeof(answer) ? EXIT_SUCCESS
									      : EXIT_FAILURE);
}
