/* SPDX-License-Identifier: ISC */
/* The lines that tell of sessions: xinetd's START, EXIT, FAIL, TRAFFIC, USERID and NOID. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/ident.h"

struct service;
struct session;

/* Longest line, as xinetd's; what is longer is cut. */
#define SESSION_LINE_MAX 1024

/*
 * The lines, as xinetd writes them but for IPv4 clients of IPv6 sockets, which
 * are plain IPv4. A field is there only with its flag of log_on_success or
 * log_on_failure. Each function writes the line and a NUL into @out and returns
 * its length, or 0 when the flags ask for no such line. What is not printable
 * in a word of the configuration is escaped.
 *
 * START: ID[ pid=PID][ from=ADDR]
 * EXIT: ID[ status=N| signal=N][ pid=PID][ duration=S(sec)]
 * FAIL: ID REASON[ from=ADDR]
 * TRAFFIC: ID in=N(bytes) out=N(bytes)
 * USERID: ID TEXT
 * NOID: ID ADDR WHY
 *
 * @text of USERID is what the client's ident server says; it is escaped as any
 * word. NOID is written for services that serve nobody without an answer (flags =
 * IDONLY), beside FAIL.
 */
size_t lines_start(const struct session *session, char out[static SESSION_LINE_MAX + 1]);
size_t lines_exit(const struct session *session, uint64_t end_usec,
		  char out[static SESSION_LINE_MAX + 1]);
size_t lines_fail(const struct service *service, const struct addr *peer, const char *reason,
		  char out[static SESSION_LINE_MAX + 1]);
size_t lines_traffic(const struct session *session, char out[static SESSION_LINE_MAX + 1]);
size_t lines_userid(const struct service *service, const char *text,
		    char out[static SESSION_LINE_MAX + 1]);
size_t lines_noid(const struct service *service, const struct addr *peer,
		  enum ident_outcome outcome, char out[static SESSION_LINE_MAX + 1]);

/* Why a client could not be identified, in the word of NOID. */
const char *lines_noid_word(enum ident_outcome outcome);
