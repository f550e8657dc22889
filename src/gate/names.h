/* SPDX-License-Identifier: ISC */
/* The host name of a client, believed only where it leads back to the client; and words of address lists that match it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/addr.h"

/* Longest host name, its NUL included. */
#define NAMES_MAX 256

/*
 * Finds the name of @peer (an IP address) by a reverse look-up, and confirms it:
 * one of the addresses of that name must be @peer's, as whoever owns the address
 * may call it what he likes (D29). What is no host name, or looks like an address, is none.
 * Blocks as long as the resolver does. Returns whether there is a name (D61).
 */
bool names_find(const struct addr *peer, char ret[static NAMES_MAX]);

/* Whether @text, which came from a name server, can be a host name: letters, digits, "-", "_" and single dots, and no address. */
bool names_is_plausible(const char *text);

/* Whether @name is @word, or where @word begins with a dot ends in it; without regard to case or a dot at the end. */
bool names_match(const char *word, const char *name);

/* Words of xinetd.conf(5) "only_from" and "no_access" that need a name. */
struct names_lists {
	const char *const *only_from;
	size_t n_only_from; /* 0: numbers have admitted the client already */
	const char *const *no_access;
	size_t n_no_access;
};

/*
 * Whether a client called @name (NULL: nobody knows) may come: not where
 * no_access matches, whatever only_from says (D13), and only where only_from
 * does, if it has words. *@ret_both tells that both match.
 */
bool names_allow(const struct names_lists *lists, const char *name, bool *ret_both);
