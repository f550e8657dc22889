#!/usr/bin/env python3
# Proves that each of 2,000 parallel connections, served and refused, leaves exactly one outcome in the log.
# SPDX-License-Identifier: ISC
import collections
import os
import sys
import threading

sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "tests/lib"))
from harness import *  # noqa: E402,F403

PROBE = probe()
LOG = path("services.log")
CLIENTS, EACH = 25, 80


def stanza(name, port, **attributes):
    base = {"id": name, "server": PROBE, "server_args": "hold", "cps": "0 1", "log_type": "FILE " + LOG,
            "log_on_success": "PID HOST EXIT DURATION", "log_on_failure": "HOST", "backlog": "4096"}
    base.update(attributes)
    return service(name, port=port, **base)


PORTS = {"open": 20001, "instances": 20002, "source": 20003, "denied": 20004, "inner": 20005, "brief": 20006,
         "missing": 20007, "innerlimit": 20008}
write(path("missing"), "#!/bin/sh\n")
os.chmod(path("missing"), 0o755)
INNER = dict(type="INTERNAL UNLISTED", server=None, server_args=None, user=None)
daemon = Daemon(
    stanza("open", 20001) + stanza("instances", 20002, instances="3") + stanza("source", 20003, per_source="2")
    + stanza("denied", 20004, no_access="127.0.0.1")
    + stanza("inner", 20005, **INNER).replace("service inner", "service daytime")
    + stanza("brief", 20006, server_args="exit 4") + stanza("missing", 20007, server=path("missing"))
    + stanza("innerlimit", 20008, instances="2", **INNER).replace("service innerlimit", "service echo"))
os.remove(path("missing"))
outcomes = collections.Counter()
lock = threading.Lock()


def client(number):
    mine = collections.Counter()
    names = list(PORTS)
    for i in range(EACH):
        name = names[(i + number) % len(names)]
        try:
            with tcp(PORTS[name]) as s:
                if name == "innerlimit":
                    try:
                        s.sendall(b"x")
                    except OSError:
                        pass
                try:
                    data = s.recv(100)
                except ConnectionResetError:
                    data = b""
                mine[name, "served" if data else "closed"] += 1
                if i % 7 == 0:
                    reset(s)
        except OSError as error:
            mine[name, str(error)] += 1
    with lock:
        outcomes.update(mine)


threads = [threading.Thread(target=client, args=(i,)) for i in range(CLIENTS)]
for t in threads:
    t.start()
for t in threads:
    t.join()
total = CLIENTS * EACH


def count():
    result = collections.Counter()
    for line in log_lines(LOG):
        kind, name = line.split()[:2]
        result[name, kind[:-1]] += 1
    return result


wait_for(lambda: (lambda c: sum(v for (n, k), v in c.items() if k in ("EXIT", "FAIL")) >= total)(count()))
told = count()
equal("every client got through", {k: v for k, v in outcomes.items() if k[1] not in ("served", "closed")}, {})
for name in PORTS:
    all_of_it = outcomes[name, "served"] + outcomes[name, "closed"]
    equal("%s: one START or FAIL for each of %d" % (name, all_of_it),
          told[name, "START"] + told[name, "FAIL"], all_of_it)
    equal("%s: one EXIT for each START" % name, told[name, "EXIT"], told[name, "START"])
for name in ("open", "inner"):
    equal("%s: all were served" % name, told[name, "START"], outcomes[name, "served"])
    equal("%s: none was refused" % name, told[name, "FAIL"], 0)
for name in ("instances", "source"):
    equal("%s: served is START" % name, told[name, "START"], outcomes[name, "served"])
    equal("%s: let go is FAIL" % name, told[name, "FAIL"], outcomes[name, "closed"])
    check("%s: there were both" % name, told[name, "START"] and told[name, "FAIL"], told)
# An internal service may have answered nothing to a client that was reset meanwhile; START is still START.
check("innerlimit: nobody was served without START", told["innerlimit", "START"] >= outcomes["innerlimit", "served"])
equal("denied: all were refused, nothing was started", (told["denied", "FAIL"], told["denied", "START"]),
      (outcomes["denied", "closed"], 0))
lines = log_lines(LOG)
equal("missing: all have status 127", sum(x.startswith("EXIT: missing status=127 ") for x in lines),
      outcomes["missing", "closed"])
equal("brief: all have their status", sum(x.startswith("EXIT: brief status=4 ") for x in lines),
      outcomes["brief", "closed"])
# Each pid that began has ended, and no other.
for name in ("open", "brief", "instances"):
    begun = sorted(re.findall(r"START: %s pid=(\d+)" % name, "\n".join(lines)))
    ended = sorted(re.findall(r"EXIT: %s status=\d+ pid=(\d+)" % name, "\n".join(lines)))
    equal("%s: the same pids" % name, begun, ended)
finish()
