/* SPDX-License-Identifier: ISC */
/* The operator's command: what needs neither the daemon's help nor privilege. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "ctl/call.h"
#include "ctl/check.h"
#include "ctl/convert.h"
#include "ctl/ctl.h"
#include "ctl/dump.h"
#include "ctl/names.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} commands[] = {
	{ "call", ctl_call }, { "check", ctl_check },   { "convert", ctl_convert },
	{ "dump", ctl_dump }, { "lookup", ctl_lookup },
};

int main(int argc, char **argv)
{
	if (argc < 2) {
		ctl_print_usage(stderr);
		return STATUS_USAGE;
	}
	/* Of a command, too: that is where people look for it. */
	if (strcmp(argv[1], "--help") == 0 || (argc > 2 && strcmp(argv[2], "--help") == 0)) {
		ctl_print_usage(stdout);
		return STATUS_CLEAN;
	}
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (strcmp(argv[1], commands[i].name) == 0)
			return commands[i].run(argc - 1, argv + 1);
	if (strcmp(argv[1], "--version") == 0) {
		(void)puts(PACKAGE_STRING);
		return STATUS_CLEAN;
	}
	ctl_usage_error("unknown command", argv[1]);
}
