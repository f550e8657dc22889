#!/usr/bin/env python3
# Proves: no datagram is lost that its socket's buffer could hold, whoever does not keep up: the daemon, the worker, or
# both; each that was held is answered once and recorded once, and takes no other's place among the instances.
# SPDX-License-Identifier: ISC
import os
import random
import select
import socket
import struct
import sys
import threading

sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "tests/lib"))
from harness import *  # noqa: E402,F403

PORT = 20001
LOG = path("services.log")
# One at a time: those that come together are not served together.
conf = service("echo", id="echo", port=PORT, type="INTERNAL UNLISTED", socket_type="dgram", wait="yes", flags="IPv4",
               bind="127.0.0.1", cps="0 1", instances="1", per_source="1", log_type="FILE " + LOG,
               log_on_success="PID HOST EXIT DURATION", log_on_failure="HOST")
# Its senders are to be asked about, each datagram by itself.
conf += service("echo", id="asked", port=PORT + 1, type="INTERNAL UNLISTED", socket_type="dgram", wait="yes",
                flags="IPv4", bind="127.0.0.1", cps="0 1", only_from="localhost", log_type="FILE " + LOG,
                log_on_success="PID HOST EXIT", log_on_failure="HOST")
private_etc(hosts="127.0.0.1 localhost\n")
daemon = Daemon(conf)


def waiting(port):
    """Of the service's socket: bytes that wait, datagrams that the kernel has dropped."""
    with open("/proc/net/udp") as file:
        for line in file:
            fields = line.split()
            if fields[1].endswith(":%04X" % port):
                return int(fields[4].split(":")[1], 16), int(fields[-1])
    raise RuntimeError("no socket at port %d" % port)


class Clients:
    """So many that none has more answers than its own socket's buffer holds."""

    def __init__(self, port, size, n=64):
        self.port = port
        self.size = size
        self.sent = []
        self.answers = []
        self.sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(n)]
        for s in self.sockets:
            s.connect(("127.0.0.1", port))
            s.setblocking(False)
        self.dropped = waiting(port)[1]

    def send(self):
        number = len(self.sent)
        data = struct.pack("!I", number) + b"%d" % number * self.size
        self.sent.append(data[:self.size])
        self.sockets[number % len(self.sockets)].send(self.sent[-1])

    def lost(self):
        """Of those that were sent, how many the kernel has dropped."""
        return waiting(self.port)[1] - self.dropped

    def hear(self):
        for s in select.select(self.sockets, [], [], 0.02)[0]:
            while True:
                try:
                    self.answers.append(s.recv(65536))
                except BlockingIOError:
                    break

    def hear_all(self, n):
        """Waits for that many, and tells whether those and no others came."""
        def come():
            self.hear()
            return len(self.answers) >= n
        wait_for(come)
        self.hear()
        numbers = sorted(struct.unpack("!I", data[:4])[0] for data in self.answers)
        return len(numbers) == n and len(set(numbers)) == n and \
            all(self.sent[struct.unpack("!I", data[:4])[0]] == data for data in self.answers)

    def close(self):
        for s in self.sockets:
            s.close()


def records(kind, name="echo"):
    return [x for x in log_lines(LOG) if x.startswith("%s: %s" % (kind, name))]


def recorded(what, n, name="echo"):
    wait_for(lambda: len(records("EXIT", name)) >= n)
    equal(what + ": as many are recorded, none as refused",
          [len(records(kind, name)) for kind in ("START", "EXIT", "FAIL")], [n, n, 0])


def signal_all(pids, signo):
    for pid in pids:
        os.kill(pid, signo)


def fill(clients, taken=True):
    """Sends until the socket's buffer is full and stays so; what is taken off it, if at all, is taken before more is sent."""
    for _ in range(20000):
        lost = clients.lost()
        clients.send()
        if clients.lost() > lost:
            time.sleep(0.2)
            if waiting(clients.port)[0] > 0:
                return True
        # In vain once, it is left where it is.
        taken = taken and wait_for(lambda: waiting(clients.port)[0] == 0, 3)
    return False


with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
    s.settimeout(PATIENCE)
    s.sendto(b"first", ("127.0.0.1", PORT))
    equal("the service answers", s.recv(100), b"first")
total = 1
recorded("the first", total)
worker = daemon.worker()

# --- somebody is stopped ---------------------------------------------------------------------------
for what, size, pids in (("the daemon is stopped", 64, [daemon.pid]),
                         ("the daemon is stopped, large ones", 20000, [daemon.pid]),
                         ("the worker is stopped", 8000, [worker]),
                         ("the worker is stopped, large ones", 60000, [worker]),
                         ("both are stopped", 1000, [daemon.pid, worker])):
    clients = Clients(PORT, size)
    signal_all(pids, signal.SIGSTOP)
    check(what + ": the socket's buffer is filled, and nothing is taken off it",
          fill(clients, daemon.pid not in pids), (len(clients.sent), clients.lost()))
    if daemon.pid not in pids:
        before = daemon.cpu_seconds()
        time.sleep(0.3)
        check(what + ": the daemon does not spin", daemon.cpu_seconds() - before < 0.2, daemon.cpu_seconds() - before)
    held = len(clients.sent) - clients.lost()
    for pid in pids:
        signal_all([pid], signal.SIGCONT)
    check(what + ": each that was held is answered, once", clients.hear_all(held),
          (len(clients.sent), clients.lost(), len(clients.answers)))
    total += held
    recorded(what, total)
    clients.close()

# --- under load --------------------------------------------------------------------------------------
LOAD = 3000 if sanitized(os.path.join(BUILD, "usherd")) else 20000
WINDOW = 64
over = threading.Event()


def disturb():
    while not over.is_set():
        pid = random.choice([daemon.pid, worker])
        os.kill(pid, signal.SIGSTOP)
        over.wait(random.uniform(0, 0.02))
        os.kill(pid, signal.SIGCONT)
        over.wait(random.uniform(0, 0.02))


clients = Clients(PORT, 64, n=16)
thread = threading.Thread(target=disturb)
thread.start()
deadline = time.monotonic() + 4 * PATIENCE
while len(clients.answers) < LOAD and time.monotonic() < deadline:
    while len(clients.sent) < LOAD and len(clients.sent) - len(clients.answers) < WINDOW:
        clients.send()
    clients.hear()
over.set()
thread.join()
equal("under load: the kernel has dropped none", clients.lost(), 0)
check("under load: each is answered, once", clients.hear_all(LOAD), (len(clients.sent), len(clients.answers)))
total += LOAD
recorded("under load", total)
clients.close()

# --- senders are asked about ---------------------------------------------------------------------------
clients = Clients(PORT + 1, 30000)
os.kill(worker, signal.SIGSTOP)
check("asked about: the socket's buffer is filled", fill(clients), (len(clients.sent), clients.lost()))
held = len(clients.sent) - clients.lost()
os.kill(worker, signal.SIGCONT)
check("asked about: each that was held is answered, once", clients.hear_all(held),
      (len(clients.sent), clients.lost(), len(clients.answers)))
recorded("asked about", held, "asked")
clients.close()

# --- the worker dies --------------------------------------------------------------------------------
clients = Clients(PORT, 8000)
os.kill(worker, signal.SIGSTOP)
check("the worker dies: the socket's buffer is filled", fill(clients), (len(clients.sent), clients.lost()))
os.kill(worker, signal.SIGKILL)


def some_are_answered():
    clients.hear()
    return clients.answers


check("the worker dies: the next one answers what had stayed in the socket's buffer", wait_for(some_are_answered),
      (len(clients.sent), clients.lost()))
recorded("the worker dies", total + len(clients.sent) - clients.lost())
clients.close()

# --- the same door becomes another's ---------------------------------------------------------------
worker = daemon.worker()
os.kill(worker, signal.SIGSTOP)
clients = Clients(PORT, 8000)
fill(clients)
changed = conf.replace("type = INTERNAL UNLISTED", "type = UNLISTED\n\tuser = root\n\tserver = %s\n\tserver_args = dgram 1 1000"
                       % probe(), 1)
check("the service becomes an external one: it is reloaded", daemon.reload(changed))


def server_answers():
    clients.hear()
    return len(clients.answers) > 0


check("it is served although the worker is stopped", wait_for(server_answers))
check("and becomes an internal one again", daemon.reload(conf))
os.kill(worker, signal.SIGCONT)
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
    s.settimeout(0.5)
    s.connect(("127.0.0.1", PORT))

    def answers():
        s.send(b"again")
        try:
            return s.recv(100) == b"again"
        except TimeoutError:
            return False

    check("which the worker serves", wait_for(answers))
clients.close()
finish()
