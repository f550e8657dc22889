/* SPDX-License-Identifier: ISC */
/* What usherd-gate is told by its arguments, and the one message by which it answers. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/ident.h"

/*
 * The options of usherd-gate. What is the same for all connections of a service
 * is laid out when it is loaded; who the client is stands in REMOTE_HOST and
 * REMOTE_PORT, as for a server. Checks are made in this order, and only those
 * asked for.
 */
#define GATE_OPTION_ONLY_FROM 'o' /* NAME of only_from: the client's name must match one of them */
#define GATE_OPTION_NO_ACCESS 'n' /* NAME of no_access: none of them may match it */
#define GATE_OPTION_LIBWRAP   'w' /* NAME: hosts.allow and hosts.deny are asked in this name */
/* The client's ident server is asked, and who gets no answer is refused or is not. */
#define GATE_OPTION_IDENTIFY 'I'
#define GATE_OPTION_IDENT    'i'
/* The connection is a stream, and descriptor 0; of a datagram only its sender is known. */
#define GATE_OPTION_STREAM 's'

/* What can refuse. The one that did, or where there is no answer, the last one asked for, is what the record names. */
enum gate_check {
	GATE_CHECK_NONE,
	GATE_CHECK_NAMES,
	GATE_CHECK_LIBWRAP,
	GATE_CHECK_IDENT,
};

#define GATE_MAGIC 0x75736731u /* "usg1" */

/* How long the gate waits for an ident server, in all. */
#define GATE_IDENT_SEC 30

/* The name matches only_from and no_access alike. */
#define GATE_BOTH_LISTS 1u

/*
 * The answer, written at once to descriptor 1: it is smaller than PIPE_BUF, so it
 * comes whole or not at all. No answer before the end of the pipe is a refusal:
 * that is how a "twist" of hosts.allow looks, whose program has taken the
 * gate's place and talks to the client.
 */
struct gate_answer {
	uint32_t magic;
	uint32_t allowed; /* 1 or 0 */
	uint32_t check;   /* enum gate_check; GATE_CHECK_NONE where allowed */
	uint32_t flags;
	uint32_t ident;                /* enum ident_outcome, where that was asked */
	char text[IDENT_TEXT_MAX + 1]; /* the ident server's, ended by NUL */
};

/* Whether the @size bytes that were read to @answer can be one. */
bool gate_answer_is_sound(const struct gate_answer *answer, ssize_t size);
