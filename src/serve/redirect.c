/* SPDX-License-Identifier: ISC */
/* The part of a redirected session in which its target is looked for (xinetd.conf(5) "redirect"). */
#include "config.h"

#include "serve/redirect.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "base/log.h"
#include "serve/connector.h"
#include "serve/finish.h"
#include "serve/hand_over.h"
#include "serve/share.h"
#include "serve/state.h"
#include "serve/worker_link.h"

struct redirect {
	struct holding holding;
	struct session *session;
	struct connector *connector;
	int client;
	uint16_t port;
	char address[ADDR_TEXT_MAX]; /* where the target is one */
};

bool redirect_has_room(const struct service_run *run)
{
	return run->seeking < share_of_descriptors();
}

static void end(struct session *session, struct holding *held)
{
	struct redirect *redirect = (struct redirect *)held; /* its first member */

	session->seeking = false;
	session->run->seeking--;
	connector_free(redirect->connector);
	cleanup_close(&redirect->client);
	free(redirect);
}

static void give_up(struct session *session)
{
	finish_by_number(session, 0);
}

static void on_connector(void *arg, int fd, const struct connector_failure *failure)
{
	struct redirect *redirect = arg;
	struct session *session = redirect->session;
	const struct service *service = session->service;
	int r;

	if (fd < 0) {
		log_limited(&session->run->target_errors, LOG_LEVEL_ERROR,
			    "can't connect to remote host %s: %s [service=%s] [port=%u]",
			    failure->where, failure->why, service->id, redirect->port);
		give_up(session);
		return;
	}
	hand_over_more(session);
	r = worker_link_relay(session->run->server->worker, session->number,
			      service->idle_timeout_sec, take_fd(&redirect->client), fd);
	if (r == 0)
		end(session, TAKE_PTR(session->held));
	(void)hand_over_done(session, r);
}

/* Takes over @client. @target is an address; where it is NULL the target is that of the stanza. */
static int begin(struct session *session, int client, const struct addr *target)
{
	static const struct holding_ops ops = { .end = end, .stop = give_up };
	CLEANUP_CLOSE int owned = client;
	CLEANUP_FREE struct redirect *redirect = calloc(1, sizeof(*redirect));
	const struct service *service = session->service;
	struct connector_request request = {
		.host = service->redirect_host,
		.port = service->redirect_port,
		.keepalive = service->flags & FLAG_KEEPALIVE,
		.timeout_usec = REDIRECT_TIMEOUT_SEC * USEC_PER_SEC,
		.uid = service->user ? service->uid : (uid_t)-1,
		.gid = service->gid,
	};
	const int on = 1;
	int r;

	if (!redirect)
		return -ENOMEM;
	if (target) {
		request.host = addr_format(target, redirect->address);
		request.port = target->port;
	}
	redirect->port = request.port;
	/* Not for a client at a Unix socket. */
	(void)setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	r = connector_new(session->run->server->base, session->run->server->resolver, &request,
			  on_connector, redirect, &redirect->connector);
	if (r < 0)
		return r;
	redirect->session = session;
	redirect->client = take_fd(&owned);
	redirect->holding.ops = &ops;
	session->held = &TAKE_PTR(redirect)->holding;
	session->seeking = true;
	session->run->seeking++;
	return 0;
}

int redirect_begin(struct session *session, int client)
{
	return begin(session, client, NULL);
}

int redirect_to(struct session *session, int client, const struct addr *target)
{
	return begin(session, client, target);
}
