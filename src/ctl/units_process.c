/* SPDX-License-Identifier: ISC */
/* [Service] of a unit: program, identity, environment, limits. */
#include "config.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <string.h>

#include "config/lookup.h"
#include "config/values.h"
#include "ctl/unit.h"
#include "ctl/unit_text.h"

const char *unit_refuses_process(const struct service *s)
{
	if (s->server && !unit_takes_program(s->server))
		return "server: systemd takes no program with quotes, backslashes or control characters in its path";
	if ((s->user && !unit_takes_plain(s->user)) || (s->group && !unit_takes_plain(s->group)) ||
	    (s->owner->user && !unit_takes_plain(s->owner->user)) ||
	    (s->owner->group && !unit_takes_plain(s->owner->group)))
		return "user or group: the name has characters that a unit cannot hold";
	return NULL;
}

/* An exit status other than 0 is no failure for usherd: hence the "-". */
static void write_command(struct unit *unit)
{
	const struct service *s = unit->service;
	const char *base = strrchr(s->server, '/') + 1;
	bool named = s->argv->n && strcmp(s->argv->v[0], base) != 0 &&
		     strcmp(s->argv->v[0], s->server) != 0;
	char program[PATH_MAX + 8];

	/* Variables are expanded in argv[0], but not in the program's path. */
	named |= strchr(s->server, '$') != NULL;
	(void)snprintf(program, sizeof(program), "-%s%s", named ? "@" : "", s->server);
	(void)fputs("ExecStart=", unit->process);
	unit_word(unit->process, program, false);
	for (size_t i = named ? 0 : 1; i < s->argv->n; i++) {
		(void)fputc(' ', unit->process);
		unit_word(unit->process, s->argv->v[i], true);
	}
	(void)fputs("\nStandardInput=socket\nStandardOutput=inherit\nStandardError=inherit\n"
		    "IgnoreSIGPIPE=no\n",
		    unit->process);
}

/* --- identity ---------------------------------------------------------------- */

static void print_group(FILE *out, gid_t gid)
{
	const struct group *group = getgrgid(gid);

	if (group && unit_takes_plain(group->gr_name))
		unit_plain(out, group->gr_name);
	else
		(void)fprintf(out, "%u", gid);
}

/* Writes the groups of the list other than the primary one, separated by blanks; returns how many. */
static size_t print_groups(FILE *out, const struct group_list *list, gid_t primary)
{
	size_t printed = 0;

	for (size_t i = 0; i < list->n; i++) {
		if (list->v[i] == primary)
			continue;
		if (printed++)
			(void)fputc(' ', out);
		print_group(out, list->v[i]);
	}
	return printed;
}

/*
 * systemd gives a server the further groups of its user, wanted or not, unless
 * its primary group is root's: then it gives none by itself.
 */
static void write_groups(struct unit *unit)
{
	const struct service *s = unit->service;
	const struct group_list *further = s->group_list;
	struct lookup *lookup;
	int r = 0;
	CLEANUP_FREE char *text = NULL;
	size_t size, printed = 0;
	FILE *out;

	if (s->groups == (s->gid != 0))
		return;
	if (!s->groups) {
		lookup = lookup_new();
		r = lookup ? lookup_groups(lookup, s->uid, s->gid, &further) : -ENOMEM;
		lookup_free(lookup);
	}
	if (r < 0)
		return;
	out = open_memstream(&text, &size);
	if (out) {
		printed = print_groups(out, further, s->gid);
		(void)fclose(out);
	}
	if (!s->groups)
		intern_unref(further);
	if (!out)
		return;
	if (printed && s->groups)
		(void)fprintf(unit->process, "SupplementaryGroups=%s\n", text);
	else if (printed)
		unit_note(unit, SEVERITY_WARNING, "groups",
			  "systemd puts the server into the further groups of %s, too: %s", s->user,
			  text);
}

static void write_identity(struct unit *unit)
{
	const struct service *s = unit->service;

	if (!s->user)
		return;
	(void)fputs("User=", unit->process);
	unit_plain(unit->process, s->user);
	(void)fputc('\n', unit->process);
	if (s->group) {
		(void)fputs("Group=", unit->process);
		unit_plain(unit->process, s->group);
		(void)fputc('\n', unit->process);
	} else if (strspn(s->user, "0123456789") == strlen(s->user)) {
		/* A number that has no entry would leave root's group. */
		(void)fprintf(unit->process, "Group=%u\n", s->gid);
	}
	write_groups(unit);
}

/* --- environment and limits ---------------------------------------------------- */

static void write_environment(struct unit *unit)
{
	const struct service *s = unit->service;

	for (size_t i = 0; i < s->env->n; i++) {
		if (!unit_takes_assignment(s->env->v[i])) {
			unit_note(unit, SEVERITY_WARNING, "env",
				  "systemd refuses the name or the text of %s", s->env->v[i]);
			continue;
		}
		(void)fputs("Environment=", unit->process);
		unit_word(unit->process, s->env->v[i], false);
		(void)fputc('\n', unit->process);
	}
	if (!s->passenv_given)
		return;
	for (size_t i = 0; i < s->passenv->n; i++) {
		if (unit_takes_variable(s->passenv->v[i]))
			(void)fprintf(unit->process, "PassEnvironment=%s\n", s->passenv->v[i]);
		else
			unit_note(unit, SEVERITY_WARNING, "passenv",
				  "systemd does not know %s as the name of a variable",
				  s->passenv->v[i]);
	}
	unit_note(unit, SEVERITY_NOTICE, "passenv",
		  "systemd always sets some variables besides, such as PATH and INVOCATION_ID "
		  "(systemd.exec(5)); UnsetEnvironment= removes them");
}

static void write_rlimits(struct unit *unit)
{
	static const char *const names[SERVICE_RLIMITS] = {
		[SERVICE_RLIMIT_AS] = "AS",     [SERVICE_RLIMIT_CPU] = "CPU",
		[SERVICE_RLIMIT_DATA] = "DATA", [SERVICE_RLIMIT_FILES] = "NOFILE",
		[SERVICE_RLIMIT_RSS] = "RSS",   [SERVICE_RLIMIT_STACK] = "STACK",
	};

	for (size_t i = 0; i < SERVICE_RLIMITS; i++) {
		const struct rlimit_setting *limit = &unit->service->rlimits[i];

		if (limit->given && limit->value == RLIM_INFINITY)
			(void)fprintf(unit->process, "Limit%s=infinity\n", names[i]);
		else if (limit->given)
			(void)fprintf(unit->process, "Limit%s=%llu\n", names[i],
				      (unsigned long long)limit->value);
	}
}

static void write_bounds(struct unit *unit)
{
	const struct service *s = unit->service;
	int nice = s->nice < -20 ? -20 : s->nice > 19 ? 19 : s->nice;

	if (s->umask != UNLIMITED)
		(void)fprintf(unit->process, "UMask=%04o\n", (unsigned)s->umask);
	if (s->chroot)
		(void)fprintf(unit->process, "RootDirectory=%s\n", s->chroot);
	if (s->directory)
		(void)fprintf(unit->process, "WorkingDirectory=%s\n", s->directory);
	if (s->no_new_privs)
		(void)fputs("NoNewPrivileges=yes\n", unit->process);
	if (nice)
		(void)fprintf(unit->process, "Nice=%d\n", nice);
	write_rlimits(unit);
	/* What a server leaves behind when it ends is left alone, but for a server that ran too long. */
	if (s->session_timeout_sec)
		(void)fprintf(unit->process, "RuntimeMaxSec=%u\nTimeoutStopSec=5\n",
			      s->session_timeout_sec);
	else
		(void)fputs("KillMode=process\n", unit->process);
	if (s->log->kind == LOG_KIND_SYSLOG)
		(void)fprintf(unit->process, "SyslogFacility=%s\nSyslogLevel=%s\n",
			      value_name_facility(s->log->facility),
			      value_name_level(s->log->level));
}

void unit_process(struct unit *unit)
{
	write_command(unit);
	write_identity(unit);
	write_environment(unit);
	write_bounds(unit);
}
