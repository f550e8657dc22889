#!/usr/bin/env python3
# Proves that a server whose program takes long to be executed delays nobody, is recorded as it turns out, and that the daemon may end meanwhile.
# SPDX-License-Identifier: ISC
import ctypes
import os
import select
import sys

sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "tests/lib"))
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


CONF = stanza("slow", 20001, SLOW, "hold") + stanza("other", 20002, PROBE, "exit 0")


def starts(n):
    return wait_for(lambda: sum(x.startswith("START: slow ") for x in log_lines(LOG)) == n)


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
