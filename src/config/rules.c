/* SPDX-License-Identifier: ISC */
/* The words of only_from, no_access and access_times as typed rules. */
#include "config.h"

#include "config/rules.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

INTERN_CONSTANT(struct addr_rules, addr_rules_none, { .words = WORDS_NONE });
INTERN_CONSTANT(struct time_rules, time_rules_none, { .n = 0 });

#define DIGITS     "0123456789"
#define HEX_DIGITS DIGITS "abcdefABCDEF"

/* What addr_rules_add() says to do about a word, where the sentence is long. */
static const char say_network[] =
	"before the slash stands no full address: write all four numbers, 0 to 255 and "
	"without leading zeros, as 10.0.0.0/8 or 192.168.0.0/16";
static const char say_network6[] =
	"before the slash stands no IPv6 address: write it as 2001:db8::/32";
static const char say_mask[] =
	"what follows the slash is no mask: write the number of bits, as 10.1.0.0/16, or a "
	"mask such as 255.255.0.0";
static const char say_mask_order[] =
	"the ones of the mask are not all at its front: write it as 255.255.240.0, or the "
	"number of bits";
static const char say_bits[] =
	"after the slash write the number of bits, 0 to 32, or a mask such as 255.255.0.0, "
	"and nothing else";
static const char say_bits6[] =
	"after the slash write the number of bits, 0 to 128, and nothing else";
static const char say_factorised[] =
	"write factorised addresses as 10.1.{2,3}: numbers 0 to 255, commas without blanks, "
	"and nothing behind the brace";
static const char say_quad[] =
	"not an IPv4 address: write all four numbers, 0 to 255 and without leading zeros; "
	"zeros at the end stand for anything, so 10.0.0.0 is every address that starts with 10";
static const char say_forms[] =
	"neither an address nor a host name: write ADDRESS, ADDRESS/BITS, a.b.{c,d}, .domain "
	"or host.domain (letters, digits, '-' and '_' between the dots), and 0.0.0.0/0 ::/0 "
	"for everybody";
static const char say_zone[] =
	"address lists do not tell interfaces apart: write the address without its %zone, and "
	"bind the service to an address of that interface";
static const char say_time[] =
	"not a time of day: write hours 0 to 23 and minutes 0 to 59, as 8:00-17:30; only 24:00 "
	"may stand for the end of the day";

/* Sets the sentence and gives the error that goes with it. */
static int refuse(const char **why, const char *sentence)
{
	*why = sentence;
	return -EINVAL;
}

static bool has_only(const char *text, size_t length, const char *allowed)
{
	return length > 0 && strspn(text, allowed) >= length;
}

/* Reads @length digits as a decimal number up to @max. Returns -1 when they are not one. */
static int decimal(const char *text, size_t length, int max)
{
	int value = 0;

	if (length > 3 || !has_only(text, length, DIGITS))
		return -1;
	for (size_t i = 0; i < length; i++)
		value = 10 * value + (text[i] - '0');
	return value <= max ? value : -1;
}

/*
 * Adds an IPv6 block as the addresses that usherd will see: IPv4 clients of a
 * dual-stack socket are IPv4 (base/addr.h), so a block within ::ffff:0:0/96 is
 * an IPv4 block, and one that holds all of it holds all of IPv4 besides.
 */
static int add_block6(struct addr_rules *rules, const uint8_t bytes[16], unsigned bits)
{
	static const struct addr mapped = { .family = AF_INET6,
					    .bytes = { [10] = 0xff, [11] = 0xff } };
	static const struct prefix all_ipv4 = { .base = { .family = AF_INET } };
	struct addr base = { .family = AF_INET6 };
	struct prefix block;
	int r;

	memcpy(base.bytes, bytes, 16);
	if (bits >= 96 && memcmp(base.bytes, mapped.bytes, 12) == 0) {
		struct addr inner = { .family = AF_INET };

		memcpy(inner.bytes, bytes + 12, 4);
		block = prefix_of(&inner, bits - 96);
		return prefixset_add(&rules->blocks, &block);
	}
	block = prefix_of(&base, bits);
	if (prefix_contains(&block, &mapped)) {
		r = prefixset_add(&rules->blocks, &all_ipv4);
		if (r < 0)
			return r;
	}
	return prefixset_add(&rules->blocks, &block);
}

/* An address alone: IPv4 with its trailing zero bytes as wildcards, IPv6 exactly. */
static int add_address(struct addr_rules *rules, const char *word, const struct addr *addr)
{
	struct prefix block;
	unsigned bytes = 4;

	/* ::ffff:10.0.0.0 reads as IPv4 too, but as IPv6 text it has no wildcards. */
	if (addr->family == AF_INET && !strchr(word, ':'))
		while (bytes > 0 && addr->bytes[bytes - 1] == 0)
			bytes--;
	block = prefix_of(addr, addr->family == AF_INET ? 8 * bytes : 128);
	return prefixset_add(&rules->blocks, &block);
}

/* The number of leading ones of a dotted mask, or -1 when a one follows a zero. */
static int mask_bits(const struct addr *mask)
{
	uint32_t value = (uint32_t)mask->bytes[0] << 24 | (uint32_t)mask->bytes[1] << 16 |
			 (uint32_t)mask->bytes[2] << 8 | mask->bytes[3];
	int bits = 0;

	for (; value & 0x80000000u; value <<= 1)
		bits++;
	return value ? -1 : bits;
}

/* ADDRESS/BITS and IPv4/MASK. */
static int add_block(struct addr_rules *rules, const char *word, const char *slash,
		     const char **why)
{
	char text[INET6_ADDRSTRLEN];
	size_t length = (size_t)(slash - word);
	const char *tail = slash + 1;
	bool six = memchr(word, ':', length);
	struct addr addr, mask;
	struct prefix block;
	int bits;

	if (length >= sizeof(text))
		return refuse(why, say_network);
	memcpy(text, word, length);
	text[length] = '\0';
	if (addr_parse(text, &addr) < 0)
		return refuse(why, six ? say_network6 : say_network);
	if (strchr(tail, '.')) {
		if (six || strchr(tail, ':') || addr_parse(tail, &mask) < 0)
			return refuse(why, say_mask);
		bits = mask_bits(&mask);
		if (bits < 0)
			return refuse(why, say_mask_order);
	} else {
		bits = decimal(tail, strlen(tail), six ? 128 : 32);
		if (bits < 0)
			return refuse(why, six ? say_bits6 : say_bits);
	}
	if (six && addr.family == AF_INET) {
		uint8_t bytes[16] = { [10] = 0xff, [11] = 0xff };

		memcpy(bytes + 12, addr.bytes, 4);
		return add_block6(rules, bytes, (unsigned)bits);
	}
	if (six)
		return add_block6(rules, addr.bytes, (unsigned)bits);
	block = prefix_of(&addr, (unsigned)bits);
	return prefixset_add(&rules->blocks, &block);
}

/*
 * a.b.{x,y}: each item completes one block of as many bytes as numbers are
 * written. What was added before an error, the caller takes back.
 */
static int add_factorised(struct addr_rules *rules, const char *word, const char **why)
{
	struct addr addr = { .family = AF_INET };
	const char *brace = strchr(word, '{');
	size_t length;
	unsigned bytes = 0;
	int value, r;

	while (word < brace) {
		length = strcspn(word, ".{");
		value = decimal(word, length, 255);
		if (value < 0 || word[length] != '.' || bytes == 3)
			return refuse(why, say_factorised);
		addr.bytes[bytes++] = (uint8_t)value;
		word += length + 1;
	}
	do {
		struct prefix block;

		word++; /* the brace, then each comma */
		length = strcspn(word, ",}");
		value = decimal(word, length, 255);
		word += length;
		if (value < 0 || !*word || (*word == '}' && word[1]))
			return refuse(why, say_factorised);
		addr.bytes[bytes] = (uint8_t)value;
		block = prefix_of(&addr, 8 * (bytes + 1));
		r = prefixset_add(&rules->blocks, &block);
		if (r < 0)
			return r;
	} while (*word == ',');
	return 0;
}

/*
 * Whether somebody who wrote this meant an IPv4 address: its last label is a
 * number (decimal, octal or hexadecimal, all of which inet_aton(3) would take),
 * or it has four labels of which the first three are decimal. No host is named so.
 */
static bool means_ipv4(const char *word)
{
	const char *last = strrchr(word, '.');
	size_t labels = 0, numbers = 0;

	if (has_only(word, strlen(word), DIGITS "."))
		return true;
	last = last ? last + 1 : word;
	if (has_only(last, strlen(last), DIGITS))
		return true;
	if (last[0] == '0' && (last[1] == 'x' || last[1] == 'X') &&
	    last[2 + strspn(last + 2, HEX_DIGITS)] == '\0')
		return true;
	for (const char *p = word;; p++) {
		size_t length = strcspn(p, ".");

		labels++;
		numbers += has_only(p, length, DIGITS);
		p += length;
		if (!*p)
			break;
	}
	return labels == 4 && numbers == 3;
}

/* Whether the text is a host name: labels of RFC 1123, with the underscore that some sites use. */
static bool is_host_name(const char *name)
{
	static const char allowed[] =
		DIGITS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_";

	if (strlen(name) > 253)
		return false;
	for (;; name++) {
		size_t length = strcspn(name, ".");

		if (length > 63 || !has_only(name, length, allowed) || name[0] == '-')
			return false;
		name += length;
		if (!*name)
			return true;
	}
}

static int add_name(struct addr_rules *rules, const char *word, const char **why)
{
	if (means_ipv4(word))
		return refuse(why, say_quad);
	if (!is_host_name(word + (*word == '.')))
		return refuse(why, say_forms);
	return strv_add(&rules->names, word);
}

static int add_any(struct addr_rules *rules, const char *word, const char **why)
{
	const char *slash = strchr(word, '/');
	struct addr addr;

	if (!*word)
		return refuse(why, "an empty word names no address");
	if (strchr(word, ',') && !strchr(word, '{'))
		return refuse(
			why,
			"there is a comma in it: remove the comma, a blank separates addresses");
	if (strchr(word, '{'))
		return add_factorised(rules, word, why);
	if (strchr(word, '%'))
		return refuse(why, say_zone);
	if (slash)
		return add_block(rules, word, slash, why);
	if (addr_parse(word, &addr) == 0)
		return add_address(rules, word, &addr);
	return add_name(rules, word, why);
}

int addr_rules_add(struct addr_rules *rules, const char *word, const char **why)
{
	size_t blocks = rules->blocks.n;
	int r;

	/* Also where the word is refused: a list without words must not read as "everybody". */
	rules->given = true;
	r = add_any(rules, word, why);
	if (r < 0)
		rules->blocks.n = blocks;
	return r;
}

/* One line of a file of entries; @line is cut up. */
static int add_line(struct addr_rules *rules, char *line, size_t length, const char **why)
{
	char *word = line + strspn(line, " \t\r\n"), *end;

	if (strlen(line) != length)
		return refuse(why, "there is a NUL in it: this is no list of addresses");
	if (!*word || *word == '#')
		return 0;
	end = word + strcspn(word, " \t\r\n");
	if (*end) {
		char *more = end + 1 + strspn(end + 1, " \t\r\n");

		if (*more && *more != '#')
			return refuse(why, "write one address a line");
		*end = '\0';
	}
	return add_any(rules, word, why);
}

int addr_rules_add_file(struct addr_rules *rules, const char *path, unsigned *ret_line,
			const char **why)
{
	/* Whatever stands there: a FIFO must not hold up who reads the configuration. */
	CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	CLEANUP_FCLOSE FILE *file = NULL;
	CLEANUP_FREE char *line = NULL;
	size_t room = 0;
	struct stat st;
	ssize_t length;
	int r = 0;

	rules->given = true;
	*ret_line = 0;
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EBADF;
	file = fdopen(fd, "re");
	if (!file)
		return -ENOMEM;
	(void)take_fd(&fd);
	while (r == 0 && (errno = 0, length = getline(&line, &room, file)) >= 0) {
		(*ret_line)++;
		r = add_line(rules, line, (size_t)length, why);
	}
	if (r == 0 && (ferror(file) || errno == ENOMEM))
		r = errno == EINVAL || errno == 0 ? -EIO : -errno;
	return r;
}

int addr_rules_seal(struct addr_rules *rules)
{
	prefixset_seal(&rules->blocks);
	return 0;
}

/* Blocks have neither port nor scope, and no padding. */
_Static_assert(sizeof(struct addr_range) ==
		       2 * (sizeof(sa_family_t) + sizeof(uint16_t) + sizeof(uint32_t) + 16),
	       "blocks are compared as bytes");

static bool blocks_equal(const struct prefixset *a, const struct prefixset *b)
{
	return a->n == b->n && (a->n == 0 || memcmp(a->v, b->v, a->n * sizeof(*a->v)) == 0);
}

bool addr_words_equal(const char *a, const char *b)
{
	struct addr_rules left = { 0 }, right = { 0 };
	const char *why;
	bool equal = addr_rules_add(&left, a, &why) == 0 && addr_rules_add(&right, b, &why) == 0 &&
		     addr_rules_seal(&left) == 0 && addr_rules_seal(&right) == 0 &&
		     left.blocks.n > 0 && blocks_equal(&left.blocks, &right.blocks);

	addr_rules_done(&left);
	addr_rules_done(&right);
	return equal;
}

bool addr_rules_equal(const struct addr_rules *a, const struct addr_rules *b)
{
	return a == b || (a->given == b->given && str_equal(a->file, b->file) &&
			  words_equal(a->words, b->words) && strv_equal(&a->names, &b->names) &&
			  blocks_equal(&a->blocks, &b->blocks));
}

void addr_rules_done(struct addr_rules *rules)
{
	intern_unref(rules->words);
	prefixset_done(&rules->blocks);
	strv_done(&rules->names);
	intern_unref(rules->file);
	*rules = (struct addr_rules){ 0 };
}

void addr_rules_free(void *value)
{
	addr_rules_done(value);
}

/* Reads "H:M" of @length characters as minutes since midnight, 24:00 as 1440, or gives -1. */
static int minutes(const char *text, size_t length)
{
	const char *colon = memchr(text, ':', length);
	size_t digits = colon ? (size_t)(colon - text) : 0;
	int hour, minute;

	if (!colon || digits > 2 || length - digits - 1 > 2)
		return -1;
	hour = decimal(text, digits, 24);
	minute = decimal(colon + 1, length - digits - 1, 59);
	if (hour < 0 || minute < 0 || (hour == 24 && minute > 0))
		return -1;
	return 60 * hour + minute;
}

int time_rules_add(struct time_rules *rules, const char *word, const char **why)
{
	const char *dash = strchr(word, '-');
	int start, end, r;

	if (!dash)
		return refuse(why,
			      "not an interval: write START-END without blanks, as 8:00-17:30");
	start = minutes(word, (size_t)(dash - word));
	end = minutes(dash + 1, strlen(dash + 1));
	if (start < 0 || end < 0)
		return refuse(why, say_time);
	if (start == 24 * 60)
		return refuse(why,
			      "24:00 can only end an interval: to start with the day, write 0:00");
	if (start == end)
		return refuse(why,
			      "start and end are the same: for the whole day, write 0:00-24:00");
	r = array_grow(&rules->v, rules->n, sizeof(*rules->v));
	if (r < 0)
		return r;
	rules->v[rules->n++] =
		(struct time_rule){ .start_min = (unsigned)start, .end_min = (unsigned)end };
	return 0;
}

bool time_rules_equal(const struct time_rules *a, const struct time_rules *b)
{
	if (a == b || a->n != b->n)
		return a == b;
	for (size_t i = 0; i < a->n; i++)
		if (a->v[i].start_min != b->v[i].start_min || a->v[i].end_min != b->v[i].end_min)
			return false;
	return true;
}

void time_rules_done(struct time_rules *rules)
{
	free(rules->v);
	*rules = (struct time_rules){ 0 };
}

void time_rules_free(void *value)
{
	time_rules_done(value);
}
