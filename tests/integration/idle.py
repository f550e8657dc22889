#!/usr/bin/env python3
# Proves that a daemon with nothing to do never wakes up, nor its worker, nor the thread that writes logs: whatever is hosted, and after clients, floods and reloads.
# SPDX-License-Identifier: ISC
import os
import socket
import sys

sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "tests/lib"))
from harness import *  # noqa: E402,F403

PROBE = probe()
LOG = path("services.log")
DEV_LOG = private_dev()
LOOK_SEC = 10

syslog = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
syslog.bind(DEV_LOG)
syslog.setblocking(False)
FILE = dict(log_type="FILE " + LOG, log_on_success="PID HOST EXIT DURATION", log_on_failure="HOST")
SYSLOG = dict(FILE, log_type="SYSLOG daemon info")
SPAWNED = dict(server=PROBE, server_args="echo", cps="0 1")
INNER = dict(type="INTERNAL UNLISTED", cps="0 1")
DGRAM = dict(socket_type="dgram", wait="yes")


def conf(limit):
    return "".join([
        service("spawned", id="file", port=20001, **SPAWNED, **FILE),
        service("spawned", id="syslog", port=20002, **SPAWNED, **SYSLOG),
        service("lent", id="lent", port=20003, cps="0 1", server=PROBE, server_args="accept 1", wait="yes", **FILE),
        service("dgram", id="dgram", port=20004, cps="0 1", server=PROBE, server_args="dgram 1 1000", **DGRAM, **FILE),
        service("echo", id="inner", port=20005, idle_timeout=3600, **INNER, **FILE),
        service("echo", id="inner-dgram", port=20005, **INNER, **DGRAM, **SYSLOG),
        service("relay", id="relay", port=20006, redirect="127.0.0.1 20001", cps="0 1", **FILE),
        service("tcpmux", id="tcpmux", port=20007, **INNER, **FILE),
        service("named", id="named", **dict(SPAWNED, type="TCPMUX UNLISTED"), **FILE),
        service("filtered", id="filtered", port=20008, flags="INTERCEPT", wait="yes", cps="0 1", server=PROBE,
                server_args="accept 1", **FILE),
        service("sensor", id="sensor", port=20009, flags="SENSOR", deny_time=60, only_from="", cps="0 1", server=PROBE, **FILE),
        service("echo", id="fast", port=20010, **dict(INNER, cps="3 1"), **FILE),
        service("echo", id="full", port=20011, instances=limit, overload="queue", **INNER, **FILE),
        service("spawned", id="unix", bind=path("door"), **SPAWNED, **FILE),
        service("spawned", id="limited", port=20012, session_timeout=3600, per_source=5, access_times="0:00-23:59",
                max_load=1000000, **SPAWNED, **FILE),
    ])


def switches(pids):
    """How often each thread of these has given up its processor of itself, by process and thread."""
    found = {}
    for pid in pids:
        for task in os.listdir("/proc/%d/task" % pid):
            status = read("/proc/%d/task/%s/status" % (pid, task))
            if status:
                name = re.search(r"^Name:\s*(.*)", status, re.M).group(1)
                found["%s %s" % (name, task)] = int(re.search(r"^voluntary_ctxt_switches:\s*(\d+)", status, re.M).group(1))
    return found


def hear_syslog():
    try:
        while True:
            syslog.recv(65536)
    except BlockingIOError:
        pass


def sleeps(what, seconds=LOOK_SEC):
    """What went before may still have ends: first it must come to rest at all."""
    pids = [daemon.pid, daemon.worker()]
    hear_syslog()

    def rests():
        before = switches(pids)
        time.sleep(1)
        return switches(pids) == before

    check(what + ": all threads come to rest", wait_for(rests), switches(pids))
    before = switches(pids)
    time.sleep(seconds)
    equal(what + ": none of them wakes up", switches(pids), before)
    # The daemon's two and the worker's: nobody else lives on after the work.
    equal(what + ": there are three threads", len(before), 3)


def come_and_go():
    for port in (20001, 20002, 20005, 20010, 20010, 20012):
        equal("port %d answers" % port, ask(port, b"hello"), b"hello")
    equal("the Unix socket answers", ask_unix(socket.SOCK_STREAM, path("door"), b"hello"), b"hello")
    check("the datagram server answers", ask_udp(20004, b"hello"))
    equal("the internal datagram service answers", ask_udp(20005, b"hello"), b"hello")
    equal("the relay answers", ask(20006, b"hello"), b"hello")
    equal("the name behind tcpmux answers", ask(20007, b"named\r\nhello"), b"hello")
    with socket.socket() as s:
        s.bind(("127.0.0.9", 0))
        s.connect(("127.0.0.1", 20009))
        equal("the sensor shuts somebody out", receive_all(s), b"")


daemon = Daemon(conf(2))
sleeps("a daemon that has just started", 3)
come_and_go()
sleeps("after clients of all kinds", 3)
# The rest of a service that gets too much has an end.
for _ in range(8):
    ask(20010, b"hello")
check("a service rests and goes on", daemon.wait_log("Activating service echo"))
held = [tcp(20005) for _ in range(50)] + [tcp(20011) for _ in range(5)] + [tcp(20006) for _ in range(5)] + [tcp(20012)]
held.append(tcp(20001))
check("a reload works", daemon.reload(conf(3)))
come_and_go()
sleeps("with connections open, some that wait for their turn, after a reload")
for s in held:
    s.close()
sleeps("once they are gone", 3)
daemon.stop()

daemon = Daemon(conf(2), "-cc", "1")
before = switches([daemon.pid])
check("that wake-ups would be seen, the self checks of -cc show", wait_for(lambda: switches([daemon.pid]) != before))
daemon.stop()
finish()
