/* SPDX-License-Identifier: ISC */
/* usherctl convert: inetd.conf to stanzas, and stanzas to units of systemd. */
#include "config.h"

#include "ctl/convert.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/ctl.h"
#include "ctl/inetd_stanzas.h"
#include "ctl/options.h"
#include "ctl/pieces.h"
#include "ctl/units.h"

struct options {
	const char *from;
	const char *to;
	const char *output;
	const char *file;
	bool strict;
};

static void parse(int argc, char **argv, struct options *options)
{
	const struct option_row rows[] = {
		{ "--from", OPTION_VALUE, .text = &options->from },
		{ "--to", OPTION_VALUE, .text = &options->to },
		{ "--output", OPTION_VALUE, .text = &options->output },
		{ "--strict", OPTION_FLAG, .flag = &options->strict },
	};
	const struct option_words words = { &options->file, 1, "only one file" };

	(void)options_parse(argc, argv, rows, ARRAY_SIZE(rows), &words);
	if (!options->from)
		options->from = options->to ? "xinetd" : "inetd";
	if (!options->to)
		options->to = "xinetd";
	if (strcmp(options->from, "inetd") != 0 && strcmp(options->from, "xinetd") != 0)
		ctl_usage_error("write --from inetd", options->from);
	if (strcmp(options->to, "systemd") != 0 &&
	    (strcmp(options->to, "xinetd") != 0 || strcmp(options->from, "xinetd") == 0))
		ctl_usage_error("write --to systemd", options->to);
	if (!options->file)
		ctl_usage_error("file missing", "convert");
}

/* Loads the file as the daemon would, and converts it. Returns 0 or -errno. */
static int convert(const struct options *options, struct pieces *pieces, struct diag *diag)
{
	bool inetd = strcmp(options->from, "inetd") == 0;
	CLEANUP_FREE char *text = NULL;
	struct conf *conf = NULL;
	const char *why;
	size_t length;
	int r = 0;

	if (inetd)
		r = files_read_whole(options->file, &text, &length, &why);
	if (r < 0) {
		diag_add(diag, SEVERITY_ERROR, options->file, 0, NULL, "%s cannot be read: %s",
			 options->file, why);
		return r;
	}
	r = ctl_load(inetd ? NULL : options->file, inetd ? options->file : NULL, diag, &conf);
	if (r == 0 && strcmp(options->to, "systemd") == 0)
		r = systemd_units(conf, pieces, diag);
	else if (r == 0)
		r = inetd_stanzas(text, length, options->file, pieces, diag);
	conf_free(conf);
	return r;
}

int ctl_convert(int argc, char **argv)
{
	struct options options = { 0 };
	struct pieces pieces = { 0 };
	struct diag diag = { 0 };
	enum status status;
	int r, saved = 0;

	parse(argc, argv, &options);
	r = convert(&options, &pieces, &diag);
	if (r == 0 && options.output)
		saved = pieces_save(&pieces, options.output, &diag);
	else if (r == 0)
		pieces_print(&pieces, strcmp(options.to, "systemd") == 0, stdout);
	ctl_print_findings(&diag, stderr);
	status = saved < 0 ? STATUS_UNREADABLE : ctl_status(&diag, r, options.strict);
	pieces_done(&pieces);
	diag_done(&diag);
	return (int)ctl_flush(status);
}
