#!/usr/bin/env python3
# Proves that the internal services answer byte for byte through the daemon, in an unprivileged worker whose death costs only its own sessions.
# SPDX-License-Identifier: ISC
import os
import random
import socket
import sys

sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "tests/lib"))
from harness import *  # noqa: E402,F403

LOG = path("services.log")
NAMES = ("echo", "discard", "daytime", "time", "chargen")
PORT = {name: 20001 + i for i, name in enumerate(NAMES)}


def stanza(name, ident, port, **attributes):
    return service(name, id=ident, type="INTERNAL UNLISTED", port=port, cps="0 1",
                   log_type="FILE " + LOG, log_on_success="PID HOST EXIT DURATION",
                   log_on_failure="HOST", **attributes)


conf = ""
for name in NAMES:
    conf += stanza(name, name + "-stream", PORT[name])
    conf += stanza(name, name + "-dgram", PORT[name], socket_type="dgram", wait="yes")
conf += stanza("echo", "echo-wait", 20010, wait="yes") + stanza("echo", "echo-unix", None, bind=path("echo")) \
    + stanza("echo", "echo-unixdgram", None, bind=path("echod"), socket_type="dgram", wait="yes") \
    + stanza("echo", "limited", 20011, instances="1") \
    + stanza("daytime", "daytime-wait", 20012, wait="yes") \
    + service("spawned", id="spawned", port=20013, server=probe(), server_args="echo", cps="0 1")
# Dgram services of the machine's own are bound to the loopback unless told otherwise; these are asked there.
daemon = Daemon(conf, env=dict(os.environ, TZ="UTC"))
worker = wait_for(daemon.worker)
check("there is a worker", worker)

# --- the worker's privileges --------------------------------------------------------------
wait_for(lambda: "Seccomp:\t2" in read("/proc/%d/status" % worker), 2)
equal("it works", ask(PORT["echo"], b"x"), b"x")
status = dict(line.split(":", 1) for line in read("/proc/%d/status" % worker).splitlines())
check("it is not root", all(int(x) != 0 for x in status["Uid"].split() + status["Gid"].split()),
      (status["Uid"], status["Gid"]))
check("it has no capabilities", all(int(status[x], 16) == 0 for x in ("CapPrm", "CapEff", "CapInh", "CapAmb")))
equal("it can gain no privileges", status["NoNewPrivs"].strip(), "1")
# The leak checker of the sanitizers wants a process of its own.
check("it can neither have children nor leave a core", all(
    re.search(r"(?m)^%s +0 +0 " % x, read("/proc/%d/limits" % worker))
    for x in ("Max core file size", *(() if sanitized(os.path.join(BUILD, "usherd-worker")) else ("Max processes",)))), read("/proc/%d/limits" % worker))
equal("processes of its own user cannot trace it", os.stat("/proc/%d/status" % worker).st_uid, 0)
equal("its root is empty", os.listdir("/proc/%d/root" % worker), [])
equal("it has no supplementary groups", status["Groups"].split(), [])

# --- byte for byte ---------------------------------------------------------------------------
for host in ("127.0.0.1", "::1"):
    for size in (1, 1000, 300000):
        data = random.Random(size).randbytes(size)
        with tcp(PORT["echo"], host) as s:
            back = b""
            s.setblocking(False)
            sent = 0
            deadline = time.monotonic() + PATIENCE
            while len(back) < size and time.monotonic() < deadline:
                try:
                    if sent < size:
                        sent += s.send(data[sent:sent + 65536])
                    if sent == size:
                        s.setblocking(True)
                    back += s.recv(65536)
                except BlockingIOError:
                    pass
            check("echo gives %d bytes back, %s" % (size, host), back == data, len(back))
            s.shutdown(socket.SHUT_WR)
            equal("and ends when the client does", s.recv(1), b"")
    equal("discard says nothing, " + host, ask(PORT["discard"], b"x" * 100000, host), b"")
    got = ask(PORT["daytime"], b"", host)
    match = re.match(rb"(\d\d) ([A-Z]{3}) (\d{4}) (\d\d:\d\d:\d\d) UTC\r\n$", got)
    check("daytime, " + host, match, got)
    if match:
        said = time.mktime(time.strptime(got.decode().strip().replace(" UTC", "").title(),
                                         "%d %b %Y %H:%M:%S")) - time.timezone
        check("daytime is now", abs(said - time.time()) <= 60, said)
    got = ask(PORT["time"], b"", host)
    check("time: 4 bytes since 1900, " + host,
          len(got) == 4 and abs(struct.unpack(">I", got)[0] - 2208988800 - time.time()) <= 60, got)


def chargen(lines):
    chars = bytes(range(33, 126))
    for k in range(lines):
        k %= 95
        yield bytes(chars[(k + i) % 93] for i in range(72)) + b"\r\n"


with tcp(PORT["chargen"]) as s:
    expected = b"".join(chargen(300))
    got = b""
    while len(got) < len(expected):
        got += s.recv(65536)
    check("chargen: 300 lines as xinetd sends them", got[:len(expected)] == expected,
          next((i for i in range(len(expected)) if got[i] != expected[i]), None))
    reset(s)

for host in ("127.0.0.1",):
    for size in (0, 1, 512, 8192):
        data = random.Random(size).randbytes(size)
        equal("echo of a datagram of %d bytes" % size, ask_udp(PORT["echo"], data, host), data)
    check("daytime over UDP", re.match(rb"\d\d [A-Z]{3} \d{4} \d\d:\d\d:\d\d UTC\r\n$",
                                       ask_udp(PORT["daytime"], b"x", host)))
    got = ask_udp(PORT["time"], b"", host)
    check("time over UDP", len(got) == 4 and abs(struct.unpack(">I", got)[0] - 2208988800 - time.time()) <= 60)
    got = ask_udp(PORT["chargen"], b"x", host)
    check("chargen over UDP: at most 512 bytes, whole lines", len(got) == 512 and got.endswith(b"\r\n")
          and got.startswith(next(chargen(1))), got)
    equal("discard over UDP says nothing", ask_udp(PORT["discard"], b"x", host, 0.3), None)
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
    s.settimeout(PATIENCE)
    for i in range(5):
        s.sendto(b"%d" % i, ("127.0.0.1", PORT["echo"]))
    equal("5 quick datagrams, 5 answers", sorted(s.recv(10) for _ in range(5)),
          [b"%d" % i for i in range(5)])
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
    s.bind(("127.0.0.1", 999))
    s.settimeout(0.3)
    s.sendto(b"loop", ("127.0.0.1", PORT["echo"]))
    try:
        check("no answer to a port below 1024", s.recv(10) is None)
    except socket.timeout:
        check("no answer to a port below 1024", True)
equal("echo over a Unix stream", ask_unix(socket.SOCK_STREAM, path("echo"), b"hello"), b"hello")
# The worker sees no files, so only abstract names can be answered.
equal("echo of a Unix datagram", ask_unix(socket.SOCK_DGRAM, path("echod"), b"hello", "\0usherd-own"),
      b"hello")

# --- one at a time -------------------------------------------------------------------------------


def echoes(s, text=b"ping"):
    s.sendall(text)
    return s.recv(100) == text


first, second = tcp(20010), tcp(20010)
check("wait = yes: the first is served", echoes(first))
second.sendall(b"ping")
second.settimeout(0.3)
try:
    check("wait = yes: the second waits", second.recv(10) is None)
except socket.timeout:
    check("wait = yes: the second waits", True)
first.close()
second.settimeout(PATIENCE)
equal("wait = yes: until the first has ended", second.recv(10), b"ping")
second.close()
for _ in range(3):
    check("wait = yes: daytime", ask(20012).endswith(b"\r\n"))
with tcp(20011) as s:
    check("instances count internal sessions", echoes(s) and ask(20011, b"x") == b"")
check("and their end makes room", wait_for(lambda: ask(20011, b"x") == b"x"))

# --- the worker dies ---------------------------------------------------------------------------------
held = [tcp(PORT["echo"]) for _ in range(10)]
check("sessions before", all(echoes(s) for s in held))
waiting = tcp(20010)
check("one with wait = yes, too", echoes(waiting))
outside = tcp(20013)
check("and a server's", echoes(outside))


def exits(name, what):
    return [x for x in log_lines(LOG) if re.match("EXIT: %s %s pid=" % (name, what), x)]


os.kill(worker, signal.SIGKILL)
equal("its sessions end", [receive_all(s) for s in held] + [receive_all(waiting)], [b""] * 11)
equal("each gets its EXIT with the signal", wait_for(lambda: len(exits("echo-stream", "signal=9")) >= 10
                                                     and len(exits("echo-stream", "signal=9"))), 10)
equal("wait = yes, too", wait_for(lambda: len(exits("echo-wait", "signal=9"))), 1)
check("others notice nothing", echoes(outside))
check("it is back", wait_for(lambda: daemon.worker() not in (None, worker)))
equal("and serves", ask(PORT["echo"], b"again"), b"again")
equal("and serves datagrams", ask_udp(PORT["echo"], b"again"), b"again")
with tcp(20010) as s:
    check("and wait = yes", echoes(s))
for _ in range(2):
    # Again and again, now with a pause: clients who come meanwhile are served late, not refused.
    victim = wait_for(daemon.worker)
    os.kill(victim, signal.SIGABRT)
    wait_for(lambda: daemon.worker() != victim)
    equal("a client who comes while it is gone waits for it", ask(PORT["echo"], b"late"), b"late")
outside.close()
wait_for(lambda: len([x for x in log_lines(LOG) if x.startswith("EXIT")]) >= len(
    [x for x in log_lines(LOG) if x.startswith("START")]))
lines = log_lines(LOG)
equal("as many START as EXIT", sum(x.startswith("START") for x in lines),
      sum(x.startswith("EXIT") for x in lines))
check("the log has nothing odd", not [x for x in lines if x.startswith("BAD")])
equal("the daemon holds no descriptor of theirs", wait_for(lambda: daemon.descriptors() < 60), True)
finish()
