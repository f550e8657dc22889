/* SPDX-License-Identifier: ISC */
/* One served request, from its admission to its end. */
#include "config.h"

#include "record/session.h"

#include <stdlib.h>
#include <string.h>

struct session *session_new(const struct service *service, uint64_t number, const struct addr *peer,
			    uint64_t start_usec)
{
	struct session *session = calloc(1, sizeof(*session));

	if (!session)
		return NULL;
	session->number = number;
	session->service = service_ref(service);
	session->peer = *peer;
	session->start_usec = start_usec;
	return session;
}

void session_free(struct session *session)
{
	if (!session)
		return;
	service_unref(session->service);
	free(session->userid);
	free(session);
}

void *session_held(const struct session *session, const struct holding_ops *ops)
{
	return session->held && session->held->ops == ops ? session->held : NULL;
}

void *session_let_go(struct session *session, const struct holding_ops *ops)
{
	void *held = session_held(session, ops);

	if (held)
		session->held = NULL;
	return held;
}

void session_identify(struct session *session, enum ident_outcome outcome, const char *text)
{
	session->ident = (uint8_t)outcome;
	free(session->userid);
	/* Without memory the line is missing, not the session. */
	session->userid = outcome == IDENT_ANSWERED ? strdup(text) : NULL;
}
