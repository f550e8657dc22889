/* SPDX-License-Identifier: ISC */
/* What the worker's loop and the internal services know of each other. */
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/clock_text.h"

/* How much one session may read, and about how much it may write, at one wake-up. */
#define SCRATCH_BYTES ((size_t)256 * 1024)

/* RFC 864, in the form xinetd gives it: 95 lines of 72 characters, then from the start again. */
#define CHARGEN_LINES   95
#define CHARGEN_COLUMNS 72
#define CHARGEN_PERIOD  ((size_t)CHARGEN_LINES * (CHARGEN_COLUMNS + 2))
#define CHARGEN_REPEATS 10

struct flow_pool;
struct held;
struct mux_name;
struct dgram_relay;
struct relay;

/* What all sessions share; none of it outlives one call, but the pattern and its line. */
struct shared {
	char scratch[SCRATCH_BYTES];
	char pattern[CHARGEN_PERIOD * CHARGEN_REPEATS];
	unsigned line; /* at which the next datagram of chargen starts */
	char text[CLOCK_TEXT_MAX];
	uint8_t time[CLOCK_SECONDS];
	bool joins_answers; /* answers_can_join() */
	size_t held_bytes;  /* of echo, for all clients */
	struct flow_pool *flows;
};

/* A connection as its service sees it. Ten thousand of them may be idle: what is rare or large is made on demand. */
struct stream {
	int fd;
	int text; /* WIRE_TEXT; else -1 */
	uint64_t in_bytes;
	uint64_t out_bytes;
	union {
		struct mux_name *name;      /* tcpmux */
		struct held *held;          /* echo: what finds no room yet, or NULL */
		struct relay *relay;        /* WIRE_RELAY */
		struct dgram_relay *dgrams; /* WIRE_DGRAM_RELAY */
	} own;
	uint32_t position; /* chargen: within its pattern */
	bool eof;          /* the client will send no more */
};

/* What a connection waits for. */
enum want {
	WANT_READ = 1 << 0,
	WANT_WRITE = 1 << 1,
	WANT_CLOSE = 1 << 2, /* all is said: end our side, give the client time to read, close */
	WANT_HAND_BACK = 1 << 3, /* the name is read: usherd goes on with the connection */
};

/* Parts of one answer at most. */
#define ANSWER_PARTS 3

/* An internal service. The functions do not block and keep nothing of what they are given. */
struct builtin {
	/*
	 * Whether stream() is called at the start already: it speaks before the client does,
	 * or the client is likely to have spoken meanwhile.
	 */
	bool starts_at_once;

	/*
	 * Does a bounded amount of work after one of the enum want bits in
	 * @ready has come true (0 at the start). Returns the bits to wait for
	 * next, 0 when the session has ended, or -errno when that ended it.
	 */
	int (*stream)(struct stream *stream, struct shared *shared, unsigned ready);

	/* Frees what @stream owns, at its end. NULL where that is nothing, or is told of before. */
	void (*end)(struct stream *stream, struct shared *shared);

	/*
	 * NULL where there is no such form. Makes the answer to one datagram: fills @parts, which may point into
	 * @payload and @shared. Returns their number, 0 for no answer.
	 */
	size_t (*dgram)(struct shared *shared, void *payload, size_t length,
			struct iovec parts[static ANSWER_PARTS]);
};

extern const struct builtin echo_builtin;
extern const struct builtin discard_builtin;
extern const struct builtin chargen_builtin;
extern const struct builtin daytime_builtin;
extern const struct builtin time_builtin;
extern const struct builtin text_builtin;
extern const struct builtin tcpmux_builtin;

/* The service of that number (enum wire_service); NULL where there is none, or it is a relay. */
const struct builtin *builtin_find(uint32_t service);

/* Lays out the pattern of chargen, once. */
void chargen_prepare(struct shared *shared);

/*
 * Reads what has come, up to SCRATCH_BYTES, and throws it away; counts it and
 * sets @stream->eof at its end. Returns 0 or -errno.
 */
int discard_input(struct stream *stream, struct shared *shared);

/*
 * Sends the whole of a short answer to a connection that nothing was sent on
 * before. Returns WANT_CLOSE, or -errno.
 */
int say_and_close(struct stream *stream, const void *text, size_t length);

/* Whether an operation that failed with @error is to be tried again when the socket is ready. */
static inline bool would_block(int error)
{
	return error == EAGAIN || error == EINTR;
}
