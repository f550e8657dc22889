/* SPDX-License-Identifier: ISC */
/* The words of only_from, no_access and access_times as typed rules. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/addr.h"
#include "base/intern.h"
#include "base/prefixset.h"
#include "base/util.h"

/*
 * An address list. given tells "not set" (everybody, nobody refused) from "set
 * and empty" (only_from: nobody may connect). Numeric words are compiled into
 * blocks; host names and domain suffixes (".example.org") need a look-up at
 * connection time and are kept as text.
 */
struct addr_rules {
	bool given;
	const char *file; /* whose entries are in the list, too (base/intern.h); NULL = none */
	const struct words *words; /* as written after merging, for dump and comparison */
	struct prefixset blocks;   /* every numeric word */
	struct strv names;         /* "host.example.org" or ".example.org", as written */
};

/* One interval of the local day; minutes since midnight, end inclusive. start > end means over midnight. */
struct time_rule {
	unsigned start_min;
	unsigned end_min;
};

struct time_rules {
	struct time_rule *v;
	size_t n;
};

/*
 * Adds one word to @rules in the forms of xinetd.conf(5) "only_from": IPv4 with
 * trailing zero bytes as wildcards (10.1.0.0 is 10.1/16, 0.0.0.0 is all IPv4),
 * IPv6 address, ADDRESS/BITS, IPv4/DOTTED-MASK (contiguous only), factorised
 * a.b.{c,d}, ".domain", host name. Unlike xinetd, bits out of range, text
 * behind the bits, factorised items above 255 and inet_aton's short, octal and
 * hex forms are refused (defects D6, D28). An IPv6 block that holds the whole
 * of ::ffff:0:0/96 also admits IPv4, as on xinetd's dual-stack sockets. A word
 * that looks like an IPv4 address but is none is never taken for a host name,
 * and names of the networks database are not looked up. Sets given, also where
 * the word is refused, so that a list which lost its words admits nobody; what is in
 * words is the caller's to say.
 * Returns 0; -ENOMEM; or -EINVAL with *@why set to a static sentence that says
 * what to write instead.
 */
int addr_rules_add(struct addr_rules *rules, const char *word, const char **why);

/*
 * Adds the entries of the file at @path, one word a line in the forms above; "#"
 * begins a comment. Sets given, whatever comes of it. Returns 0; -ENOMEM; -errno where the file cannot be read (-EBADF: it
 * is no regular file); or -EINVAL with the number of the first line that cannot be
 * understood in *@ret_line, and *@why set as above. Call addr_rules_seal() after it.
 */
int addr_rules_add_file(struct addr_rules *rules, const char *path, unsigned *ret_line,
			const char **why);

/*
 * Completes the list after the last word: sorts and merges the blocks.
 * Must be called before the blocks are asked. Returns 0 or -ENOMEM.
 */
int addr_rules_seal(struct addr_rules *rules);

/* Whether two words of an address list mean the same block of addresses. */
bool addr_words_equal(const char *a, const char *b);

/* Whether both lists were given alike, hold the same words in the same order, and mean the same. */
bool addr_rules_equal(const struct addr_rules *a, const struct addr_rules *b);

void addr_rules_done(struct addr_rules *rules);

/* A list that is not given, and what lets go of lists that are values (base/intern.h). */
extern const struct addr_rules *const addr_rules_none;
intern_done addr_rules_free;

/*
 * Adds one word "H:M-H:M" of access_times (local time, both ends inclusive;
 * 24:00 as an end and intervals over midnight are accepted, unlike in xinetd,
 * D59). Equal ends are refused: they could mean one minute or a whole day.
 * Returns 0, -ENOMEM, or -EINVAL with *@why set as above.
 */
int time_rules_add(struct time_rules *rules, const char *word, const char **why);

bool time_rules_equal(const struct time_rules *a, const struct time_rules *b);

void time_rules_done(struct time_rules *rules);

/* No intervals, and what lets go of those that are values. */
extern const struct time_rules *const time_rules_none;
intern_done time_rules_free;
