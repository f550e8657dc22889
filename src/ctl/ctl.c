/* SPDX-License-Identifier: ISC */
/* What the commands of usherctl share: exit statuses, loading, telling what was found. */
#include "config.h"

#include "ctl/ctl.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/util.h"

void ctl_print_usage(FILE *out)
{
	(void)fputs(
		"usage: usherctl check [--strict] [--json] [--inetd[=FILE]] [FILE]\n"
		"       usherctl dump [--inetd[=FILE]] [FILE]\n"
		"       usherctl convert [--from inetd] [--output DIRECTORY] [--strict] FILE\n"
		"       usherctl convert [--from inetd] --to systemd [--output DIRECTORY] [--strict] FILE\n"
		"       usherctl call [-v] [-i] [--timeout SECONDS] [--expect TEXT] [--whole]\n"
		"                     [--config FILE] [--inetd[=FILE]] SERVICE\n"
		"       usherctl call --all [--json] [--timeout SECONDS] [--inetd[=FILE]] [FILE]\n"
		"       usherctl lookup [--json] [self | host NAME | address ADDRESS]\n"
		"       usherctl lookup [--json] service NAME|PORT [PROTOCOL] | protocol NAME|NUMBER\n"
		"       usherctl --help | --version\n"
		"\n"
		"check    reads FILE (" CONF_DEFAULT_FILE
		") and all that it includes, and prints what is wrong;\n"
		"         exit status 0 clean, 1 errors, 2 could not read\n"
		"dump     prints the services that FILE means, every value explicit\n"
		"convert  prints what FILE, an inetd.conf, is as stanzas of xinetd.conf;\n"
		"         with --to systemd, what FILE (xinetd.conf; with --from inetd, inetd.conf) is\n"
		"         as units of systemd, with a note for all that systemd cannot express\n"
		"call     sends standard input to SERVICE, and prints what comes back; SERVICE is an id or\n"
		"         a name, HOST:PORT, udp:HOST:PORT, unix:/PATH or unix:@NAME;\n"
		"         exit status 1 not expected, 2 local, 3 name, 4 address, 5 connection, 6 time\n"
		"lookup   prints what the databases of this machine know\n"
		"\n"
		"--strict   warnings count as errors\n"
		"--json     for programs\n"
		"--inetd    read " CONF_INETD_FILE " (or FILE), too, as usherd -inetd_compat does\n"
		"--output   write files into DIRECTORY, none of which may exist yet\n"
		"-v         tell where the connection leads, and how long it took\n"
		"-i         for a terminal: edit lines, escape what could harm it\n"
		"--timeout  for connecting, and then for each silence\n"
		"--expect   succeed as soon as TEXT comes back, within --timeout\n"
		"--whole    send the input as one message rather than one a line (udp and the like)\n"
		"--config   look SERVICE up in FILE instead of " CONF_DEFAULT_FILE "\n"
		"--all      call every service of FILE\n",
		out);
}

_Noreturn void ctl_usage_error(const char *what, const char *word)
{
	char text[300];

	(void)fprintf(stderr, "usherctl: %s: %s\nTry \"usherctl --help\".\n", what,
		      escape_text(text, sizeof(text), word));
	exit(STATUS_USAGE);
}

/* @path as seen from @directory, in @out. Returns NULL for no path. */
static const char *absolute(const char *path, const char *directory, char *out, size_t size)
{
	if (!path)
		return NULL;
	/* Outside of what the process can see, getcwd(3) gives no usable name; then as it stands. */
	if (path[0] == '/' || access(directory, F_OK) < 0)
		(void)snprintf(out, size, "%s", path);
	else
		(void)snprintf(out, size, "%s/%s", strcmp(directory, "/") == 0 ? "" : directory,
			       path);
	return out;
}

int ctl_load(const char *file, const char *inetd_file, struct diag *diag, struct conf **ret)
{
	char directory[PATH_MAX], main_path[2 * PATH_MAX], inetd_path[2 * PATH_MAX];
	struct conf_source source = { .directory = directory };

	if (!getcwd(directory, sizeof(directory)))
		return -errno;
	source.file = absolute(file, directory, main_path, sizeof(main_path));
	source.inetd_file = absolute(inetd_file, directory, inetd_path, sizeof(inetd_path));
	return conf_load(&source, diag, ret);
}

void ctl_print_findings(const struct diag *diag, FILE *out)
{
	for (size_t i = 0; i < diag->n; i++) {
		char line[4096];

		(void)fprintf(out, "%s\n", finding_format(&diag->v[i], line, sizeof(line)));
	}
	if (diag->more)
		(void)fprintf(out, "and %zu more\n", diag->more);
}

enum status ctl_status(const struct diag *diag, int loaded, bool strict)
{
	if (loaded < 0 && loaded != -EINVAL)
		return STATUS_UNREADABLE;
	if (loaded < 0 || diag->errors || diag->incomplete || (strict && diag->warnings))
		return STATUS_ERRORS;
	return STATUS_CLEAN;
}

enum status ctl_flush(enum status status)
{
	if (fflush(stdout) != EOF && !ferror(stdout))
		return status;
	(void)fprintf(stderr, "usherctl: standard output: %s\n", strerror(errno));
	return STATUS_UNREADABLE;
}
