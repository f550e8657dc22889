/* SPDX-License-Identifier: ISC */
/* The internal services by their numbers. */
#include "config.h"

#include "worker/builtin.h"

#include "base/util.h"
#include "base/wire.h"

const struct builtin *builtin_find(uint32_t service)
{
	static const struct builtin *const builtins[] = {
		[WIRE_ECHO] = &echo_builtin,       [WIRE_DISCARD] = &discard_builtin,
		[WIRE_CHARGEN] = &chargen_builtin, [WIRE_DAYTIME] = &daytime_builtin,
		[WIRE_TIME] = &time_builtin,       [WIRE_TCPMUX] = &tcpmux_builtin,
	};

	if (service == WIRE_TEXT)
		return &text_builtin;
	return service < ARRAY_SIZE(builtins) ? builtins[service] : NULL;
}
