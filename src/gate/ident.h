/* SPDX-License-Identifier: ISC */
/* Asks the ident server of a client (RFC 1413) whose the connection is. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/ident.h"

/* Where ident servers are. */
#define IDENT_PORT 113

/* Longest answer that is read, as in xinetd; RFC 1413 has no more than 1000 bytes. */
#define IDENT_REPLY_MAX 1024

/*
 * Asks, from the address of @local, the server at @port of @peer's machine about
 * the connection between @local and @peer, whose ports these hold. Blocks until
 * it has answered or now_usec() is @deadline_usec, over all of it. On
 * IDENT_ANSWERED @text is what stands behind "USERID :", as ident_parse() gives
 * it; otherwise it is empty. An answer that ends before its line does, or is longer than
 * IDENT_REPLY_MAX, gives IDENT_RECEIVE_ERROR, as in xinetd. Addresses other than IPv4 and IPv6 give
 * IDENT_SYSTEM_ERROR.
 */
enum ident_outcome ident_ask(const struct addr *local, const struct addr *peer, uint16_t port,
			     uint64_t deadline_usec, char text[static IDENT_TEXT_MAX + 1]);

/*
 * Reads the line at the start of @length bytes of @reply, which LF or CR LF must
 * end: "@peer_port , @local_port : USERID : text". @text gets the text without
 * the blanks before it, escaped by log_escape() and cut. Returns IDENT_ANSWERED,
 * or IDENT_BAD_RESPONSE with an empty @text for anything else: no end of line,
 * other ports, an ERROR, an empty text, a NUL or a CR within the line.
 */
enum ident_outcome ident_parse(const char *reply, size_t length, uint16_t peer_port,
			       uint16_t local_port, char text[static IDENT_TEXT_MAX + 1]);
