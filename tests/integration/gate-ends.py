#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Proves: however asking about a client ends, it ends with one record, in time, and nobody else waits."""
import os
import resource
import shutil
import signal
import socket
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import harness  # noqa: E402
from harness import (BUILD, Daemon, check, equal, finish, log_lines, path, private_etc, probe, read,  # noqa: E402
                     receive_all, report, reset, service, skip, wait_for)

with open(os.path.join(BUILD, "usherd-gate"), "rb") as file:
    gate = file.read()
if b"hosts_access" not in gate:
    skip("built without libwrap")
# Under sanitizers a program takes a tenth of a second to begin.
MANY = 200 if b"__asan_init" in gate else 1000
LOG = path("log")
PATIENCE_OF_GATES = 30
FILES = 512  # of which so many gates may have a share
GATES_MAX = FILES // 16
# And of one service.
GATES_OF_ONE = GATES_MAX // 4 + 1
HANGS = "probe echo: ALL: spawn (sleep 1000)\n"


def rules(deny="", allow=""):
    private_etc(hosts_deny=deny, hosts_allow=allow)


def stanza(name, port, **more):
    more.setdefault("server", None if "type" in more else probe())
    return service(name, port=port, log_type="FILE " + LOG, log_on_success="HOST PID", log_on_failure="HOST", cps="0 1", **more)


def gates(daemon):
    """Those that still run, their children not counted."""
    return [pid for pid in daemon.children() if read("/proc/%d/comm" % pid).startswith("usherd-gate")
            and "\nState:\tZ" not in read("/proc/%d/status" % pid)]


def gate_of(daemon, src):
    """The gate of the client at this address, once its command runs."""
    def find():
        for pid in gates(daemon):
            if "\0REMOTE_HOST=%s\0" % src in "\0" + read("/proc/%d/environ" % pid) and (
                    read("/proc/%d/task/%d/children" % (pid, pid))):
                return pid
        return None
    pid = wait_for(find)
    check("%s is asked about" % src, pid)
    return pid


def let_go(pid):
    """Ends the command that the gate waits for."""
    for child in read("/proc/%d/task/%d/children" % (pid, pid)).split():
        os.kill(int(child), signal.SIGKILL)


def connect(port, src="127.0.0.1"):
    s = socket.socket()
    s.settimeout(90)
    s.bind((src, 0))
    s.connect(("127.0.0.1", port))
    return s


def talk(port, src="127.0.0.1", data=b""):
    with connect(port, src) as s:
        try:
            s.sendall(data)
            s.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        return receive_all(s)


def outcomes(name, src=None):
    return [line.split(": ")[0] + " " + " ".join(w for w in line.split()[2:] if not w.startswith("pid="))
            for line in log_lines(LOG) if line.split()[1] == name and not line.startswith("EXIT")
            and (not src or line.endswith("from=" + src))]


def one_outcome(sentence, name, src, expected):
    wait_for(lambda: outcomes(name, src), 20)
    equal(sentence, outcomes(name, src), ["%s from=%s" % (expected, src)])


def consistent(daemon, sentence):
    before = daemon.log().count("Consistency check passed")
    daemon.process.send_signal(signal.SIGABRT)
    check(sentence, wait_for(lambda: daemon.log().count("Consistency check passed") > before), daemon.log())


OPEN = stanza("open", 25009, flags="NOLIBWRAP")
conf = (stanza("a", 25001, user="nobody", banner_fail=path("fail")) + stanza("limited", 25002, instances="1")
        + stanza("echo", 25003, type="INTERNAL UNLISTED", id="inner") + OPEN)
GOING = (stanza("going", 25004) + stanza("echo", 25005, type="INTERNAL UNLISTED", id="goinginner")
         + stanza("goingdgram", 25006, socket_type="dgram", wait="yes", server_args="dgram 1 1", flags="IPv4"))
harness.write(path("fail"), "no\n")
rules(allow=HANGS)
daemon = Daemon(conf + GOING)

# --- the end of the gate -----------------------------------------------------------------------------------------------
stopped = connect(25001, "127.0.0.2")
os.kill(gate_of(daemon, "127.0.0.2"), signal.SIGSTOP)
begin = time.monotonic()
hanging = connect(25003, "127.0.0.3")
gate_of(daemon, "127.0.0.3")
for signo, src in ((signal.SIGKILL, "127.0.0.4"), (signal.SIGUSR1, "127.0.0.5"), (signal.SIGTERM, "127.0.0.6")):
    with connect(25001, src) as s:
        os.kill(gate_of(daemon, src), signo)
        equal("a gate that is ended by signal %d refuses" % signo, receive_all(s), b"")
    one_outcome("with one record", "a", src, "FAIL libwrap")
check("and that is an error in the log", daemon.wait_log("ERROR: service a: a gate was ended by signal 9"), daemon.log())
gone = connect(25001, "127.0.0.7")
gate_of(daemon, "127.0.0.7")
reset(gone)

# --- limits hold while it is asked -----------------------------------------------------------------------------------------
first = connect(25002, "127.0.0.8")
gate_of(daemon, "127.0.0.8")
equal("who is asked about counts: another one finds the service full", talk(25002, "127.0.0.9"), b"")
one_outcome("which is recorded", "limited", "127.0.0.9", "FAIL service_limit")

# --- reload ------------------------------------------------------------------------------------------------------------------
going = [connect(25004, "127.0.0.10"), connect(25005, "127.0.0.11")]
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
    s.bind(("127.0.0.12", 0))
    s.sendto(b"x", ("127.0.0.1", 25006))
    for src in ("127.0.0.10", "127.0.0.11", "127.0.0.12"):
        gate_of(daemon, src)
    daemon.reload(conf)
equal("of services that go, clients are refused", [receive_all(s) for s in going], [b"", b""])
for name, src in (("going", "127.0.0.10"), ("goinginner", "127.0.0.11"), ("goingdgram", "127.0.0.12")):
    one_outcome("with one record: " + name, name, src, "FAIL libwrap")
staying = connect(25001, "127.0.0.13")
gate_of(daemon, "127.0.0.13")
daemon.reload(conf.replace("\tport = 25001\n", "\tport = 25001\n\tno_access = 127.0.0.13\n"))
consistent(daemon, "the tables agree")
rules()
for src in ("127.0.0.7", "127.0.0.8", "127.0.0.13"):
    let_go(gate_of(daemon, src))
equal("who is allowed by the old ones, but not by the new, is refused", receive_all(staying), b"no\n")
one_outcome("by address", "a", "127.0.0.13", "FAIL address")
check("who is allowed by both is served", report(receive_all(first)).get("uid"))
first.close()
one_outcome("and recorded", "limited", "127.0.0.8", "START")
one_outcome("who has gone meanwhile is served all the same", "a", "127.0.0.7", "START")

# --- the deadline -----------------------------------------------------------------------------------------------------------
equal("a gate that its user has stopped refuses", receive_all(stopped), b"no\n")
took = time.monotonic() - begin
check("after half a minute (%.1f s)" % took, took > PATIENCE_OF_GATES - 1)
one_outcome("with one record", "a", "127.0.0.2", "FAIL libwrap")
equal("one whose command hangs, too", receive_all(hanging), b"")
one_outcome("with one record", "inner", "127.0.0.3", "FAIL libwrap")
check("which the log tells", daemon.wait_log("no answer about 127.0.0.3 within 30 seconds"), daemon.log())
equal("no gate is left, and no command", wait_for(lambda: not gates(daemon)), True)
consistent(daemon, "the tables agree")

# --- many ----------------------------------------------------------------------------------------------------------------------
rules(deny="probe echo: 127.0.2.0/255.255.255.0\n")
clients = []
for n in range(MANY):
    port, net = ((25001, 1), (25001, 2), (25003, 1), (25003, 2))[n % 4]
    s = connect(port, "127.0.%d.%d" % (net, n // 4 % 250 + 1))
    if port == 25003:
        s.sendall(b"hello")
        s.shutdown(socket.SHUT_WR)
    clients.append((s, port, net))
    if n % (MANY // 10) == 5:
        check("with %d connections, others are served" % n, report(talk(25009)).get("uid"))
right = 0
for s, port, net in clients:
    try:
        text = receive_all(s)
    except socket.timeout:
        text = b"timeout"
    s.close()
    right += text == b"" if (port, net) == (25003, 2) else text == b"no\n" if net == 2 else (
        text == b"hello" if port == 25003 else b"uid" in text)
equal("of %d connections at once each has what it should" % MANY, right, MANY)
for name in ("a", "inner"):
    def of_many(name=name):
        return [line for line in outcomes(name) if line.split(".")[-2] in "12"]
    wait_for(lambda: len(of_many()) >= MANY // 2)
    found = of_many()
    equal("%s: one record each" % name, len(found), MANY // 2)
    equal("%s: served" % name, sum(line.startswith("START from=127.0.1.") for line in found), MANY // 4)
    equal("%s: refused" % name, sum(line.startswith("FAIL libwrap from=127.0.2.") for line in found), MANY // 4)
equal("no gate is left", wait_for(lambda: not gates(daemon)), True)
consistent(daemon, "the tables agree")

# --- twist that lasts -------------------------------------------------------------------------------------------------------------
rules(allow="probe: ALL: twist exec sleep 1000\n")
twisted = connect(25002, "127.0.0.20")
one_outcome("who is twisted is refused at once", "limited", "127.0.0.20", "FAIL libwrap")
equal("and counts as long as it lasts", talk(25002, "127.0.0.21"), b"")
one_outcome("for the limits", "limited", "127.0.0.21", "FAIL service_limit")
rules()
for pid in daemon.children():
    if read("/proc/%d/comm" % pid) == "sleep\n":
        os.kill(pid, signal.SIGKILL)
equal("until it ends", receive_all(twisted), b"")
twisted.close()
check("then there is room", wait_for(lambda: report(talk(25002, "127.0.0.22")).get("uid")))
equal("and nothing more is recorded", len(outcomes("limited", "127.0.0.20")), 1)

# --- the end of the daemon ----------------------------------------------------------------------------------------------------------
rules(allow=HANGS)
last = [connect(25001, "127.0.0.30"), connect(25003, "127.0.0.31")]
left = [gate_of(daemon, "127.0.0.30"), gate_of(daemon, "127.0.0.31")]
daemon.stop()
equal("at the end of the daemon clients are let go", [receive_all(s) for s in last], [b"no\n", b""])
one_outcome("with one record", "a", "127.0.0.30", "FAIL libwrap")
one_outcome("each", "inner", "127.0.0.31", "FAIL libwrap")
equal("and no gate is left", wait_for(lambda: not any("usherd-gate" in read("/proc/%d/comm" % p) for p in left)), True)

# --- too many -------------------------------------------------------------------------------------------------------------------
rules(allow=HANGS)
LOG = path("log1")
daemon = Daemon(stanza("a", 25001) + OPEN, preexec=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, FILES)))
clients = [connect(25001, "127.0.3.%d" % (n % 250 + 1)) for n in range(GATES_MAX + 44)]
check("gates are not without number", wait_for(lambda: len(gates(daemon)) == GATES_OF_ONE), len(gates(daemon)))
check("others are served beside them", report(talk(25009)).get("uid"))
check("and no more come", len(gates(daemon)) == GATES_OF_ONE)
rules()
for pid in gates(daemon):
    wait_for(lambda p=pid: read("/proc/%d/task/%d/children" % (p, p)) or p not in gates(daemon))
    let_go(pid)
equal("when they are done, all are served", sum(b"uid" in receive_all(s) for s in clients), GATES_MAX + 44)
equal("with one record each", wait_for(lambda: sum("127.0.3." in x for x in outcomes("a")) == GATES_MAX + 44), True)
consistent(daemon, "the tables agree")
daemon.stop()

# --- no gate at all -----------------------------------------------------------------------------------------------------------------
rules(deny="never: 192.0.2.1\n")
os.mkdir(path("bin"))
shutil.copy(os.path.join(BUILD, "usherd"), path("bin"))
shutil.copy(os.path.join(BUILD, "usherd-worker"), path("bin"))
harness.write(path("bin", "usherd-gate"), "this is no program\n")
os.chmod(path("bin", "usherd-gate"), 0o755)
LOG = path("log2")
harness.BUILD = path("bin")
daemon = Daemon(stanza("a", 25001) + OPEN)
equal("where the gate cannot run, nobody is served", talk(25001, "127.0.0.40"), b"")
one_outcome("which is recorded", "a", "127.0.0.40", "FAIL libwrap")
check("and told", daemon.wait_log("usherd-gate cannot be executed"), daemon.log())
check("others are served", report(talk(25009)).get("uid"))


# --- gates that say anything ------------------------------------------------------------------------------------------------------------
def says(what, code):
    """A gate that was taken over, say."""
    write = "import os, struct, sys\nGOOD = struct.pack('=5I768s', 0x75736731, 1, 0, 0, 0, b'')\n"
    harness.write(path("bin", "usherd-gate"), "#!%s -IS\n%s%s\n" % (sys.executable, write, code))
    before = len(outcomes("a"))
    text = talk(25001, "127.0.0.41")
    wait_for(lambda: len(outcomes("a")) > before)
    return text, outcomes("a")[before:]


text, recorded = says("allowed", "os.write(1, GOOD)")
check("what allows is heard", report(text).get("uid"), text)
equal("and recorded", recorded, ["START from=127.0.0.41"])
for what, code in (
        ("nothing", ""), ("a byte", "os.write(1, b'1')"), ("one byte less", "os.write(1, GOOD[:-1])"),
        ("zeros", "os.write(1, bytes(len(GOOD)))"), ("another kind", "os.write(1, b'\\0' + GOOD[1:])"),
        ("no yes and no no", "os.write(1, GOOD[:4] + struct.pack('=I', 2) + GOOD[8:])"),
        ("a text longer than it is", "os.write(1, GOOD[:16] + struct.pack('=I', 769) + GOOD[20:])"),
        ("a text without end", "os.write(1, GOOD[:16] + struct.pack('=I', 0xffffffff) + GOOD[20:])"),
        ("in pieces", "os.write(1, GOOD[:100]); import time; time.sleep(0.3); os.close(2); os.write(1, GOOD[100:])"),
        ("a refusal by nobody", "os.write(1, GOOD[:4] + struct.pack('=II', 0, 99) + GOOD[12:])"),
        ("a crash", "os.kill(os.getpid(), 9)")):
    text, recorded = says(what, code)
    equal("who says %s refuses" % what, text, b"")
    equal("with one record", [r.split()[0] for r in recorded], ["FAIL"])
text, recorded = says("too much", "os.write(1, GOOD + GOOD)")
check("who says more than enough is heard once", recorded in (["START from=127.0.0.41"], ["FAIL libwrap from=127.0.0.41"]), recorded)
descriptors = path("descriptors")
says("its descriptors", "open(%r, 'w').write(repr([(n, os.readlink('/proc/self/fd/%%d' %% n).split(':')[0]) for n in range(64)"
     " if os.path.islink('/proc/self/fd/%%d' %% n)]))" % descriptors)
found = [(n, kind) for n, kind in eval(read(descriptors)) if not kind.startswith(("/proc", "/tmp")) or n < 3]
equal("a gate has the connection and the pipe", found[:2], [(0, "socket"), (1, "pipe")])
check("and nothing that is the daemon's", all(n == 2 for n, _ in found[2:]), found)
consistent(daemon, "the tables agree")
daemon.stop()
finish()
