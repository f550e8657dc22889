/* SPDX-License-Identifier: ISC */
/* Asks tcp_wrappers: hosts.allow and hosts.deny, with their options. */
#pragma once

#include <stdbool.h>

#include "base/addr.h"

/*
 * Whether hosts_access(5) lets @peer use the daemon @name; a peer of an unknown
 * family is "unknown" to the rules. @stream says that descriptor 0 is the
 * connection, to which options may write. May be called once in a process, as a
 * rule's "twist" is carried out only then; it does not return where that runs
 * another program in this one's place, nor where it fails to. Built without
 * libwrap it refuses.
 */
bool wrap_allows(const char *name, const struct addr *peer, bool stream);
