#!/usr/bin/env python3
# Proves flags = INTERCEPT for datagrams: each client is checked, recorded and answered from the service's address, and forgotten when it is quiet.
# SPDX-License-Identifier: ISC
import os
import socket
import sys

sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "tests/lib"))
from harness import *  # noqa: E402,F403

PROBE = probe()
LOG = path("services.log")


def stanza(name, port, **attributes):
    base = {"id": name, "socket_type": "dgram", "wait": "yes", "flags": "INTERCEPT", "server": PROBE, "cps": "0 1",
            "log_type": "FILE " + LOG, "log_on_success": "PID HOST EXIT", "log_on_failure": "HOST",
            "server_args": "dgram 1000000 600000", "env": "COUNT=" + path("count-" + name)}
    base.update(attributes)
    return service(name, port=port, **base)


def starts(name):
    return len(read(path("count-" + name)))


def lines(name, kind=""):
    found = [re.sub(r"pid=[1-9]\d*", "pid=N", x) for x in log_lines(LOG) if x.split()[1] == name]
    return [x for x in found if x.startswith(kind)]


class Client:
    def __init__(self, port, src="127.0.0.1", dst="127.0.0.1"):
        self.socket = socket.socket(socket.AF_INET6 if ":" in dst else socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((src, 0))
        self.socket.settimeout(PATIENCE)
        self.to = (dst, port)

    def send(self, data):
        self.socket.sendto(data, self.to)
        return self

    def receive(self, seconds=PATIENCE):
        """What came, without the server's pid, which is in self.server."""
        self.socket.settimeout(seconds)
        try:
            data, self.source = self.socket.recvfrom(65536)
        except socket.timeout:
            return None
        self.server, _, text = data.partition(b":")
        return text

    def ask(self, data, seconds=PATIENCE):
        return self.send(data).receive(seconds)


conf = "".join([
    stanza("rules", 20001, only_from="127.0.0.1 127.0.0.3 ::1"),
    stanza("single", 20002, server_args="dgram 1 60000"),
    stanza("limit", 20003, instances="2", per_source="1"),
    stanza("quiet", 20004, idle_timeout="1"),
    stanza("two", 20005, bind="127.0.0.1 127.0.0.2"),
    stanza("dropped", 20006),
    stanza("brake", 20007, cps="3 1"),
    stanza("unread", 20008, server_args="exit 3", cps="20 60"),
    stanza("many", 20009),
])
daemon = Daemon(conf)

# --- who may --------------------------------------------------------------------------------------------------------
refused = Client(20001, "127.0.0.2")
refused.send(b"let me in")
equal("who is refused has a FAIL, and nothing else", wait_for(lambda: lines("rules")), ["FAIL: rules address from=127.0.0.2"])
equal("and starts no server", starts("rules"), 0)
first = Client(20001)
equal("who may is answered", first.ask(b"hello"), b"hello")
equal("from the address that was asked", first.source[:2], ("127.0.0.1", 20001))
second = Client(20001, "127.0.0.3", "127.0.0.9")
equal("another one, too", second.ask(b"world"), b"world")
equal("from where he asked", second.source[:2], ("127.0.0.9", 20001))
equal("by the same server", second.server, first.server)
six = Client(20001, "::1", "::1")
equal("over IPv6", six.ask(b"six"), b"six")
equal("from there", six.source[:2], ("::1", 20001))
for n in range(5):
    first.send(b"%d" % n)
    second.send(b"%d-" % n)
equal("bursts are answered whole, to each his own", ([first.receive() for _ in range(5)], [second.receive() for _ in range(5)]),
      ([b"%d" % n for n in range(5)], [b"%d-" % n for n in range(5)]))
equal("an empty datagram passes", first.ask(b""), b"")
equal("one of 2000 bytes", first.ask(b"x" * 2000), b"x" * 2000)
refused.send(b"again")
equal("who is refused still is", wait_for(lambda: len(lines("rules", "FAIL")) == 2), True)
equal("one START a client, one of the server", wait_for(lambda: len(lines("rules", "START")) > 3) and sorted(lines("rules", "START")), [
    "START: rules pid=0 from=127.0.0.1", "START: rules pid=0 from=127.0.0.3", "START: rules pid=0 from=::1",
    "START: rules pid=N from=<no address>"])
equal("one server for all", starts("rules"), 1)
equal("the refused one never got anything", refused.receive(0.2), None)

# --- the life of the server ------------------------------------------------------------------------------------------
once = Client(20002)
servers = set()
for n in range(3):
    equal("answer %d" % n, once.ask(b"%d" % n), b"%d" % n)
    servers.add(once.server)
equal("a server that ends after a datagram is started for the next", len(servers), 3)
wait_for(lambda: len(lines("single", "EXIT: single status=0 pid=N")) == 3)
equal("the client has one START", lines("single", "START: single pid=0"), ["START: single pid=0 from=127.0.0.1"])
equal("each server has START and EXIT", (len(lines("single", "START: single pid=N")),
                                          len(lines("single", "EXIT: single status=0 pid=N"))), (3, 3))
two = [Client(20005, dst=x) for x in ("127.0.0.1", "127.0.0.2")]
equal("two addresses", [c.ask(b"x") for c in two], [b"x", b"x"])
equal("each answers from its own", [c.source[0] for c in two], ["127.0.0.1", "127.0.0.2"])
unread = Client(20008)
for n in range(5):
    unread.send(b"x")
check("a server that does not read is not started for ever", wait_for(
    lambda: "Deactivating service unread" in daemon.log() or lines("unread", "EXIT: unread status=3 pid=N")))

# --- limits -----------------------------------------------------------------------------------------------------------
held = Client(20003)
equal("served", held.ask(b"x"), b"x")
equal("per_source counts clients", Client(20003).ask(b"x", 0.3), None)
other = Client(20003, "127.0.0.2")
equal("served, too", other.ask(b"x"), b"x")
equal("instances counts clients", Client(20003, "127.0.0.3").ask(b"x", 0.3), None)
equal("known clients are served at the limit", (held.ask(b"y"), other.ask(b"z")), (b"y", b"z"))
equal("both refusals are recorded", wait_for(lambda: len(lines("limit", "FAIL")) >= 2 and lines("limit", "FAIL")),
      ["FAIL: limit per_source_limit from=127.0.0.1", "FAIL: limit service_limit from=127.0.0.3"])
quiet = Client(20004)
equal("served", quiet.ask(b"x"), b"x")
equal("who is quiet for idle_timeout is forgotten", wait_for(lambda: lines("quiet", "EXIT")), ["EXIT: quiet status=0 pid=0"])
equal("and is new then", (quiet.ask(b"y"), wait_for(lambda: len(lines("quiet", "START: quiet pid=0")) == 2)), (b"y", True))
brake = [Client(20007, "127.0.0.%d" % n) for n in range(1, 7)]
answers = [c.send(b"x") for c in brake]
check("cps counts clients", daemon.wait_log("Deactivating service brake"), daemon.log())
check("and they find it open again", daemon.wait_log("Activating service brake")
      and wait_for(lambda: Client(20007).ask(b"x", 0.5) == b"x"))
many = [Client(20009, "127.0.%d.%d" % (n // 250, 1 + n % 250)) for n in range(1, 1201)]
for n, c in enumerate(many):
    c.send(b"%d" % n)
    if n % 50 == 49:
        # Not more at once than a socket holds.
        wait_for(lambda: len(lines("many", "START: many pid=0")) + len(lines("many", "FAIL")) > n)
equal("clients have a bound", [len(lines("many", "START: many pid=0")), len(lines("many", "FAIL: many service_limit"))],
      [1024, 176])
check("who is known is served", wait_for(lambda: many[5].ask(b"x", 0.5) is not None))
os.kill(daemon.pid, signal.SIGABRT)
check("the books agree", daemon.wait_log("Consistency check passed"), daemon.log()[-3000:])

# --- the worker, and reload --------------------------------------------------------------------------------------------
worker = daemon.worker()
os.kill(worker, signal.SIGKILL)
check("the worker is started again", wait_for(lambda: daemon.worker() not in (None, worker)))
equal("a client is served again", wait_for(lambda: first.ask(b"back", 0.5)), b"back")
equal("of another service, too", wait_for(lambda: Client(20009).ask(b"back", 0.5)), b"back")
dropped = Client(20006)
equal("served", dropped.ask(b"x"), b"x")
parts = conf.split("service ")
conf = "service ".join(p for p in parts if not p.startswith("dropped"))
conf = conf.replace("only_from = 127.0.0.1 127.0.0.3 ::1", "only_from = 127.0.0.2").replace("port = 20009", "port = 20010")
check("a reload", daemon.reload(conf))
equal("a client that is known stays", wait_for(lambda: first.ask(b"still", 0.5)), b"still")
equal("the new rules hold for the next", (Client(20001, "127.0.0.3").ask(b"x", 0.3), Client(20001, "127.0.0.2").ask(b"x")),
      (None, b"x"))
equal("by the server that was there", (starts("rules"), first.server == second.server), (1, True))
check("a service that is gone ends its client and its server", wait_for(
    lambda: {"EXIT: dropped status=0 pid=0", "EXIT: dropped signal=15 pid=N"} <= set(lines("dropped"))), lines("dropped"))
check("its port is free", wait_for(lambda: not udp_bound(20006) and not udp_bound(20006, True)))
equal("a port that is left ends its client", wait_for(lambda: lines("many", "EXIT: many status=0 pid=0")),
      ["EXIT: many status=0 pid=0"])
check("and is free", wait_for(lambda: not udp_bound(20009) and not udp_bound(20009, True)))
equal("the new one serves", Client(20010).ask(b"x"), b"x")
conf = re.sub(r"(service rules\n[^}]*?)\tflags = INTERCEPT\n", r"\1", conf)
check("a reload that takes the flag away", daemon.reload(conf))
fresh = Client(20001, "127.0.0.2")
equal("serves", fresh.ask(b"x"), b"x")
check("by a new server", fresh.server != first.server, fresh.server)
os.kill(daemon.pid, signal.SIGABRT)
check("the books agree", wait_for(lambda: daemon.log().count("Consistency check passed") == 2), daemon.log()[-3000:])
daemon.stop()
starts_, exits = len([x for x in log_lines(LOG) if re.match(r"START: \S+ pid=0", x)]), len(
    [x for x in log_lines(LOG) if re.match(r"EXIT: .* pid=0", x)])
equal("each client that had START has EXIT", exits, starts_)
for name in os.listdir("/proc"):
    try:
        if name.isdigit() and os.readlink("/proc/%s/exe" % name) == PROBE:
            os.kill(int(name), signal.SIGKILL)
    except OSError:
        pass
finish()
