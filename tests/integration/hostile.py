#!/usr/bin/env python3
# Proves that floods, scans, resets, lack of descriptors and servers that shut their socket down neither stop the daemon nor make it spin.
# SPDX-License-Identifier: ISC
import os
import resource
import socket
import sys

sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "tests/lib"))
from harness import *  # noqa: E402,F403

PROBE = probe()
LOG = path("services.log")


def stanza(name, port, **attributes):
    base = {"id": name, "server": PROBE, "server_args": "hold", "cps": "0 1", "log_type": "FILE " + LOG,
            "env": "COUNT=" + path("count-" + name), "log_on_success": "PID HOST EXIT", "log_on_failure": "HOST"}
    base.update(attributes)
    return service(name, port=port, **{k: v for k, v in base.items() if v is not None})


def inner(name, port, **attributes):
    return stanza(name, port, type="INTERNAL UNLISTED", user=None, server=None, server_args=None, env=None,
                  **attributes).replace("service " + name, "service echo", 1)


def starts(name):
    return len(read(path("count-" + name)))


def spins(seconds=1.0):
    """The share of a processor that the daemon takes while nothing happens."""
    begin, cpu = time.monotonic(), daemon.cpu_seconds()
    time.sleep(seconds)
    return (daemon.cpu_seconds() - cpu) / (time.monotonic() - begin)


def counted():
    lines = log_lines(LOG)
    return {k: sum(x.startswith(k) for x in lines) for k in ("START", "EXIT", "FAIL")}


# --- resets, scans --------------------------------------------------------------------------
resource.setrlimit(resource.RLIMIT_NOFILE, (min(8192, resource.getrlimit(resource.RLIMIT_NOFILE)[1]),) * 2)
daemon = Daemon(stanza("quick", 20001, server_args="echo", backlog="4096") + inner("inner", 20002, backlog="4096")
                + stanza("waits", 20003, wait="yes", server_args="accept 100000 300", backlog="4096")
                + inner("calm", 20004))
check("it works", ask(20004, b"x") == b"x")
before = daemon.descriptors()
for i in range(3000):
    s = tcp((20001, 20002, 20003)[i % 3])
    reset(s)
    if i % 500 == 499:
        check("resets: another service answers", ask(20004, b"x") == b"x")
check("resets: the services themselves answer", ask(20001, b"x") == b"x" and ask(20002, b"x") == b"x" and ask(20003))

check("resets: each START has its EXIT", wait_for(lambda: (lambda c: c["START"] == c["EXIT"])(counted())), counted())
check("resets: no descriptor is left behind", wait_for(lambda: daemon.descriptors() <= before),
      (before, daemon.descriptors()))
for port in (20001, 20002):
    scan = []
    for _ in range(1500):  # half-open and never heard of again, all at once
        s = socket.socket()
        s.setblocking(False)
        try:
            s.connect(("127.0.0.1", port))
        except BlockingIOError:
            pass
        scan.append(s)
    check("scan: another service answers", ask(20004, b"x") == b"x")
    for s in scan:
        s.close()
check("scan: the services answer", ask(20001, b"x") == b"x" and ask(20002, b"x") == b"x")
check("scan: each START has its EXIT", wait_for(lambda: (lambda c: c["START"] == c["EXIT"])(counted())), counted())
check("scan: no descriptor is left behind", wait_for(lambda: daemon.descriptors() <= before),
      (before, daemon.descriptors()))
share = spins()
check("then the daemon is idle", share < 0.3, share)
daemon.stop()

# --- no descriptors ------------------------------------------------------------------------------


def few_descriptors():
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))


os.remove(LOG)
daemon = Daemon(inner("many", 20011, backlog="4096") + stanza("other", 20012, server_args="echo")
                + stanza("dgram", 20013, socket_type="dgram", wait="yes", server_args="dgram 1 1000")
                + stanza("lent", 20014, wait="yes", server_args="accept 1 1000"),
                preexec=few_descriptors)
held = []
for _ in range(300):
    s = socket.socket()
    s.settimeout(1)
    try:
        s.connect(("127.0.0.1", 20011))
        held.append(s)
    except OSError:
        s.close()
check("others answer", ask(20012, b"x") == b"x")
check("datagrams, too", ask_udp(20013, b"x"))
check("and a server that takes the socket", ask(20014))
share = spins()
check("300 connections with 64 descriptors: the daemon does not spin", share < 0.5, share)
check("it lives", daemon.process.poll() is None)
for s in held:
    s.close()
check("it recovers", wait_for(lambda: ask(20011, b"x") == b"x"))
check("each START has its EXIT", wait_for(lambda: (lambda c: c["START"] == c["EXIT"])(counted())), counted())
daemon.stop()

# The daemon's own table full: a limit lowered under its feet leaves it no descriptor at all.
os.remove(LOG)
daemon = Daemon(stanza("full", 20021, server_args="echo") + stanza("fullwait", 20022, wait="yes",
                                                                  server_args="accept 1 1000")
                + stanza("fulldgram", 20023, socket_type="dgram", wait="yes", server_args="dgram 1 1000")
                + stanza("holder", 20024))
holder = tcp(20024)
holder.recv(100)
old = resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE)
resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, (3, old[1]))
waiting = [tcp(port) for port in (20021, 20022)]
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
    s.settimeout(PATIENCE)
    s.sendto(b"x", ("127.0.0.1", 20023))
    check("accept without descriptors is told in xinetd's words", daemon.wait_log(
        "Deactivating service full due to no available descriptors."), daemon.log())
    size = len(daemon.log())
    share = spins(1.5)
    check("without any descriptor the daemon does not spin", share < 0.5, share)
    grown = len(daemon.log()) - size
    check("nor flood its log", grown < 20000, grown)
    resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, old)
    for connection in waiting:
        connection.close()
    for port, name in ((20021, "full"), (20022, "fullwait")):
        check("%s: when there are some again, it serves" % name, wait_for(
            lambda: ask(port, b"hello") not in (None, b"")))
    s.sendto(b"x", ("127.0.0.1", 20023))
    try:
        check("dgram: when there are some again, it serves", s.recv(100).endswith(b":x"))
    except socket.timeout:
        check("dgram: when there are some again, it serves", False)
holder.close()
daemon.stop()

# --- servers that shut their socket down (D30) ------------------------------------------------------
once = path("once")
write(once, "#!/bin/sh\n[ -e %s/broken-$1 ] || exec %s $2 1 1000\nexec %s shutdown\n" % (path(""), PROBE, PROBE))
os.chmod(once, 0o755)
CASES = {"tcp": (20031, "stream", "accept"), "udp": (20032, "dgram", "dgram"),
         "unix": (None, "stream", "accept"), "unixdgram": (None, "dgram", "dgram")}
conf = inner("calm", 20004)
for name, (port, kind, mode) in CASES.items():
    write(path("broken-" + name), "")
    conf += stanza("shut" + name, port, socket_type=kind, wait="yes", server=once,
                   server_args="%s %s" % (name, mode), bind=path("sock-" + name) if port is None else None)
daemon = Daemon(conf)


def poke(name, patience=PATIENCE):
    """One client; what it gets, or None."""
    port, kind, _ = CASES[name]
    try:
        if port and kind == "stream":
            with socket.create_connection(("127.0.0.1", port), patience) as s:
                return receive_all(s)
        if port:
            return ask_udp(port, b"x", timeout=patience)
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM if kind == "stream" else socket.SOCK_DGRAM) as s:
            s.settimeout(patience)
            if kind == "dgram":
                s.bind("\0own%d" % time.monotonic_ns())
            s.connect(path("sock-" + name))
            s.send(b"x")
            if kind == "stream":
                s.shutdown(socket.SHUT_WR)
            return s.recv(100)
    except OSError:
        return None


for name in CASES:
    poke(name, 0.3)
    check("%s: the server was started" % name, wait_for(lambda: starts("shut" + name) >= 1))
    share = spins(1.0)
    check("%s: a socket that was shut down does not make the daemon spin" % name, share < 0.5, share)
    n = starts("shut" + name)
    check("%s: nor start servers over and over" % name, n <= 20, n)
    os.remove(path("broken-" + name))
    check("%s: it is opened anew and serves" % name, wait_for(lambda: poke(name, 1)))
    check("%s: others are served" % name, ask(20004, b"x") == b"x")
    size = len(daemon.log())
    check("%s: the log is not flooded" % name, size < 100000, size)
finish()
