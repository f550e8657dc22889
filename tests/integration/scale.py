#!/usr/bin/env python3
# Proves: many services cost little: memory that is given back, no needless system call at start, none for what a SIGHUP
# leaves as it is, and a loop that goes on while much is changed. It counts and does not time.
# SPDX-License-Identifier: ISC
import os
import re
import resource
import subprocess
import sys

sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "tests/lib"))
import harness  # noqa: E402
from harness import *  # noqa: E402,F403

if not shutil.which("strace"):
    skip("needs strace")
with open(os.path.join(BUILD, "usherd"), "rb") as binary:
    if b"__asan_init" in binary.read():
        skip("sanitizers have costs of their own")

SERVICES = 2000
FIRST = 20001
# What a service that waits for its first client may take of the daemon's memory, configuration included.
BYTES = 800
# To open a door: socket, SO_REUSEADDR, bind, listen, epoll_ctl, as the barest loop does.
DOOR_CALLS = ("socket", "setsockopt", "getsockopt", "fcntl", "dup", "bind", "listen", "epoll_ctl", "close")
AT_START = 5
# Of the loop, for all services together that a SIGHUP finds unchanged; the thread that reads is not counted.
UNCHANGED = 200
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
if hard < SERVICES + 500:
    skip("needs more descriptors than %d" % hard)
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def conf(n=SERVICES, **attributes):
    text = "defaults\n{\n\tlog_type = FILE %s\n}\n" % path("records")
    own = dict({"server": "/bin/echo", "server_args": "hello", "flags": "IPv4", "env": "A=b", "umask": "027"},
               **attributes)
    return text + "".join(service("s%d" % i, port=FIRST + i, **own) for i in range(n))


def pss(daemon):
    """In bytes; what it shares with other processes is counted in parts."""
    return 1024 * int(re.search(r"^Pss:\s+(\d+)", read("/proc/%d/smaps_rollup" % daemon.pid), re.M).group(1))


def settled(daemon):
    """The memory once the logs are written and what was freed has been given back: the least of some looks."""
    least = pss(daemon)
    for _ in range(25):
        time.sleep(0.02)
        least = min(least, pss(daemon))
    return least


def parse(table):
    """Calls by name, of strace -c."""
    calls = {}
    for line in table.splitlines():
        found = re.match(r"\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?(\w+)$", line)
        if found:
            calls[found.group(2)] = int(found.group(1))
    calls.pop("total", None)
    return calls


def attached(pid):
    return re.search(r"^TracerPid:\s*(\d+)", read("/proc/%d/status" % pid), re.M).group(1) != "0"


def count_in_loop(daemon, work):
    """Calls of the loop's thread while work() runs."""
    out = path("strace.loop")
    tracer = subprocess.Popen(["strace", "-c", "-o", out, "-p", str(daemon.pid)], stderr=subprocess.DEVNULL)
    if not wait_for(lambda: attached(daemon.pid)):
        tracer.kill()
        skip("tracing is not allowed here")
    work()
    tracer.send_signal(signal.SIGINT)
    tracer.wait()
    return parse(read(out))


# --- start -------------------------------------------------------------------------


def calls_at_start(n):
    out = path("strace.start.%d" % n)
    # As a grandchild, so that the daemon is the process that the harness knows.
    traced = Daemon(conf(n), "-stayalive", prefix=["strace", "-D", "-f", "-c", "-o", out], ready=False)
    if not traced.wait_log("Started working"):
        skip("tracing is not allowed here")
    # Not by the usual end, which would be counted, too.
    harness._daemons.remove(traced)
    traced.process.kill()
    traced.process.wait()
    wait_for(lambda: "total" in read(out))
    return parse(read(out))


def each(few, many, names, n):
    return sum(many.get(name, 0) - few.get(name, 0) for name in names) / n


few, many = calls_at_start(500), calls_at_start(1500)
print("start: %.2f system calls for a door, %.2f in all for a service" %
      (each(few, many, DOOR_CALLS, 1000), each(few, many, set(few) | set(many), 1000)))
check("a door is opened with %d system calls" % AT_START, 0 < each(few, many, DOOR_CALLS, 1000) <= AT_START + 0.2,
      "%s\n%s" % (few, many))

# --- memory --------------------------------------------------------------------------

empty = Daemon(conf(0), "-stayalive")
floor = settled(empty)
empty.stop()
few = Daemon(conf(SERVICES // 4))
base = settled(few)
few.stop()
daemon = Daemon(conf())
full = settled(daemon)
bytes_each = (full - base) / (SERVICES - SERVICES // 4)
print("memory: %.0f bytes a service, %.1f MB in all, %.1f MB without any" % (bytes_each, full / 1e6, floor / 1e6))
check("an idle service takes no more than %d bytes" % BYTES, 0 < bytes_each <= BYTES)
for _ in range(2):
    daemon.reload()
before = settled(daemon)
for _ in range(6):
    daemon.reload()
grown = settled(daemon) - before
print("memory: %.0f kB more after 6 reloads" % (grown / 1024))
check("reloads leave nothing behind", grown < SERVICES * 100)

# --- a SIGHUP with the same files ------------------------------------------------------

calls = count_in_loop(daemon, daemon.reload)
print("unchanged: %d system calls in the loop" % sum(calls.values()))
check("services that have not changed cost no system calls", 0 < sum(calls.values()) <= UNCHANGED, calls)
equal("and go on", ask(FIRST + SERVICES - 1), b"hello\n")

# --- and with others -------------------------------------------------------------------

calls = count_in_loop(daemon, lambda: daemon.reload(conf(flags="IPv4 NODELAY", server_args="again")))
rounds = calls.get("epoll_wait", 0) + calls.get("epoll_pwait", 0)
print("all changed: %d system calls in the loop, %d of them waits" % (sum(calls.values()), rounds))
check("while all services change the loop goes on", rounds >= 10, calls)
equal("all of them have changed", [ask(FIRST), ask(FIRST + SERVICES - 1)], [b"again\n"] * 2)
daemon.reload(conf(20))
equal("those that are gone are gone", ask(FIRST + SERVICES - 1), None)
equal("the others are there", ask(FIRST + 19), b"hello\n")
few_left = settled(daemon)
check("what they took is given back (%.1f MB are left)" % (few_left / 1e6), few_left - floor < (full - floor) / 2)
daemon.reload(conf())
equal("they come back", ask(FIRST + SERVICES - 1), b"hello\n")
# In the middle of a swap the daemon ends as at any time.
swaps = daemon.log().count("Swapping defaults")
write(daemon.conf, conf(server_args="never"))
daemon.process.send_signal(signal.SIGHUP)
wait_for(lambda: daemon.log().count("Swapping defaults") > swaps)
daemon.stop()
finish()
