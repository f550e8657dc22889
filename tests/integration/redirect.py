#!/usr/bin/env python3
# Proves that redirected connections pass every byte, end and reset both ways, are bounded in time, and leave START, TRAFFIC and EXIT whatever happens.
# SPDX-License-Identifier: ISC
import ctypes
import os
import random
import socket
import stat
import sys
import threading

sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "tests/lib"))
from harness import *  # noqa: E402,F403

LOG = path("services.log")
MANY = 1000


class Target:
    """A listener whose connections the test takes one by one."""

    def __init__(self, host="127.0.0.1"):
        self.socket = socket.create_server((host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET,
                                           backlog=MANY)
        self.socket.settimeout(PATIENCE)
        self.host, self.port = self.socket.getsockname()[:2]

    def accept(self):
        connection, _ = self.socket.accept()
        connection.settimeout(PATIENCE)
        return connection


target = Target()
target6 = Target("::1")
closed = Target()
closed.socket.close()


# Its queue is full and nobody accepts: the kernel does not answer a SYN.
deaf = socket.create_server(("127.0.0.1", 0), backlog=0)
deaf_port = deaf.getsockname()[1]
fillers = [socket.socket() for n in range(4)]
for filler in fillers:
    filler.setblocking(False)
    filler.connect_ex(("127.0.0.1", deaf_port))


def stanza(name, port, host=target.host, to=target.port, **attributes):
    return service(name, id=name, port=port, redirect="%s %s" % (host, to), cps="0 1", log_type="FILE " + LOG,
                   log_on_success="HOST EXIT TRAFFIC", log_on_failure="HOST", **attributes)


conf = stanza("plain", 21001, user="nobody", flags="KEEPALIVE") + stanza("six", 21002, target6.host, target6.port) \
    + stanza("path", None, bind=path("door")) + stanza("refused", 21004, to=closed.port) \
    + stanza("void", 21005, to=deaf_port) + stanza("short", 21006, session_timeout=1) \
    + stanza("quiet", 21007, idle_timeout=4) + stanza("many", 21008) + stanza("held", 21009, session_timeout=3600) \
    + stanza("late", 21010, to=deaf_port, session_timeout=1) + stanza("ended", 21011) \
    + service("echo", id="silent", type="INTERNAL UNLISTED", port=21012, idle_timeout=1, log_type="FILE " + LOG,
              log_on_success="HOST EXIT") \
    + service("chargen", id="unread", type="INTERNAL UNLISTED", port=21013, idle_timeout=1)
daemon = Daemon("defaults\n{\n\tlog_on_success = TRAFFIC\n}\n" + conf)
wait_for(daemon.worker)
descriptors = daemon.descriptors()


def lines(name):
    return [x for x in log_lines(LOG) if re.match(r"\w+: %s\b" % name, x)] if os.path.exists(LOG) else []


def pair(port, of=target):
    client = tcp(port, "::1" if port == 21002 else "127.0.0.1")
    return client, of.accept()


def expect(sentence, name, wanted):
    wait_for(lambda: len(lines(name)) >= len(wanted))
    equal(sentence, lines(name), wanted)


def record(name, into, out, status="status=0", peer="127.0.0.1"):
    return ["START: %s from=%s" % (name, peer), "TRAFFIC: %s in=%d(bytes) out=%d(bytes)" % (name, into, out),
            "EXIT: %s %s" % (name, status)]


def searched(name):
    """Where there was no target there is no TRAFFIC, as in xinetd."""
    return ["START: %s from=127.0.0.1" % name, "EXIT: %s status=0" % name]


# The target that does not answer: the result is looked at in the end.
void_began = time.monotonic()
void = tcp(21005)
late = tcp(21010)
ends = {}


def watch(connection):
    """Notes what comes, and after how long it ends, however slow the rest of the test is."""
    connection.settimeout(300)
    ends[connection] = receive_all(connection), time.monotonic() - void_began


watchers = [threading.Thread(target=watch, args=(x,)) for x in (void, late)]
for watcher in watchers:
    watcher.start()

# --- all bytes ------------------------------------------------------------------------


def exchange(a, b, size):
    """Sends different bytes from both ends at once; returns what each has got by the end of the other."""
    data = [random.Random(n).randbytes(size) for n in (1, 2)]
    got = [b"", b""]

    def send(connection, text):
        connection.sendall(text)
        connection.shutdown(socket.SHUT_WR)

    def receive(n, connection):
        got[n] = receive_all(connection)

    threads = [threading.Thread(target=send, args=(a, data[0])), threading.Thread(target=send, args=(b, data[1])),
               threading.Thread(target=receive, args=(0, b)), threading.Thread(target=receive, args=(1, a))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [got[n] == data[n] for n in (0, 1)]


def nodelay_of(pid, peer):
    """TCP_NODELAY of the connection to @peer that another process has; None where its descriptors cannot be had."""
    pidfd_getfd, libc = 438, ctypes.CDLL(None, use_errno=True)
    found = None
    process = os.pidfd_open(pid)
    try:
        for number in map(int, os.listdir("/proc/%d/fd" % pid)):
            fd = libc.syscall(pidfd_getfd, process, number, 0)
            if fd < 0:
                continue
            found = found or "no such connection"
            with open(fd, "rb", buffering=0) as file:
                if not stat.S_ISSOCK(os.fstat(file.fileno()).st_mode):
                    continue
                with socket.socket(fileno=os.dup(file.fileno())) as s:
                    try:
                        if s.getpeername()[:2] == peer[:2]:
                            return s.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
                    except OSError:
                        pass
    finally:
        os.close(process)
    return found


SIZE = 16 << 20
client, server = pair(21001)
equal("a small message goes there", (client.sendall(b"hello"), server.recv(9))[1], b"hello")
equal("and back", (server.sendall(b"welcome"), client.recv(9))[1], b"welcome")
owner = [x.split()[7] for x in read("/proc/net/tcp").splitlines()
         if x.split()[2].endswith(":%04X" % target.port) and x.split()[3] == "01"]
equal("the connection to the target belongs to the service's user", owner, ["65534"])
timers = [x.split()[5] for x in read("/proc/net/tcp").splitlines()
          if x.split()[2].endswith(":%04X" % target.port) and x.split()[3] == "01"]
check("KEEPALIVE is set towards the target", timers and timers[0].startswith("02:"), timers)
delays = [nodelay_of(daemon.worker(), peer) for peer in (client.getsockname(), target.socket.getsockname())]
if None in delays:
    print("# sockets of other processes cannot be looked at here")
else:
    equal("nothing waits for more to send, neither to the client nor to the target", delays, [1, 1])
equal("16 MiB both ways at once", exchange(client, server, SIZE), [True, True])
client.close(), server.close()
expect("START, TRAFFIC, EXIT", "plain", record("plain", SIZE + 5, SIZE + 7))

client, server = pair(21002, target6)
equal("1 MiB both ways over IPv6", exchange(client, server, 1 << 20), [True, True])
expect("its records", "six", record("six", 1 << 20, 1 << 20, peer="::1"))

client = socket.socket(socket.AF_UNIX)
client.settimeout(PATIENCE)
client.connect(path("door"))
server = target.accept()
equal("8 MiB both ways from a Unix socket", exchange(client, server, 8 << 20), [True, True])
check("its records", wait_for(lambda: len(lines("path")) == 3 and "in=8388608(bytes) out=8388608" in lines("path")[1]),
      lines("path"))

# --- ends ---------------------------------------------------------------------------------
client, server = pair(21001)
client.sendall(b"question")
client.shutdown(socket.SHUT_WR)
equal("the target sees the end of a client that has half-closed", receive_all(server), b"question")
server.sendall(b"answer")
equal("which still gets the answer", client.recv(9), b"answer")
server.close()
equal("and then the end", client.recv(1), b"")
wait_for(lambda: len(lines("plain")) == 6)
equal("TRAFFIC of it", lines("plain")[4:5], ["TRAFFIC: plain in=8(bytes) out=6(bytes)"])

client, server = pair(21001)
server.sendall(b"that is all")
server.shutdown(socket.SHUT_WR)
equal("the client sees the end of a target that has half-closed", receive_all(client), b"that is all")
client.sendall(b"but I say")
client.shutdown(socket.SHUT_WR)
equal("and the target gets what it says later", receive_all(server), b"but I say")


def is_reset(connection):
    try:
        return connection.recv(1)
    except ConnectionResetError:
        return True


client, server = pair(21001)
client.sendall(b"x")
server.recv(1)
reset(client)
equal("a reset by the client is passed on", is_reset(server), True)
client, server = pair(21001)
server.sendall(b"x")
client.recv(1)
reset(server)
equal("a reset by the target is passed on", is_reset(client), True)
client, server = pair(21001)
client.shutdown(socket.SHUT_WR)
equal("the target sees the end", server.recv(1), b"")
reset(client)
check("and a later reset by the same client", wait_for(lambda: server.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)))
# It answers without reading all, which makes its end a reset; the answer comes through nevertheless.
client, server = pair(21001)
client.sendall(b"x" * 100000)
server.recv(10)
server.sendall(b"no thanks")
server.close()
equal("the last words of a target that does not read on arrive", receive_all(client), b"no thanks")
client.close()
check("each of these has its EXIT", wait_for(lambda: len([x for x in lines("plain") if "EXIT" in x]) == 7),
      lines("plain"))

# --- one that does not read ------------------------------------------------------------------
client, server = pair(21001)
server.setblocking(False)
stuffed = 0
quiet_since = time.monotonic()
while time.monotonic() - quiet_since < 0.5:
    try:
        stuffed += server.send(b"y" * 65536)
        quiet_since = time.monotonic()
    except BlockingIOError:
        time.sleep(0.01)
check("a client that does not read stops the target (%d KiB)" % (stuffed >> 10), stuffed < 64 << 20)
server.setblocking(True)
server.settimeout(PATIENCE)
threading.Thread(target=lambda: (server.sendall(b"z" * 5000000), server.shutdown(socket.SHUT_WR))).start()
got = receive_all(client)
check("and gets all when it reads", len(got) == stuffed + 5000000 and got.endswith(b"z" * 5000000), len(got))
client.close(), server.close()

# --- times --------------------------------------------------------------------------------------
began = time.monotonic()
client, server = pair(21006)
check("session_timeout ends a relay", receive_all(client) == b"" and receive_all(server) == b"" and
      0.9 < time.monotonic() - began < 20, time.monotonic() - began)
expect("with its records", "short", record("short", 0, 0))
watchers[1].join()
check("session_timeout ends a search for the target", ends[late][0] == b"" and ends[late][1] < 25, ends[late])
expect("with START and EXIT", "late", searched("late"))

began = time.monotonic()
client, server = pair(21007)
for turn in range(10):
    (client if turn % 2 else server).sendall(b"!")
    (server if turn % 2 else client).recv(1)
    time.sleep(0.5)
busy = time.monotonic()
check("idle_timeout leaves a relay with traffic alone", receive_all(client) == b"" and busy - began > 4.9)
check("and ends it when there is none", 3 < time.monotonic() - busy < 30, time.monotonic() - busy)
expect("with its records", "quiet", record("quiet", 5, 5))
with tcp(21012) as client:
    client.sendall(b"x")
    equal("an internal service works", client.recv(1), b"x")
    equal("idle_timeout ends it", client.recv(1), b"")
expect("with its records", "silent", ["START: silent from=127.0.0.1", "EXIT: silent status=0"])
with tcp(21013) as client:
    began = time.monotonic()
    # Its server has filled all buffers, and then nothing moves.
    check("idle_timeout ends chargen that nobody reads",
          wait_for(lambda: not [x for x in read("/proc/net/tcp6").splitlines() + read("/proc/net/tcp").splitlines()
                                if x.split()[1].endswith(":5215") and x.split()[3] == "01"]))

# --- targets that are not there --------------------------------------------------------------------
equal("a client of a target that refuses is let go", ask(21004, b"anybody?"), b"")
expect("with START and EXIT", "refused", searched("refused"))
check("and the log says why", daemon.wait_log(
    "can't connect to remote host 127.0.0.1: Connection refused (errno = 111) [service=refused] [port=%d]"
    % closed.port))

# --- many at once ------------------------------------------------------------------------------------


def resident():
    return int(re.search(r"VmRSS:\s+(\d+)", read("/proc/%d/status" % daemon.worker())).group(1))


before = resident()
began = time.monotonic()
pairs = [pair(21008) for n in range(MANY)]
for n, (client, server) in enumerate(pairs):
    client.sendall(b"c%04d" % n)
for n, (client, server) in enumerate(pairs):
    text = server.recv(9)
    server.sendall(b"s" + text[1:])
good = sum(client.recv(9) == b"s%04d" % n for n, (client, server) in enumerate(pairs))
equal("%d relays at once" % MANY, good, MANY)
each = (resident() - before) / MANY
print("note: %d relays in %.1f s, %.2f kB of the worker each" % (MANY, time.monotonic() - began, each))
with open(os.path.join(BUILD, "usherd-worker"), "rb") as file:
    sanitized = b"__asan_init" in file.read()
check("an idle relay takes little memory", each < 4 or sanitized, each)
for client, server in pairs:
    client.close(), server.close()
check("each has its records", wait_for(lambda: len(lines("many")) == 3 * MANY), len(lines("many")))
check("every TRAFFIC comes right before its EXIT and tells the truth",
      lines("many").count("TRAFFIC: many in=5(bytes) out=5(bytes)") == MANY)

# --- a service that goes, a worker that dies -----------------------------------------------------------
client, server = pair(21011)
check("reload", daemon.reload(re.sub(r"(?s)service ended\n\{.*?\n\}\n", "", read(daemon.conf))))
equal("a relay ends with its service", receive_all(client), b"")
expect("with its records", "ended", record("ended", 0, 0))

client, server = pair(21009)
client.sendall(b"x")
server.recv(1)
worker = daemon.worker()
os.kill(worker, signal.SIGKILL)
receive_all(client), receive_all(server)
expect("a relay whose worker is killed has its EXIT", "held", record("held", 0, 0, "signal=9"))
check("there is another", wait_for(lambda: daemon.worker() not in (None, worker)))
client, server = pair(21009)
server.sendall(b"again")
equal("which works", client.recv(9), b"again")

# --- the end ---------------------------------------------------------------------------------------------
watchers[0].join()
text, waited = ends[void]
equal("a client of a target that does not answer is let go", text, b"")
check("after 30 seconds", 29 < waited < 60, waited)
expect("with START and EXIT", "void", searched("void"))
check("and the log says why",
      "can't connect to remote host 127.0.0.1: Connection timed out (errno = 110) [service=void] [port=%d]"
      % deaf_port in daemon.log())
client.close(), server.close(), void.close(), late.close()
check("no descriptor is left behind", wait_for(lambda: daemon.descriptors() <= descriptors), daemon.descriptors())
client, server = pair(21009)
daemon.stop()
equal("the end of the daemon ends its relays", (receive_all(client), receive_all(server)), (b"", b""))
starts = [x for x in log_lines(LOG) if x.startswith("START")]
exits = [x for x in log_lines(LOG) if x.startswith("EXIT")]
equal("every START has its EXIT", len(starts), len(exits))
finish()
