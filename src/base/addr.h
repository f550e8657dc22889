/* SPDX-License-Identifier: ISC */
/* One address value: from and to sockaddr, parse, compare, mask, print. */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/*
 * An address of a peer. IPv4 clients of a dual-stack socket (::ffff:a.b.c.d)
 * are kept as IPv4, so that one client is one value whatever socket it came by.
 * A Unix peer has no address but its family. family AF_UNSPEC means "unknown".
 */
struct addr {
	sa_family_t family;
	uint16_t port;     /* host byte order */
	uint32_t scope;    /* IPv6 zone of a link-local address, else 0 */
	uint8_t bytes[16]; /* network byte order; IPv4 uses the first four */
};

/* A block of addresses: those whose first @bits bits equal base's; the bits behind are zero. */
struct prefix {
	struct addr base;
	unsigned bits;
};

/* Room for any text that addr_format() writes, its NUL included. */
#define ADDR_TEXT_MAX 64

/* The value of a socket address; an unsupported family or a short @len gives AF_UNSPEC. */
void addr_from_sockaddr(struct addr *ret, const struct sockaddr *sa, socklen_t len);

/* Fills @ret from @addr and its port; returns the length used, or 0 for a family other than IPv4 and IPv6. */
socklen_t addr_to_sockaddr(const struct addr *addr, struct sockaddr_storage *ret);

/*
 * Reads a numeric address: a full dotted quad of decimal numbers, or IPv6 text
 * (RFC 4291), with %zone where it is link-local. The short, octal and hex forms
 * of inet_aton(3) are refused. Port is 0. Returns 0 or -EINVAL.
 */
int addr_parse(const char *text, struct addr *ret);

/* Writes the numeric address without its port ("unix" for a Unix peer, "<no address>" when unknown). Returns @out. */
const char *addr_format(const struct addr *addr, char out[static ADDR_TEXT_MAX]);

/* Number of bits of an address of this family: 32 or 128. */
unsigned addr_bits(sa_family_t family);

/* Whether both are the same address; ports do not count. */
bool addr_equal(const struct addr *a, const struct addr *b);

/* Orders by family, then by address bytes, as memcmp(3) does. */
int addr_compare(const struct addr *a, const struct addr *b);

/* Whether the address is loopback (127/8, ::1). */
bool addr_is_loopback(const struct addr *addr);

/* Makes the block of the first @bits bits of @addr; bits behind are cleared. @bits must be within the family's. */
struct prefix prefix_of(const struct addr *addr, unsigned bits);

/* Whether @addr lies in @prefix. */
bool prefix_contains(const struct prefix *prefix, const struct addr *addr);
