#!/usr/bin/env python3
# Proves flags = INTERCEPT for streams: each client of a wait = yes server is checked and recorded, the server lives as it does without, and reloads keep it.
# SPDX-License-Identifier: ISC
import os
import socket
import sys

sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "tests/lib"))
from harness import *  # noqa: E402,F403

PROBE = probe()
LOG = path("services.log")


def stanza(name, port, **attributes):
    base = {"id": name, "wait": "yes", "flags": "INTERCEPT", "server": PROBE, "cps": "0 1", "log_type": "FILE " + LOG,
            "log_on_success": "PID HOST EXIT", "log_on_failure": "HOST", "env": "COUNT=" + path("count-" + name)}
    base.update(attributes)
    return service(name, port=port, **base)


def starts(name):
    return len(read(path("count-" + name)))


def lines(name, kind=None):
    """The records of a service; pids that are none of the worker's are N."""
    found = [re.sub(r"pid=[1-9]\d*", "pid=N", x) for x in log_lines(LOG) if x.split()[1] == name]
    return [x for x in found if not kind or x.startswith(kind)]


def client(port, src="127.0.0.1", dst="127.0.0.1"):
    s = socket.socket(socket.AF_INET6 if ":" in dst else socket.AF_INET)
    s.settimeout(PATIENCE)
    s.bind((src, 0))
    s.connect((dst, port))
    return s


def talk(port, src="127.0.0.1", dst="127.0.0.1"):
    """What the server says; it goes on when we end."""
    with client(port, src, dst) as s:
        try:
            s.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        return receive_all(s)


conf = "".join([
    stanza("rules", 20001, server_args="accept 1000 60000", only_from="127.0.0.1 127.0.0.3 ::1"),
    stanza("single", 20002, server_args="accept 1 60000"),
    stanza("limit", 20003, server_args="accept 1000 60000", instances="2", per_source="1", banner_fail=write(path("no"), "no\n")),
    stanza("world", 20004, server_args="accept-report", bind="127.0.0.1"),
    stanza("exits", 20005, server_args="exit 3", cps="2 60"),
    stanza("two", 20006, server_args="accept 1000 60000", bind="127.0.0.1 127.0.0.2"),
    stanza("idle", 20007, server_args="accept 1000 60000", idle_timeout="1"),
    stanza("dropped", 20008, server_args="accept 1000 60000"),
    stanza("changes", 20009, server_args="accept 1000 60000"),
    service("nowait", port=20010, server=PROBE, server_args="echo", flags="INTERCEPT"),
    service("echo", id="inner", type="INTERNAL UNLISTED", port=20011, flags="INTERCEPT"),
    service("unix", bind=path("unix"), wait="yes", server=PROBE, flags="INTERCEPT"),
    stanza("becomes", 20012, flags=None, server_args="accept 1000 60000"),
])
daemon = Daemon(conf)
check("it is dropped where it has no meaning", ask(20010, b"x") == b"x" and ask(20011, b"x") == b"x")
check("which the log tells", "Multi-threaded services cannot be intercepted: nowait" in daemon.log()
      and "Internal services cannot be intercepted: inner" in daemon.log(), daemon.log())
check("a Unix socket is refused at load", "a Unix socket has none" in daemon.log() and not os.path.exists(path("unix")),
      daemon.log())

# --- who may -----------------------------------------------------------------------------------------------------
equal("before the first client there is no server", starts("rules"), 0)
equal("who is refused gets nothing", talk(20001, "127.0.0.2"), b"")
equal("and a FAIL, and nothing else", wait_for(lambda: lines("rules")), ["FAIL: rules address from=127.0.0.2"])
equal("and starts no server", starts("rules"), 0)
first = client(20001)
answer = first.recv(100)
check("who may is served", answer.endswith(b" 0\n"), answer)
equal("by one server", starts("rules"), 1)
first.close()
equal("the same serves the next", talk(20001, "127.0.0.3").split(), [answer.split()[0], b"1"])
equal("also over IPv6", talk(20001, "::1", "::1").split(), [answer.split()[0], b"2"])
equal("while it runs others are refused", talk(20001, "127.0.0.2"), b"")
equal("each has its record", sorted(wait_for(lambda: len(lines("rules")) >= 9 and lines("rules")) or lines("rules")), sorted([
    "FAIL: rules address from=127.0.0.2", "START: rules pid=0 from=127.0.0.1", "START: rules pid=N from=<no address>",
    "EXIT: rules status=0 pid=0", "START: rules pid=0 from=127.0.0.3", "EXIT: rules status=0 pid=0",
    "START: rules pid=0 from=::1", "EXIT: rules status=0 pid=0", "FAIL: rules address from=127.0.0.2"]))

# --- the life of the server -----------------------------------------------------------------------------------------
servers = {talk(20002).split()[0] for _ in range(3)}
equal("a server that ends after a client is started for the next", len(servers), 3)
equal("once each", starts("single"), 3)
wait_for(lambda: len(lines("single", "EXIT")) == 6)
equal("each server and each client has START and EXIT", sorted(lines("single")), sorted(
    3 * ["START: single pid=0 from=127.0.0.1", "START: single pid=N from=<no address>", "EXIT: single status=0 pid=0",
         "EXIT: single status=0 pid=N"]))
world = report(talk(20004))
check("the server has the private socket and nothing else", len(world["fd"]) == 3
      and all("blocking" in x and "nonblocking" not in x for x in world["fd"]), world)
equal("its environment knows no client", world["env"].get("REMOTE_HOST"), "<no address>")
equal("two addresses, one server", [talk(20006, dst=x).split()[1] for x in ("127.0.0.1", "127.0.0.2", "127.0.0.1")],
      [b"0", b"1", b"2"])
equal("which is started once", starts("two"), 1)
equal("a client of a server that does not accept is let go", talk(20005), b"")
check("and the server is not started for ever", daemon.wait_log("Deactivating service exits due to excessive"), daemon.log())
check("one client for all that", 1 <= starts("exits") <= 20, starts("exits"))

# --- limits ----------------------------------------------------------------------------------------------------------
held = client(20003)
check("served", held.recv(100))
equal("per_source counts clients", talk(20003), b"no\n")
other = client(20003, "127.0.0.2")
equal("instances, too", talk(20003, "127.0.0.3"), b"no\n")
equal("both are recorded", wait_for(lambda: len(lines("limit", "FAIL")) == 2 and lines("limit", "FAIL")),
      ["FAIL: limit per_source_limit from=127.0.0.1", "FAIL: limit service_limit from=127.0.0.3"])
held.close()
check("one that waited at the server is served then", other.recv(100))
other.close()
check("and there is room", wait_for(lambda: talk(20003, "127.0.0.3") != b"no\n"))
idle = client(20007)
idle.recv(100)
equal("idle_timeout ends a client", idle.recv(100), b"")
os.kill(daemon.pid, signal.SIGABRT)
check("the books agree", daemon.wait_log("Consistency check passed"), daemon.log())

# --- reload -----------------------------------------------------------------------------------------------------------
kept = client(20001)
kept_answer = kept.recv(100)
changes = client(20009)
changes_answer = changes.recv(100)
dropped = client(20008)
dropped.recv(100)
becomes = client(20012)
becomes_answer = becomes.recv(100)
parts = conf.split("service ")
conf = "service ".join(p for p in parts if not p.startswith("dropped"))
conf = conf.replace("only_from = 127.0.0.1 127.0.0.3 ::1", "only_from = 127.0.0.2")
conf = re.sub(r"(service changes\n[^}]*?)\tflags = INTERCEPT\n", r"\1", conf)
conf = re.sub(r"(service becomes\n\{\n)", r"\1\tflags = INTERCEPT\n\tno_access = 127.0.0.2\n", conf)
check("a reload", daemon.reload(conf))
equal("a service that is gone ends its clients", receive_all(dropped), b"")
check("and its server", wait_for(lambda: "EXIT: dropped signal=15 pid=N" in lines("dropped")), lines("dropped"))
kept.sendall(b"x")
kept.shutdown(socket.SHUT_WR)
equal("one that stays keeps its clients", receive_all(kept), b"")
equal("the new rules hold for the next", talk(20001, "127.0.0.1"), b"")
equal("with the server that was there", talk(20001, "127.0.0.2").split()[0], kept_answer.split()[0])
changes_new = client(20009)
new_answer = changes_new.recv(100)
check("without the flag the server has the real socket", new_answer.split()[0] != changes_answer.split()[0], new_answer)
changes.sendall(b"x")
changes.close()
check("and the old one is left alone", not lines("changes", "EXIT: changes signal"), lines("changes"))
equal("with the flag, the server that runs keeps the socket", [becomes.send(b"x"), becomes.close(), talk(20012).split()[0]][2],
      becomes_answer.split()[0])
os.kill(int(becomes_answer.split()[0]), signal.SIGKILL)
wait_for(lambda: lines("becomes", "EXIT: becomes signal=9"))
# One that comes before the exit was noticed is served; the record of a refusal may be written after the next try.
equal("the next one is intercepted",
      set(wait_for(lambda: lines("becomes", "FAIL") or talk(20012, "127.0.0.2") and None) or []),
      {"FAIL: becomes address from=127.0.0.2"})
check("and serves", talk(20012))
os.kill(daemon.pid, signal.SIGABRT)
check("the books agree", wait_for(lambda: daemon.log().count("Consistency check passed") == 2), daemon.log())
pid = int(kept_answer.split()[0])
daemon.stop()
check("the end of the daemon leaves servers alone", os.path.exists("/proc/%d" % pid))
for name in os.listdir("/proc"):
    try:
        if name.isdigit() and os.readlink("/proc/%s/exe" % name) == PROBE:
            os.kill(int(name), signal.SIGKILL)
    except OSError:
        pass
finish()
