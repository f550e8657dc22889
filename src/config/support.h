/* SPDX-License-Identifier: ISC */
/* What this version reads and checks, but does not carry out yet: said for each service, never passed over. */
#pragma once

#include <stdbool.h>

#include "base/diag.h"
#include "config/service.h"

/*
 * Whether the service can be hosted by this version. Where not, *@why says what
 * is missing (static text): to run it without would be wrong or unsafe.
 */
bool support_can_host(const struct service *service, const char **why);

/*
 * Adds a warning for a service that will not be hosted, and a notice for each
 * setting of one that will be that has no effect yet.
 */
void support_report(const struct service *service, struct diag *diag);

/* Whether /etc/hosts.deny or /etc/hosts.allow has rules, which xinetd would ask about each connection. */
bool support_machine_has_wrappers(void);
