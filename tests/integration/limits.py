#!/usr/bin/env python3
# Proves the limits of policy on real connections: addresses, instances, per_source, cps, access_times, max_load, -limit; a refused client starts nothing.
# SPDX-License-Identifier: ISC
import os
import socket
import sys

sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "tests/lib"))
from harness import *  # noqa: E402,F403

PROBE = probe()
LOG = path("services.log")
for n in range(2, 5):
    subprocess.run(["ip", "addr", "add", "fd00::%d/128" % n, "dev", "lo", "nodad"], check=True)


def stanza(name, port, **attributes):
    base = {"id": name, "server": PROBE, "server_args": "hold", "cps": "0 1", "log_type": "FILE " + LOG,
            "env": "COUNT=" + path("count-" + name), "log_on_success": "PID HOST EXIT", "log_on_failure": "HOST"}
    base.update(attributes)
    return service(name, port=port, **base)


def inner(name, port, **attributes):
    text = stanza(name, port, type="INTERNAL UNLISTED", user=None, server=None, server_args=None, env=None, **attributes)
    return text.replace("service " + name, "service echo", 1)


def at(hours):
    return "%02d:00" % ((time.localtime().tm_hour + hours) % 24)


ADDRESSES = {
    # name: (attributes, who is served, who is not)
    "only": (dict(only_from="127.0.0.1"), ["127.0.0.1"], ["127.0.0.2", "::1"]),
    "net": (dict(only_from="127.0.0.0"), ["127.0.0.1", "127.9.9.9"], ["::1"]),
    "cidr": (dict(only_from="127.0.0.0/30 fd00::2/128"), ["127.0.0.2", "127.0.0.3", "fd00::2"],
             ["127.0.0.4", "fd00::3", "::1"]),
    "both": (dict(only_from="127.0.0.0/8", no_access="127.0.0.2"), ["127.0.0.1"], ["127.0.0.2", "::1"]),
    "nobody": (dict(only_from=""), [], ["127.0.0.1", "::1"]),
    "no": (dict(no_access="127.0.0.1 ::1"), ["127.0.0.2", "fd00::2"], ["127.0.0.1", "::1"]),
    "braces": (dict(only_from="127.0.0.{2,4}"), ["127.0.0.2", "127.0.0.4"], ["127.0.0.3"]),
}
CLOSED, OPEN = "%s-%s" % (at(10), at(12)), "0:00-23:59"
conf, port = "", 20001
for name, (attributes, _, _) in ADDRESSES.items():
    conf += stanza(name, port, **attributes) + inner("i" + name, port + 50, **attributes)
    conf += stanza("d" + name, port, socket_type="dgram", wait="yes", **dict(attributes, server_args="dgram 1 1000"))
    port += 1
conf += "".join([
    stanza("instances", 20101, instances="2"), inner("iinstances", 20102, instances="2"),
    stanza("zero", 20103, instances="0"),
    stanza("source", 20104, per_source="1"), inner("isource", 20105, per_source="1"),
    stanza("mask", 20118, per_source="1", per_source_mask="30 126"),
    inner("imask", 20119, per_source="1", per_source_mask="30 126"),
    stanza("closed", 20106, access_times=CLOSED), stanza("open", 20107, access_times=OPEN),
    stanza("night", 20108, access_times="%s-%s" % (at(-2), at(2))),
    inner("iclosed", 20109, access_times=CLOSED),
    stanza("load", 20110, max_load="-1"), stanza("noload", 20111, max_load="1000000"),
    inner("iload", 20112, max_load="-1"),
    stanza("cps", 20113, cps="5 5", server_args="exit 0"), inner("icps", 20114, cps="5 5"),
    stanza("dcps", 20115, cps="2 2", socket_type="dgram", wait="yes", server_args="dgram 1 1000"),
    stanza("held", 20116, cps="3 1", instances="4"),
    inner("default", 20117, cps=None),
])
conf = "\n".join(line for line in conf.splitlines() if not line.endswith("= None")) + "\n"
daemon = Daemon(conf)


def lines(kind, name):
    return [x for x in log_lines(LOG) if x.startswith("%s: %s " % (kind, name))]


def starts(name):
    return len(read(path("count-" + name)))


def open_from(port, source="127.0.0.1"):
    family = socket.AF_INET6 if ":" in source else socket.AF_INET
    s = socket.socket(family)
    s.settimeout(PATIENCE)
    s.bind((source, 0))
    s.connect(("::1" if ":" in source else "127.0.0.1", port))
    try:
        s.sendall(b"x")
    except OSError:
        pass
    return s


def open_at_once(port, n):
    """So many connections that the daemon finds all of them there, however slow their client is."""
    daemon.process.send_signal(signal.SIGSTOP)
    connections = [open_from(port) for _ in range(n)]
    daemon.process.send_signal(signal.SIGCONT)
    return connections


def served(s):
    """Whether the first byte comes, and not the end."""
    try:
        return s.recv(100) != b""
    except ConnectionResetError:
        return False


def served_udp(port, source):
    with socket.socket(socket.AF_INET6 if ":" in source else socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind((source, 0))
        s.settimeout(PATIENCE)
        s.sendto(b"x", ("::1" if ":" in source else "127.0.0.1", port))
        return s.recv(100) != b""


def fails(name, reason, sources):
    expected = ["FAIL: %s %s from=%s" % (name, reason, x) for x in sources]
    wait_for(lambda: len(lines("FAIL", name)) >= len(expected))
    equal("%s: FAIL is recorded for each" % name, lines("FAIL", name), expected)


# --- addresses --------------------------------------------------------------------------
for port, (name, (_, friends, strangers)) in enumerate(ADDRESSES.items(), 20001):
    for source in friends:
        with open_from(port, source) as s:
            check("%s: %s is served" % (name, source), served(s))
        with open_from(port + 50, source) as s:
            check("%s: %s is served, internally" % (name, source), served(s))
        check("%s: %s is served, dgram" % (name, source), served_udp(port, source))
    for source in strangers:
        with open_from(port, source) as s:
            check("%s: %s is not" % (name, source), not served(s))
        with open_from(port + 50, source) as s:
            check("%s: %s is not, internally" % (name, source), not served(s))
        with socket.socket(socket.AF_INET6 if ":" in source else socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.bind((source, 0))
            s.sendto(b"x", ("::1" if ":" in source else "127.0.0.1", port))
    for variant in (name, "i" + name, "d" + name):
        fails(variant, "address", strangers)
    equal("%s: strangers start nothing" % name, (starts(name), starts("d" + name)), (len(friends),) * 2)
    equal("%s: nor look as if" % name, len(lines("START", name)), len(friends))
check("both lists match: xinetd's words", "Service=both: only_from list and no_access list match equally the "
      "address 127.0.0.2" in daemon.log(), daemon.log())

# --- instances, per_source -------------------------------------------------------------------
for name, port in (("instances", 20101), ("iinstances", 20102)):
    held = [open_from(port) for _ in range(2)]
    check("%s: so many are served" % name, all(served(s) for s in held))
    with open_from(port) as s:
        check("%s: one more is not" % name, not served(s))
    fails(name, "service_limit", ["127.0.0.1"])
    held.pop().close()
    check("%s: one that ends makes room" % name, wait_for(lambda: lines("EXIT", name)) and served(open_from(port)))
with open_from(20103) as s:
    check("instances = 0 refuses everyone", not served(s))
for name, port in (("source", 20104), ("isource", 20105)):
    held = [open_from(port, x) for x in ("127.0.0.1", "127.0.0.2", "fd00::2", "fd00::3")]
    check("%s: one from each address" % name, all(served(s) for s in held))
    for source in ("127.0.0.2", "fd00::3"):
        with open_from(port, source) as s:
            check("%s: no second one from %s" % (name, source), not served(s))
    fails(name, "per_source_limit", ["127.0.0.2", "fd00::3"])
    held[1].close()
    check("%s: its end makes room" % name, wait_for(lambda: lines("EXIT", name)) and served(
        open_from(port, "127.0.0.2")))
    for s in held:
        s.close()

# --- access_times, max_load ---------------------------------------------------------------------
for name, port, good, reason in (("closed", 20106, False, "time"), ("open", 20107, True, ""), ("night", 20108, True, ""),
                                 ("iclosed", 20109, False, "time"), ("load", 20110, False, "load"),
                                 ("noload", 20111, True, ""), ("iload", 20112, False, "load")):
    with open_from(port) as s:
        equal("%s: served?" % name, served(s), good)
    fails(name, reason, [] if good else ["127.0.0.1"])
check("xinetd's words about load", "refused connect from 127.0.0.1 due to excessive load" in daemon.log())

# --- cps ---------------------------------------------------------------------------------------------
for name, port, words in (("cps", 20113, "cps"), ("icps", 20114, "echo")):
    before = daemon.log().count("Activating service " + words)
    begin = time.monotonic()
    held = open_at_once(port, 6)
    check("%s: the sixth within a second trips" % name, daemon.wait_log(
        "Deactivating service %s due to excessive incoming connections.  Restarting in 5 seconds." % words),
        daemon.log())
    equal("%s: it rests" % name, ask(port), None)
    fails(name, "connections per second", ["127.0.0.1"])
    equal("%s: five were started" % name, len(lines("START", name)), 5)
    check("%s: others do not" % name, served(open_from(20107)))
    check("%s: and comes back" % name, wait_for(lambda: daemon.log().count("Activating service " + words) > before))
    check("%s: when its rest is over" % name, 5 <= time.monotonic() - begin < 30, time.monotonic() - begin)
    s = open_from(port)
    check("%s: then it serves" % name, wait_for(lambda: len(lines("START", name)) == 6))
    for s in held:
        s.close()
for name, port in (("mask", 20118), ("imask", 20119)):
    held = [open_from(port, x) for x in ("127.0.0.1", "127.0.0.4", "fd00::2")]
    check(name + ": each network is one source", all(served(x) for x in held))
    check(name + ": and has its share", not served(open_from(port, "127.0.0.2")) and not served(open_from(port, "fd00::3")))
    fails(name, "per_source_limit", ["127.0.0.2", "fd00::3"])
    check(name + ": another one has its own", served(open_from(port, "fd00::4")))
    held.pop(0).close()
    check(name + ": an end makes room for the network", wait_for(lambda: served(open_from(port, "127.0.0.3"))))
    for x in held:
        x.close()
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
    # Who is too slow for three servers within a second gets another try.
    check("dgram: cps trips", wait_for(lambda: [s.sendto(b"x", ("127.0.0.1", 20115)) for _ in range(4)]
                                       and "Deactivating service dcps" in daemon.log()))
    check("dgram: and it comes back", daemon.wait_log("Activating service dcps") and wait_for(
        lambda: udp_bound(20115, True)) and served_udp(20115, "127.0.0.1"))
held = open_at_once(20116, 4)[:3]
check("held: served", all(served(s) for s in held))
check("held: the fourth trips", daemon.wait_log("Deactivating service held"))
check("held: it is back", daemon.wait_log("Activating service held") and wait_for(lambda: tcp_listens(20116, True)))
held.append(open_from(20116))
check("held: those that run are still counted", served(held[-1]) and not served(open_from(20116)))
check("held: and refused by their number",
      wait_for(lambda: "FAIL: held service_limit from=127.0.0.1" in log_lines(LOG)))
open_at_once(20117, 51)
check("the default is 50 a second, and ten seconds", daemon.wait_log(
    "Deactivating service echo due to excessive incoming connections.  Restarting in 10 seconds."))
daemon.stop()

# --- what one service has to say does not silence another ---------------------------------------------------
daemon = Daemon(stanza("noisy", 20301, max_load="-1") + stanza("rare", 20302, max_load="-1"))
for s in open_at_once(20301, 60):
    receive_all(s)
receive_all(open_from(20302, "127.0.0.2"))
check("the rare message of another service comes", daemon.wait_log("refused connect from 127.0.0.2 due to excessive load"),
      daemon.log())
check("while those of the first one are limited", daemon.log().count("refused connect from 127.0.0.1") < 60)
daemon.stop()

# --- -limit -------------------------------------------------------------------------------------------
daemon = Daemon(stanza("one", 20201) + stanza("two", 20202) + inner("iecho", 20203).replace("\tenv = None\n", ""),
                "-limit", "3")
held = [open_from(p) for p in (20201, 20201, 20202)]
check("-limit: so many over all services", all(served(s) for s in held))
check("-limit: not one more", not served(open_from(20202)))
check("-limit: internal services start no process", served(open_from(20203)))
fails("two", "process_limit", ["127.0.0.1"])
held.pop().close()
check("-limit: an end makes room", wait_for(lambda: lines("EXIT", "two")) and served(open_from(20201)))
finish()
