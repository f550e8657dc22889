#!/usr/bin/env python3
# Proves that hosts.allow and hosts.deny are asked about each client of an intercepted service, and that who is known waits for nobody.
# SPDX-License-Identifier: ISC
import os
import socket
import sys

sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "tests/lib"))
from harness import *  # noqa: E402,F403

with open(os.path.join(BUILD, "usherd-gate"), "rb") as gate:
    if b"hosts_access" not in gate.read():
        skip("built without libwrap")
PROBE = probe()
LOG = path("services.log")
for name, text in (("/etc/hosts.allow", ""), ("/etc/hosts.deny", "tcps: 127.0.0.2\nudps: 127.0.0.2\n")):
    if not os.path.exists(name):
        skip("no " + name + " to put another one over")
    subprocess.run(["mount", "--bind", write(path(os.path.basename(name)), text), name], check=True)


def stanza(name, port, **attributes):
    return service(name, port=port, wait="yes", flags="INTERCEPT", server=PROBE, cps="0 1", log_type="FILE " + LOG,
                   log_on_success="HOST", log_on_failure="HOST", libwrap=name, **attributes)


def lines(name, kind=""):
    return [x for x in log_lines(LOG) if x.startswith(kind + ": " + name)]


def talk(src):
    s = socket.socket()
    s.settimeout(PATIENCE)
    s.bind((src, 0))
    s.connect(("127.0.0.1", 20001))
    try:
        s.shutdown(socket.SHUT_WR)
    except OSError:
        pass
    with s:
        return receive_all(s)


def client(src):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind((src, 0))
    s.connect(("127.0.0.1", 20002))
    s.settimeout(PATIENCE)
    return s


daemon = Daemon(stanza("tcps", 20001, server_args="accept 1000000 600000")
                + stanza("udps", 20002, server_args="dgram 1000000 600000", socket_type="dgram"))
check("nothing is said against it", "learns who comes" not in daemon.log(), daemon.log())
equal("a connection that hosts.deny names is refused", talk("127.0.0.2"), b"")
equal("with one record", wait_for(lambda: lines("tcps", "FAIL")), ["FAIL: tcps libwrap from=127.0.0.2"])
check("another one is served", talk("127.0.0.1").endswith(b" 0\n"))
refused, allowed = client("127.0.0.2"), client("127.0.0.1")
refused.send(b"x")
equal("a datagram is refused, too", wait_for(lambda: lines("udps", "FAIL")), ["FAIL: udps libwrap from=127.0.0.2"])
equal("and starts no server", lines("udps", "START"), [])
allowed.send(b"first")
equal("the first one of a client is not lost while it is asked about", allowed.recv(100).split(b":")[1], b"first")
for n in range(20):
    allowed.send(b"%d" % n)
equal("those that follow are passed on", [allowed.recv(100).split(b":")[1] for _ in range(20)], [b"%d" % n for n in range(20)])
equal("one client, one START, and one of the server", wait_for(lambda: len(lines("udps", "START")) > 1) and sorted(lines("udps", "START")),
      ["START: udps from=127.0.0.1", "START: udps from=<no address>"])
many = [client("127.0.1.%d" % (n + 1)) for n in range(40)]
asked = [0] * len(many)


def answered():
    """Asks again those that had no answer: not all clients are asked about at once."""
    for n, s in enumerate(many):
        if asked[n]:
            continue
        s.settimeout(0.05)
        try:
            s.send(b"x")
            asked[n] = len(s.recv(100))
        except socket.timeout:
            pass
    return all(asked)


check("many clients at once are all served in the end", wait_for(answered), asked)
os.kill(daemon.pid, signal.SIGABRT)
check("the books agree", daemon.wait_log("Consistency check passed"), daemon.log()[-2000:])
waiting = client("127.0.0.77")
waiting.send(b"x")
daemon.stop()
equal("who is asked about at the end has one record, or was served", len(
    [x for x in lines("udps", "FAIL") + lines("udps", "START") if "127.0.0.77" in x]) <= 1, True)
for name in os.listdir("/proc"):
    try:
        if name.isdigit() and os.readlink("/proc/%s/exe" % name) == PROBE:
            os.kill(int(name), signal.SIGKILL)
    except OSError:
        pass
finish()
