#!/usr/bin/env python3
# Proves: many services cost little: memory that is given back, no needless system call at start, none for what a SIGHUP
# leaves as it is, and a loop that goes on while much is changed. It counts and does not time.
# SPDX-License-Identifier: ISC
import os
import resource
import sys

sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "tests/lib"))
import harness  # noqa: E402
from counting import *  # noqa: E402,F403

needs_counting()

LOAD = os.path.join(BUILD, "tests/bench/load")
SERVER = os.path.join(BUILD, "tests/bench/server")
SERVICES = 2000
FIRST = 20001
# What a service that waits for its first client may take of the daemon's memory, configuration included.
BYTES = 740
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


def own_bytes(daemon):
    """Without what libraries are mapped from, of which each process counts the less the more there are."""
    return 1024 * int(re.search(r"^Anonymous:\s+(\d+)", read("/proc/%d/smaps_rollup" % daemon.pid), re.M).group(1))


def settled(daemon):
    """The memory once the logs are written and what was freed has been given back: the least of some looks."""
    least = own_bytes(daemon)
    for _ in range(25):
        time.sleep(0.02)
        least = min(least, own_bytes(daemon))
    return least


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
    return calls_of(read(out))


def each(few, many, names, n):
    return sum(many.get(name, 0) - few.get(name, 0) for name in names) / n


few, many = calls_at_start(500), calls_at_start(1500)
print("start: %.2f system calls for a door, %.2f in all for a service" %
      (each(few, many, DOOR_CALLS, 1000), each(few, many, set(few) | set(many), 1000)))
check("a door is opened with %d system calls" % AT_START, 0 < each(few, many, DOOR_CALLS, 1000) <= AT_START + 0.2,
      "%s\n%s" % (few, many))

# Beside another thread the kernel waits some milliseconds, again and again, while its table of descriptors grows.
out = path("strace.room")
traced = Daemon(conf(500), "-stayalive", prefix=["strace", "-D", "-f", "-e", "trace=fcntl,clone,clone3,vfork", "-o", out],
                ready=False)
if traced.wait_log("Started working"):
    alone = re.split(r"clone|vfork", read(out))[0]
    numbers = [int(number) for number in re.findall(r"F_DUPFD_CLOEXEC, (\d+)", alone)]
    check("there is room for all doors before there is a second thread", max(numbers, default=0) >= 500, alone)
traced.stop()

# --- memory --------------------------------------------------------------------------

empty = Daemon(conf(0), "-stayalive")
empty.reload()
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
print("memory: %.0f kB more after the first 2 reloads" % ((before - full) / 1024))
check("reading beside the running services leaves nothing behind", before - full < SERVICES * 100)
for _ in range(6):
    daemon.reload()
grown = settled(daemon) - before
print("memory: %.0f kB more after 6 reloads" % (grown / 1024))
check("nor does doing it again", grown < SERVICES * 100)

# --- a SIGHUP with the same files ------------------------------------------------------

calls, = count_calls([daemon.pid], daemon.reload)
print("unchanged: %d system calls in the loop" % sum(calls.values()))
check("services that have not changed cost no system calls", 0 < sum(calls.values()) <= UNCHANGED, calls)
equal("and go on", ask(FIRST + SERVICES - 1), b"hello\n")

# --- and with others -------------------------------------------------------------------

calls, = count_calls([daemon.pid], lambda: daemon.reload(conf(flags="IPv4 NODELAY", server_args="again")))
rounds = calls.get("epoll_wait", 0) + calls.get("epoll_pwait", 0)
print("all changed: %d system calls in the loop, %d of them waits" % (sum(calls.values()), rounds))
check("while all services change the loop goes on", rounds >= 10, calls)
equal("all of them have changed", [ask(FIRST), ask(FIRST + SERVICES - 1)], [b"again\n"] * 2)
full = settled(daemon)
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

# --- a connection beside many ---------------------------------------------------------------


def visit(port, n):
    done = subprocess.run([LOAD, "-n", str(n), "-w", str(PATIENCE), "%d=hello" % port], capture_output=True, text=True)
    check("%d connections are served" % n, done.returncode == 0, done.stdout + done.stderr)


def instructions_each(services, few=50, many=150):
    """Of a connection to the last of so many services, from its arrival until its server is reaped."""
    text = conf(services, server=SERVER, per_source="1000", instances="1000", cps="1000000 1",
                log_on_success="PID HOST EXIT", log_on_failure="HOST")
    port = FIRST + services - 1
    return (instructions(text, lambda: visit(port, many)) - instructions(text, lambda: visit(port, few))) / (many - few)


alone, crowded = instructions_each(1), instructions_each(SERVICES)
print("a connection: %.0f instructions to the only service, %.0f to the last of %d" % (alone, crowded, SERVICES))
# One more for each of the others would be 15% more.
check("what a connection costs does not depend on how many services there are", 0 < crowded < alone * 1.1)
finish()
