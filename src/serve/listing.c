/* SPDX-License-Identifier: ISC */
/* The internal services that tell about the daemon itself: "services" and "servers". */
#include "config.h"

#include "serve/listing.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/util.h"
#include "serve/dump.h"
#include "serve/state.h"
#include "serve/text_file.h"
#include "serve/worker_link.h"

enum listing {
	LISTING_SERVICES,
	LISTING_SERVERS,
	LISTINGS,
};

/* The last ones: memory files that nobody can write to any more. */
struct listings {
	int fd[LISTINGS];
	uint64_t made_usec[LISTINGS];
};

bool listing_is(enum builtin builtin)
{
	return builtin == BUILTIN_SERVICES || builtin == BUILTIN_SERVERS;
}

static void list_service(const struct service *service, FILE *out)
{
	char text[ENDPOINT_TEXT_MAX];

	if (service->port != UNLIMITED) {
		(void)fprintf(out, "%s %s %d\n", service->name, service->protocol_name,
			      service->port);
		return;
	}
	/* These begin with "unix". */
	for (size_t i = 0; i < service->n_endpoints; i++)
		(void)fprintf(out, "%s %s\n", service->name,
			      endpoint_format(&service->endpoints[i], text));
}

struct wanted {
	const struct server *server;
	enum listing which;
};

static void write_listing(const void *arg, FILE *out)
{
	const struct wanted *wanted = arg;
	const struct server *server = wanted->server;

	switch (wanted->which) {
	case LISTING_SERVICES:
		for (size_t i = 0; i < server->n_runs; i++)
			list_service(server->runs[i]->service, out);
		return;
	case LISTING_SERVERS:
		dump_sessions(server, false, out);
		return;
	case LISTINGS:
		return;
	}
}

/* The listing, not older than it may be. The descriptor stays in server->listings. Returns it or -errno. */
static int find_listing(struct server *server, enum listing which)
{
	uint64_t now = now_usec();
	struct listings *known = server->listings;
	int fd;

	if (!known) {
		known = calloc(1, sizeof(*known));
		if (!known)
			return -ENOMEM;
		for (size_t i = 0; i < LISTINGS; i++)
			known->fd[i] = -1;
		server->listings = known;
	}
	if (known->fd[which] >= 0 && now - known->made_usec[which] < LISTING_FRESH_USEC)
		return known->fd[which];
	fd = text_file_make(write_listing, &(struct wanted){ server, which });
	if (fd < 0)
		return fd;
	cleanup_close(&known->fd[which]);
	known->fd[which] = fd;
	known->made_usec[which] = now;
	return fd;
}

int listing_begin(struct session *session, int fd)
{
	CLEANUP_CLOSE int client = fd;
	CLEANUP_CLOSE int text = -1;
	struct server *server = session->run->server;
	const struct service *service = session->service;
	int listing = find_listing(server, service->builtin == BUILTIN_SERVICES ? LISTING_SERVICES
										: LISTING_SERVERS);

	if (listing < 0)
		return listing;
	text = fcntl(listing, F_DUPFD_CLOEXEC, 0);
	if (text < 0)
		return -errno;
	return worker_link_text(server->worker, session->number, service->idle_timeout_sec,
				take_fd(&client), take_fd(&text));
}

void listings_free(struct listings *listings)
{
	if (!listings)
		return;
	for (size_t i = 0; i < LISTINGS; i++)
		cleanup_close(&listings->fd[i]);
	free(listings);
}
