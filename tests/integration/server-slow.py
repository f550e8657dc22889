#!/usr/bin/env python3
# Proves that servers whose programs take long to be executed, one or many, delay nobody, are recorded as they turn out, and that the daemon may end meanwhile.
# SPDX-License-Identifier: ISC
import ctypes
import os
import select
import sys

sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "tests/lib"))
from counting import attached  # noqa: E402
from harness import *  # noqa: E402,F403

# fanotify(7): whoever has asked for it decides when, and whether, a file may be executed.
FAN_CLASS_CONTENT = 0x04
FAN_CLOEXEC = 0x01
FAN_MARK_ADD = 0x01
FAN_OPEN_EXEC_PERM = 0x40000
FAN_ALLOW, FAN_DENY = 1, 2
AT_FDCWD = -100
EVENT = struct.Struct("=IBBHQii")
libc = ctypes.CDLL(None, use_errno=True)


class Gate:
    """Holds whoever executes the file until allow() or deny()."""

    def __init__(self, name):
        self.fd = libc.fanotify_init(FAN_CLASS_CONTENT | FAN_CLOEXEC, os.O_RDONLY | os.O_CLOEXEC)
        if self.fd < 0:
            skip("fanotify is not allowed here: " + os.strerror(ctypes.get_errno()))
        if libc.fanotify_mark(self.fd, FAN_MARK_ADD, ctypes.c_uint64(FAN_OPEN_EXEC_PERM), AT_FDCWD,
                              name.encode()) < 0:
            skip("fanotify cannot hold an execution here: " + os.strerror(ctypes.get_errno()))
        self.held = []

    def wait(self, n):
        """Waits until there are @n more."""
        wanted = len(self.held) + n
        deadline = time.monotonic() + PATIENCE
        while len(self.held) < wanted and time.monotonic() < deadline:
            if not select.select([self.fd], [], [], 1)[0]:
                continue
            data = os.read(self.fd, EVENT.size * 64)
            for at in range(0, len(data), EVENT.size):
                self.held.append(EVENT.unpack_from(data, at)[5])
        return len(self.held) == wanted

    def _answer(self, response):
        for fd in self.held:
            os.write(self.fd, struct.pack("=iI", fd, response))
            os.close(fd)
        self.held = []

    def allow(self):
        self._answer(FAN_ALLOW)

    def deny(self):
        self._answer(FAN_DENY)


PROBE = probe()
SLOW = path("slow")
shutil.copy(PROBE, SLOW)
LOG = path("services.log")


def stanza(name, port, server, args):
    return service(name, port=port, server=server, server_args=args, cps="0 0", log_type="FILE " + LOG,
                   log_on_success="PID HOST EXIT", log_on_failure="HOST")


# How many of them are held at a time, and how long the daemon may wait for one that has its descriptors.
CROWD = 100
PATIENCE_NSEC = 6000000
# The same, where somebody else waits.
SHORT_NSEC = 2000000
CONF = stanza("slow", 20001, SLOW, "hold") + stanza("other", 20002, PROBE, "exit 0")


def records(what):
    return sum(x.startswith(what) for x in log_lines(LOG))


def starts(n):
    return wait_for(lambda: records("START: slow ") == n)


def waits_of(pid, work):
    """For how long, in ns, the daemon has waited in vain for each child that it starts while work() runs: a list each."""
    out = path("strace")
    tracer = subprocess.Popen(["strace", "-e", "trace=clone,futex", "-o", out, "-p", str(pid)], stderr=subprocess.DEVNULL)
    if not wait_for(lambda: attached(pid)):
        tracer.kill()
        return None
    work()
    tracer.send_signal(signal.SIGINT)
    tracer.wait()
    waits = []
    for line in read(out).splitlines():
        found = re.search(r"futex\(.*FUTEX_WAIT,.*tv_sec=(\d+), tv_nsec=(\d+).*ETIMEDOUT", line)
        if line.startswith("clone("):
            waits.append([])
        elif found and waits:
            waits[-1].append(int(found.group(1)) * 10 ** 9 + int(found.group(2)))
    return waits


gate = Gate(SLOW)
daemon = Daemon(CONF)
first, second = tcp(20001), tcp(20001)
check("two servers are on their way", gate.wait(2))
equal("another service answers meanwhile", ask(20002), b"")
check("they count as started", starts(2), log_lines(LOG))
gate.allow()
check("they become servers", first.recv(100).endswith(b"\n") and second.recv(100).endswith(b"\n"))
third = tcp(20001)
check("a third one is on its way", gate.wait(1))
gate.deny()
equal("its program may not be executed: its client is let go", receive_all(third), b"")
check("its EXIT tells it", wait_for(
    lambda: any(x.startswith("EXIT: slow status=127 ") for x in log_lines(LOG))), log_lines(LOG))
check("the reason is recorded", daemon.wait_log("service slow: execv( %s ) failed: " % SLOW), daemon.log())
first.close()
check("the EXIT of one that took long is its own", wait_for(
    lambda: any(x.startswith("EXIT: slow status=0 ") for x in log_lines(LOG))), log_lines(LOG))

# Many are on their way: that costs others nothing, and each turns out as it does.
crowd = [tcp(20001) for _ in range(CROWD)]
check("many are on their way", gate.wait(CROWD) and starts(3 + CROWD), len(gate.held))


def more():
    for _ in range(10):
        equal("another service answers beside many", ask(20002), b"")
    crowd.append(tcp(20001))
    gate.wait(1)


def more_at_once():
    """The daemon finds a server to start, and somebody who waits at another door."""
    daemon.process.send_signal(signal.SIGSTOP)
    crowd.append(tcp(20001))
    other = tcp(20002)
    daemon.process.send_signal(signal.SIGCONT)
    equal("and so is another service that comes at the same time", receive_all(other), b"")
    gate.wait(1)


waits = waits_of(daemon.pid, more) if shutil.which("strace") else None
if waits is None:
    print("# it cannot be counted here how long the daemon waits for a child")
    more()
    more_at_once()
else:
    equal("each start was seen", len(waits), 11)
    # Beyond that only until the child's descriptors are its own, which is a matter of the machine.
    check("but not for long, whoever else is on the way", all(sum(x[:2]) <= PATIENCE_NSEC for x in waits), waits)
    # A busy machine may not have let a child get so far in the moment for which it is waited then, but does some time.
    check("where somebody else waits, for a moment only", wait_for(
        lambda: [sum(x) <= SHORT_NSEC for x in waits_of(daemon.pid, more_at_once)] == [True, True]))
gate.allow()
check("all of them become servers", all(s.recv(100).endswith(b"\n") for s in crowd))
for s in crowd:
    s.close()
refused = [tcp(20001) for _ in range(CROWD)]
check("as many are on their way again", gate.wait(CROWD))
gate.deny()
equal("none is executed: each client is let go", {receive_all(s) for s in refused}, {b""})
check("the EXIT of each tells what became of it", wait_for(
    lambda: [records("EXIT: slow status=%d " % status) for status in (0, 127)] == [1 + len(crowd), 1 + CROWD]),
    log_lines(LOG)[-20:])
equal("and so is the reason of each", daemon.log().count("service slow: execv( %s ) failed: " % SLOW), CROWD + 1)

daemon.stop()
check("a server outlives the daemon", not select.select([second], [], [], 0)[0])
second.close()

for what, answer in (("is on its way", None), ("has had to wait", gate.allow), ("was not executed", gate.deny)):
    os.remove(LOG)
    daemon = Daemon(CONF)
    client = tcp(20001)
    check("a server is on its way", gate.wait(1) and starts(1))
    if answer:
        answer()
    if answer == gate.allow:
        check("it runs", client.recv(100).endswith(b"\n"))
    print("# the daemon ends while a server", what)
    daemon.stop()
    gate.allow()
    client.close()
finish()
