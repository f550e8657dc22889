/* SPDX-License-Identifier: ISC */
/* Services as socket and service units of systemd, with a note for what they cannot express. */
#include "config.h"

#include "ctl/units.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "ctl/unit.h"
#include "ctl/unit_text.h"

/* --- what systemd knows nothing of ------------------------------------------ */

static void note_access(struct unit *unit)
{
	const struct service *s = unit->service;

	if (s->access_times->n)
		unit_note(
			unit, SEVERITY_WARNING, "access_times",
			"the service is open at all times; timers that start and stop the socket can restrict it");
	if (s->max_load > 0 || s->max_load < 0)
		unit_note(
			unit, SEVERITY_WARNING, "max_load",
			"the load of the machine does not count; CPUQuota= and Slice= can bound the servers");
	if (s->deny_time_min)
		unit_note(unit, SEVERITY_NOTICE, "deny_time", "there are no sensors");
	if (s->flags & FLAG_IDONLY)
		unit_note(unit, SEVERITY_WARNING, "flags = IDONLY",
			  "nobody asks the client's ident server: all clients are served");
	if (s->flags & FLAG_INTERCEPT)
		unit_note(
			unit, SEVERITY_WARNING, "flags = INTERCEPT",
			"the clients of the server are not checked, but for the addresses in IPAddressAllow= and "
			"IPAddressDeny=");
	if (s->libwrap || s->wrapped)
		unit_note(
			unit, SEVERITY_WARNING, "libwrap",
			"hosts.allow and hosts.deny are not asked%s%s; where tcpd is installed, write "
			"ExecStart=-@/usr/sbin/tcpd %s",
			s->libwrap ? " in the name of " : "", s->libwrap ? s->libwrap : "",
			s->server);
}

static void note_banners(struct unit *unit)
{
	const struct service *s = unit->service;
	const struct {
		const char *name;
		const char *file;
	} banners[] = {
		{ "banner", s->banners->always.path },
		{ "banner_success", s->banners->success.path },
		{ "banner_fail", s->banners->fail.path },
	};

	for (size_t i = 0; i < ARRAY_SIZE(banners); i++)
		if (banners[i].file)
			unit_note(unit, SEVERITY_NOTICE, banners[i].name, "%s is not sent",
				  banners[i].file);
}

static void note_log(struct unit *unit)
{
	const struct service *s = unit->service;

	switch (s->log->kind) {
	case LOG_KIND_NONE:
		break;
	case LOG_KIND_FILE:
		unit_note(unit, SEVERITY_NOTICE, "log_type",
			  "nothing is written to %s%s; what there is to know is in the journal",
			  s->log->path,
			  s->log->soft_bytes ? ", and its limits are those of journald.conf(5)"
					     : "");
		break;
	case LOG_KIND_SYSLOG:
		unit_note(unit, SEVERITY_NOTICE, "log_type",
			  "SyslogFacility= and SyslogLevel= are for what systemd logs in the "
			  "server's name; there are no records of each connection");
		break;
	case LOG_KIND_JOURNAL:
		unit_note(unit, SEVERITY_NOTICE, "log_type",
			  "systemd's own messages are in the journal; usherd's fields are not");
		break;
	}
	if (s->log_on_success)
		unit_note(
			unit, SEVERITY_NOTICE, "log_on_success",
			"there are no START and EXIT records; systemd logs that a server was started and, where it "
			"failed, how it ended");
	if (s->log_on_failure)
		unit_note(unit, SEVERITY_NOTICE, "log_on_failure",
			  "there are no FAIL records: who is refused is not logged");
}

/* --- the files --------------------------------------------------------------- */

static void write_origin(FILE *out, const struct service *s)
{
	char file[1024];

	(void)fprintf(out, "# from %s:%u\n", escape_text(file, sizeof(file), s->file), s->line);
}

static void write_description(FILE *out, const char *text, const struct service *s)
{
	char id[512];

	(void)fprintf(out, "\n[Unit]\nDescription=%s", text);
	unit_plain(out, escape_text(id, sizeof(id), s->id));
	(void)fputc('\n', out);
}

/* The three sections that are written in any order. */
struct sections {
	FILE *file[3];
	char *text[3];
	size_t size[3];
};

static int sections_open(struct sections *sections)
{
	for (size_t i = 0; i < 3; i++) {
		sections->file[i] = open_memstream(&sections->text[i], &sections->size[i]);
		if (!sections->file[i])
			return -ENOMEM;
	}
	return 0;
}

/* Makes the texts final. */
static int sections_close(struct sections *sections)
{
	int r = 0;

	for (size_t i = 0; i < 3; i++) {
		FILE *file = TAKE_PTR(sections->file[i]);

		if (file && fclose(file) == EOF)
			r = -ENOMEM;
	}
	return r;
}

static void sections_done(struct sections *sections)
{
	(void)sections_close(sections);
	for (size_t i = 0; i < 3; i++)
		free(sections->text[i]);
}

static int add_socket_unit(struct pieces *pieces, const char *name, const struct service *s,
			   const char *notes, const char *section)
{
	char *text = NULL, file[UNIT_NAME_MAX + 32];
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return -ENOMEM;
	write_origin(out, s);
	(void)fputs(notes, out);
	write_description(out, "socket of ", s);
	(void)fprintf(out, "\n[Socket]\n%s\n[Install]\nWantedBy=sockets.target\n", section);
	if (fclose(out) == EOF) {
		free(text);
		return -ENOMEM;
	}
	(void)snprintf(file, sizeof(file), "%s.socket", name);
	return pieces_add(pieces, file, text);
}

static int add_service_unit(struct pieces *pieces, const char *name, const struct service *s,
			    const char *section)
{
	char *text = NULL, file[UNIT_NAME_MAX + 32];
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return -ENOMEM;
	write_origin(out, s);
	write_description(out, "", s);
	/*
	 * Instances that failed are forgotten; a server that gets the socket may
	 * come and go as often as datagrams come, which cps bounds.
	 */
	(void)fputs(s->wait ? "StartLimitIntervalSec=0\n" : "CollectMode=inactive-or-failed\n",
		    out);
	(void)fprintf(out, "\n[Service]\n%s", section);
	if (fclose(out) == EOF) {
		free(text);
		return -ENOMEM;
	}
	(void)snprintf(file, sizeof(file), "%s%s.service", name, s->wait ? "" : "@");
	return pieces_add(pieces, file, text);
}

/* The pair of units for these endpoints, under a name that is still free. */
static int add_pair(struct pieces *pieces, const char *base, struct unit *unit)
{
	const struct service *s = unit->service;
	struct sections sections = { 0 };
	char name[UNIT_NAME_MAX + 16], file[UNIT_NAME_MAX + 32];
	int r = sections_open(&sections);

	if (r == 0) {
		unit->notes = sections.file[0];
		unit->socket = sections.file[1];
		unit->process = sections.file[2];
		unit_socket(unit);
		unit_process(unit);
		note_access(unit);
		note_banners(unit);
		note_log(unit);
		r = sections_close(&sections);
	}
	(void)snprintf(name, sizeof(name), "%s", base);
	(void)snprintf(file, sizeof(file), "%s.socket", base);
	for (unsigned i = 2; pieces_have(pieces, file); i++) {
		(void)snprintf(name, sizeof(name), "%s-%u", base, i);
		(void)snprintf(file, sizeof(file), "%s.socket", name);
	}
	if (r == 0)
		r = add_socket_unit(pieces, name, s, sections.text[0], sections.text[1]);
	if (r == 0)
		r = add_service_unit(pieces, name, s, sections.text[2]);
	sections_done(&sections);
	return r;
}

/* Why the service has no units at all, or NULL. */
static const char *refusal(const struct service *s)
{
	const char *why;

	if (s->flags & FLAG_SENSOR)
		return "flags = SENSOR has no counterpart";
	if (s->type & SERVICE_INTERNAL)
		return "type = INTERNAL has no counterpart, as systemd answers nothing itself";
	if (s->type & SERVICE_RPC)
		return "type = RPC (rpc_version, rpc_number): systemd registers nothing with rpcbind";
	if (s->type & (SERVICE_TCPMUX | SERVICE_TCPMUXPLUS))
		return "type = TCPMUX and TCPMUXPLUS have no counterpart";
	why = unit_refuses_socket(s);
	return why ? why : unit_refuses_process(s);
}

static int add_remark(struct pieces *pieces, const char *file, unsigned line, const char *id,
		      const char *why)
{
	char shown[3][1024];
	char *text;

	if (asprintf(&text, "# from %s:%u\n# note: service %s is not converted: %s\n",
		     escape_text(shown[0], sizeof(shown[0]), file), line,
		     escape_text(shown[1], sizeof(shown[1]), id),
		     escape_text(shown[2], sizeof(shown[2]), why)) < 0)
		return -ENOMEM;
	return pieces_add(pieces, NULL, text);
}

static int refuse(struct pieces *pieces, struct diag *diag, const struct service *s,
		  const char *why)
{
	diag_add(diag, SEVERITY_WARNING, s->file, s->line, s->id, "not converted: %s", why);
	return add_remark(pieces, s->file, s->line, s->id, why);
}

static int convert(struct pieces *pieces, struct diag *diag, const struct service *s)
{
	const char *why = refusal(s);
	char base[UNIT_NAME_MAX + 1], text[512];
	int r = 0;

	if (why)
		return refuse(pieces, diag, s, why);
	if (s->redirect_host) {
		(void)snprintf(
			text, sizeof(text),
			"redirect: write a service that is started once, with "
			"ExecStart=/usr/lib/systemd/systemd-socket-proxyd %.255s:%u, and a socket with Accept=no",
			s->redirect_host, s->redirect_port);
		return refuse(pieces, diag, s, text);
	}
	if (unit_name(s->id, base) < 0)
		return refuse(pieces, diag, s, "its id is too long for the name of a unit");
	/* Who gets the listening socket as standard input can have only one. */
	for (size_t i = 0; i < s->n_endpoints && r == 0; i += s->wait ? 1 : s->n_endpoints) {
		struct unit unit = {
			.service = s,
			.endpoints = s->endpoints + i,
			.n_endpoints = s->wait ? 1 : s->n_endpoints,
			.diag = i ? NULL : diag,
		};

		r = add_pair(pieces, base, &unit);
	}
	return r;
}

static int remark_disabled(const struct conf *conf, struct pieces *pieces, struct diag *diag)
{
	const char *s = conf->n_disabled == 1 ? "" : "s";
	char *text;

	if (!conf->n_disabled)
		return 0;
	diag_add(diag, SEVERITY_NOTICE, NULL, 0, NULL, "not converted: %zu disabled service%s",
		 conf->n_disabled, s);
	if (asprintf(&text, "# note: not converted: %zu disabled service%s\n", conf->n_disabled,
		     s) < 0)
		return -ENOMEM;
	return pieces_add(pieces, NULL, text);
}

int systemd_units(const struct conf *conf, struct pieces *pieces, struct diag *diag)
{
	int r = 0;

	for (size_t i = 0; i < conf->n && r == 0; i++)
		r = convert(pieces, diag, conf->services[i]);
	for (size_t i = 0; i < conf->broken.n && r == 0; i++)
		r = add_remark(pieces, conf->broken.v[i].file, conf->broken.v[i].line,
			       conf->broken.v[i].id, "it has errors");
	if (r == 0)
		r = remark_disabled(conf, pieces, diag);
	return r;
}
