/* SPDX-License-Identifier: ISC */
/* What came of asking a client's ident server (RFC 1413), as it travels from who asks to who records it. */
#pragma once

enum ident_outcome {
	IDENT_NOT_ASKED,
	IDENT_ANSWERED,
	IDENT_NO_SERVER,
	IDENT_TIMEOUT,
	IDENT_SYSTEM_ERROR,
	IDENT_RECEIVE_ERROR,
	IDENT_BAD_RESPONSE,
	IDENT_OUTCOMES
};

/*
 * Longest text of an answer, escapes included: RFC 1413 has 512 bytes for a
 * name, and the system's name is before it. What is longer is cut.
 */
#define IDENT_TEXT_MAX 767
