/* SPDX-License-Identifier: ISC */
/* The units of one service while they are written. */
#pragma once

#include <stdio.h>

#include "base/diag.h"
#include "config/service.h"

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
