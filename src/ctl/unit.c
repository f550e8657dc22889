/* SPDX-License-Identifier: ISC */
/* The units of one service while they are written. */
#include "config.h"

#include "ctl/unit.h"

#include <stdarg.h>

#include "base/util.h"

void unit_note(struct unit *unit, enum severity severity, const char *attr, const char *format, ...)
{
	const struct service *s = unit->service;
	char text[2048], shown[4096];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	(void)fprintf(unit->notes, "# note: %s: %s\n", attr,
		      escape_text(shown, sizeof(shown), text));
	if (unit->diag)
		diag_add(unit->diag, severity, s->file, s->line, s->id, "%s: %s", attr, text);
}
