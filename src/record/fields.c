/* SPDX-License-Identifier: ISC */
/* The fields of a record for sinks that take them: what its line says, each by itself. */
#include "config.h"

#include "record/fields.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/addr.h"
#include "base/log.h"
#include "base/util.h"
#include "config/service.h"
#include "record/session.h"

static void add(struct fields *fields, const char *name, const char *value)
{
	size_t room = sizeof(fields->text) - fields->len;
	int n = snprintf(fields->text + fields->len, room, "\nUSHERD_%s=%s", name, value);

	if (n > 0 && (size_t)n < room)
		fields->len += (size_t)n;
	else
		fields->text[fields->len] = '\0';
}

static void add_number(struct fields *fields, const char *name, uint64_t value)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%" PRIu64, value);
	add(fields, name, text);
}

/* Words from outside. */
static void add_word(struct fields *fields, const char *name, const char *word)
{
	char text[LINE_TEXT_MAX];

	(void)log_escape(text, sizeof(text), word, strlen(word));
	add(fields, name, text);
}

static void add_peer(struct fields *fields, const struct addr *peer)
{
	char text[ADDR_TEXT_MAX];

	add(fields, "PEER", addr_format(peer, text));
	if (peer->family == AF_INET || peer->family == AF_INET6)
		add_number(fields, "PEER_PORT", peer->port);
}

static void begin(struct fields *fields, const char *event, const struct service *service)
{
	add(fields, "EVENT", event);
	add_word(fields, "SERVICE", service->id);
}

void fields_start(struct fields *fields, const struct session *session)
{
	unsigned flags = session->service->log_on_success;

	if (!fields->len)
		return;
	begin(fields, "START", session->service);
	add_number(fields, "SESSION", session->number);
	if (flags & LOG_OPT_PID)
		add_number(fields, "PID", (uint64_t)session->pid);
	if (flags & LOG_OPT_HOST)
		add_peer(fields, &session->peer);
}

void fields_exit(struct fields *fields, const struct session *session, uint64_t end_usec)
{
	unsigned flags = session->service->log_on_success;

	if (!fields->len)
		return;
	begin(fields, "EXIT", session->service);
	add_number(fields, "SESSION", session->number);
	if (flags & LOG_OPT_EXIT) {
		if (WIFSIGNALED(session->status))
			add_number(fields, "SIGNAL", (uint64_t)WTERMSIG(session->status));
		else
			add_number(fields, "STATUS", (uint64_t)WEXITSTATUS(session->status));
	}
	if (flags & LOG_OPT_PID)
		add_number(fields, "PID", (uint64_t)session->pid);
	if (flags & LOG_OPT_DURATION)
		add_number(fields, "DURATION_USEC", end_usec - session->start_usec);
}

void fields_traffic(struct fields *fields, const struct session *session)
{
	if (!fields->len)
		return;
	begin(fields, "TRAFFIC", session->service);
	add_number(fields, "SESSION", session->number);
	add_number(fields, "IN_BYTES", session->in_bytes);
	add_number(fields, "OUT_BYTES", session->out_bytes);
}

void fields_refused(struct fields *fields, const char *event, const struct service *service,
		    const struct addr *peer, const char *reason)
{
	if (!fields->len)
		return;
	begin(fields, event, service);
	add_word(fields, "REASON", reason);
	if ((service->log_on_failure & LOG_OPT_HOST) || strcmp(event, "NOID") == 0)
		add_peer(fields, peer);
}

void fields_userid(struct fields *fields, const struct service *service, const char *userid)
{
	if (!fields->len)
		return;
	begin(fields, "USERID", service);
	add_word(fields, "USERID", userid);
}
