#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Proves: hosts.allow and hosts.deny decide about all kinds of services, beside the daemon, with one outcome each."""
import os
import signal
import socket
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from harness import (BUILD, Daemon, ask_unix, check, equal, finish, log_lines, path, private_etc, probe, read,  # noqa: E402
                     receive_all, report, service, skip, wait_for, write)

if b"hosts_access" not in open(os.path.join(BUILD, "usherd-gate"), "rb").read():
    skip("built without libwrap")

# Where the gates of services for nobody can write.
os.mkdir(path("open"))
os.chmod(path("open"), 0o777)
LOG = path("log")


def stanza(name, port, **more):
    more.setdefault("log_type", "FILE " + LOG)
    return service(name, port=port, log_on_success="HOST", log_on_success_plus=None, log_on_failure="HOST", cps="0 1", **more)


def rules(deny="", allow=""):
    """For the next connection; the daemon knows since it has begun that there are rules."""
    private_etc(hosts_deny=deny, hosts_allow=allow)


def gates(daemon):
    found = []
    for pid in daemon.children():
        if read("/proc/%d/comm" % pid).startswith("usherd-gate") and "\nState:\tZ" not in read("/proc/%d/status" % pid):
            found.append(pid)
    return found


def connect(port, src="127.0.0.1", host="127.0.0.1"):
    s = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    s.settimeout(60)
    s.bind((src, 0))
    s.connect((host, port))
    return s


def talk(port, src="127.0.0.1", data=b"", host="127.0.0.1"):
    with connect(port, src, host) as s:
        try:
            s.sendall(data)
            s.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        return receive_all(s)


def dgram(port, src, data=b"x"):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.settimeout(30)
    s.bind((src, 0))
    s.sendto(data, ("127.0.0.1", port))
    return s


def outcomes(name):
    """What became of its connections, in order; START and EXIT are one."""
    return [line.split(": ")[0] + " " + " ".join(line.split()[2:]) for line in log_lines(LOG)
            if line.split()[1] == name and not line.startswith("EXIT")]


def records(sentence, name, expected, in_order=True):
    wait_for(lambda: len(outcomes(name)) >= len(expected), 20)
    order = list if in_order else sorted
    equal(sentence, order(outcomes(name)), order(expected))


# --- all kinds of services --------------------------------------------------------------------------------------
rules("never: 192.0.2.1\n")
target = socket.create_server(("127.0.0.1", 23099))


def serve_target():
    while True:
        try:
            connection, _ = target.accept()
        except OSError:
            return
        connection.sendall(b"target")
        connection.close()


threading.Thread(target=serve_target, daemon=True).start()
kinds = (
    stanza("spawned", 23001, server=probe(), user="nobody", flags="IPv4")
    + stanza("dual", 23002, server=probe(), user="nobody", libwrap="spelt", flags="IPv6")
    + stanza("inargs", 23003, server=probe(), flags="NAMEINARGS IPv4", server_args="/x/called report")
    + stanza("echo", 23004, type="INTERNAL UNLISTED", id="inner")
    + stanza("moved", 23005, redirect="127.0.0.1 23099", flags="IPv4", banner_fail=write(path("no"), "go away\n"))
    + stanza("waits", 23006, socket_type="dgram", wait="yes", server=probe(), server_args="dgram 1 1", flags="IPv4")
    + stanza("echo", 23007, type="INTERNAL UNLISTED", id="innerdgram", socket_type="dgram", wait="yes")
    + stanza("takes", 23008, wait="yes", server=probe(), server_args="accept-report", flags="IPv4")
    + stanza("echo", 23009, type="INTERNAL UNLISTED", id="innerwait", wait="yes")
    + stanza("free", 23010, server=probe(), flags="NOLIBWRAP")
    + stanza("unix", None, bind=path("socket"), server=probe(), flags=None)
)
daemon = Daemon(kinds)
check("that a listening socket is lent without knowing who comes is said",
      daemon.wait_log("asked about an unknown client"), daemon.log())
NO = "127.0.0.9"
rules("".join("%s: %s [::ffff:%s]\n" % (name, NO, NO) for name in ("probe", "spelt", "called", "echo", "moved")))
told = report(talk(23001))
equal("a spawned server has its connection and nothing else", [fd.split()[:2] for fd in told["fd"]],
      [["0", "socket"], ["1", "socket"], ["2", "socket"]])
equal("and its user", told.get("uid", "").split()[0], "65534")
equal("which a refused client does not see", talk(23001, NO), b"")
records("served and refused are recorded once each", "spawned",
        ["START from=127.0.0.1", "FAIL libwrap from=127.0.0.9"])
check("as xinetd says it in the daemon's log", daemon.wait_log(
    "INFO: libwrap refused connection to spawned (libwrap=probe) from 127.0.0.9"), daemon.log())
check("an IPv4 client of an IPv6 socket is served", report(talk(23002)).get("uid"))
equal("or refused, in the name of libwrap", talk(23002, NO), b"")
records("and recorded", "dual", ["START from=127.0.0.1", "FAIL libwrap from=127.0.0.9"])
rules("spelt: [::1]\n")
equal("an IPv6 client is refused", talk(23002, "::1", host="::1"), b"")
rules("spelt: 127.0.0.1\ncalled: 127.0.0.9\necho: 127.0.0.9\nmoved: 127.0.0.9\nprobe: 127.0.0.9\n")
check("or served", report(talk(23002, "::1", host="::1")).get("uid"))
check("NAMEINARGS names the daemon: served", report(talk(23003)).get("argv"))
equal("refused", talk(23003, NO), b"")
equal("an internal service serves", talk(23004, data=b"hello"), b"hello")
equal("and refuses", talk(23004, NO, b"hello"), b"")
check("it has its service's name", daemon.wait_log("connection to inner (libwrap=echo)"), daemon.log())
records("with one outcome each", "inner", ["START from=127.0.0.1", "FAIL libwrap from=127.0.0.9"])
equal("a redirected one serves", talk(23005), b"target")
equal("and refuses, with its banner", talk(23005, NO), b"go away\n")
with dgram(23006, NO), dgram(23006, "127.0.0.1") as good:
    check("a datagram is thrown away for its sender, and the next one served", good.recv(1000) != b"")
records("and both recorded", "waits", ["FAIL libwrap from=127.0.0.9", "START from=127.0.0.1"])
with dgram(23007, NO) as bad, dgram(23007, "127.0.0.1", b"again") as good:
    equal("so it is for an internal service", good.recv(1000), b"again")
    bad.settimeout(0.2)
    try:
        check("whoever is refused gets nothing", not bad.recv(1000))
    except socket.timeout:
        check("whoever is refused gets nothing", True)
records("with both recorded", "innerdgram", ["FAIL libwrap from=127.0.0.9", "START from=127.0.0.1"], False)
equal("an internal service that serves one at a time", [talk(23009, data=b"a"), talk(23009, NO, b"b"), talk(23009, data=b"c")],
      [b"a", b"", b"c"])
records("records each of them", "innerwait", ["START from=127.0.0.1", "FAIL libwrap from=127.0.0.9", "START from=127.0.0.1"])
rules("ALL: ALL\n")
equal("a server with a listening socket is started for nobody where everybody is refused", talk(23008), b"")
records("and that is recorded", "takes", ["FAIL libwrap from=<no address>"])
rules("ALL: 127.0.0.1\n")
check("but where only addresses are, it is", report(talk(23008)).get("uid"))
records("and recorded", "takes", ["FAIL libwrap from=<no address>", "START from=<no address>"])
rules("ALL: ALL\n")
check("NOLIBWRAP serves", report(talk(23010)).get("uid"))
check("so does a Unix socket", report(ask_unix(socket.SOCK_STREAM, path("socket"))).get("uid"))
rules("ALL: ALL\n", "probe: 127.0.0.9\n")
check("hosts.allow comes first", report(talk(23001, NO)).get("uid"))
equal("everything else is refused", talk(23001), b"")
records("with records of it", "spawned", ["START from=127.0.0.1", "FAIL libwrap from=127.0.0.9", "START from=127.0.0.9",
                                          "FAIL libwrap from=127.0.0.1"])

# --- options of rules ----------------------------------------------------------------------------------------------
rules(allow="probe: ALL: twist /bin/echo twisted %a; id -u\n")
equal("twist talks to the client, as the service's user", talk(23001), b"twisted 127.0.0.1\n65534\n")
wait_for(lambda: len(outcomes("spawned")) == 5)
equal("that is a refusal", outcomes("spawned")[4:], ["FAIL libwrap from=127.0.0.1"])
rules(allow="echo: ALL: twist /bin/cat\n")
equal("twist can read from the connection of an internal service", talk(23004, data=b"mirror"), b"mirror")
rules(allow="echo: ALL: twist /bin/cat\nprobe: ALL: twist /bin/cat\n")
with dgram(23006, NO), dgram(23007, NO):
    records("a datagram cannot be twisted: it is refused", "waits",
            ["FAIL libwrap from=127.0.0.9", "START from=127.0.0.1", "FAIL libwrap from=127.0.0.9"])
    records("also one of an internal service", "innerdgram",
            ["FAIL libwrap from=127.0.0.9", "START from=127.0.0.1", "FAIL libwrap from=127.0.0.9"], False)
made = path("open", "made")
rules(allow="probe: ALL: spawn (id -u >%s): severity local0.debug\n" % made)
check("spawn does its work, and the client is served", report(talk(23001)).get("uid"))
equal("as the service's user", read(made), "65534\n")
os.mkdir(path("banners"))
write(path("banners", "probe"), "hello %a\n")
rules(allow="probe: ALL: banners %s\n" % path("banners"))
text = talk(23001)
check("banners come before what the server says", text.startswith(b"hello 127.0.0.1\r\n") and b"uid" in text, text)
rules(allow="probe: ALL: nonsense\n")
equal("an option that nobody knows refuses", talk(23001), b"")
equal("no gate is left", wait_for(lambda: not gates(daemon)), True)
daemon.process.send_signal(signal.SIGABRT)
check("the tables agree", daemon.wait_log("Consistency check passed"), daemon.log())
check("of a removed rule the next connection knows", not rules() and report(talk(23001)).get("uid"))
daemon.reload()
check("without rules nobody is asked: no process more than the server", report(talk(23001)).get("uid"))
rules("probe: ALL\n")
check("a first rule waits for SIGHUP", report(talk(23001)).get("uid"))
daemon.reload()
equal("then it counts", talk(23001), b"")
daemon.stop()
target.close()
finish()
