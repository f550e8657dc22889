/* SPDX-License-Identifier: ISC */
/* Messages between usherd and usherd-worker over their SEQPACKET pair. */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

/*
 * Both ends come from one build, so the structures travel as they are. Each
 * message starts with struct wire_head and is exactly as long as its entries.
 * Descriptors ride along as SCM_RIGHTS in the order of their entries; the
 * receiver owns them. The worker has no configuration: a message brings all
 * that the work needs.
 *
 * Every session of a WIRE_STREAM is answered by one entry of a WIRE_DONE, or
 * by one WIRE_NAME, sooner or later, unless the worker dies. Datagrams are not
 * answered for.
 */
#define WIRE_MAGIC       0x75736833u /* "ush3" */
#define WIRE_MAX_FDS     64
#define WIRE_MAX_DGRAMS  64
#define WIRE_MAX_ENTRIES 256 /* of WIRE_CANCEL and WIRE_DONE */
#define WIRE_MAX_MESSAGE (192 * 1024)
#define WIRE_MAX_PAYLOAD 65535
#define WIRE_MAX_NAME    255

enum wire_kind {
	WIRE_STREAM, /* to the worker: count connections to serve; WIRE_FDS() descriptors each */
	WIRE_DGRAM, /* to the worker: count datagrams of one socket; one descriptor, to answer by */
	WIRE_CANCEL, /* to the worker: end count sessions now; unknown ones have ended already */
	WIRE_DONE,   /* from the worker: count sessions have ended */
	WIRE_NAME, /* from the worker: one session of WIRE_TCPMUX has ended with the name of a service */
};

/* What the worker is to do; up to WIRE_TCPMUX, the values of enum builtin in config/service.h that it knows. */
enum wire_service {
	WIRE_ECHO = 1,
	WIRE_DISCARD,
	WIRE_CHARGEN,
	WIRE_DAYTIME,
	WIRE_TIME,
	WIRE_TCPMUX,
	WIRE_RELAY = 256, /* between the connection and a second one, its target's */
	WIRE_TEXT,        /* send what is in a second descriptor, a memory file */
	/*
	 * Datagrams of one client, which follow as WIRE_DGRAM, to a second socket, and the answers back.
	 */
	WIRE_DGRAM_RELAY,
};

/* Descriptors that come with a wire_stream: the client's, then that of the target or the text. */
#define WIRE_FDS(service) ((service) >= WIRE_RELAY && (service) <= WIRE_DGRAM_RELAY ? 2u : 1u)

struct wire_head {
	uint32_t magic;
	uint32_t kind;    /* enum wire_kind */
	uint32_t count;   /* entries that follow, at least one */
	uint32_t service; /* WIRE_DGRAM: enum wire_service; else 0 */
};

struct wire_stream {
	uint64_t session;
	uint32_t service;  /* enum wire_service */
	uint32_t idle_sec; /* without a byte, or as yet the whole name, it ends; 0 = never */
};

/* Addresses in no more room than they need: a datagram is seldom as long as a sockaddr_storage. */
union wire_peer {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	struct sockaddr_un un;
};

union wire_local {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

/* Followed by length bytes of payload, padded by WIRE_PADDED() to a multiple of eight. */
struct wire_dgram {
	uint64_t session; /* WIRE_DGRAM_RELAY: of its client; else 0 */
	union wire_peer peer;
	union wire_local local; /* where it was sent to, to answer from (D43); or family 0 */
	uint32_t peer_len;
	uint32_t length;
};

#define WIRE_PADDED(length) (((size_t)(length) + 7) & ~(size_t)7)

struct wire_cancel {
	uint64_t session;
};

struct wire_done {
	uint64_t session;
	uint64_t in_bytes;  /* read from the client */
	uint64_t out_bytes; /* written to the client */
	int32_t error;      /* 0, or the errno that ended it */
	uint32_t reserved;
};

struct wire_name {
	uint64_t session;
	uint64_t in_bytes; /* read from the client: the name and its end of line */
	uint32_t length;
	uint32_t reserved;
	char name[WIRE_MAX_NAME + 1]; /* as the client wrote it; zeros behind it */
};

/* Whether a client may call a service so: printable, without blanks. Bytes above ASCII are for the configuration to know. */
static inline bool wire_name_is_sound(const char *name, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if ((unsigned char)name[i] <= ' ' || name[i] == 0x7f)
			return false;
	return length > 0 && length <= WIRE_MAX_NAME;
}
