#!/usr/bin/env python3
# Proves: daytime and time on TCP are answered where they are accepted, with the records, limits and banners of others,
# and a client who sends something, before or after, gets its whole answer all the same.
# SPDX-License-Identifier: ISC
import os
import re
import socket
import sys
import threading

sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "tests/lib"))
from harness import *  # noqa: E402,F403

LOG = path("services.log")
COMMON = dict(type="INTERNAL UNLISTED", cps="0 1", per_source="1", instances="1", flags="IPv4", log_type="FILE " + LOG,
              log_on_success="PID HOST EXIT DURATION", log_on_failure="HOST")
write(path("banner"), "before\n")
write(path("welcome"), "welcome\n")
daemon = Daemon("".join([
    service("daytime", id="daytime", port=20001, **COMMON),
    service("time", id="time", port=20002, **COMMON),
    service("daytime", id="bannered", port=20003, banner=path("banner"), banner_success=path("welcome"), **COMMON),
    service("daytime", id="barred", port=20004, no_access="127.0.0.0/8", **COMMON),
    service("daytime", id="hurried", port=20005, **dict(COMMON, cps="3 1000")),
    service("daytime", id="waiting", port=20006, **dict(COMMON, wait="yes")),
    service("daytime", id="unix", bind=path("unix"), **dict(COMMON, flags=None)),
    service("daytime", id="roomy", port=20008, **dict(COMMON, instances="1000", per_source="1000")),
]))
LINE = rb"\d\d [A-Z]{3} \d{4} \d\d:\d\d:\d\d [^ ]{1,16}\r\n"
MUCH = b"x" * (1 << 20)


def records(kind, name):
    return [x for x in log_lines(LOG) if x.startswith("%s: %s" % (kind, name))]


def recorded(what, name, starts, fails=0):
    wait_for(lambda: len(records("EXIT", name)) >= starts and len(records("FAIL", name)) >= fails)
    equal(what + ": START, EXIT and FAIL", [len(records(kind, name)) for kind in ("START", "EXIT", "FAIL")],
          [starts, starts, fails])


def is_line(data):
    return bool(re.fullmatch(LINE, data or b""))


def send_much(s):
    """As much as the other side takes before it has ended, or reset, the connection."""
    try:
        s.sendall(MUCH)
    except OSError:
        pass



def daemon_connections():
    """Connections of the daemon's, as its descriptors show them: sockets that do not listen."""
    connected = set()
    for line in read("/proc/net/tcp").splitlines()[1:]:
        fields = line.split()
        if fields[3] != "0A":
            connected.add("socket:[%s]" % fields[9])
    held = set()
    for name in os.listdir("/proc/%d/fd" % daemon.pid):
        try:
            held.add(os.readlink("/proc/%d/fd/%s" % (daemon.pid, name)))
        except OSError:
            pass
    return held & connected


# --- without the worker -----------------------------------------------------------------------
worker = daemon.worker()
os.kill(worker, signal.SIGSTOP)
for _ in range(20):
    check("daytime is answered", is_line(ask(20001)))
recorded("daytime", "daytime", 20)
equal("its records", (records("START", "daytime")[0], records("EXIT", "daytime")[0]),
      ("START: daytime pid=0 from=127.0.0.1", "EXIT: daytime status=0 pid=0 duration=0(sec)"))
with tcp(20002) as s:
    said = receive_all(s)
check("time is answered", len(said) == 4 and abs(int.from_bytes(said, "big") - 2208988800 - time.time()) < 60, said)
recorded("time", "time", 1)
check("behind the banners", re.fullmatch(b"before\nwelcome\n" + LINE, ask(20003) or b""))
check("wait = yes", is_line(ask(20006)) and is_line(ask(20006)))
equal("who may not is not answered", ask(20004), b"")
recorded("who may not", "barred", 0, 1)
for _ in range(3):
    check("who comes too fast is answered at first", is_line(ask(20005)))
equal("and then not", ask(20005), b"")
recorded("who comes too fast", "hurried", 3, 1)
check("and its door is closed", wait_for(lambda: not tcp_listens(20005)))

# --- clients that come together, go at once, or send something -----------------------------------
total = 20
daemon.process.send_signal(signal.SIGSTOP)
crowd = [tcp(20001) for _ in range(50)]
gone = [tcp(20001) for _ in range(10)]
for s in gone:
    reset(s)
daemon.process.send_signal(signal.SIGCONT)
check("those that come together are all answered, one after the other", all(is_line(receive_all(s)) for s in crowd))
total += len(crowd) + len(gone)
recorded("those that are gone before they are accepted, too", "daytime", total)
for s in crowd:
    s.close()

daemon.process.send_signal(signal.SIGSTOP)
talkers = [tcp(20008) for _ in range(5)]
for s in talkers:
    s.sendall(b"before it is accepted")
quiet = tcp(20008)
daemon.process.send_signal(signal.SIGCONT)
check("who has sent nothing is answered at once", is_line(receive_all(quiet)))
wait_for(lambda: len(records("EXIT", "roomy")) >= 1 and len(records("START", "roomy")) >= 6)
equal("who has sent something waits for the worker", len(records("EXIT", "roomy")), 1)
os.kill(worker, signal.SIGCONT)
check("which answers", all(is_line(receive_all(s)) for s in talkers))
for s in talkers:
    s.close()
recorded("and is recorded", "roomy", 6)

lines = []


def talk_much(before):
    """Sends before it is accepted, if that can be, or else about then; reads only afterwards."""
    with tcp(20008) as s:
        if before:
            s.sendall(b"x")
        send_much(s)
        lines.append(receive_all(s))


for n in range(5):
    threads = [threading.Thread(target=talk_much, args=(i % 2,)) for i in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
equal("those who send a megabyte and read only then get the whole line", [x for x in lines if not is_line(x)], [])
equal("all of them", len(lines), 200)
recorded("each is recorded once", "roomy", 206)

# --- other sockets, and what is left of all this ----------------------------------------------------
check("on a Unix socket it is for the worker", is_line(ask_unix(socket.SOCK_STREAM, path("unix"))))
check("no descriptor is left", wait_for(lambda: not daemon_connections()), daemon_connections)
finish()
