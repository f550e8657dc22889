/* SPDX-License-Identifier: ISC */
/* usherctl dump: the services that configuration files mean, every value explicit. */
#include "config.h"

#include "ctl/dump.h"

#include "ctl/ctl.h"
#include "ctl/options.h"

int ctl_dump(int argc, char **argv)
{
	const char *file = CONF_DEFAULT_FILE, *inetd_file = NULL;
	const struct option_row rows[] = {
		{ "--inetd", OPTION_MAYBE, .text = &inetd_file, CONF_INETD_FILE },
	};
	const struct option_words words = { &file, 1, "only one file" };
	struct diag diag = { 0 };
	struct conf *conf = NULL;
	enum status status;
	int r;

	(void)options_parse(argc, argv, rows, ARRAY_SIZE(rows), &words);
	r = ctl_load(file, inetd_file, &diag, &conf);
	ctl_print_findings(&diag, stderr);
	for (size_t i = 0; conf && i < conf->n; i++) {
		if (i)
			(void)putchar('\n');
		service_dump(conf->services[i], stdout);
	}
	status = ctl_status(&diag, r, false);
	conf_free(conf);
	diag_done(&diag);
	return (int)ctl_flush(status);
}
