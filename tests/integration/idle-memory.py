#!/usr/bin/env python3
# Proves: an idle connection to an internal service costs a few hundred bytes over both processes, and that none of
# them is lost by it: each still answers.
# SPDX-License-Identifier: ISC
import os
import resource
import socket
import sys

sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "tests/lib"))
from harness import *  # noqa: E402,F403

with open(os.path.join(BUILD, "usherd"), "rb") as binary:
    if b"__asan_init" in binary.read():
        skip("sanitizers have costs of their own")

# 10,000 are to stay under 4 MB; the tables, which double, are fullest a little above 6,000.
EACH = 420
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
CONNECTIONS = min(6000, hard - 500)
if CONNECTIONS < 1000:
    skip("needs more open files")
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def pss(pids):
    total = 0
    for pid in pids:
        with open("/proc/%d/smaps_rollup" % pid) as file:
            total += int(re.search(r"^Pss: *(\d+)", file.read(), re.M).group(1)) * 1024
    return total


def connect(i):
    """From many addresses, as each has a count of its own."""
    s = socket.socket()
    s.settimeout(PATIENCE)
    s.bind(("127.1.%d.%d" % (i // 250, i % 250 + 1), 0))
    s.connect(("127.0.0.1", 20001))
    return s


def echoes(s):
    s.sendall(b"x")
    return s.recv(1) == b"x"


daemon = Daemon(service("echo", type="INTERNAL UNLISTED", port=20001, instances="10000", per_source="100",
                        cps="1000000 1", flags="IPv4", backlog="1000", user=None, server=None, server_args=None))
for i in range(100):
    with connect(i) as s:
        answered = echoes(s)
check("echo answers", answered)
pids = [daemon.pid, daemon.worker()]
before = pss(pids)
held = []
for i in range(CONNECTIONS):
    held.append(connect(i))
# The last one to answer is the last one that both have taken.
check("the last connection answers", echoes(held[-1]))
each = (pss(pids) - before) / CONNECTIONS
print("%d connections, %.0f bytes each" % (CONNECTIONS, each))
check("an idle connection costs no more than %d bytes" % EACH, 0 < each <= EACH, each)
check("all of them answer", all(echoes(s) for s in held))
for s in held:
    s.close()
daemon.stop()
finish()
