/* SPDX-License-Identifier: ISC */
/* Records: the lines of sessions, and their fields, on their way to the service's log. */
#pragma once

#include <stdint.h>

#include "base/addr.h"
#include "base/ident.h"

struct service;
struct session;
struct sink;
struct writer;

/*
 * Queue the line for the service's log. Where @sink is NULL the service has
 * none, and nothing is done. record_start() writes USERID after START where the
 * client has been identified. record_exit() writes TRAFFIC before EXIT where
 * the service asks for it.
 */
void record_start(struct writer *writer, struct sink *sink, const struct session *session);
void record_exit(struct writer *writer, struct sink *sink, const struct session *session,
		 uint64_t end_usec);
void record_fail(struct writer *writer, struct sink *sink, const struct service *service,
		 const struct addr *peer, const char *reason);
void record_userid(struct writer *writer, struct sink *sink, const struct service *service,
		   const char *text);
void record_noid(struct writer *writer, struct sink *sink, const struct service *service,
		 const struct addr *peer, enum ident_outcome outcome);
