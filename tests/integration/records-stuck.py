#!/usr/bin/env python3
# Proves that no log, however broken or stuck, keeps anybody waiting (D46), and that what was lost is told.
# SPDX-License-Identifier: ISC
import os
import select
import socket
import sys

sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "tests/lib"))
from harness import *  # noqa: E402,F403

PROBE = probe()
DEV_LOG = private_dev()
ID = "x" * 150
os.mkfifo(path("fifo"))
os.mkdir(path("small"))
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", path("small")], check=True)
LOGS = {"fifo": "FILE " + path("fifo"), "full": "FILE /dev/full", "small": "FILE " + path("small/log"),
        "absent": "SYSLOG daemon info"}
FLAGS = dict(log_on_success="PID HOST EXIT DURATION", log_on_failure="HOST", cps="0 1")
conf = ""
PORTS = {}
for n, (name, log) in enumerate(LOGS.items()):
    PORTS[name] = 20001 + n
    # Each datagram is a START and an EXIT: that fills any buffer.
    conf += service("discard", type="INTERNAL UNLISTED", id="%s-%s" % (name, ID), port=PORTS[name],
                    socket_type="dgram", wait="yes", log_type=log, **FLAGS)
    conf += service("spawned", id="%s-spawned" % name, port=PORTS[name], server=PROBE, server_args="echo",
                    log_type=log, **FLAGS)
conf += service("echo", id="inner", type="INTERNAL UNLISTED", port=20010, **FLAGS)
daemon = Daemon(conf)


def flood(port, n):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        for i in range(n):
            s.sendto(b"x", ("127.0.0.1", port))
            if i % 100 == 99:
                equal_in_time()


slowest = 0.0


def equal_in_time():
    """Somebody else's service, in between."""
    global slowest
    begin = time.monotonic()
    if ask(20010, b"ping") != b"ping":
        slowest = 1000
    slowest = max(slowest, time.monotonic() - begin)


def serves(name):
    global slowest
    for _ in range(5):
        begin = time.monotonic()
        if ask(PORTS[name], b"hello") != b"hello":
            return False
        slowest = max(slowest, time.monotonic() - begin)
    return True


def dropped(port):
    """Datagrams that the kernel dropped, as the machine was too slow for them."""
    return sum(int(line.split()[-1]) for name in ("/proc/net/udp", "/proc/net/udp6")
               for line in read(name).splitlines() if ":%04X " % port in line)


sent = 0
while sent - dropped(PORTS["fifo"]) < 14000:  # more lines than a queue holds
    flood(PORTS["fifo"], 2000)
    sent += 2000
for name in LOGS:
    if name != "fifo":
        flood(PORTS[name], 3000)
    check("%s: the service with that log serves" % name, serves(name))
stuck = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
stuck.bind(DEV_LOG)
flood(PORTS["absent"], 4000)
check("a /dev/log that nobody reads: the service serves", serves("absent"))
check("nobody waited", slowest < 15, slowest)
cpu, begin = daemon.cpu_seconds(), time.monotonic()
time.sleep(1)  # what is measured
check("the daemon does not spin", daemon.cpu_seconds() - cpu < 0.5 * (time.monotonic() - begin),
      daemon.cpu_seconds() - cpu)
for name, why in (("full", "No space left on device"), ("small", "No space left on device")):
    check("%s: the trouble is told in the daemon's log" % name,
          daemon.wait_log("log %s" % name) and why in daemon.log(), daemon.log())
# --- the FIFO gets a reader: what was kept comes, and what was lost is counted -----------------
fifo = os.open(path("fifo"), os.O_RDONLY | os.O_NONBLOCK)
text = b""
seen = {}


def drain():
    global text
    # As long as there is more: to count is much work.
    while select.select([fifo], [], [], 0.1)[0]:
        more = os.read(fifo, 1 << 20)
        if not more:
            break
        text += more
    lines = text.decode().splitlines()
    seen["spawned"] = len([x for x in lines if "fifo-spawned" in x])
    seen["lost"] = sum(int(x) for x in re.findall(r"(\d+) records lost", text.decode()))
    seen["lines"] = len([x for x in lines if re.search(r": (START|EXIT): fifo-", x)])
    return seen["lost"] + seen["lines"] >= expected


# A START and an EXIT for each datagram and for each of the five connections.
expected = 2 * (sent - dropped(PORTS["fifo"])) + 10
check("a reader gets what was kept; what was lost is counted, and the sum is right", wait_for(drain)
      and seen["lost"] + seen["lines"] == expected, (expected, seen))
check("something was lost, and something was kept", seen["lost"] > 0 and seen["lines"] > 1000, seen)
check("the lines are whole", all(re.match(r"\d\d/\d+/\d+@\d\d:\d\d:\d\d: (START|EXIT): fifo-\S+ .*|.*records lost",
                                          x) for x in text.decode().splitlines()[:-1]))
os.close(fifo)
# --- the file system has room again -------------------------------------------------------------
subprocess.run(["mount", "-o", "remount,size=64m", path("small")], check=True)
check("when there is room the log goes on", wait_for(
    lambda: serves("small") and "small-spawned" in read(path("small/log"))))
stuck.settimeout(PATIENCE)
check("when /dev/log is read, lines come", wait_for(lambda: b"absent" in stuck.recv(3000)))
stuck.close()
os.unlink(DEV_LOG)
check("when it goes away, nobody waits", serves("absent"))
again = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
again.bind(DEV_LOG)
again.settimeout(PATIENCE)
check("serves", serves("absent"))
check("and when it is back, lines come", wait_for(lambda: b"absent" in again.recv(3000)))
# The end is not held up by what cannot be written (fifo without reader, full, unread socket).
flood(PORTS["fifo"], 2000)
begin = time.monotonic()
daemon.stop()
took = time.monotonic() - begin
check("the end waits for them two seconds at most", took < 15, took)

# --- the daemon's own log ---------------------------------------------------------------------------
os.mkfifo(path("own"))
write(path("empty"), service("echo", id="inner", type="INTERNAL UNLISTED", port=20010))
process = subprocess.Popen([os.path.join(BUILD, "usherd"), "-dontfork", "-filelog", path("own"), "-f", path("empty")],
                           stderr=subprocess.DEVNULL)
check("a FIFO that nobody reads as the daemon's log does not hold up the start",
      wait_for(lambda: tcp_listens(20010, True) and ask(20010, b"x") == b"x"))
process.send_signal(signal.SIGTERM)
try:
    equal("nor the end", process.wait(PATIENCE), 0)
except subprocess.TimeoutExpired:
    process.kill()
    check("nor the end", False)
finish()
