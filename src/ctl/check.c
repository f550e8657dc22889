/* SPDX-License-Identifier: ISC */
/* usherctl check: what there is to say about configuration files. */
#include "config.h"

#include "ctl/check.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "ctl/ctl.h"
#include "ctl/json_text.h"
#include "ctl/options.h"

/* A number with its noun: "1 service", "2 services". */
static void print_count(FILE *out, size_t n, const char *noun, const char *after)
{
	(void)fprintf(out, "%zu %s%s%s", n, noun, n == 1 ? "" : "s", after);
}

static void print_summary(const struct diag *diag, const struct conf *conf)
{
	if (conf) {
		print_count(stdout, conf->n, "service", "");
		if (conf->broken.n)
			(void)printf(", %zu refused", conf->broken.n);
		if (conf->n_disabled)
			(void)printf(", %zu disabled", conf->n_disabled);
		(void)printf("; ");
	}
	print_count(stdout, diag->errors, "error", ", ");
	print_count(stdout, diag->warnings, "warning", "\n");
}

static int print_json(const struct diag *diag, const struct conf *conf)
{
	json_t *findings = json_array(), *services = json_array(), *root;

	for (size_t i = 0; i < diag->n; i++) {
		const struct finding *f = &diag->v[i];

		(void)json_array_append_new(
			findings, json_pack("{s:s, s:o, s:i, s:o, s:o}", "severity",
					    severity_name(f->severity), "file", json_text(f->file),
					    "line", (int)f->line, "service", json_text(f->service),
					    "text", json_text(f->text)));
	}
	for (size_t i = 0; conf && i < conf->n; i++) {
		const struct service *s = conf->services[i];
		json_t *endpoints = json_array();

		for (size_t e = 0; e < s->n_endpoints; e++) {
			char text[ENDPOINT_TEXT_MAX];

			(void)json_array_append_new(
				endpoints, json_text(endpoint_format(&s->endpoints[e], text)));
		}
		(void)json_array_append_new(
			services, json_pack("{s:o, s:o, s:o, s:i, s:o, s:o}", "id",
					    json_text(s->id), "name", json_text(s->name), "file",
					    json_text(s->file), "line", (int)s->line, "endpoints",
					    endpoints, "server", json_text(s->server)));
	}
	root = json_pack("{s:i, s:i, s:i, s:i, s:o, s:o}", "errors", (int)diag->errors, "warnings",
			 (int)diag->warnings, "refused", conf ? (int)conf->broken.n : 0, "disabled",
			 conf ? (int)conf->n_disabled : 0, "findings", findings, "services",
			 services);
	return json_print(root);
}

/* Why there can be no log file of this path, or 0. What only rights forbid is not for us to say: usherd may have them. */
static int log_error_of(const char *path, char *directory, size_t size)
{
	struct stat stats;

	(void)snprintf(directory, size, "%s", path);
	if (stat(path, &stats) == 0)
		return S_ISDIR(stats.st_mode) ? EISDIR : 0;
	if (errno != ENOENT && errno != ENOTDIR)
		return 0;
	*strrchr(directory, '/') = '\0';
	if (!*directory || stat(directory, &stats) == 0)
		return 0;
	return errno == ENOENT || errno == ENOTDIR ? errno : 0;
}

/* Adds what the daemon would say only when it opens the logs: a service without its log is not run. */
static void check_logs(const struct conf *conf, struct diag *diag)
{
	bool common = false;

	for (size_t i = 0; i < conf->n; i++) {
		const struct service *s = conf->services[i];
		char directory[PATH_MAX];
		int error;

		/* The log of defaults is one for all. */
		if (!s->log || s->log->kind != LOG_KIND_FILE || (s->log->common && common))
			continue;
		common = common || s->log->common;
		error = log_error_of(s->log->path, directory, sizeof(directory));
		if (error)
			diag_add(diag, SEVERITY_WARNING, s->file, s->line, s->id,
				 "log_type: %s: %s; %s without a log", directory, strerror(error),
				 s->log->common ? "what inherits it from defaults is not run"
						: "the service is not run");
	}
}

int ctl_check(int argc, char **argv)
{
	const char *file = CONF_DEFAULT_FILE, *inetd_file = NULL;
	bool strict = false, json = false;
	const struct option_row rows[] = {
		{ "--strict", OPTION_FLAG, .flag = &strict },
		{ "--json", OPTION_FLAG, .flag = &json },
		{ "--inetd", OPTION_MAYBE, .text = &inetd_file, CONF_INETD_FILE },
	};
	const struct option_words words = { &file, 1, "only one file" };
	struct diag diag = { 0 };
	struct conf *conf = NULL;
	enum status status;
	int r;

	(void)options_parse(argc, argv, rows, ARRAY_SIZE(rows), &words);
	r = ctl_load(file, inetd_file, &diag, &conf);
	if (conf)
		check_logs(conf, &diag);
	diag_sort(&diag);
	status = ctl_status(&diag, r, strict);
	if (!json) {
		ctl_print_findings(&diag, stdout);
		print_summary(&diag, conf);
	} else if (print_json(&diag, conf) < 0) {
		status = STATUS_UNREADABLE;
	}
	conf_free(conf);
	diag_done(&diag);
	return (int)ctl_flush(status);
}
