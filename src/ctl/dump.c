/* SPDX-License-Identifier: ISC */
/* usherctl dump: the services that configuration files mean, every value explicit. */
#include "config.h"

#include "ctl/dump.h"

#include "ctl/ctl.h"

int ctl_dump(int argc, char **argv)
{
	struct ctl_options options = { 0 };
	struct diag diag = { 0 };
	struct conf *conf = NULL;
	enum status status;
	int r;

	ctl_parse_options(argc, argv, false, &options);
	r = ctl_load(options.file, options.inetd_file, &diag, &conf);
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
