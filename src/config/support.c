/* SPDX-License-Identifier: ISC */
/* What this build or this machine cannot do: said for each service that wants it, never passed over. */
#include "config.h"

#include "config/support.h"

#include <errno.h>
#include <string.h>

bool support_can_host(const struct service *service, const char **why)
{
	(void)service;
	*why = NULL;
#ifndef HAVE_TIRPC
	if (service->type & SERVICE_RPC)
		*why = "type = RPC needs libtirpc, which this usherd was built without";
#endif
#ifndef HAVE_LIBWRAP
	if (service->wrapped)
		*why = "tcp_wrappers have rules on this machine, and this usherd was built without libwrap, which asks "
		       "them; flags = NOLIBWRAP goes without";
#endif
	return !*why;
}

void support_report(const struct service *service, struct diag *diag)
{
	const char *why;

	if (!support_can_host(service, &why)) {
		diag_add(diag, SEVERITY_WARNING, service->file, service->line, service->id,
			 "service %s is not hosted: %s", service->id, why);
		return;
	}
	if ((service->flags & FLAG_LABELED) && !support_machine_has_selinux())
		diag_add(
			diag, SEVERITY_WARNING, service->file, service->line, service->id,
			"no server of it will run: flags = LABELED wants the label of the client, and there is no SELinux on this machine");
#ifndef HAVE_LIBWRAP
	if (service->libwrap)
		diag_add(diag, SEVERITY_NOTICE, service->file, service->line, service->id,
			 "libwrap has no effect: this usherd was built without it");
#endif
}

bool support_machine_has_selinux(void)
{
	return access("/sys/fs/selinux/create", F_OK) == 0;
}

static bool has_rules(const char *path)
{
	CLEANUP_FCLOSE FILE *file = fopen(path, "re");
	char line[512];

	/* What cannot be read here is for libwrap to say. */
	if (!file)
		return errno != ENOENT;
	while (fgets(line, sizeof(line), file)) {
		const char *at = line + strspn(line, " \t\r\n");

		if (*at && *at != '#')
			return true;
	}
	return false;
}

bool support_machine_has_wrappers(void)
{
	return has_rules("/etc/hosts.deny") || has_rules("/etc/hosts.allow");
}
