#!/usr/bin/env python3
# Proves that RPC services are found by real clients and answered by real servers, on every transport, and go from rpcbind when they go.
# SPDX-License-Identifier: ISC
import os
import re
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import Daemon, check, equal, finish, path, read, tcp_listens, wait_for, write  # noqa: E402
from rpc_lib import Rpcbind, call, port_of, rpcinfo_asks, stanza, table, versions  # noqa: E402

FIRST = 536870912
NOWAIT, WAIT, UDP, FIXED, FOUR, SIX, LOCAL = range(FIRST, FIRST + 7)

rpcbind = Rpcbind()
conf = {
    "nowait": stanza("nowait", NOWAIT, 1, 3),
    "wait": stanza("wait", WAIT, 2, 2, wait="yes"),
    "udp": stanza("udp", UDP, 1, 2, "udp"),
    "fixed": stanza("fixed", FIXED, 1, 1, port="4711"),
    "fixed-udp": stanza("fixed", FIXED, 1, 1, "udp", port="4711", id="fixed-udp"),
    "four": stanza("four", FOUR, 1, 1, flags="IPv4", bind="127.0.0.1"),
    "six": stanza("six", SIX, 1, 1, "udp", v6only="yes"),
    "local": stanza("local", LOCAL, 1, 1, bind=path("local.sock")),
}
daemon = Daemon("".join(conf.values()))


def registered(*programs):
    return wait_for(lambda: {row[0] for row in table(*programs)} == set(programs))


# --- found and answered -------------------------------------------------------

check("all programs are registered", registered(*range(FIRST, FIRST + 7)), table(*range(FIRST, FIRST + 7)))
for netid in ("tcp", "tcp6"):
    equal("all versions are, for " + netid, versions(NOWAIT, netid), [1, 2, 3])
equal("one socket serves both families", port_of(NOWAIT, "tcp"), port_of(NOWAIT, "tcp6"))
equal("a given port is honoured", [port_of(FIXED, n) for n in ("tcp", "tcp6", "udp", "udp6")], [4711] * 4)
equal("an IPv4 service is for IPv4", [row[2] for row in table(FOUR)], ["tcp"])
equal("an IPv6 one for IPv6", [row[2] for row in table(SIX)], ["udp6"])
equal("one on a Unix socket is local", [row[2] for row in table(LOCAL)], ["local"])

for netid, host in (("tcp", "127.0.0.1"), ("tcp6", "::1")):
    for version in (1, 3):
        check("rpcinfo reaches version %d by %s" % (version, netid), rpcinfo_asks(netid, host, NOWAIT, version))
    check("rpcinfo reaches wait = yes by " + netid, rpcinfo_asks(netid, host, WAIT, 2))
for netid, host in (("udp", "127.0.0.1"), ("udp6", "::1")):
    check("rpcinfo reaches datagrams by " + netid, rpcinfo_asks(netid, host, UDP, 2))
check("rpcinfo does not find a version that nobody has", not rpcinfo_asks("tcp", "127.0.0.1", NOWAIT, 4))

answers = [call("tcp", port_of(NOWAIT, "tcp"), NOWAIT, 2) for _ in range(2)]
equal("a server answers a call", [a and a[0] for a in answers], [2, 2])
check("each connection has its own with wait = no", answers[0][1] != answers[1][1], answers)
answers = [call("tcp", port_of(WAIT, "tcp"), WAIT, 2, host) for host in ("127.0.0.1", "::1", "127.0.0.1")]
equal("one server answers all with wait = yes", {a and a[1] for a in answers}, {answers[0][1]})
answers = [call("udp", port_of(UDP, "udp"), UDP, 1, host) for host in ("127.0.0.1", "::1", "127.0.0.1")]
check("one server answers datagrams", answers[0] and {a and a[1] for a in answers} == {answers[0][1]}, answers)
first = answers[0][1]
check("it ends when nobody asks", wait_for(lambda: not os.path.exists("/proc/%d" % first)))
check("and another one is started", wait_for(lambda: (call("udp", port_of(UDP, "udp"), UDP, 1, timeout=3) or (0, first))[1] != first))
equal("calls reach the given port", [call(kind, 4711, FIXED, 1) and 1 for kind in ("tcp", "udp")], [1, 1])

dump = "/run/usherd/state.dump"
daemon.process.send_signal(signal.SIGUSR1)
wait_for(lambda: "END OF DUMP" in read(dump))
check("the state dump tells of registrations",
      "rpc = program %d version 1 on tcp 0.0.0.0.18.103, registered" % FIXED in read(dump), read(dump))

# --- a reload ------------------------------------------------------------------

before = table(NOWAIT, WAIT, UDP)
port = port_of(NOWAIT, "tcp")
conf["nowait"] = stanza("nowait", NOWAIT, 2, 4)
conf["wait"] = stanza("other", WAIT, 2, 2, wait="yes")
del conf["six"]
conf["fixed"] = stanza("fixed", FIXED, 1, 1, port="4712")
check("the daemon reloads", daemon.reload("".join(conf.values())))
check("changed versions are adjusted", wait_for(lambda: versions(NOWAIT, "tcp") == [2, 3, 4] == versions(NOWAIT, "tcp6")),
      table(NOWAIT))
equal("with the port that they had", {row[3] for row in table(NOWAIT)}, {port})
check("what is removed is unregistered", wait_for(lambda: not table(SIX)), table(SIX))
check("a changed port, too", wait_for(lambda: port_of(FIXED, "tcp") == 4712), table(FIXED))
equal("its other protocol stays", port_of(FIXED, "udp"), 4711)
stays = [row for row in before if row in table(NOWAIT, WAIT, UDP)]
equal("what stays was not touched", [row for row in table(NOWAIT, WAIT, UDP) if row in before], stays)
check("a service of another name has the program of the old one", registered(WAIT), table(WAIT))

# --- a rest -----------------------------------------------------------------------

conf["nowait"] = stanza("nowait", NOWAIT, 2, 4, cps="1 1")
check("the daemon reloads", daemon.reload("".join(conf.values())))


def trip():
    call("tcp", port_of(NOWAIT, "tcp") or 1, NOWAIT, 2)
    return "Deactivating service nowait" in daemon.log()


check("too many connections make a service rest", wait_for(trip))
check("it comes back", daemon.wait_log("Activating service nowait"))
check("where it is registered clients find it", wait_for(
    lambda: port_of(NOWAIT, "tcp", 2) and tcp_listens(port_of(NOWAIT, "tcp", 2), v6=True)
    and call("tcp", port_of(NOWAIT, "tcp", 2), NOWAIT, 2)), table(NOWAIT))

# --- the end --------------------------------------------------------------------------

conf["wait"] = stanza("wait", WAIT, 2, 2, wait="yes", stay=True)
check("the daemon reloads", daemon.reload("".join(conf.values())))
answer = wait_for(lambda: call("tcp", port_of(WAIT, "tcp") or 1, WAIT, 2))
daemon.stop()
equal("SIGTERM unregisters everything", table(*range(FIRST, FIRST + 7)), [])
check("and ends the servers that nobody finds any more", wait_for(lambda: not os.path.exists("/proc/%d" % answer[1]) or (
    "Z" in re.sub(r".*\)", "", read("/proc/%d/stat" % answer[1])))))
check("nothing failed on the way", "pmap_set" not in daemon.log(), daemon.log())

daemon = Daemon(conf["udp"] + stanza("stays", WAIT, 2, 2, wait="yes", stay=True))
check("a second daemon registers", registered(UDP, WAIT))
answer = wait_for(lambda: call("tcp", port_of(WAIT, "tcp"), WAIT, 2))
daemon.process.send_signal(signal.SIGQUIT)
daemon.process.wait()
equal("SIGQUIT unregisters, too", table(UDP, WAIT), [])
check("but leaves servers alone, as in xinetd", os.path.exists("/proc/%d" % answer[1]))
os.kill(answer[1], signal.SIGKILL)

rpcbind.kill()
finish()
