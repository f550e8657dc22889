/* SPDX-License-Identifier: ISC */
/* [Socket] of a unit: addresses, who may connect, limits. */
#include "config.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>

#include "base/addr.h"
#include "ctl/unit.h"
#include "ctl/unit_text.h"

/* The default of usherd (xinetd.conf(5) "cps"), which needs no note of its own. */
#define CPS_DEFAULT_RATE     50
#define CPS_DEFAULT_WAIT_SEC 10

/* Addresses on a line, so that lists stay readable. */
#define ADDRESSES_A_LINE 6

static bool is_unix(const struct endpoint *endpoint)
{
	return endpoint->addr.family == AF_UNIX;
}

static bool is_path(const struct endpoint *endpoint)
{
	return is_unix(endpoint) && endpoint->path[0] == '/';
}

const char *unit_refuses_socket(const struct service *s)
{
	if (s->socktype == SOCK_RAW)
		return "socket_type = raw has no counterpart";
	for (size_t i = 0; i < s->n_endpoints; i++) {
		const struct endpoint *endpoint = &s->endpoints[i];

		if (is_unix(endpoint)) {
			if (!unit_takes_plain(endpoint->path))
				return "bind: the name of the socket has characters that a unit cannot hold";
			continue;
		}
		if (s->socktype == SOCK_SEQPACKET)
			return "socket_type = seqpacket: systemd has it for Unix sockets only";
		if (s->port <= 0)
			return "port = 0: systemd wants to know the port";
		if (s->protocol != IPPROTO_TCP && s->protocol != IPPROTO_UDP &&
		    s->protocol != IPPROTO_SCTP && s->protocol != IPPROTO_UDPLITE)
			return "protocol: systemd has tcp, udp, sctp and udplite only";
	}
	return NULL;
}

static void write_listen(struct unit *unit, const struct endpoint *endpoint)
{
	char text[INET6_ADDRSTRLEN], interface[IF_NAMESIZE];
	const struct addr *addr = &endpoint->addr;
	const char *kind = endpoint->socktype == SOCK_DGRAM       ? "Datagram"
			   : endpoint->socktype == SOCK_SEQPACKET ? "SequentialPacket"
								  : "Stream";

	(void)fprintf(unit->socket, "Listen%s=", kind);
	if (is_unix(endpoint)) {
		unit_plain(unit->socket, endpoint->path);
	} else if (endpoint->fallback_ipv4) {
		(void)fprintf(unit->socket, "%u", addr->port);
	} else {
		(void)inet_ntop(addr->family, addr->bytes, text, sizeof(text));
		(void)fprintf(unit->socket, addr->family == AF_INET ? "%s:%u" : "[%s]:%u", text,
			      addr->port);
		/* A doubled % for one. */
		if (addr->scope && if_indextoname(addr->scope, interface))
			(void)fprintf(unit->socket, "%%%%%s", interface);
	}
	(void)fputc('\n', unit->socket);
}

/* Whether it names an address that the machine may lack, or not have yet. */
static bool is_specific(const struct endpoint *endpoint)
{
	return !is_unix(endpoint) && !endpoint_is_wildcard(endpoint);
}

static void write_addresses(struct unit *unit)
{
	const struct service *s = unit->service;
	bool six = false, specific = false, path = false;

	for (size_t i = 0; i < unit->n_endpoints; i++) {
		write_listen(unit, &unit->endpoints[i]);
		six |= unit->endpoints[i].addr.family == AF_INET6;
		specific |= is_specific(&unit->endpoints[i]);
		path |= is_path(&unit->endpoints[i]);
	}
	if (s->protocol == IPPROTO_SCTP || s->protocol == IPPROTO_UDPLITE)
		(void)fprintf(unit->socket, "SocketProtocol=%s\n",
			      s->protocol == IPPROTO_SCTP ? "sctp" : "udplite");
	if (six)
		(void)fprintf(unit->socket, "BindIPv6Only=%s\n", s->v6only ? "ipv6-only" : "both");
	if (specific)
		(void)fputs("FreeBind=no\n", unit->socket);
	if (s->owner->mode != (mode_t)-1)
		(void)fprintf(unit->socket, "SocketMode=%04o\n", (unsigned)s->owner->mode);
	else if (path)
		/* What usherd's umask leaves; systemd lets everybody in. */
		(void)fputs("SocketMode=0755\n", unit->socket);
	if (s->owner->user)
		(void)fprintf(unit->socket, "SocketUser=%s\n", s->owner->user);
	if (s->owner->group)
		(void)fprintf(unit->socket, "SocketGroup=%s\n", s->owner->group);
	for (size_t i = 0; i < s->bind->n; i++) {
		const char *word = s->bind->v[i];
		struct addr addr;

		if (word[0] != '/' && word[0] != '@' && strcmp(word, "*") != 0 &&
		    addr_parse(word, &addr) < 0)
			unit_note(
				unit, SEVERITY_NOTICE, "bind",
				"the unit has the address that %s has now, as systemd takes no host names here",
				word);
	}
}

/* --- who may connect ---------------------------------------------------------- */

/* Steps to the address behind or (@down) before. Returns false where there is none. */
static bool step(struct addr *addr, bool down)
{
	for (unsigned i = addr_bits(addr->family) / 8; i-- > 0;)
		if (down ? addr->bytes[i]-- != 0 : ++addr->bytes[i] != 0)
			return true;
	return false;
}

struct address_list {
	FILE *out;
	const char *setting;
	size_t n;
};

static void add_word(struct address_list *list, const char *word)
{
	bool first = list->n++ % ADDRESSES_A_LINE == 0;

	if (first)
		(void)fprintf(list->out, "%s%s=", list->n > 1 ? "\n" : "", list->setting);
	(void)fprintf(list->out, "%s%s", first ? "" : " ", word);
}

static void end_list(struct address_list *list)
{
	if (list->n)
		(void)fputc('\n', list->out);
}

/* Writes the addresses from @first to @last as the fewest blocks. */
static void add_range(struct address_list *list, const struct addr *first, const struct addr *last)
{
	struct addr at = *first;

	for (;;) {
		unsigned bits = addr_bits(at.family);
		struct addr end = at;
		char text[ADDR_TEXT_MAX], word[ADDR_TEXT_MAX + 8];

		/* As wide as its first address allows, and as the range is. */
		while (bits > 0) {
			struct prefix wider = prefix_of(&at, bits - 1);
			struct addr wider_end = end;

			wider_end.bytes[(bits - 1) / 8] |= (uint8_t)(0x80u >> (bits - 1) % 8);
			if (!addr_equal(&wider.base, &at) || addr_compare(&wider_end, last) > 0)
				break;
			end = wider_end;
			bits--;
		}
		(void)snprintf(word, sizeof(word), "%s/%u", addr_format(&at, text), bits);
		add_word(list, word);
		if (addr_compare(&end, last) >= 0)
			return;
		at = end;
		(void)step(&at, false);
	}
}

/* Writes the range without what @except (sealed) holds. */
static void add_remainder(struct address_list *list, const struct addr_range *range,
			  const struct prefixset *except)
{
	struct addr at = range->first;

	for (size_t i = 0; i < except->n; i++) {
		const struct addr_range *hole = &except->v[i];
		struct addr before = hole->first;

		if (hole->first.family != at.family || addr_compare(&hole->last, &at) < 0)
			continue;
		if (addr_compare(&hole->first, &range->last) > 0)
			break;
		if (addr_compare(&hole->first, &at) > 0) {
			(void)step(&before, true);
			add_range(list, &at, &before);
		}
		at = hole->last;
		if (addr_compare(&at, &range->last) >= 0 || !step(&at, false))
			return;
	}
	add_range(list, &at, &range->last);
}

static void write_access(struct unit *unit)
{
	const struct service *s = unit->service;
	struct address_list allow = { unit->socket, "IPAddressAllow", 0 };
	struct address_list deny = { unit->socket, "IPAddressDeny", 0 };

	if (!s->only_from->given && !s->no_access->words->n && !s->no_access->file)
		return;
	if (s->only_from->file)
		unit_note(unit, SEVERITY_WARNING, "only_from_file",
			  "the addresses that %s holds now are written out", s->only_from->file);
	if (s->no_access->file)
		unit_note(unit, SEVERITY_WARNING, "no_access_file",
			  "the addresses that %s holds now are written out", s->no_access->file);
	/* systemd lets Allow= win where both match, usherd no_access: so it is taken out beforehand. */
	for (size_t i = 0; s->only_from->given && i < s->only_from->blocks.n; i++)
		add_remainder(&allow, &s->only_from->blocks.v[i], &s->no_access->blocks);
	end_list(&allow);
	if (s->only_from->given)
		add_word(&deny, "any");
	for (size_t i = 0; !s->only_from->given && i < s->no_access->blocks.n; i++)
		add_range(&deny, &s->no_access->blocks.v[i].first, &s->no_access->blocks.v[i].last);
	end_list(&deny);
	unit_note(
		unit, SEVERITY_NOTICE, s->only_from->given ? "only_from" : "no_access",
		"the kernel drops the packets of others: they get no answer at all, and there is no record of a "
		"refusal; where it lacks BPF for control groups, systemd says so and lets everybody in");
	if (s->only_from->given && s->no_access->words->n)
		unit_note(
			unit, SEVERITY_NOTICE, "no_access",
			"its addresses are taken out of IPAddressAllow=, which would win otherwise");
	for (size_t i = 0; s->only_from->given && i < unit->n_endpoints; i++) {
		if (!is_unix(&unit->endpoints[i]))
			continue;
		unit_note(
			unit, SEVERITY_WARNING, "only_from",
			"it does not concern Unix sockets: SocketMode= and SocketGroup= say who may "
			"connect to them");
		break;
	}
	for (size_t i = 0; i < s->only_from->names.n; i++)
		unit_note(unit, SEVERITY_NOTICE, "only_from",
			  "systemd knows no host names: the clients called %s are shut out",
			  s->only_from->names.v[i]);
	for (size_t i = 0; i < s->no_access->names.n; i++)
		unit_note(unit, SEVERITY_WARNING, "no_access",
			  "systemd knows no host names: the clients called %s are let in",
			  s->no_access->names.v[i]);
}

/* --- how much ------------------------------------------------------------------- */

static void write_limits(struct unit *unit)
{
	const struct service *s = unit->service;

	if (s->source_bits4 || s->source_bits6)
		unit_note(unit, SEVERITY_WARNING, "per_source_mask",
			  "systemd counts each address by itself");
	if (s->queues)
		unit_note(unit, SEVERITY_NOTICE, "overload",
			  "systemd refuses connections at the limit");
	if (s->wait) {
		if (s->instances == 0)
			unit_note(
				unit, SEVERITY_WARNING, "instances",
				"a server that gets the socket has no such limit: everybody is served");
		if (s->per_source != UNLIMITED)
			unit_note(unit, SEVERITY_WARNING, "per_source",
				  "a server that gets the socket has no such limit");
		return;
	}
	/* 0 means "no limit" for each source, but "nobody" for all. */
	if (s->instances == UNLIMITED && s->per_source != 0)
		(void)fputs("MaxConnections=4294967295\n", unit->socket);
	else
		(void)fprintf(unit->socket, "MaxConnections=%d\n",
			      s->per_source == 0 ? 0 : s->instances);
	if (s->per_source > 0)
		(void)fprintf(unit->socket, "MaxConnectionsPerSource=%d\n", s->per_source);
}

static void write_rate(struct unit *unit)
{
	const struct service *s = unit->service;
	unsigned window = s->cps_window_sec ? s->cps_window_sec : 1;
	unsigned long burst = s->cps_rate;

	if (!burst) {
		(void)fputs("PollLimitIntervalSec=0\nTriggerLimitIntervalSec=0\n", unit->socket);
		return;
	}
	(void)fprintf(
		unit->socket,
		"# PollLimit is for systemd 255 and later; others ignore it, and stop the socket at the "
		"TriggerLimit\n"
		"PollLimitIntervalSec=%u\nPollLimitBurst=%lu\n"
		"TriggerLimitIntervalSec=%u\nTriggerLimitBurst=%lu\n",
		window, burst, window, 2 * burst > UINT32_MAX ? UINT32_MAX : 2 * burst);
	if (burst != CPS_DEFAULT_RATE || s->cps_wait_sec != CPS_DEFAULT_WAIT_SEC || window != 1)
		unit_note(
			unit, SEVERITY_NOTICE, "cps",
			"what is above the rate is not refused, and for %u seconds nothing else is: it waits in the "
			"backlog until the interval is over; at twice the rate, systemd before 255 stops the socket "
			"until somebody starts it",
			s->cps_wait_sec);
}

void unit_socket(struct unit *unit)
{
	const struct service *s = unit->service;

	write_addresses(unit);
	(void)fprintf(unit->socket, "Accept=%s\n", s->wait ? "no" : "yes");
	if (s->backlog != UNLIMITED)
		(void)fprintf(unit->socket, "Backlog=%d\n", s->backlog);
	if (s->flags & FLAG_NODELAY)
		(void)fputs("NoDelay=yes\n", unit->socket);
	if (s->flags & FLAG_KEEPALIVE)
		(void)fputs("KeepAlive=yes\n", unit->socket);
	if (s->flags & FLAG_LABELED)
		(void)fputs("SELinuxContextFromNet=yes\n", unit->socket);
	write_limits(unit);
	write_rate(unit);
	write_access(unit);
}
