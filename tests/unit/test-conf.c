/* SPDX-License-Identifier: ISC */
/* Tests of whole configurations: includes, defaults, ports, addresses, duplicates, switches, all errors at once. */
#include "config.h"

#include <netdb.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "load.h"

/* A stanza without type, port or server: @lines say all. */
#define BARE(name, lines) "service " name "\n{\n" lines "}\n"

#define EXTERNAL "wait = no\nuser = root\nserver = /bin/sh\n"

/* The endpoints of a service, as text separated by ", ". */
static const char *listens(const struct service *s, char *out, size_t size)
{
	size_t at = 0;

	out[0] = '\0';
	for (size_t i = 0; i < s->n_endpoints && at < size; i++) {
		char text[ENDPOINT_TEXT_MAX];

		at += (size_t)snprintf(out + at, size - at, "%s%s", i ? ", " : "",
				       endpoint_format(&s->endpoints[i], text));
	}
	return out;
}

#define assert_listens(service, text)                                                \
	do {                                                                         \
		char text_[1024];                                                    \
		assert_string_equal(listens((service), text_, sizeof(text_)), text); \
	} while (0)

/* The stanza "a" with @lines must listen on @expected. */
static void listens_on(const char *lines, const char *expected)
{
	struct load load;
	char *text;

	assert_true(asprintf(&text, STANZA("a", "%s"), lines) > 0);
	load_text(&load, text);
	assert_listens(must_have(&load, "a"), expected);
	load_done(&load);
	free(text);
}

/* @text must give no service "a" and an error that says @said. */
static void refuses(const char *text, const char *said)
{
	struct load load;

	load_text(&load, text);
	assert_int_equal(load.status, 0);
	assert_null(load_service(&load, "a"));
	assert_true(load_broken(&load, "a"));
	assert_said(&load, said, 1);
	load_done(&load);
}

static bool has_services_database(void)
{
	struct servent *entry = getservbyname("echo", "udp");

	return entry && getservbyname("ftp", "tcp");
}

static void listens_on_all_addresses_of_both_families_by_default(void **state)
{
	struct load load;
	const struct service *s;

	(void)state;
	load_text(&load, STANZA("a", ""));
	s = must_have(&load, "a");
	assert_listens(s, "tcp [::]:4001");
	assert_true(s->endpoints[0].fallback_ipv4);
	assert_false(s->endpoints[0].v6only);
	load_done(&load);
	listens_on("flags = IPv4 IPv6\n", "tcp [::]:4001");
	listens_on("flags = IPv4\n", "tcp 0.0.0.0:4001");
	listens_on("flags = IPv6\n", "tcp [::]:4001");
	listens_on("bind = *\n", "tcp [::]:4001");
}

static void listens_on_each_bind_address(void **state)
{
	(void)state;
	listens_on("bind = 127.0.0.1\n", "tcp 127.0.0.1:4001");
	listens_on("bind = ::1\n", "tcp [::1]:4001");
	/* D4: xinetd drops such a line and listens everywhere. */
	listens_on("bind = 127.0.0.1 127.0.0.2 ::1\n",
		   "tcp 127.0.0.1:4001, tcp 127.0.0.2:4001, tcp [::1]:4001");
	listens_on("bind = 127.0.0.1 /run/a.sock @a\n",
		   "tcp 127.0.0.1:4001, unix /run/a.sock, unix @a");
	listens_on("interface = 127.0.0.1\n", "tcp 127.0.0.1:4001");
}

static void listens_on_unix_sockets_without_a_port(void **state)
{
	const struct service *s;
	struct load load;

	(void)state;
	load_text(&load,
		  BARE("a", "type = UNLISTED\nsocket_type = stream\nbind = /run/a @b\n"
			    "socket_mode = 0660\nsocket_user = root\nsocket_group = 0\n" EXTERNAL)
			  BARE("c", "socket_type = seqpacket\nbind = /run/c\n" EXTERNAL) BARE(
				  "d", "socket_type = dgram\nbind = @d\nwait = yes\nuser = root\n"
				       "server = /bin/sh\n"));
	assert_int_equal(load.diag.errors, 0);
	s = must_have(&load, "a");
	assert_listens(s, "unix /run/a, unix @b");
	assert_int_equal(s->owner->mode, 0660);
	assert_int_equal(s->owner->uid, 0);
	assert_int_equal(s->owner->gid, 0);
	assert_int_equal(must_have(&load, "c")->endpoints[0].socktype, SOCK_SEQPACKET);
	assert_int_equal(must_have(&load, "d")->endpoints[0].socktype, SOCK_DGRAM);
	load_done(&load);
}

static void refuses_socket_paths_that_do_not_fit(void **state)
{
	char path[200], *text;

	(void)state;
	memset(path, 'p', sizeof(path) - 1);
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	assert_true(asprintf(&text, STANZA("a", "bind = %s\n"), path) > 0);
	refuses(text, "is too long for a Unix socket");
	free(text);
	refuses(STANZA("a", "bind = @\n"), "is too short for a Unix socket");
}

static void refuses_addresses_that_contradict_a_flag(void **state)
{
	(void)state;
	/* D5 */
	refuses(STANZA("a", "bind = ::1\nflags = IPv4\n"), "contradicts \"flags = IPv4\"");
	refuses(STANZA("a", "bind = 127.0.0.1\nflags = IPv6\n"), "contradicts \"flags = IPv6\"");
	refuses("defaults\n{\nbind = 127.0.0.1\n}\n" STANZA("a", "flags = IPv6\n"),
		"contradicts \"flags = IPv6\"");
}

static void infers_protocol_and_socket_type_from_each_other(void **state)
{
	const struct service *s;
	struct load load;

	(void)state;
	load_text(
		&load,
		BARE("a", "type = UNLISTED\nport = 4001\nsocket_type = stream\n" EXTERNAL)
			BARE("b", "type = UNLISTED\nport = 4002\nprotocol = tcp\n" EXTERNAL) BARE(
				"c", "type = UNLISTED\nport = 4003\nprotocol = UDP\nwait = yes\n"
				     "user = root\nserver = /bin/sh\n")
				BARE("d",
				     "type = UNLISTED\nport = 4003\nsocket_type = stream\nprotocol = TCP\n" EXTERNAL));
	s = must_have(&load, "a");
	assert_int_equal(s->protocol, IPPROTO_TCP);
	s = must_have(&load, "b");
	assert_int_equal(s->socktype, SOCK_STREAM);
	s = must_have(&load, "c");
	assert_int_equal(s->socktype, SOCK_DGRAM);
	assert_int_equal(s->protocol, IPPROTO_UDP);
	assert_int_equal(must_have(&load, "d")->protocol, IPPROTO_TCP);
	load_done(&load);
	refuses(BARE("a", "type = UNLISTED\nport = 4001\n" EXTERNAL),
		"attribute \"socket_type\" is missing");
	refuses(BARE("a", "type = UNLISTED\nport = 4001\nsocket_type = seqpacket\n" EXTERNAL),
		"attribute \"protocol\" is missing");
	refuses(BARE("a",
		     "type = UNLISTED\nport = 4001\nprotocol = tcp6\nsocket_type = stream\n" EXTERNAL),
		"for IPv6 write \"flags = IPv6\"");
}

static void asks_for_what_a_service_must_have(void **state)
{
	struct load load;

	(void)state;
	/* All of it at once, where xinetd stops at the first stage. */
	load_text(&load, "service a\n{\ntype = UNLISTED\n}\n");
	assert_said(&load, "attribute \"socket_type\" is missing", 1);
	assert_said(&load, "attribute \"wait\" is missing", 1);
	assert_said(&load, "attribute \"user\" is missing", 1);
	assert_said(&load, "attribute \"server\" is missing", 1);
	assert_said(&load, "an UNLISTED service needs a port", 1);
	assert_true(load_broken(&load, "a"));
	load_done(&load);
	/* But not what is there, and wrong. */
	load_text(&load,
		  "service a\n{\ntype = UNLISTED\nport = 4001\nsocket_type = striem\nwait = maybe\n"
		  "user = root root\nserver = /bin/sh -x\n}\n");
	assert_int_equal(load.diag.n, 4);
	assert_said(&load, "\"maybe\" is not valid", 1);
	assert_said(&load, "\"user\" takes 1 value", 1);
	assert_said(&load, "\"server\" takes 1 value", 1);
	load_done(&load);
}

static void takes_ports_from_0_to_65535_and_nothing_else(void **state)
{
	static const char *const bad[] = { "65536", "-1", "99999999999999999999", "12x",
					   "no-such-name" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		char *text, *said;

		assert_true(asprintf(&text, STANZA_AT("a", "%s", ""), bad[i]) > 0);
		assert_true(asprintf(&said, "main.conf:5: error: port \"%s\" is not valid; write",
				     bad[i]) > 0);
		refuses(text, said);
		free(text);
		free(said);
	}
	listens_on("", "tcp [::]:4001");
	{
		struct load load;

		load_text(&load, STANZA_AT("a", "0", "") STANZA_AT("b", "65535", "")
					 STANZA_AT("c", "0", ""));
		assert_int_equal(must_have(&load, "a")->port, 0);
		assert_int_equal(must_have(&load, "b")->port, 65535);
		/* Two of them do not get the same one. */
		(void)must_have(&load, "c");
		load_done(&load);
	}
}

static void finds_the_ports_of_listed_services(void **state)
{
	struct load load;

	(void)state;
	if (!has_services_database())
		skip();
	load_text(
		&load,
		BARE("ftp", "socket_type = stream\n" EXTERNAL) BARE(
			"telnet", "socket_type = stream\nport = 23\n" EXTERNAL)
			BARE("finger", "socket_type = stream\nport = 80\n" EXTERNAL) BARE(
				"no-such-service", "socket_type = stream\n" EXTERNAL)
				BARE("my-service", "socket_type = stream\nport = 4001\n" EXTERNAL) BARE(
					"b",
					"type = UNLISTED\nport = nntp\nsocket_type = stream\n" EXTERNAL));
	assert_int_equal(must_have(&load, "ftp")->port, 21);
	assert_int_equal(must_have(&load, "telnet")->port, 23);
	assert_said(&load, "error: service \"finger\" has port 79 in the services database, not 80",
		    1);
	assert_true(load_broken(&load, "finger"));
	assert_said(&load, "error: \"no-such-service/tcp\" is not in the services database", 1);
	assert_int_equal(must_have(&load, "my-service")->port, 4001);
	assert_said(&load, "notice: \"my-service/tcp\" is not in the services database", 1);
	assert_int_equal(must_have(&load, "b")->port, 119);
	load_done(&load);
}

static void gives_internal_services_no_server_and_datagrams_only_loopback(void **state)
{
	const struct service *s;
	struct load load;

	(void)state;
	load_text(&load,
		  BARE("echo",
		       "id = es\ntype = INTERNAL UNLISTED\nport = 4007\nsocket_type = stream\n"
		       "wait = no\n")
			  BARE("ECHO", "id = ed\ntype = INTERNAL UNLISTED\nport = 4007\n"
				       "socket_type = dgram\nwait = yes\n")
				  BARE("time", "id = open\ntype = INTERNAL UNLISTED\nport = 4008\n"
					       "socket_type = dgram\nwait = yes\nbind = *\n"));
	assert_int_equal(load.diag.errors, 0);
	s = must_have(&load, "es");
	assert_int_equal(s->builtin, BUILTIN_ECHO);
	assert_listens(s, "tcp [::]:4007");
	/* D42 */
	s = must_have(&load, "ed");
	assert_listens(s, "udp 127.0.0.1:4007, udp [::1]:4007");
	assert_true(s->endpoints[1].optional);
	assert_listens(must_have(&load, "open"), "udp [::]:4008");
	load_done(&load);
	refuses(BARE("foo",
		     "id = a\ntype = INTERNAL UNLISTED\nport = 4007\nsocket_type = stream\nwait = no\n"),
		"there is no internal service \"foo\"");
	/* D51: the name must not open a hole in the daemon. */
	refuses(BARE("sensor",
		     "id = a\ntype = INTERNAL UNLISTED\nport = 4007\nsocket_type = stream\nwait = no\n"),
		"the name \"sensor\" is reserved");
}

static void refuses_combinations_that_cannot_work(void **state)
{
	(void)state;
	/* D30 */
	refuses(BARE("a", "type = UNLISTED\nport = 4001\nsocket_type = dgram\n" EXTERNAL),
		"a datagram service cannot have a server for each connection");
	/* D53 */
	refuses(BARE("a",
		     "type = UNLISTED\nport = 4001\nsocket_type = stream\nwait = yes\nuser = root\n"
		     "server = /bin/sh\nonly_from = 10.0.0.1\n"),
		"usherd cannot check who connects");
	refuses(STANZA("a", "redirect = localhost 99999\n"), "port \"99999\" is not valid");
	refuses(STANZA("a", "flags = NAMEINARGS\nredirect = localhost 80\n"), "NAMEINARGS");
	refuses(BARE("a", "type = TCPMUX\nsocket_type = stream\n" EXTERNAL),
		"type = TCPMUX UNLISTED");
	/* D40: the second crashed xinetd. */
	refuses(BARE("a",
		     "type = TCPMUX UNLISTED\nsocket_type = dgram\nwait = yes\nuser = root\nserver = /bin/sh\n"),
		"socket_type = stream");
	refuses(BARE("a", "type = TCPMUX UNLISTED\nsocket_type = raw\n" EXTERNAL),
		"socket_type = stream");
	refuses(BARE("a",
		     "type = TCPMUX RPC UNLISTED\nsocket_type = stream\nprotocol = tcp\nrpc_version = 2\n"
		     "rpc_number = 300000\n" EXTERNAL),
		"TCPMUX or RPC");
	refuses(BARE("tcpmux",
		     "id = a\ntype = TCPMUX INTERNAL UNLISTED\nsocket_type = stream\nwait = no\n"),
		"does not lead to itself");
	refuses(BARE("a", "type = RPC UNLISTED\nsocket_type = stream\nprotocol = tcp\n" EXTERNAL),
		"needs \"rpc_version");
	/* What cannot be understood is told, also where it would have no effect. */
	refuses(BARE("a",
		     "type = UNLISTED\nport = 4001\nsocket_type = stream\nrpc_version = x\n" EXTERNAL),
		"\"x\" is no version");
	refuses(BARE("a",
		     "type = RPC UNLISTED\nsocket_type = stream\nprotocol = tcp\nrpc_version = 3-2\n"
		     "rpc_number = 5\n" EXTERNAL),
		"\"3-2\" is no version");
}

static void reads_rpc_tcpmux_and_redirected_services(void **state)
{
	const struct service *s;
	struct load load;

	(void)state;
	load_text(&load,
		  BARE("r", "type = RPC UNLISTED\nsocket_type = stream\nprotocol = tcp\n"
			    "rpc_version = 2-4\nrpc_number = 300000\n" EXTERNAL)
			  BARE("m", "type = TCPMUX UNLISTED\nsocket_type = stream\n" EXTERNAL) BARE(
				  "d",
				  "type = UNLISTED\nport = 4001\nsocket_type = stream\nwait = no\n"
				  "user = root\nredirect = 192.0.2.1 80\n"));
	assert_int_equal(load.diag.errors, 0);
	s = must_have(&load, "r");
	assert_int_equal(s->rpc_min_version, 2);
	assert_int_equal(s->rpc_max_version, 4);
	assert_int_equal(s->rpc_number, 300000);
	assert_int_equal(must_have(&load, "m")->n_endpoints, 0);
	s = must_have(&load, "d");
	assert_string_equal(s->redirect_host, "192.0.2.1");
	assert_int_equal(s->redirect_port, 80);
	assert_null(s->server);
	/* What this version cannot carry out, it says. */
#ifdef HAVE_TIRPC
	assert_said(&load, "is not hosted: ", 0);
#else
	assert_said(&load, "is not hosted: ", 1);
#endif
	load_done(&load);
}

#define RPC(id, versions, more)                                                                    \
	BARE("r", "id = " id "\ntype = RPC UNLISTED\nrpc_number = 300000\nrpc_version = " versions \
		  "\n" more EXTERNAL)
#define RPC_TCP "socket_type = stream\n"

static void knows_what_rpcbind_cannot_tell_apart(void **state)
{
	struct load load;

	(void)state;
	load_text(&load, RPC("a", "1-2", RPC_TCP) RPC("b", "2-3", RPC_TCP));
	assert_int_equal(load.conf->n, 1);
	assert_said(&load, "service a (", 1);
	assert_said(&load, "has the same RPC program and version", 1);
	assert_true(load_broken(&load, "b"));
	load_done(&load);
	/* Other versions, another protocol, another family. */
	load_text(&load, RPC("a", "1", RPC_TCP) RPC("b", "2", RPC_TCP));
	assert_int_equal(load.conf->n, 2);
	load_done(&load);
	load_text(&load,
		  RPC("a", "1", RPC_TCP "bind = 127.0.0.1\n") RPC("b", "1", RPC_TCP "bind = ::1\n")
			  RPC("c", "1", RPC_TCP "bind = /run/r\n"));
	assert_int_equal(load.conf->n, 3);
	load_done(&load);
	load_text(&load, RPC("a", "1", RPC_TCP "bind = 127.0.0.1\n")
				 RPC("b", "1", RPC_TCP "flags = IPv6\n"));
	assert_int_equal(load.conf->n, 1);
	load_done(&load);
	/* A given port is a place like any other; the kernel's choice is none. */
	load_text(&load, BARE("s", "port = 4711\ntype = UNLISTED\n" RPC_TCP EXTERNAL)
				 RPC("b", "1", RPC_TCP "port = 4711\n"));
	assert_int_equal(load.conf->n, 1);
	load_done(&load);
	refuses(RPC("a", "1-129", RPC_TCP), "more than 128 versions");
	refuses(RPC("a", "1", "type = RPC\nsocket_type = seqpacket\nbind = /run/r\n"),
		"an RPC service is stream");
	refuses(RPC("a", "1", RPC_TCP "bind = @name\n"), "a stream socket with a path");
	refuses(RPC("a", "1", RPC_TCP "bind = 127.0.0.1 127.0.0.2\n"), "needs \"port = NUMBER\"");
	load_text(&load, RPC("a", "1", RPC_TCP "port = 4711\nbind = 127.0.0.1 127.0.0.2\n"));
	assert_int_equal(load.conf->n, 1);
	load_done(&load);
}

static void asks_no_wrappers_for_streams_of_rpc(void **state)
{
	struct load load;

	(void)state;
	/* compat.md 2.5 */
	load_text(&load,
		  RPC("a", "1", RPC_TCP) BARE(
			  "u", "type = RPC UNLISTED\nrpc_number = 300000\nrpc_version = 1\n"
			       "socket_type = dgram\nwait = yes\nuser = root\nserver = /bin/sh\n"));
	assert_true(must_have(&load, "a")->flags & FLAG_NOLIBWRAP);
	assert_false(must_have(&load, "u")->flags & FLAG_NOLIBWRAP);
	load_done(&load);
}

#define MUX(name, more) BARE(name, "type = TCPMUX UNLISTED\nsocket_type = stream\n" more EXTERNAL)
#define TCPMUX                                                                 \
	BARE("tcpmux", "type = INTERNAL UNLISTED\nport = 4001\nsocket_type = " \
		       "stream\nwait = no\n")

static void tells_which_services_nobody_can_reach_through_tcpmux(void **state)
{
	struct load load;

	(void)state;
	load_text(&load,
		  TCPMUX MUX("a", "") MUX("b", "") BARE(
			  "a", "type = UNLISTED\nport = 4002\nsocket_type = stream\n" EXTERNAL));
	assert_int_equal(load.conf->n, 4);
	assert_int_equal(load.diag.n, 0);
	load_done(&load);

	load_text(&load, MUX("a", "") TCPMUX MUX("A", "id = other\n") MUX("Help", ""));
	assert_int_equal(load.diag.errors, 0);
	assert_int_equal(load.conf->n, 4);
	assert_said(&load, "tcpmux leads to another service of this name", 1);
	assert_said(&load, "nobody can reach", 2);
	load_done(&load);

	load_text(&load, MUX("a", "") MUX("b", ""));
	assert_said(&load, "stands behind tcpmux, which is not enabled", 2);
	load_done(&load);
	load_text(
		&load,
		TCPMUX BARE(
			"w",
			"type = TCPMUXPLUS UNLISTED\nsocket_type = stream\nwait = yes\nuser = root\nserver = /bin/sh\n"));
	assert_said(&load, "wait = yes has no meaning behind tcpmux", 1);
	load_done(&load);
}

static void takes_one_log_for_all_services(void **state)
{
	struct load load;

	(void)state;
	load_text(&load,
		  "defaults\n{\nlog_type = SYSLOG daemon\nlog_type = FILE /x\n}\n" STANZA("a", ""));
	assert_int_equal(load.status, -EINVAL);
	assert_said(&load, "main.conf:4: error: \"log_type\" is already set on line 3", 1);
	load_done(&load);
	load_text(&load, STANZA("a", "log_type = SYSLOG daemon\nlog_type = FILE /x\n"));
	assert_int_equal(must_have(&load, "a")->log->kind, LOG_KIND_SYSLOG);
	assert_said(&load, "warning: \"log_type\" is already set", 1);
	load_done(&load);
}

static void finds_who_stands_in_the_way_of_a_wildcard(void **state)
{
	/* All addresses of a port include each one; which of both stands first does not matter. */
	static const struct {
		const char *first, *second;
		size_t n;
	} pairs[] = {
		{ "", "bind = 127.0.0.1\n", 1 },
		{ "bind = 127.0.0.1\n", "", 1 },
		{ "bind = ::1\n", "", 1 },
		{ "flags = IPv4\n", "bind = 127.0.0.1\n", 1 },
		{ "bind = 127.0.0.2 127.0.0.1\n", "flags = IPv4\n", 1 },
		{ "flags = IPv4\n", "bind = ::1\n", 2 },
		{ "flags = IPv6\nv6only = yes\n", "bind = 127.0.0.1\n", 2 },
		{ "flags = IPv6\nv6only = yes\n", "bind = ::1\n", 1 },
		{ "flags = IPv6\nv6only = yes\n", "flags = IPv4\n", 2 },
		{ "bind = 127.0.0.1\n", "bind = ::1\n", 2 },
	};

	struct load load;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		char text[1024];

		(void)snprintf(text, sizeof(text), STANZA("a", "%s") STANZA("b", "%s"),
			       pairs[i].first, pairs[i].second);
		load_text(&load, text);
		if (load.conf->n != pairs[i].n) {
			load_print(&load);
			fail_msg("pair %zu: %zu services", i, load.conf->n);
		}
		if (pairs[i].n == 1)
			assert_said(&load, "listens where service a does already", 1);
		load_done(&load);
	}
}

static void lets_the_first_of_two_services_at_one_place_win(void **state)
{
	struct load load;

	(void)state;
	/* D8: xinetd notices only services with bind. */
	load_text(&load, STANZA("a", "") STANZA("b", "") STANZA("a", ""));
	assert_int_equal(load.conf->n, 1);
	assert_int_equal(must_have(&load, "a")->line, 1);
	assert_said(&load, "main.conf:10: error: listens where service a does already", 1);
	assert_said(&load, "listens where service a does already", 2);
	load_done(&load);
	load_text(&load, STANZA("a", "bind = 127.0.0.1\n") STANZA("b", "bind = 127.0.0.2\n")
				 STANZA("c", "bind = 127.0.0.3 127.0.0.2\n"));
	assert_int_equal(load.conf->n, 2);
	assert_true(load_broken(&load, "c"));
	load_done(&load);
	/* Equal ids at different places are fine, and so is one port for two protocols. */
	load_text(&load,
		  STANZA("a", "") STANZA_AT("a", "4002", "") BARE(
			  "a", "type = UNLISTED\nport = 4001\nsocket_type = dgram\nwait = yes\n"
			       "user = root\nserver = /bin/sh\n"));
	assert_int_equal(load.conf->n, 3);
	load_done(&load);
}

static void stops_reading_a_stanza_at_disable(void **state)
{
	struct load load;

	(void)state;
	load_text(&load, STANZA("a", "disable = yes\ninstances = x\nnonsense\n")
				 STANZA("b", "disable = no\n"));
	assert_int_equal(load.diag.n, 0);
	assert_int_equal(load.conf->n, 1);
	assert_int_equal(load.conf->broken.n, 0);
	assert_int_equal(load.conf->n_disabled, 1);
	load_done(&load);
}

static void runs_what_enabled_names_and_disabled_does_not(void **state)
{
	struct load load;

	(void)state;
	load_text(&load,
		  "defaults\n{\nenabled = A\nenabled += b d\ndisabled = b\n}\n" STANZA("a", "")
			  STANZA_AT("b", "4002", "") STANZA_AT("c", "4003", "")
				  STANZA_AT("d", "4004", "disable = yes\n")
					  STANZA_AT("x", "4005", "id = D\n"));
	assert_non_null(load_service(&load, "a"));
	assert_non_null(load_service(&load, "D"));
	assert_int_equal(load.conf->n, 2);
	assert_int_equal(load.conf->n_disabled, 3);
	load_done(&load);
}

static void gives_all_errors_of_all_files_in_one_run(void **state)
{
	struct load load;

	(void)state;
	load_init(&load);
	load_put(&load, "main.conf",
		 "include one\n" STANZA(
			 "a", "instances = x\nnice = y\numask = z\n") "junk\ninclude two\n"
								      "include none\n" STANZA("ok",
											      ""));
	load_put(&load, "one", STANZA("b", "cps = 1\n"));
	load_put(&load, "two", STANZA("c", "per_source = x\n") "service d\n{\n");
	load_run(&load);
	assert_int_equal(load.status, 0);
	assert_said(&load, "main.conf:10: error: instances", 1);
	assert_said(&load, "main.conf:11: error: nice", 1);
	assert_said(&load, "main.conf:12: error: umask", 1);
	assert_said(&load, "main.conf:14: error: \"junk\"", 1);
	assert_said(&load, "one:9: error: \"cps\"", 1);
	assert_said(&load, "two:9: error: per_source", 1);
	assert_said(&load, "two:11: error: incomplete entry", 1);
	assert_said(&load, "main.conf:16: error: file ", 1);
	(void)must_have(&load, "ok");
	assert_int_equal(load.conf->n, 1);
	assert_int_equal(load.conf->broken.n, 4);
	load_done(&load);
}

static void trusts_nothing_when_defaults_has_an_error(void **state)
{
	struct load load;

	(void)state;
	/* D1; and the errors of services are told all the same. */
	load_text(&load, "defaults\n{\ninstances = x\n}\n" STANZA("a", "nice = y\n"));
	assert_int_equal(load.status, -EINVAL);
	assert_null(load.conf);
	assert_said(&load, "main.conf:3: error: instances", 1);
	assert_said(&load, "main.conf:13: error: nice", 1);
	load_done(&load);
	load_text(&load, "defaults\n{\ninstances = 5\n" STANZA("a", ""));
	assert_int_equal(load.status, -EINVAL);
	load_done(&load);
}

/* xinetd ignores the second, with all that it restricts. */
static void refuses_a_second_defaults_in_a_file(void **state)
{
	struct load load;

	(void)state;
	load_text(&load, "defaults\n{\ninstances = 1\n}\n" STANZA(
				 "a", "") "defaults\n{\nno_access = 10.0.0.1\n}\n");
	assert_int_equal(load.status, -EINVAL);
	assert_said(&load, "error: only one defaults section a file", 1);
	load_done(&load);
}

static void adds_up_the_defaults_of_several_files(void **state)
{
	const struct service *s;
	struct load load;

	(void)state;
	load_init(&load);
	load_put(
		&load, "main.conf",
		"defaults\n{\nonly_from = 10.0.0.1\nonly_from = 10.0.0.2\ninstances = 1\n}\ninclude more\n" STANZA(
			"a", ""));
	load_put(&load, "more",
		 "defaults\n{\nonly_from += 10.0.0.3\nonly_from -= 10.0.0.1\ninstances = 2\n}\n");
	load_run(&load);
	s = must_have(&load, "a");
	assert_words(s->only_from->words, "10.0.0.2 10.0.0.3");
	assert_int_equal(s->instances, 1);
	assert_said(&load,
		    "more:5: warning: \"instances\" is already set by the defaults of another file",
		    1);
	load_done(&load);
}

static void includes_files_where_the_line_stands(void **state)
{
	struct load load;

	(void)state;
	load_init(&load);
	load_put(&load, "main.conf",
		 STANZA_AT("a", "1", "") "include sub\n" STANZA_AT("d", "4", ""));
	load_put(&load, "sub", STANZA_AT("b", "2", "") "include subsub\n");
	load_put(&load, "subsub", STANZA_AT("c", "3", ""));
	load_run(&load);
	assert_int_equal(load.conf->n, 4);
	for (int i = 0; i < 4; i++)
		assert_int_equal(load.conf->services[i]->port, i + 1);
	load_done(&load);
}

static void includes_the_files_of_a_directory_in_byte_order(void **state)
{
	struct load load;

	(void)state;
	load_init(&load);
	load_put(&load, "main.conf", "includedir d/\nincludedir none\n");
	load_put(&load, "d/", "");
	load_put(&load, "d/b", STANZA_AT("b", "3", ""));
	load_put(&load, "d/B", STANZA_AT("B", "2", ""));
	load_put(&load, "d/10", STANZA_AT("ten", "1", ""));
	load_put(&load, "d/c.rpmsave", STANZA_AT("c1", "9", ""));
	load_put(&load, "d/.hidden", STANZA_AT("c2", "9", ""));
	load_put(&load, "d/c~", STANZA_AT("c3", "9", ""));
	load_put(&load, "d/sub/", "");
	load_put(&load, "d/sub/x", STANZA_AT("c4", "9", ""));
	load_run(&load);
	assert_int_equal(load.conf->n, 3);
	for (int i = 0; i < 3; i++)
		assert_int_equal(load.conf->services[i]->port, i + 1);
	assert_said(&load, "d/sub is not a regular file and is skipped", 1);
	assert_said(&load, "main.conf:2: error: directory ", 1);
	assert_int_equal(load.conf->seen.unread.n, 1);
	load_done(&load);
}

static void follows_include_loops_to_their_end_only(void **state)
{
	struct load load;

	(void)state;
	/* D55 */
	load_init(&load);
	load_put(&load, "main.conf", "include main.conf\ninclude other\n" STANZA("a", ""));
	load_put(&load, "other", "include main.conf\nincludedir d\n");
	load_put(&load, "d/", "");
	load_put(&load, "d/x", "includedir d\n");
	load_run(&load);
	assert_int_equal(load.status, 0);
	assert_said(&load, "the includes form a loop", 3);
	assert_int_equal(load.conf->n, 1);
	load_done(&load);
}

static void limits_the_depth_of_includes(void **state)
{
	struct load load;

	(void)state;
	load_init(&load);
	load_put(&load, "main.conf", "include f0\n" STANZA("a", ""));
	for (int i = 0; i < 40; i++) {
		char name[16], text[32];

		(void)snprintf(name, sizeof(name), "f%d", i);
		(void)snprintf(text, sizeof(text), "include f%d\n", i + 1);
		load_put(&load, name, text);
	}
	load_run(&load);
	assert_said(&load, "files include each other too deeply", 1);
	(void)must_have(&load, "a");
	load_done(&load);
}

static void tells_why_a_main_file_cannot_be_read(void **state)
{
	struct load load;

	(void)state;
	load_init(&load);
	load_run(&load);
	assert_int_equal(load.status, -ENOENT);
	assert_said(&load, "main.conf: error: ", 1);
	assert_said(&load, "cannot be read: No such file or directory", 1);
	load_put(&load, "main.conf/", "");
	load_run(&load);
	assert_int_equal(load.status, -EISDIR);
	assert_said(&load, "it is a directory; for a directory of files write \"includedir\"", 1);
	load_done(&load);
}

static void reads_dos_files(void **state)
{
	struct load load;

	(void)state;
	/* D54 */
	load_text(&load,
		  "service a\r\n{\r\ntype = UNLISTED\r\nsocket_type = stream\r\nport = 4001\r\n"
		  "wait = no\r\nuser = root\r\nserver = /bin/sh\r\nonly_from =\r\n}\r\n");
	assert_int_equal(load.diag.n, 0);
	assert_true(must_have(&load, "a")->only_from->given);
	load_done(&load);
}

static void refuses_stanzas_with_missing_braces_however_complete(void **state)
{
	static const char lines[] = "type = UNLISTED\nsocket_type = stream\nport = 4001\n" EXTERNAL;
	const char *const frames[] = { "service a\n%s}\n", "service a\n{\n%s",
				       "service a\n{\n%s} x\n" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(frames); i++) {
		char text[1024];
		struct load load;

		const char *at = strstr(frames[i], "%s");

		(void)snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - frames[i]), frames[i],
			       lines, at + 2);
		load_text(&load, text);
		assert_int_equal(load.conf->n, 0);
		assert_true(load_broken(&load, "a"));
		assert_int_equal(load.diag.errors, 1);
		load_done(&load);
	}
}

static void tells_unknown_users_and_groups(void **state)
{
	(void)state;
	refuses(BARE("a",
		     "type = UNLISTED\nport = 4001\nsocket_type = stream\nwait = no\nserver = /bin/sh\n"
		     "user = no-such-user\n"),
		"main.conf:8: error: there is no user \"no-such-user\"");
	refuses(STANZA("a", "group = no-such-group\n"),
		"main.conf:9: error: there is no group \"no-such-group\"");
}

static void refuses_what_does_not_go_together(void **state)
{
	(void)state;
	refuses(STANZA("a", "protocol = udp\n"),
		"error: protocol udp does not go with this socket_type: leave one of the two out");
	refuses(BARE("a", "type = UNLISTED\nport = 4001\nsocket_type = stream\nwait = yes\n"
			  "server = /bin/sh\nuser = root\nflags = LABELED\n"),
		"error: LABELED needs an external stream service with wait = no");
}

static void keeps_the_primary_group_beside_another(void **state)
{
	const struct service *s;
	struct load load;
	bool found = false;

	(void)state;
	load_text(&load, STANZA("a", "groups = yes\ngroup = 777\n"));
	s = must_have(&load, "a");
	assert_int_equal(s->gid, 777);
	for (size_t i = 0; i < s->group_list->n; i++)
		found = found || s->group_list->v[i] == 0;
	assert_true(found);
	load_done(&load);
}

static void takes_numbers_for_users_and_groups(void **state)
{
	const struct service *s;
	struct load load;

	(void)state;
	load_text(&load,
		  BARE("a", "type = UNLISTED\nport = 4001\nsocket_type = stream\nwait = no\n"
			    "server = /bin/sh\nuser = 54321\n")
			  BARE("b",
			       "type = UNLISTED\nport = 4002\nsocket_type = stream\nwait = no\n"
			       "server = /bin/sh\nuser = 54321\ngroup = 777\n"));
	s = must_have(&load, "a");
	assert_int_equal(s->uid, 54321);
	assert_int_equal(s->gid, 54321);
	s = must_have(&load, "b");
	assert_int_equal(s->gid, 777);
	load_done(&load);
}

/* A load of one service that has @lines of its own and the file "list" with @text; %s in @lines is its path. */
static void load_list(struct load *load, const char *lines, const void *text, size_t bytes)
{
	char path[PATH_MAX], conf[PATH_MAX + 512];

	load_init(load);
	load_put_bytes(load, "list", text, bytes);
	(void)snprintf(path, sizeof(path), "%s/list", load->dir);
	(void)snprintf(conf, sizeof(conf), STANZA("b", "") STANZA_AT("a", "4002", "%s%s\n"), lines,
		       path);
	load_put(load, "main.conf", conf);
	load_run(load);
}

static bool list_has(const struct addr_rules *rules, const char *text)
{
	struct addr addr;

	assert_int_equal(addr_parse(text, &addr), 0);
	return prefixset_has(&rules->blocks, &addr);
}

static void reads_address_lists_from_files(void **state)
{
	static const char text[] = "# who may\n\n  10.1.0.0 # ours\n2001:db8::/32\r\n"
				   "192.0.2.7\n.example.org";
	const struct service *s;
	struct load load;

	(void)state;
	load_list(&load, "only_from = 127.0.0.1\nonly_from_file = ", text, strlen(text));
	s = must_have(&load, "a");
	assert_words(s->only_from->words, "127.0.0.1");
	assert_words(&s->only_from->names, ".example.org");
	assert_true(list_has(s->only_from, "127.0.0.1"));
	assert_true(list_has(s->only_from, "10.1.255.1"));
	assert_true(list_has(s->only_from, "2001:db8::5"));
	assert_true(list_has(s->only_from, "192.0.2.7"));
	assert_false(list_has(s->only_from, "192.0.2.8"));
	load_done(&load);
	load_list(&load, "no_access_file = ", "10.0.0.1\n", 9);
	s = must_have(&load, "a");
	assert_true(list_has(s->no_access, "10.0.0.1"));
	assert_false(s->only_from->given);
	load_done(&load);
}

static void an_empty_file_of_addresses_admits_nobody(void **state)
{
	const struct service *s;
	struct load load;

	(void)state;
	load_list(&load, "only_from_file = ", "# none\n", 7);
	s = must_have(&load, "a");
	assert_true(s->only_from->given);
	assert_int_equal(s->only_from->blocks.n, 0);
	load_done(&load);
}

static void fails_closed_on_files_of_addresses_that_cannot_be_used(void **state)
{
	static const struct {
		const char *text;
		size_t bytes;
		const char *said;
	} cases[] = {
		{ "10.0.0.1\n10.0.0.300\n", 20, "/list, line 2: not an IPv4 address" },
		{ "10.0.0.1 10.0.0.2\n", 18, "/list, line 1: write one address a line" },
		{ "10.0.0.1\0\n", 10, "/list, line 1: there is a NUL" },
		{ "\xff\xfe\n", 3, "/list, line 1: neither an address nor a host name" },
	};
	struct load load;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		load_list(&load, "no_access_file = ", cases[i].text, cases[i].bytes);
		assert_said(&load, cases[i].said, 1);
		assert_true(load_broken(&load, "a"));
		(void)must_have(&load, "b");
		load_done(&load);
	}
	load_list(&load, "only_from_file = /nonexistent", "", 0);
	assert_said(&load, "No such file or directory", 1);
	assert_true(load_broken(&load, "a"));
	load_done(&load);
	load_list(&load, "only_from_file = list\n#", "", 0);
	assert_said(&load, "write the whole path, from / on", 1);
	load_done(&load);
	load_list(&load, "only_from_file = /\n#", "", 0);
	assert_said(&load, "this is no regular file", 1);
	load_done(&load);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(listens_on_all_addresses_of_both_families_by_default),
		cmocka_unit_test(listens_on_each_bind_address),
		cmocka_unit_test(listens_on_unix_sockets_without_a_port),
		cmocka_unit_test(refuses_socket_paths_that_do_not_fit),
		cmocka_unit_test(refuses_addresses_that_contradict_a_flag),
		cmocka_unit_test(infers_protocol_and_socket_type_from_each_other),
		cmocka_unit_test(asks_for_what_a_service_must_have),
		cmocka_unit_test(takes_ports_from_0_to_65535_and_nothing_else),
		cmocka_unit_test(finds_the_ports_of_listed_services),
		cmocka_unit_test(gives_internal_services_no_server_and_datagrams_only_loopback),
		cmocka_unit_test(refuses_combinations_that_cannot_work),
		cmocka_unit_test(reads_rpc_tcpmux_and_redirected_services),
		cmocka_unit_test(knows_what_rpcbind_cannot_tell_apart),
		cmocka_unit_test(asks_no_wrappers_for_streams_of_rpc),
		cmocka_unit_test(tells_which_services_nobody_can_reach_through_tcpmux),
		cmocka_unit_test(takes_one_log_for_all_services),
		cmocka_unit_test(finds_who_stands_in_the_way_of_a_wildcard),
		cmocka_unit_test(lets_the_first_of_two_services_at_one_place_win),
		cmocka_unit_test(stops_reading_a_stanza_at_disable),
		cmocka_unit_test(runs_what_enabled_names_and_disabled_does_not),
		cmocka_unit_test(gives_all_errors_of_all_files_in_one_run),
		cmocka_unit_test(trusts_nothing_when_defaults_has_an_error),
		cmocka_unit_test(refuses_a_second_defaults_in_a_file),
		cmocka_unit_test(adds_up_the_defaults_of_several_files),
		cmocka_unit_test(includes_files_where_the_line_stands),
		cmocka_unit_test(includes_the_files_of_a_directory_in_byte_order),
		cmocka_unit_test(follows_include_loops_to_their_end_only),
		cmocka_unit_test(limits_the_depth_of_includes),
		cmocka_unit_test(tells_why_a_main_file_cannot_be_read),
		cmocka_unit_test(reads_dos_files),
		cmocka_unit_test(refuses_stanzas_with_missing_braces_however_complete),
		cmocka_unit_test(tells_unknown_users_and_groups),
		cmocka_unit_test(refuses_what_does_not_go_together),
		cmocka_unit_test(keeps_the_primary_group_beside_another),
		cmocka_unit_test(takes_numbers_for_users_and_groups),
		cmocka_unit_test(reads_address_lists_from_files),
		cmocka_unit_test(an_empty_file_of_addresses_admits_nobody),
		cmocka_unit_test(fails_closed_on_files_of_addresses_that_cannot_be_used),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
