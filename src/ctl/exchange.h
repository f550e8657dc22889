/* SPDX-License-Identifier: ISC */
/* Standard input to a connected socket, and what comes back to standard output. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "ctl/connection.h"
#include "ctl/failure.h"
#include "ctl/feed.h"
#include "ctl/outlet.h"

struct exchange {
	struct connection *connection; /* open */
	struct feed *feed;
	struct outlet *outlet;
	uint64_t silence_usec;  /* that may pass without a byte in any direction; 0 = any */
	uint64_t deadline_usec; /* for all of it, of now_usec(); 0 = none */
	bool patient; /* the input is typed: it ends with the connection, but may be slow */
	uint64_t sent_bytes;
	uint64_t sent_messages;
	uint64_t received_messages;
};

/*
 * For stream and seqpacket sockets: sends all of the input, half-closes, and
 * reads until the service ends its side. Where that ends first, input that is
 * there already is still sent. Returns STATUS_CLEAN, also as soon as an expected text
 * has come; STATUS_ERRORS when it did not come; STATUS_UNREADABLE when our own side
 * failed (with an empty text where the reader of standard output has gone);
 * STATUS_CONNECTION, also when the service did not take all input; STATUS_TIME.
 */
enum status exchange_stream(struct exchange *x, struct failure *failure);

/*
 * For datagrams: sends each message, and is done when as many answers have
 * come. Never are more than EXCHANGE_WINDOW on their way, unless answers do not come;
 * for the last ones it waits silence_usec or EXCHANGE_LAST_USEC. A refusal before the
 * first answer leads to the next place, and what was sent is sent again.
 * Returns as exchange_stream() does; unanswered messages are STATUS_TIME.
 */
enum status exchange_datagrams(struct exchange *x, struct failure *failure);

#define EXCHANGE_WINDOW    16
#define EXCHANGE_LAST_USEC (5 * USEC_PER_SEC)

/* --- between the files of this module --------------------------------------- */

/* What poll(2) waits for. */
enum {
	EXCHANGE_INPUT,
	EXCHANGE_SOCKET,
	EXCHANGE_OUTPUT,
	EXCHANGE_FDS,
};

/*
 * Polls the three descriptors of @x: the input where @want_input, the socket for
 * @socket_events, the output where something is to be written (and in any case
 * for its reader's end), until @until_usec at the latest (0 = for ever). Does the
 * reading and the writing of our own side. Returns STATUS_CLEAN with *@ret_socket,
 * what the socket is ready for, and *@ret_moved, whether anything was; or STATUS_UNREADABLE.
 */
enum status exchange_wait(struct exchange *x, bool want_input, short socket_events,
			  uint64_t until_usec, short *ret_socket, bool *ret_moved,
			  struct failure *failure);

/* The earlier of two times of now_usec(), of which 0 is never. */
uint64_t exchange_earlier(uint64_t a, uint64_t b);

/* The end of a time: which one it was, in words. */
enum status exchange_too_late(const struct exchange *x, struct failure *failure);

/* The end of it all: STATUS_CLEAN, or STATUS_ERRORS where an expected text did not come. */
enum status exchange_verdict(const struct exchange *x, struct failure *failure);
