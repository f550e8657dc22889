/* SPDX-License-Identifier: ISC */
/* Texts and whole values as JSON, on standard output. */
#include "config.h"

#include "ctl/json_text.h"

#include <errno.h>
#include <stdio.h>

#include "base/util.h"

json_t *json_text(const char *text)
{
	char safe[4096];

	return text ? json_string(escape_text(safe, sizeof(safe), text)) : json_null();
}

int json_print(json_t *root)
{
	int r = root ? json_dumpf(root, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6)) : -1;

	json_decref(root);
	if (r < 0)
		return -ENOMEM;
	(void)putchar('\n');
	return 0;
}
