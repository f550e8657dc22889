/* SPDX-License-Identifier: ISC */
/* From what a stanza said (schema) to what it means (struct service). */
#pragma once

#include "config/lookup.h"
#include "config/memo.h"
#include "config/schema.h"
#include "config/service.h"

/* One stanza on its way, and what all of a load have. The parts below each fill in their share of service. */
struct build {
	struct schema *schema;
	struct lookup *lookup;
	struct intern_pool *pool;
	struct memo memo;
	struct service service;     /* the draft */
	struct endpoint *endpoints; /* room for the draft's */
	size_t endpoints_room;
};

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

/* Finds the internal service of that name and socket type, which must be known by now. */
void build_builtin(struct build *build);

/* Reports an error at @attr's line. */
#define build_error(build, attr, ...) \
	schema_report((build)->schema, (attr), SEVERITY_ERROR, __VA_ARGS__)

/* Sets *@slot to the attribute's value where it is given. Returns 0 or -ENOMEM. */
int build_text(const struct build *build, enum attr attr, const char **slot);

/* Sets *@slot to the words of a LIST. */
void build_words(const struct build *build, enum attr attr, const struct words **slot);

/* The attribute's numbers, each a bit, together. */
unsigned build_bits(const struct build *build, enum attr attr);

/* The attribute's number, or @missing where it is not given (or was rejected). */
long build_number(const struct build *build, enum attr attr, long missing);
