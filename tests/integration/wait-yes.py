#!/usr/bin/env python3
# Proves that a server with wait = yes has the socket for itself while it runs, that nothing is lost before and after, and that neither refusals nor idle servers stop or spin the service.
# SPDX-License-Identifier: ISC
import os
import socket
import sys

sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "tests/lib"))
from harness import *  # noqa: E402,F403

PROBE = probe()
LOG = path("services.log")


def stanza(name, port, **attributes):
    base = {"id": name, "wait": "yes", "server": PROBE, "cps": "0 1", "log_type": "FILE " + LOG,
            "log_on_success": "PID EXIT", "log_on_failure": "HOST",
            "env": "COUNT=" + path("count-" + name)}
    base.update(attributes)
    return service(name, port=port, **base)


def dgram(name, port, **attributes):
    return stanza(name, port, socket_type="dgram", **attributes)


def starts(name):
    return len(read(path("count-" + name)))


def lines(kind, name):
    return [x for x in log_lines(LOG) if x.startswith("%s: %s " % (kind, name))]


def burst(port, n):
    """n datagrams at once from one socket; the answers as (pid, text)."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        # The server, which ends when nothing comes for a while, is not started before all are there.
        daemon.process.send_signal(signal.SIGSTOP)
        for i in range(n):
            s.sendto(b"%d" % i, ("127.0.0.1", port))
        daemon.process.send_signal(signal.SIGCONT)
        s.settimeout(PATIENCE)
        got = []
        try:
            while len(got) < n:
                got.append(tuple(s.recv(100).split(b":")))
            s.settimeout(0.2)
            got.append(s.recv(100))
        except socket.timeout:
            pass
        return got


sometimes = path("sometimes")
write(sometimes, "#!/bin/sh\nprintf x >>%s\n[ -e %s ] && exit 3\nunset COUNT\nexec %s dgram 1 1000\n"
      % (path("count-sometimes"), path("broken"), PROBE))
os.chmod(sometimes, 0o755)
write(path("broken"), "")
CLOSED = dict(access_times="%02d:00-%02d:00" % ((time.localtime().tm_hour + 10) % 24,
                                                (time.localtime().tm_hour + 12) % 24))
conf = "".join([
    stanza("stream", 20001, server_args="accept 3 200"),
    stanza("crash", 20002, server_args="accept 1 60000"),
    stanza("unixstream", None, bind=path("unix"), server_args="accept 2 200"),
    dgram("one", 20003, server_args="dgram 1 1000"),
    dgram("many", 20004, server_args="dgram 1000 300"),
    dgram("sometimes", 20005, server=sometimes),
    dgram("never", 20006, server_args="exit 0"),
    dgram("unixdgram", None, bind=path("unixdgram"), server_args="dgram 1 1000"),
    dgram("unixnever", None, bind=path("unixnever"), server_args="exit 0"),
    stanza("unread", 20007, server_args="exit 0", cps="5 1"),
    dgram("times", 20010, server_args="dgram 1 1000", **CLOSED),
    dgram("load", 20011, server_args="dgram 1 1000", max_load="-1"),
    dgram("instances", 20012, server_args="dgram 1 1000", instances="0"),
    dgram("address", 20013, server_args="dgram 1 1000", no_access="127.0.0.1"),
    stanza("stimes", 20014, server_args="accept 1 1000", **CLOSED),
    stanza("sload", 20015, server_args="accept 1 1000", max_load="-1"),
    stanza("sinstances", 20016, server_args="accept 1 1000", instances="0"),
])
daemon = Daemon(conf)

# --- streams ------------------------------------------------------------------------
# A server ends when nobody comes for a while, so all are there before the first is started.
daemon.process.send_signal(signal.SIGSTOP)
clients = [tcp(20001) for _ in range(20)]
for s in clients:
    s.shutdown(socket.SHUT_WR)
daemon.process.send_signal(signal.SIGCONT)
answers = [receive_all(s).decode() for s in clients]
equal("20 connections at once are all served", len([x for x in answers if re.match(r"\d+ \d+\n$", x)]), 20)
equal("by servers that accept three each", starts("stream"), 7)
equal("one at a time: each numbers its own", len(set(answers)), 20)
wait_for(lambda: len(lines("EXIT", "stream")) == 7)
equal("a START and an EXIT for each", (len(lines("START", "stream")), len(lines("EXIT", "stream"))), (7, 7))
check("the service is watched again", ask(20001))
# While the server runs nobody else is started.
with tcp(20002) as first:
    got = first.recv(100)
    pid = int(got.split()[0])
    late = [tcp(20002) for _ in range(5)]
    equal("connections wait for the server that runs", starts("crash"), 1)
    os.kill(pid, signal.SIGKILL)
    served = 0
    for connection in late:
        served += connection.recv(100) != b""
        connection.close()
equal("those that waited are served when it has died", served, 5)
check("its end is recorded", wait_for(lambda: "EXIT: crash signal=9 pid=%d" % pid in log_lines(LOG)))
for _ in range(3):
    check("Unix stream", ask_unix(socket.SOCK_STREAM, path("unix")))

# --- datagrams -----------------------------------------------------------------------
got = burst(20003, 5)
equal("5 quick datagrams to servers that read one each: 5 answers", sorted(x[1] for x in got),
      [b"%d" % i for i in range(5)])
equal("in 5 servers", len({x[0] for x in got}), 5)
equal("and no more", starts("one"), 5)
got = burst(20004, 50)
equal("50 quick datagrams to one that reads all: 50 answers", len(got), 50)
equal("in one server", (len({x[0] for x in got}), starts("many")), (1, 1))
check("and another one next time", wait_for(lambda: lines("EXIT", "many"))
      and len(burst(20004, 3)) == 3 and starts("many") == 2)
for i in range(3):
    check("Unix datagrams", ask_unix(socket.SOCK_DGRAM, path("unixdgram"), b"x",
                                     path("own%d" % i)).endswith(b":x"))


def flood(port, n):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        for _ in range(n):
            s.sendto(b"x", ("127.0.0.1", port))


def quiet(name, seconds=0.5):
    """Waits until no server has been started for a while, after the first; the number of starts."""
    wait_for(lambda: starts(name))
    last, since = starts(name), time.monotonic()
    deadline = since + PATIENCE
    while time.monotonic() - since < seconds and time.monotonic() < deadline:
        time.sleep(0.02)
        if starts(name) != last:
            last, since = starts(name), time.monotonic()
    return last


flood(20005, 20)
n = quiet("sometimes")
check("a server that never reads is started a bounded number of times", 1 <= n <= 22, n)
os.remove(path("broken"))
equal("and when it is mended the service is there", len(burst(20005, 3)), 3)
flood(20006, 1)
n = quiet("never")
check("one unread datagram: two starts at most", 1 <= n <= 2, n)
cpu = daemon.cpu_seconds()
time.sleep(0.5)
check("and then the daemon is idle", daemon.cpu_seconds() - cpu < 0.2, daemon.cpu_seconds() - cpu)
for i in range(3):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.sendto(b"x", path("unixnever"))
n = quiet("unixnever")
check("the same with Unix datagrams", 1 <= n <= 6, n)
with tcp(20007) as connection:
    check("a stream server that never accepts is stopped by cps",
          daemon.wait_log("Deactivating service unread due to excessive incoming connections"))
    check("which bounds it", starts("unread") <= 6, starts("unread"))
    receive_all(connection)

# --- refusals --------------------------------------------------------------------------
REASON = {"times": "time", "load": "load", "instances": "service_limit", "address": "address"}
for name, port in (("times", 20010), ("load", 20011), ("instances", 20012), ("address", 20013)):
    flood(port, 4)
    # A refused datagram is recorded with its sender.
    equal("%s: each datagram is refused and recorded" % name, wait_for(
        lambda: len(lines("FAIL", name)) >= 4 and lines("FAIL", name)),
        ["FAIL: %s %s from=127.0.0.1" % (name, REASON[name])] * 4)
for name, port, reason in (("stimes", 20014, "time"), ("sload", 20015, "load"),
                           ("sinstances", 20016, "service_limit")):
    for _ in range(3):
        equal("%s: the client is let go" % name, ask(port), b"")
    equal("%s: each is recorded" % name, wait_for(lambda: len(lines("FAIL", name)) >= 3) and
          [x.split(" from")[0] for x in lines("FAIL", name)],
          ["FAIL: %s %s" % (name, reason)] * 3)
check("refused ones never started a server", not any(starts(x) for x in [*REASON, "stimes", "sload",
                                                                         "sinstances"]))
opened = conf.replace("max_load = -1", "max_load = 1000000").replace("instances = 0", "instances = 9") \
    .replace("no_access = 127.0.0.1", "no_access = 10.9.8.7") \
    .replace("access_times = " + CLOSED["access_times"], "access_times = 0:00-23:59")
check("the configuration is read again", daemon.reload(opened))
for name, port in (("times", 20010), ("load", 20011), ("instances", 20012), ("address", 20013)):
    check("%s: not suspended for ever" % name, len(burst(port, 2)) == 2)
for name, port in (("stimes", 20014), ("sload", 20015), ("sinstances", 20016)):
    check("%s: not suspended for ever" % name, ask(port))
daemon.stop()

# --- and without a reload: the limit of all servers ---------------------------------------
os.remove(LOG)
daemon = Daemon(stanza("holder", 20021, wait="no", server_args="hold") +
                dgram("waiting", 20022, server_args="dgram 1 1000") +
                stanza("swaiting", 20023, server_args="accept 1 1000"), "-limit", "1")
with tcp(20021) as holder:
    holder.recv(100)
    flood(20022, 2)
    check("-limit refuses", wait_for(lambda: lines("FAIL", "waiting") ==
                                     ["FAIL: waiting process_limit from=127.0.0.1"] * 2))
    equal("-limit refuses streams", ask(20023), b"")
check("a server's end makes room", wait_for(lambda: lines("EXIT", "holder")))
check("then they are served", len(burst(20022, 1)) == 1)
check("one after the other", wait_for(lambda: lines("EXIT", "waiting")) and ask(20023))
daemon.stop()

# --- a socket that a server shuts down, or what it left behind --------------------------------
lasting = write(path("lasting"), """import os, socket, sys, time
s = socket.socket(fileno=0)
data, peer = s.recvfrom(100)
if data == b"shut":
    if os.fork():
        os._exit(0)
    os.setsid()
    time.sleep(0.3)
    try:
        s.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
    os._exit(0)
s.sendto(data, peer)
""")
daemon = Daemon(dgram("shut", 20031, server_args="shutdown") +
                dgram("later", 20032, server=sys.executable, server_args=lasting))
flood(20031, 1)
shut = "service %s: the socket has been shut down; it is opened anew"
check("a datagram socket that its server shut down is opened anew", daemon.wait_log(shut % "shut"), daemon.log())
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
    s.sendto(b"shut", ("127.0.0.1", 20032))
check("one that a process shuts down when its server is long gone, too", daemon.wait_log(shut % "later"), daemon.log())
check("and nothing spins", daemon.cpu_seconds() < 2, daemon.cpu_seconds())
check("it serves again", wait_for(lambda: ask_udp(20032, b"hello", timeout=1) == b"hello"))
daemon.stop()
finish()
