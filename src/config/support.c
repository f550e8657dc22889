/* SPDX-License-Identifier: ISC */
/* What this version reads and checks, but does not carry out yet: said for each service, never passed over. */
#include "config.h"

#include "config/support.h"

#include <errno.h>
#include <string.h>

/* What this build has been made without; a phrase for people, or NULL. */
static const char *lacks(const struct service *service)
{
#ifndef HAVE_TIRPC
	if (service->type & SERVICE_RPC)
		return "type = RPC needs libtirpc, which this usherd was built without";
#else
	(void)service;
#endif
	return NULL;
}

bool support_can_host(const struct service *service, const char **why)
{
	const struct {
		bool needed;
		const char *what;
	} missing[] = {
		{ service->flags & FLAG_LABELED, "flags = LABELED" },
#ifndef HAVE_LIBWRAP
		{ service->wrapped,
		  "asking tcp_wrappers, which have rules on this machine (flags = NOLIBWRAP goes "
		  "without)," },
#endif
	};

	*why = lacks(service);
	if (*why)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(missing); i++) {
		if (!missing[i].needed)
			continue;
		*why = missing[i].what;
		return false;
	}
	return true;
}

void support_report(const struct service *service, struct diag *diag)
{
	const char *why;

	why = lacks(service);
	if (why) {
		diag_add(diag, SEVERITY_WARNING, service->file, service->line, service->id,
			 "service %s is not hosted: %s", service->id, why);
		return;
	}
	if (!support_can_host(service, &why)) {
		diag_add(diag, SEVERITY_WARNING, service->file, service->line, service->id,
			 "service %s is not hosted: %s takes effect in a later version of usherd",
			 service->id, why);
		return;
	}
#ifndef HAVE_LIBWRAP
	if (service->libwrap)
		diag_add(diag, SEVERITY_NOTICE, service->file, service->line, service->id,
			 "libwrap takes effect in a later version of usherd");
#endif
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
