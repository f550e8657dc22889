#!/usr/bin/env python3
# Proves that a flood on one service costs the others little: each client has an outcome and a record, turns are short, and nothing spins afterwards.
# SPDX-License-Identifier: ISC
import os
import re
import socket
import sys

for folder in ("tests/lib", "tests/bench"):
    sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), folder))
from generator import figures  # noqa: E402
from harness import *  # noqa: E402,F403

LOAD = os.path.join(BUILD, "tests/bench/load")
SERVER = os.path.join(BUILD, "tests/bench/server")
PROBE = probe()
LOG = path("services.log")
for helper in (LOAD, SERVER):
    if not os.path.exists(helper):
        print("FAIL: %s is missing; make check builds it" % helper)
        sys.exit(1)
CLIENTS = 600
STRANGERS = 4000
RECORDS = dict(log_type="FILE " + LOG, log_on_success="PID HOST EXIT DURATION", log_on_failure="HOST")
OPEN = dict(RECORDS, cps="0 1", per_source="UNLIMITED", flags="IPv4")
SPAWNED = dict(OPEN, server=SERVER, server_args="hello")
INNER = dict(OPEN, type="INTERNAL UNLISTED")
DGRAM = dict(socket_type="dgram", wait="yes", bind="127.0.0.1")
daemon = Daemon("".join([
    service("refusing", port=20001, **dict(SPAWNED, server_args="-w 5 hello", instances=10)),
    service("queueing", port=20002, **dict(SPAWNED, server_args="-w 5 hello", instances=10, overload="queue")),
    service("barred", port=20003, no_access="127.77.0.0/16", **SPAWNED),
    service("echo", id="barred-echo", port=20004, no_access="127.77.0.0/16", **INNER),
    service("resting", port=20005, **dict(SPAWNED, cps="5 1")),
    service("echo", id="udp", port=20006, **dict(INNER, instances=1000), **DGRAM),
    service("lent", id="lent", port=20007, **dict(SPAWNED, server=PROBE, server_args="dgram 1 1000"), **DGRAM),
    service("barred-lent", port=20009, no_access="127.0.0.0/8", **SPAWNED, **DGRAM),
    service("slow", id="slow", port=20008, **dict(SPAWNED, instances="UNLIMITED")),
    service("spawned", id="spawned", port=20010, **SPAWNED),
    service("echo", id="echo", port=20011, **INNER),
    service("many", id="many", port=20012, **dict(SPAWNED, instances="UNLIMITED", server=PROBE, server_args="echo")),
]))
OTHERS = ["20010=hello", "20011:echo=64"]


def lines(kind, name):
    return [x for x in log_lines(LOG) if x.startswith("%s: %s " % (kind, name))]


def flood(what, port, *words):
    """Loads the port, and asks the others meanwhile; returns what came of the flood."""
    before = len(lines("START", "echo"))
    others = subprocess.Popen([LOAD, "-c", "100", "-t", "600", "-r", "50", "-w", str(PATIENCE), *OTHERS],
                              stdout=subprocess.PIPE, text=True)
    wait_for(lambda: len(lines("START", "echo")) > before)
    done = subprocess.run([LOAD, "-w", str(2 * PATIENCE), *map(str, words), port], capture_output=True, text=True)
    others.send_signal(signal.SIGTERM)
    said = figures(others.communicate()[0])
    check(what + ": the others are served", said[None]["bad"] == 0 and said[None]["ok"] > 0, said)
    return figures(done.stdout)[int(port.split("=")[0].split(":")[0])]


def recorded(what, name, served, refused, reason):
    wait_for(lambda: len(lines("EXIT", name)) >= served and len(lines("FAIL", name)) >= refused)
    equal(what + ": each one served has START and EXIT, each one refused FAIL",
          (len(lines("START", name)), len(lines("EXIT", name)), len(lines("FAIL", name))), (served, served, refused))
    equal(what + ": for one reason", {x.split(" from=")[0] for x in lines("FAIL", name)},
          {"FAIL: %s %s" % (name, reason)} if refused else set())


def calms_down(what):
    def rests():
        before = daemon.cpu_seconds()
        time.sleep(0.5)
        return daemon.cpu_seconds() == before

    check(what + ": nothing spins afterwards", wait_for(rests))


# --- instances ------------------------------------------------------------------------------
got = flood("a crowd at the limit", "20001=hello", "-c", CLIENTS, "-n", CLIENTS)
equal("a crowd at the limit: each has an outcome", got["ok"] + got["empty"] + got["reset"], CLIENTS)
check("a crowd at the limit: some are served", got["ok"] >= 10, got)
recorded("a crowd at the limit", "refusing", got["ok"], CLIENTS - got["ok"], "service_limit")
calms_down("a crowd at the limit")

got = flood("a crowd that waits", "20002=hello", "-c", CLIENTS, "-n", CLIENTS)
equal("a crowd that waits: each is served", got["ok"], CLIENTS)
recorded("a crowd that waits", "queueing", CLIENTS, 0, "")
calms_down("a crowd that waits")

# --- refusals --------------------------------------------------------------------------------
for port, name in (("20003=hello", "barred"), ("20004:echo=8", "barred-echo")):
    got = flood(name, port, "-c", 200, "-n", STRANGERS, "-o", 77)
    equal(name + ": no stranger is served", got["empty"] + got["reset"], STRANGERS)
    recorded(name, name, 0, STRANGERS, "address")
    calms_down(name)

got = flood("too many a second", "20005=hello", "-c", 20, "-n", 500)
equal("too many a second: each has an outcome", got["ok"] + got["empty"] + got["reset"] + got["refused"], 500)
# Once it rests, all that it had to record is written.
calms_down("too many a second")
refused = len(lines("FAIL", "resting"))
check("too many a second: the door closes, and one refusal is recorded each time", 1 <= refused <= 100, refused)
recorded("too many a second", "resting", got["ok"], refused, "connections per second")

# --- datagrams ---------------------------------------------------------------------------------
for port, name in ((20006, "udp"), (20007, "lent")):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(PATIENCE)
        for n in range(300):
            s.sendto(b"x", ("127.0.0.1", port))
            if n % 50 == 49:
                equal("%s: a datagram service that is flooded holds up nobody" % name, (ask(20010), ask(20011, b"x")),
                      (b"hello\n", b"x"))
        check("%s: it answers" % name, s.recv(100).endswith(b"x"))
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
    for n in range(1, 6):
        # No more than the socket's buffer holds.
        for _ in range(100):
            s.sendto(b"x", ("127.0.0.1", 20009))
        check("strangers' datagrams: each is thrown away with a record",
              wait_for(lambda: len(lines("FAIL", "barred-lent")) == 100 * n), len(lines("FAIL", "barred-lent")))
wait_for(lambda: len(lines("EXIT", "lent")) == len(lines("START", "lent")))
calms_down("datagrams")

# --- whose turn it is ---------------------------------------------------------------------------
# The daemon finds a crowd and one client of another service who came last.
daemon.process.send_signal(signal.SIGSTOP)
crowd = [tcp(20008) for _ in range(60)]
late = tcp(20011)
daemon.process.send_signal(signal.SIGCONT)
late.sendall(b"x")
equal("who comes after a crowd is served", late.recv(1), b"x")
check("all are", all(receive_all(s) == b"hello\n" for s in crowd))
late.close()
order = [x.split()[1] for x in log_lines(LOG) if re.match(r"START: (slow|echo) ", x)]
first = order.index("slow")
check("and does not wait until a turn of many servers is over", "echo" in order[first:first + 10], order[first:])

# It finds hundreds of servers that have ended, and one client of another service.
crowd = [tcp(20012) for _ in range(300)]
check("hundreds of servers run", wait_for(lambda: len(lines("START", "many")) == 300))
daemon.process.send_signal(signal.SIGSTOP)
for s in crowd:
    s.close()


def has_ended(pid):
    return re.search(r"\) Z ", read("/proc/%d/stat" % pid))


check("all of them end", wait_for(lambda: sum(1 for pid in daemon.children() if has_ended(pid)) == 300))
late = tcp(20011)
before = len(lines("START", "echo"))
daemon.process.send_signal(signal.SIGCONT)
late.sendall(b"x")
equal("who comes after them is served", late.recv(1), b"x")
check("all are reaped", wait_for(lambda: len(lines("EXIT", "many")) == 300))
order = [x.split()[:2] for x in log_lines(LOG) if re.match(r"(EXIT: many|START: echo) ", x)]
served = [i for i, x in enumerate(order) if x[0] == "START:"][before]
check("and does not wait until hundreds are reaped", served <= before + 128, served - before)
late.close()
daemon.stop()
finish()
