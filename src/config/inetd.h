/* SPDX-License-Identifier: ISC */
/* inetd.conf lines to stanzas. */
#pragma once

#include <stddef.h>

#include "base/diag.h"
#include "config/lookup.h"
#include "config/reader.h"

/*
 * Reads inetd.conf text (inetd(8)) as `usherd -inetd_compat` does. Each good
 * line becomes a service stanza given to ops->stanza, as if it had been written
 * in xinetd.conf, with groups = yes and argv[0] taken from the line. Beyond
 * xinetd: numeric ports, ADDRESS:PORT, tcp4 tcp6 tcp46 (udp likewise), unix,
 * user:group, wait and nowait with limits (.N a minute, :N, or
 * /CHILDREN[/RATE[/PER-SOURCE]] as in FreeBSD), programs searched in PATH.
 * Differences in the result: defaults apply (D12), ids of internal services are
 * NAME-stream and NAME-dgram, discard is known, a missing argv[0] is the
 * program's name. Bad lines are findings; reading goes on.
 * What stanzas consist of is found in @pool (NULL: nothing is).
 * Returns 0, -ENOMEM, or what the op returned.
 */
int inetd_parse(const char *text, size_t length, const char *file, struct lookup *lookup,
		struct intern_pool *pool, const struct reader_ops *ops, void *arg,
		struct diag *diag);
