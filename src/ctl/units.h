/* SPDX-License-Identifier: ISC */
/* Services as socket and service units of systemd, with a note for what they cannot express. */
#pragma once

#include <stdio.h>

#include "base/diag.h"
#include "config/conf.h"
#include "ctl/pieces.h"

/*
 * Appends the units of every service of @conf: NAME.socket with NAME@.service
 * (wait = no, a server for each connection) or NAME.service (wait = yes).
 * Whatever a stanza says is either a setting of these, or a "# note:" in the
 * socket unit that goes to @diag, too: a warning where a restriction is lost or
 * the service has no units at all, a notice otherwise. Returns 0 or -ENOMEM.
 */
int systemd_units(const struct conf *conf, struct pieces *pieces, struct diag *diag);
