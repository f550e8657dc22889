/* SPDX-License-Identifier: ISC */
/* A service on its way from a stanza (schema) to what it means (struct service). */
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
