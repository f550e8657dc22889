/* SPDX-License-Identifier: ISC */
/* What usherd-gate is told by its arguments, and the one message by which it answers. */
#include "config.h"

#include "base/gate_wire.h"

#include <string.h>

bool gate_answer_is_sound(const struct gate_answer *answer, ssize_t size)
{
	return size == (ssize_t)sizeof(*answer) && answer->magic == GATE_MAGIC &&
	       answer->allowed <= 1 && answer->ident < IDENT_OUTCOMES &&
	       memchr(answer->text, '\0', sizeof(answer->text));
}
