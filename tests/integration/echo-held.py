#!/usr/bin/env python3
# Proves: a crowd of clients that send without reading costs the worker a bounded amount of memory, others are served
# meanwhile, and whoever reads at last gets back every byte.
# SPDX-License-Identifier: ISC
import os
import select
import signal
import sys

sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "tests/lib"))
from harness import *  # noqa: E402,F403

CROWD = 300
EACH = 3 * 1024 * 1024
# Much is held for the first who come, and then little for each.
BOUND = 4 * 1024 * 1024 + CROWD * 20 * 1024 + 4 * 1024 * 1024
PATTERN = bytes(range(1, 252)) * 300

# Much can wait for the worker, and little for a client. They are this network's alone.
try:
    for name, sizes in (("tcp_rmem", "4096 1048576 1048576"), ("tcp_wmem", "4096 16384 16384")):
        with open("/proc/sys/net/ipv4/" + name, "w") as file:
            file.write(sizes)
except OSError:
    skip("needs a network of its own")


def anonymous(pid):
    with open("/proc/%d/smaps_rollup" % pid) as file:
        return int(re.search(r"^Anonymous: *(\d+)", file.read(), re.M).group(1)) * 1024


def pattern(at, n):
    begin = at % 251
    return PATTERN[begin:begin + n]


class Client:
    def __init__(self, i):
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.socket.bind(("127.1.%d.%d" % (i // 250, i % 250 + 1), 0))
        self.socket.connect(("127.0.0.1", 20001))
        self.socket.setblocking(False)
        self.sent = self.got = 0
        self.good = True

    def send(self):
        """What goes at once. Returns whether that was anything."""
        before = self.sent
        try:
            while self.sent < EACH:
                self.sent += self.socket.send(pattern(self.sent, min(65536, EACH - self.sent)))
        except BlockingIOError:
            pass
        return self.sent > before

    def receive(self):
        try:
            data = self.socket.recv(65536)
        except BlockingIOError:
            return
        self.good = self.good and bool(data) and data == pattern(self.got, len(data))
        self.got += len(data)


daemon = Daemon(service("echo", type="INTERNAL UNLISTED", port=20001, instances="1000", per_source="100",
                        cps="1000000 1", flags="IPv4", backlog="1000", user=None, server=None, server_args=None))
with tcp(20001) as s:
    s.sendall(b"x")
    check("echo answers", s.recv(1) == b"x")
worker = daemon.worker()
before = anonymous(worker)
crowd = [Client(i) for i in range(CROWD)]


def stalls():
    """Nobody has got rid of anything for a moment."""
    moved = False
    for _ in range(5):
        for client in crowd:
            moved = client.send() or moved
        time.sleep(0.02)
    return not moved


os.kill(worker, signal.SIGSTOP)
check("they send until nothing goes any more", wait_for(stalls))
os.kill(worker, signal.SIGCONT)
check("and again when the worker takes what has come", wait_for(stalls))
check("and not all of it was taken", all(client.sent < EACH for client in crowd[-10:]), [c.sent for c in crowd[-10:]])
taken = anonymous(worker) - before
print("%d clients, %.1f MB held" % (CROWD, taken / 1e6))
if not sanitized(os.path.join(BUILD, "usherd-worker")):
    check("for %d clients no more than %d bytes are held" % (CROWD, BOUND), taken <= BOUND, taken)
with tcp(20001) as s:
    s.sendall(b"others")
    s.shutdown(socket.SHUT_WR)
    equal("others are served", receive_all(s), b"others")
poll = select.poll()
by_fd = {client.socket.fileno(): client for client in crowd}
for fd in by_fd:
    poll.register(fd, select.POLLIN | select.POLLOUT)
deadline = time.monotonic() + 4 * PATIENCE
while by_fd and time.monotonic() < deadline:
    for fd, events in poll.poll(1000):
        client = by_fd[fd]
        if events & select.POLLIN:
            client.receive()
        if events & select.POLLOUT and client.sent < EACH:
            client.send()
            if client.sent == EACH:
                poll.modify(fd, select.POLLIN)
        if client.got >= EACH or not client.good:
            poll.unregister(fd)
            del by_fd[fd]
equal("whoever reads gets everything back", sum(client.good and client.got == EACH for client in crowd), CROWD)
for client in crowd:
    client.socket.close()
daemon.stop()
finish()
