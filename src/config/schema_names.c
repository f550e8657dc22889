/* SPDX-License-Identifier: ISC */
/* Attributes by their names. */
#include "config.h"

#include <strings.h>

#include "config/schema_private.h"

/* Other words for attributes: xinetd's own second name, and those of inetd and of older descriptions. */
static const struct {
	const char *alias;
	enum attr attr;
} aliases[] = {
	{ "interface", ATTR_BIND }, { "path", ATTR_SERVER },         { "args", ATTR_SERVER_ARGS },
	{ "username", ATTR_USER },  { "invocationtype", ATTR_WAIT },
};

/* What the table holds of a name: attributes first, then aliases; 0 stands for none. */
_Static_assert(ATTR_COUNT + ARRAY_SIZE(aliases) < SCHEMA_NAMES / 2, "there is room for all");

static const char *name_of(unsigned entry)
{
	return entry <= ATTR_COUNT ? schema_infos[entry - 1].name
				   : aliases[entry - 1 - ATTR_COUNT].alias;
}

static unsigned first_place(const char *name)
{
	uint32_t hash = 2166136261u;

	for (; *name; name++)
		/* What differs in case only meets; no matter what else does. */
		hash = (hash ^ ((unsigned char)*name | 0x20u)) * 16777619u;
	return (hash ^ hash >> 16) % SCHEMA_NAMES;
}

void schema_index_names(struct schema *schema)
{
	for (unsigned entry = 1; entry <= ATTR_COUNT + ARRAY_SIZE(aliases); entry++) {
		unsigned at = first_place(name_of(entry));

		while (schema->names[at])
			at = (at + 1) % SCHEMA_NAMES;
		schema->names[at] = (unsigned char)entry;
	}
}

enum attr schema_find(const struct schema *schema, const char *name)
{
	for (unsigned at = first_place(name); schema->names[at]; at = (at + 1) % SCHEMA_NAMES) {
		unsigned entry = schema->names[at];

		if (strcasecmp(name_of(entry), name) == 0)
			return entry <= ATTR_COUNT ? (enum attr)(entry - 1)
						   : aliases[entry - 1 - ATTR_COUNT].attr;
	}
	return ATTR_COUNT;
}

enum attr schema_find_value(const struct schema *schema, const char *name)
{
	unsigned tag = intern_tag(name);

	if (tag == 0) {
		tag = 1 + (unsigned)schema_find(schema, name);
		intern_set_tag(name, tag);
	}
	return (enum attr)(tag - 1);
}
