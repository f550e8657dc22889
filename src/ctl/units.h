/* SPDX-License-Identifier: ISC */
/* Services as socket and service units of systemd, with a note for what they cannot express. */
#pragma once

#include <stdio.h>

#include "base/diag.h"
#include "config/conf.h"
#include "ctl/pieces.h"

/*
 * Appends the units of every service of @conf: NAME.socket with NAME@.service
 * (wait = no, a server for each connection) or NAME.service (wait = yes).
 * Whatever a stanza says is either a setting of these, or a "# note:" in the
 * socket unit that goes to @diag, too: a warning where a restriction is lost or
 * the service has no units at all, a notice otherwise. Returns 0 or -ENOMEM.
 */
int systemd_units(const struct conf *conf, struct pieces *pieces, struct diag *diag);

/* --- between the files of this module --------------------------------------- */

/* The units of one service while they are written. */
struct unit {
	const struct service *service;
	const struct endpoint *endpoints; /* that this socket unit has */
	size_t n_endpoints;
	struct diag
		*diag; /* NULL in the second and further units of a service: all was said already */
	FILE *notes;
	FILE *socket;  /* [Socket] */
	FILE *process; /* [Service] */
};

/* What systemd cannot express of @attr, in the unit and as a finding. */
void unit_note(struct unit *unit, enum severity severity, const char *attr, const char *format, ...)
	PRINTF_LIKE(4, 5);

/* Why the service can have no units, or NULL; (units_socket.c and units_process.c) their shares of it. */
const char *unit_refuses_socket(const struct service *service);
const char *unit_refuses_process(const struct service *service);

/* Writes [Socket]: addresses, who may connect, limits. */
void unit_socket(struct unit *unit);

/* Writes [Service]: program, identity, environment, limits. */
void unit_process(struct unit *unit);
