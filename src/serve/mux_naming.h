/* SPDX-License-Identifier: ISC */
/* Clients of tcpmux, RFC 1078, until they have named their service. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct log_limit;
struct service;
struct session;

/* Seconds that a client of tcpmux has to name its service, where its stanza has no idle_timeout. */
#define MUX_TIMEOUT_SEC 30

/* How long that, and then the answer, may take: the stanza's idle_timeout, or MUX_TIMEOUT_SEC. */
uint32_t mux_naming_limit(const struct service *service);

/*
 * Gives the connection of @session, which was begun, to the worker for a name to
 * be read. Takes over @fd, of which a duplicate is kept: of what comes back,
 * nothing but the name is believed. Returns as worker_link_stream(), or another -errno.
 */
int mux_naming_begin(struct session *session, int fd);

/* The connection that was kept, which is the caller's now; -1 where @session has none. */
int mux_naming_take_back(struct session *session);

/* Whether a client of @service gets its positive answer before its server starts. */
bool mux_naming_speaks(const struct service *service);

/* That answer, and behind it the banner, which others get before it is known whether they are admitted. */
void mux_naming_greet(int fd, const struct service *service, struct log_limit *limit);
