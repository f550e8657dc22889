# SPDX-License-Identifier: ISC
"""Scenarios: who may have a service, and how much of it (compat 2.3, 2.4, 8)."""

import time

from table import add, alone, ask, crowd, held, hold, hup, pause, release, sees, stanza, udp, until, whole_second

EVERYWHERE = [ask(src="127.0.0.1"), ask(src="10.1.2.3"), ask(src="10.1.3.3"), ask(src="10.2.0.1"),
              ask(src="192.168.7.7"), ask(src="fd00::2"), ask(src="fd00:1::1")]

# --- 2.4 the forms of an address, in only_from ---------------------------------------------------------

for name, word in (
        ("host", "10.1.2.3"), ("zeros-24", "10.1.2.0"), ("zeros-16", "10.1.0.0"), ("zeros-8", "10.0.0.0"),
        ("zeros-all", "0.0.0.0"), ("short-one", "127"), ("short-two", "127.1"), ("short-three", "127.0.0"),
        ("hex", "0x7f000001"), ("octal", "0177.0.0.1"), ("leading-zeros", "010.001.002.003"),
        ("ipv6", "fd00::2"), ("ipv6-any", "::"), ("ipv6-all", "::/0"), ("ipv6-prefix", "fd00::/64"),
        ("ipv6-prefix-16", "fd00::/16"), ("ipv6-128", "fd00::2/128"), ("ipv6-129", "fd00::2/130"),
        ("mapped", "::ffff:10.1.2.3"), ("mapped-prefix", "::ffff:10.1.0.0/112"),
        ("prefix-8", "10.0.0.0/8"), ("prefix-24", "10.1.2.0/24"), ("prefix-32", "10.1.2.3/32"), ("prefix-0", "10.1.2.3/0"),
        ("prefix-unclean", "10.1.2.3/16"), ("prefix-33", "10.1.2.3/33"), ("prefix-junk", "10.0.0.0/8junk"),
        ("prefix-empty", "10.0.0.0/"), ("mask", "10.0.0.0/255.0.0.0"), ("mask-broken", "10.0.0.0/255.0.255.0"),
        ("braces", "10.1.{2,3}"), ("braces-hosts", "10.1.2.{3,4}"), ("braces-16", "10.{1,2}"), ("braces-8", "{10,127}"),
        ("braces-one", "10.1.2.{3}"), ("braces-large", "10.{300}"), ("braces-open", "10.1.{2,3"), ("braces-empty", "10.1.{}"),
        ("braces-inside", "10.{1,2}.3"), ("comma", "10.1.2.3,10.2.0.1"), ("garbage", "!?"), ("two", "10.1.2.3 fd00::2"), ("large-byte", "10.1.2.300"),
        ("five", "10.1.2.3.4")):
    add("only-" + name, "2.4", "only_from = " + word, EVERYWHERE)

# --- and in no_access ------------------------------------------------------------------------------------

for name, word in (("host", "10.1.2.3"), ("zeros", "10.1.0.0"), ("ipv6", "fd00::/64"), ("all", "0.0.0.0"), ("ipv6-all", "::/0"),
                   ("nobody", ""), ("garbage", "10.1.2.3 !?"), ("prefix-junk", "10.0.0.0/8junk")):
    add("not-" + name, "2.4", "no_access = " + word, EVERYWHERE)

# --- names. The hosts file does not know an IPv4 address in an IPv6 one, so these listen on IPv4 --------------

IPV4 = EVERYWHERE[:5]
for name, words in (("name", "alpha.example.org"), ("name-capitals", "ALPHA.Example.ORG"), ("name-unknown", "no.such.name"),
                    ("domain", ".example.org"), ("domain-capitals", ".EXAMPLE.org"), ("network-name", "compatnet"),
                    ("name-and-address", "alpha.example.org 10.2.0.1"), ("name-two-addresses", "double.example.org")):
    add("only-" + name, "2.4", "flags = IPv4\nonly_from = " + words, IPV4)
    add("not-" + name, "2.4", "flags = IPv4\nno_access = " + words, IPV4)
# The name of 10.9.9.9 leads elsewhere: only the first line of a name counts.
add("only-name-unconfirmed", "2.4", "flags = IPv4\nonly_from = .example.org", [ask(src="10.1.3.3"), ask(src="10.9.9.9")])
add("not-name-unconfirmed", "2.4", "flags = IPv4\nno_access = .example.org", [ask(src="10.1.3.3"), ask(src="10.9.9.9")])
add("only-name-ipv6", "2.4", "flags = IPv6\nonly_from = six.example.org", EVERYWHERE[5:])
add("only-domain-ipv6", "2.4", "flags = IPv6\nonly_from = .example.org", EVERYWHERE[5:])
add("only-nobody", "2.4", "only_from =", EVERYWHERE)
alone("both-equal", "2.4", "only_from = 10.1.2.3 10.2.0.1\nno_access = 10.1.2.3", EVERYWHERE)
alone("both-only-better", "2.4", "only_from = 10.1.2.3\nno_access = 10.1.0.0", EVERYWHERE)
alone("both-not-better", "2.4", "only_from = 10.1.0.0\nno_access = 10.1.2.3", EVERYWHERE)
add("only-ipv4-socket", "2.4", "only_from = 10.1.0.0\nflags = IPv4", EVERYWHERE[:5])
add("refused-start", "5.2", "only_from = 10.1.2.3", [ask()], raw=True)
add("only-internal", "2.4", "service daytime\n{\ntype = INTERNAL UNLISTED\nid = $NAME\nsocket_type = stream\nwait = no\n"
    "port = $PORT\nlog_type = FILE $LOG\nlog_on_failure = HOST\nonly_from = 10.1.2.3\n}\n", [ask(), ask(src="10.2.0.1")])

# --- 2.3 times ---------------------------------------------------------------------------------------------

AWAY = (time.gmtime().tm_hour + 6) % 24
NEAR = time.gmtime().tm_hour
add("times-all-day", "2.3", "access_times = 0:00-23:59", [ask()], skip="dump")
add("times-away", "2.3", "access_times = %d:10-%d:50" % (AWAY, AWAY), [ask()], skip="dump")
add("times-two", "2.3", "access_times = %d:10-%d:50 00:00-23:59" % (AWAY, AWAY), [ask()], skip="dump")
add("times-midnight", "2.3", "access_times = 22:00-6:00", [], skip="dump")
add("times-24", "2.3", "access_times = 0:00-24:00", [ask()], skip="dump")
add("times-25", "2.3", "access_times = 0:00-25:00", [ask()])
add("times-minute-60", "2.3", "access_times = 0:60-5:00", [ask()])
add("times-junk", "2.3", "access_times = always", [ask()])
add("times-one-value", "2.3", "access_times = 5:00", [ask()])

# --- 8 limits -------------------------------------------------------------------------------------------------

HOLD = "server_args = hold\n"
add("instances-zero", "8.1", "instances = 0", [ask()])
add("instances-one", "8.1", HOLD + "instances = 1", [hold(), hold(), release(), hold(), release()])
add("instances-two", "8.1", HOLD + "instances = 2", [hold(), hold(src="10.1.2.3"), hold(), release(1), hold(), release()])
add("instances-bad", "8.1", "instances = many", [ask()])
add("per-source-one", "8.2", HOLD + "per_source = 1", [hold(), hold(), hold(src="10.1.2.3"), hold(src="10.1.2.3"),
    hold(src="fd00::2"), hold(src="fd00:1::1"), hold(src="fd00::2"), release(), hold(), release()])
add("per-source-zero", "8.2", "per_source = 0", [ask()])
add("per-source-bad", "8.2", "per_source = x", [ask()])
add("per-source-and-instances", "8.2", HOLD + "per_source = 1\ninstances = 2", [hold(), hold(), hold(src="10.1.2.3"),
    hold(src="10.2.0.1"), release()])
add("instances-and-refused", "8.1", HOLD + "instances = 1\nno_access = 10.1.2.3", [hold(src="10.1.2.3"), hold(),
    hold(src="10.1.2.3"), release()])
add("cps-off", "8.3", "cps = 0 5", [ask()] * 60)
add("cps-default", "8.3", "-log_type", [sees("served", lambda run: sum("served" in run.ask() for _ in range(40)))])
add("cps-bad", "8.3", "cps = x 5", [ask()])
add("cps-one", "8.3", "cps = 5", [ask()])
add("cps-bad-time", "8.3", "cps = 5 x", [ask()])
alone("cps-trips", "8.3", "cps = 3 1", [crowd(6), ask(), until("Activating service $NAME"), pause(2.2), ask()])
alone("cps-over-seconds", "8.3", "cps = 3 1", [whole_second(), crowd(3), pause(1.05), ask()])
alone("cps-trips-other-goes-on", "8.3", stanza("cps = 2 60") + stanza("port = $PORT2", "$NAME-2"),
      [crowd(6), ask(), ask(port=2)])
alone("cps-keeps-counts", "8.3", HOLD + "cps = 3 1\ninstances = 3", [hold(), hold(), hold(), hold(),
      until("Activating service $NAME"), pause(2.2), hold(), held(), release()])
add("load-never", "8.4", "max_load = 100000", [ask()], skip="dump")
add("load-negative", "8.4", "max_load = -1", [ask()], skip="dump")
add("load-zero", "8.4", "max_load = 0", [ask()])
add("load-bad", "8.4", "max_load = x", [ask()])
add("load-junk", "8.4", "max_load = 100000x", [ask()], skip="dump")
alone("process-limit", "8.5", HOLD, [hold(), hold(), hold(), release(1), hold(), release()], options=("-limit", "2"))
alone("process-limit-two-services", "8.5", stanza(HOLD) + stanza(HOLD + "port = $PORT2", "$NAME-2"),
      [hold(), hold(port=2), hold(port=2), release()], options=("-limit", "2"))
add("order-time-before-address", "7.2", "access_times = %d:10-%d:50\nno_access = 127.0.0.1" % (AWAY, AWAY), [ask()], skip="dump")
add("order-load-before-time", "7.2", "access_times = %d:10-%d:50\nmax_load = -1" % (AWAY, AWAY), [ask()], skip="dump")
add("order-instances-before-source", "7.2", "instances = 0\nper_source = 0", [ask()])
add("order-address-and-instances", "7.2", "instances = 0\nno_access = 127.0.0.1", [ask()])
alone("wait-load-suspended", "7.6", stanza("socket_type = dgram\nwait = yes\nserver_args = dgram 1 500\nmax_load = -1"), [
    udp(seconds=0.3), hup(stanza("socket_type = dgram\nwait = yes\nserver_args = dgram 1 500")), udp(seconds=0.5)],
    skip=("dump", "log", "messages"))

# --- 2.5 libwrap, 6.6 sensor -------------------------------------------------------------------------------------

DENY = {"/etc/hosts.deny": "witness: 10.1.2.3\nother: 10.1.3.3\ndaytime: 10.2.0.1\n"}
SOURCES = [ask(), ask(src="10.1.2.3"), ask(src="10.1.3.3"), ask(src="10.2.0.1")]
alone("libwrap-server", "2.5", "", SOURCES, files=DENY)
alone("libwrap-name", "2.5", "libwrap = other", SOURCES, files=DENY)
alone("libwrap-nameinargs", "2.5", "-server_args\nflags = NAMEINARGS\nserver_args = /x/other who", SOURCES, files=DENY)
alone("libwrap-flag-off", "2.5", "flags = NOLIBWRAP", SOURCES, files=DENY)
alone("libwrap-internal", "2.5", "service daytime\n{\ntype = INTERNAL UNLISTED\nid = $NAME\nsocket_type = stream\nwait = no\n"
      "port = $PORT\nlog_type = FILE $LOG\nlog_on_failure = HOST\n}\n", SOURCES[3:], files=DENY)
alone("libwrap-allow-first", "2.5", "", SOURCES, files={"/etc/hosts.allow": "witness: 10.1.2.3\n", "/etc/hosts.deny": "ALL: ALL\n"})
alone("libwrap-ipv6", "2.5", "", [ask(src="fd00::2"), ask(src="fd00:1::1")], files={"/etc/hosts.deny": "witness: [fd00::2]\n"})
alone("libwrap-twist", "2.5", "", SOURCES[:2], files={"/etc/hosts.allow": "witness: 10.1.2.3: twist /bin/echo twisted %a\n"})
alone("libwrap-spawn", "2.5", "", SOURCES[:2], files={"/etc/hosts.allow": "witness: 10.1.2.3: spawn /bin/false: deny\n"})
alone("libwrap-banners", "2.5", "", SOURCES[:2], files={"/etc/hosts.allow": "witness: 10.1.2.3: banners /etc/greetings\n",
                                                         "/etc/greetings/witness": "hello %a\n"})
SENSOR = "service $NAME-trap\n{\ntype = INTERNAL UNLISTED\nflags = SENSOR\nsocket_type = stream\nwait = no\nport = $PORT\n" \
    "deny_time = %s\nlog_type = FILE $LOG\nlog_on_failure = HOST\n}\n" + stanza("port = $PORT2", "$NAME-2") + \
    stanza("port = $PORT3\nflags = IPv4", "$NAME-3")
TRAP = [ask(src="10.1.2.3"), ask(src="10.1.2.3", port=2), ask(src="10.1.3.3", port=2), ask(src="10.1.2.3", port=3)]
alone("sensor", "6.6", SENSOR % "5", TRAP)
alone("sensor-forever", "6.6", SENSOR % "FOREVER", TRAP)
alone("sensor-never", "6.6", SENSOR % "NEVER", TRAP)
alone("sensor-zeros", "6.6", SENSOR % "5", [ask(src="10.9.9.0"), ask(src="10.9.9.9", port=2), ask(src="10.9.9.9", port=3)])
alone("sensor-reload", "6.6", SENSOR % "5", TRAP[:1] + [hup()] + TRAP[1:])
add("deny-time-bad", "2.3", "deny_time = soon", [ask()])
