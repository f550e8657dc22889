/* SPDX-License-Identifier: ISC */
/* The line by which a client of tcpmux names its service (RFC 1078), as it comes in. */
#include "config.h"

#include "worker/mux_name.h"

#include <string.h>

size_t mux_name_share(const struct mux_name *name, const char *bytes, size_t n)
{
	size_t room = sizeof(name->bytes) - name->n;
	const char *end;

	if (n > room)
		n = room;
	end = n > 0 ? memchr(bytes, '\n', n) : NULL;
	return end ? (size_t)(end - bytes) + 1 : n;
}

enum mux_state mux_name_take(struct mux_name *name, const char *bytes, size_t n)
{
	size_t length;

	if (n > 0)
		memcpy(name->bytes + name->n, bytes, n);
	name->n += n;
	if (name->n == 0 || name->bytes[name->n - 1] != '\n')
		return name->n == sizeof(name->bytes) ? MUX_TOO_LONG : MUX_INCOMPLETE;
	length = name->n - 1;
	if (length > 0 && name->bytes[length - 1] == '\r')
		length--;
	if (length > WIRE_MAX_NAME)
		return MUX_TOO_LONG;
	if (!wire_name_is_sound(name->bytes, length))
		return MUX_MALFORMED;
	name->length = length;
	return MUX_NAMED;
}
