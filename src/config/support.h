/* SPDX-License-Identifier: ISC */
/* What this build or this machine cannot do: said for each service that wants it, never passed over. */
#pragma once

#include <stdbool.h>

#include "base/diag.h"
#include "config/service.h"

/*
 * Whether the service can be hosted by this build. Where not, *@why says what
 * is missing (static text): to run it without would be wrong or unsafe.
 */
bool support_can_host(const struct service *service, const char **why);

/*
 * Adds a warning for a service that will not be hosted, and a notice for each
 * setting of one that will be that has no effect here.
 */
void support_report(const struct service *service, struct diag *diag);

/* Whether /etc/hosts.deny or /etc/hosts.allow has rules, which xinetd would ask about each connection. */
bool support_machine_has_wrappers(void);

/* Whether the kernel shows a policy of SELinux here; where it does not, no client has a label (flags = LABELED). */
bool support_machine_has_selinux(void);
