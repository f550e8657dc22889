#!/usr/bin/env python3
# Proves log_type = JOURNAL: every record is an entry with fields, and a journal that is absent, stuck or started anew keeps nobody waiting.
# SPDX-License-Identifier: ISC
import os
import select
import socket
import struct
import sys

sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "tests/lib"))
from harness import *  # noqa: E402,F403

PROBE = probe()
subprocess.run(["mount", "-t", "tmpfs", "none", "/run"], check=True)
os.makedirs("/run/systemd/journal")
SOCKET = "/run/systemd/journal/socket"
FLAGS = dict(log_type="JOURNAL", log_on_success="PID HOST EXIT DURATION", log_on_failure="HOST", cps="0 1")


def entry(data):
    """What journald makes of a datagram: each field NAME=value\\n, or NAME\\n, eight bytes of length, value, \\n."""
    fields, at = {}, 0
    while at < len(data):
        end = data.index(b"\n", at)
        line = data[at:end]
        at = end + 1
        if not line:
            continue
        name, equals, value = line.partition(b"=")
        if not equals:
            size = struct.unpack_from("<Q", data, at)[0]
            value = data[at + 8:at + 8 + size]
            at += 8 + size
            if data[at:at + 1] != b"\n":
                raise ValueError("no newline behind the value of %r" % name)
            at += 1
        if not re.fullmatch(rb"[A-Z][A-Z0-9_]{0,63}", name):
            raise ValueError("no name of a field: %r" % name)
        fields.setdefault(name.decode(), value.decode())
    return fields


equal("the parser of this test knows both forms", entry(b"A=b=c\nB\n" + struct.pack("<Q", 3) + b"x\ny\nC=\n"),
      {"A": "b=c", "B": "x\ny", "C": ""})


class Journal:
    def __init__(self):
        if os.path.exists(SOCKET):
            os.unlink(SOCKET)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(SOCKET)
        self.socket.setblocking(False)
        self.entries = []

    def read(self):
        # Room for few datagrams is all that some machines give a socket, so the next ones come while these are read.
        while select.select([self.socket], [], [], 0.01)[0]:
            self.entries.append(entry(self.socket.recv(1 << 16)))
        return self.entries

    def find(self, **fields):
        """The entries that have these fields."""
        return [e for e in self.read() if all(e.get(k if k.isupper() and "_" in k or k == "MESSAGE" else "USHERD_" + k.upper())
                                              == str(v) for k, v in fields.items())]

    def one(self, **fields):
        found = wait_for(lambda: self.find(**fields))
        return found[0] if found else {}


conf = (service("tell", port=20001, server=PROBE, server_args="exit 7", **FLAGS)
        + service("echo", id="inner", type="INTERNAL UNLISTED", port=20002, **FLAGS)
        + service("refuse", port=20003, server=PROBE, no_access="127.0.0.1", **FLAGS)
        + service("killed", port=20004, server=PROBE, server_args="kill 15", **FLAGS)
        + service("over", port=20005, redirect="127.0.0.1 20002", **dict(
            FLAGS, log_on_success="HOST EXIT TRAFFIC"))
        + service("little", port=20006, server=PROBE, server_args="exit 0", **dict(FLAGS, log_on_success="EXIT"))
        + service("plain", port=20007, server=PROBE, server_args="echo", log_type="FILE " + path("plain.log"),
                  log_on_success="PID", cps="0 1"))
journal = Journal()
begin = time.time()
daemon = Daemon(conf)
check("nothing is said to take effect later", "later version" not in daemon.log(), daemon.log())
with tcp(20001) as s:
    port = s.getsockname()[1]
    receive_all(s)
start = journal.one(event="START", service="tell")
end = journal.one(event="EXIT", service="tell")
pid = start.get("USHERD_PID")
equal("START: the message is xinetd's line", start.get("MESSAGE"), "START: tell pid=%s from=127.0.0.1" % pid)
equal("START: its fields", {k: v for k, v in start.items() if k not in ("USHERD_TIME_USEC", "MESSAGE")}, {
    "PRIORITY": "6", "SYSLOG_FACILITY": "3", "SYSLOG_IDENTIFIER": "usherd", "SYSLOG_PID": str(daemon.pid),
    "USHERD_EVENT": "START", "USHERD_SERVICE": "tell", "USHERD_SESSION": end.get("USHERD_SESSION"), "USHERD_PID": pid,
    "USHERD_PEER": "127.0.0.1", "USHERD_PEER_PORT": str(port)})
check("START: its time", begin - 60 < int(start["USHERD_TIME_USEC"]) / 1e6 < time.time() + 60, start)
check("EXIT: its message", re.match(r"EXIT: tell status=7 pid=%s duration=\d+\(sec\)$" % pid, end.get("MESSAGE", "")), end)
equal("EXIT: status and pid", (end.get("USHERD_STATUS"), end.get("USHERD_PID"), end.get("USHERD_SIGNAL")), ("7", pid, None))
check("EXIT: duration", int(end["USHERD_DURATION_USEC"]) < 60e6, end)
ask(20003)
fail = journal.one(event="FAIL")
equal("FAIL: its fields", [fail.get(k) for k in ("MESSAGE", "USHERD_SERVICE", "USHERD_REASON", "USHERD_PEER")],
      ["FAIL: refuse address from=127.0.0.1", "refuse", "address", "127.0.0.1"])
ask(20004)
equal("a signal is one", journal.one(event="EXIT", service="killed").get("USHERD_SIGNAL"), "15")
equal("an internal service answers", ask(20002, b"hello"), b"hello")
equal("its pid is 0, as in the line", journal.one(event="START", service="inner").get("USHERD_PID"), "0")
equal("a redirect answers", ask(20005, b"hello"), b"hello")
traffic = journal.one(event="TRAFFIC")
equal("TRAFFIC: its fields", [traffic.get(k) for k in ("MESSAGE", "USHERD_IN_BYTES", "USHERD_OUT_BYTES")],
      ["TRAFFIC: over in=5(bytes) out=5(bytes)", "5", "5"])
equal("one session, one number", {e.get("USHERD_SESSION") for e in journal.find(service="over")},
      {traffic.get("USHERD_SESSION")})
ask(20006)
little = journal.one(event="START", service="little")
equal("what the flags do not ask for is in no field", [little.get("MESSAGE"), little.get("USHERD_PID"),
                                                       little.get("USHERD_PEER")], ["START: little", None, None])
equal("other logs have no fields", ask(20007, b"x") and wait_for(lambda: log_lines(path("plain.log")))[0].count("\n"), 0)
check("and look as ever", re.fullmatch(r"START: plain pid=\d+", log_lines(path("plain.log"))[0]), read(path("plain.log")))

# --- gone, and back ------------------------------------------------------------------------------------------
journal.socket.close()
equal("with the journal gone, services answer", ask(20002, b"x"), b"x")
check("and the log says what is wrong", wait_for(
    lambda: re.search("log (inner|tell) cannot be written", daemon.log())), daemon.log())
os.unlink(SOCKET)
equal("also with no socket", ask(20002, b"y"), b"y")
journal = Journal()
check("when it is back it gets what it missed", wait_for(lambda: len(journal.find(event="START", service="inner")) == 2),
      journal.entries)

# --- stuck ---------------------------------------------------------------------------------------------------
ID = "x" * 300
daemon.reload(conf + service("discard", type="INTERNAL UNLISTED", id=ID, port=20008, socket_type="dgram", wait="yes",
                             **FLAGS))
slowest = 0
sent = 0


def dropped():
    """Datagrams that the kernel dropped, as the machine was too slow for them."""
    return sum(int(line.split()[-1]) for line in (read("/proc/net/udp") + read("/proc/net/udp6")).splitlines()
               if ":%04X " % 20008 in line)


with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
    while sent - dropped() < 6000:  # more than the socket and the queue hold
        for _ in range(50):
            s.sendto(b"x", ("127.0.0.1", 20008))
        sent += 50
        begin = time.monotonic()
        equal_answer = ask(20007, b"ping") == b"ping"
        slowest = max(slowest, time.monotonic() - begin if equal_answer else 1000)
check("nobody waits for a journal that does not read", slowest < 15, slowest)


def books():
    """Records of that service that came, and those that were lost."""
    journal.read()
    lost = sum(int(m[1]) for m in (re.match(r"(\d+) records lost: ", e["MESSAGE"]) for e in journal.entries) if m)
    return len([e for e in journal.entries if e.get("USHERD_SERVICE") == ID]), lost


check("when it reads again, each record is there or counted as lost",
      wait_for(lambda: sum(books()) >= 2 * (sent - dropped())) and sum(books()) == 2 * (sent - dropped()),
      (books(), sent, dropped()))
check("some were lost, some kept", min(books()) > 0, books())
lost = [e for e in journal.entries if "records lost" in e["MESSAGE"]]
equal("the loss is a warning", {e["PRIORITY"] for e in lost}, {"4"})
check("and is in the daemon's log", "records lost" in daemon.log(), daemon.log())
before = len(journal.find(event="EXIT", service="inner"))
equal("records come again", ask(20002, b"z") and wait_for(
    lambda: len(journal.find(event="EXIT", service="inner")) > before), True)
finish()
