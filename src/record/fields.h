/* SPDX-License-Identifier: ISC */
/* The fields of a record for sinks that take them: what its line says, each by itself. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/line_queue.h"

struct addr;
struct service;
struct session;

/* A line of lines_*(), which is lengthened by "\nNAME=value" for each field. */
struct fields {
	char text[LINE_TEXT_MAX + 1];
	size_t len; /* 0: the line is not wanted, and nothing is added */
};

/*
 * Each adds USHERD_EVENT and USHERD_SERVICE (the id), and then, as far as the
 * flags of log_on_success or log_on_failure have them in the line:
 *
 * START: USHERD_SESSION, _PID (0: the worker serves it), _PEER, _PEER_PORT
 * EXIT: USHERD_SESSION, _STATUS or _SIGNAL, _PID, _DURATION_USEC
 * TRAFFIC: USHERD_SESSION, _IN_BYTES (from the client), _OUT_BYTES
 * FAIL, NOID (@event): USHERD_REASON, _PEER, _PEER_PORT
 * USERID: USHERD_USERID
 *
 * USHERD_SESSION is a number that START, TRAFFIC and EXIT of one session share
 * while the daemon lives. What is not printable is escaped; a field that does
 * not fit any more is left out as a whole.
 */
void fields_start(struct fields *fields, const struct session *session);
void fields_exit(struct fields *fields, const struct session *session, uint64_t end_usec);
void fields_traffic(struct fields *fields, const struct session *session);
void fields_refused(struct fields *fields, const char *event, const struct service *service,
		    const struct addr *peer, const char *reason);
void fields_userid(struct fields *fields, const struct service *service, const char *userid);
