/* SPDX-License-Identifier: ISC */
/* From what a stanza said (schema) to what it means (struct service). */
#pragma once

#include "config/draft.h"

/*
 * Makes the service of the stanza that the schema holds. Everything wrong is
 * reported there, not only the first fault (xinetd stops at the first stage
 * that fails). Returns the service with one reference, or NULL with schema_failed() set, or
 * NULL and *@no_memory.
 */
struct service *build_service(struct build *build, const struct stanza *stanza, const char *id,
			      bool *no_memory);

/* The parts, in the order in which they depend on each other. Each returns 0 or -ENOMEM. */
int build_socket(struct build *build);  /* type, protocol, port, bind: endpoints */
int build_process(struct build *build); /* server, argv, user, groups, limits, environment */
int build_policy(struct build *build);  /* access, limits, banners, log */

/* What build_policy() consists of besides: who may connect, and when; where records go; what is in them. */
int build_access(struct build *build);
int build_log_target(struct build *build);
void build_log_options(struct build *build);
