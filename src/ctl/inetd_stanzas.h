/* SPDX-License-Identifier: ISC */
/* inetd.conf as stanzas of xinetd.conf, written as a person would write them. */
#pragma once

#include <stddef.h>

#include "base/diag.h"
#include "ctl/pieces.h"

/*
 * Appends a stanza for each good line of an inetd.conf (@length bytes of @file),
 * in its order, with the comment above the line, where the line is from, and no
 * attribute that usherd's defaults make unneeded. usherd makes the same services
 * of them as of the inetd.conf (-inetd_compat), but for lines that run tcpd:
 * they name the real program, as usherd asks the rules of tcp_wrappers itself. A bad
 * line becomes a remark; why it is bad, conf_load() says. Notes go to @diag, too.
 * Pieces are named as files of an includedir. Returns 0 or -ENOMEM.
 */
int inetd_stanzas(const char *text, size_t length, const char *file, struct pieces *pieces,
		  struct diag *diag);
