/* SPDX-License-Identifier: ISC */
/* The service logs in use: one sink for all services that write to the same place. */
#pragma once

#include "config/service.h"

struct sink;
struct sinks;
struct writer;

/* A new, empty table; @ident names the daemon in syslog lines (copied). NULL when memory ran out. */
struct sinks *sinks_new(struct writer *writer, const char *ident);
void sinks_free(struct sinks *sinks);

/*
 * The sink of the service's log_type, opened when nobody has it yet. *@ret is
 * NULL for a service without log. Returns 0 or why it cannot be opened (-errno).
 * Give it back with sinks_put(), which accepts NULL.
 */
int sinks_get(struct sinks *sinks, const struct service *service, struct sink **ret);
void sinks_put(struct sinks *sinks, struct sink *sink);

/* Has every log file reopened (SIGHUP, after rotation). */
void sinks_reopen(struct sinks *sinks);
