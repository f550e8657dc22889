/* SPDX-License-Identifier: ISC */
/* A service on its way from a stanza (schema) to what it means (struct service). */
#include "config.h"

#include "config/draft.h"

#include <errno.h>

int build_text(const struct build *build, enum attr attr, const char **slot)
{
	if (schema_count(build->schema, attr) == 0)
		return 0;
	*slot = schema_text_value(build->schema, attr);
	return *slot ? 0 : -ENOMEM;
}

void build_words(const struct build *build, enum attr attr, const struct words **slot)
{
	*slot = intern_ref(schema_words(build->schema, attr));
}

long build_number(const struct build *build, enum attr attr, long missing)
{
	return schema_count(build->schema, attr) ? schema_number(build->schema, attr, 0) : missing;
}

unsigned build_bits(const struct build *build, enum attr attr)
{
	unsigned bits = 0;

	for (size_t i = 0; i < schema_count(build->schema, attr); i++)
		bits |= (unsigned)schema_number(build->schema, attr, i);
	return bits;
}
