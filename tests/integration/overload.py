#!/usr/bin/env python3
# Proves overload = queue: at the limit, clients wait in the kernel's queue without a FAIL, each is served when one ends, and nothing spins meanwhile.
# SPDX-License-Identifier: ISC
import os
import sys

sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "tests/lib"))
from harness import *  # noqa: E402,F403

PROBE = probe()
LOG = path("services.log")


def stanza(name, port, **attributes):
    base = {"id": name, "server": PROBE, "server_args": "echo", "cps": "0 1", "log_type": "FILE " + LOG,
            "log_on_success": "HOST", "log_on_failure": "HOST", "instances": "2", "overload": "queue"}
    base.update(attributes)
    return service(name, port=port, **base)


def inner(name, port, **attributes):
    return stanza(name, port, type="INTERNAL UNLISTED", user=None, server=None, server_args=None,
                  **attributes).replace("service " + name, "service echo", 1)


def served(s, seconds=PATIENCE):
    s.settimeout(seconds)
    try:
        return s.recv(1) == b"x"
    except socket.timeout:
        return None


def client(port):
    s = tcp(port)
    s.sendall(b"x")
    return s


def conf(limit):
    return "".join([stanza("out", 20001, instances=limit), inner("in", 20002, instances=limit),
                    stanza("two", 20003, instances=limit, bind="127.0.0.1 127.0.0.2"),
                    stanza("refuse", 20004, instances="1", overload=None)])


daemon = Daemon(conf("2"))
for name, port in (("out", 20001), ("in", 20002), ("two", 20003)):
    held = [client(port), client(port)]
    check(name + ": served up to the limit", all(served(s) for s in held))
    waiting = [client(port) for _ in range(4)]
    equal(name + ": the next one is not", served(waiting[0], 0.3), None)
    for n, s in enumerate(waiting):
        held.pop(0).close()
        check(name + ": one that ends makes room for number %d" % n, served(s))
        held.append(s)
        if n + 1 < len(waiting):
            equal(name + ": and for one only", served(waiting[n + 1], 0.2), None)
    late = client(port)
    before = daemon.cpu_seconds()
    equal(name + ": who waits, waits", served(late, 1), None)
    check(name + ": and costs nothing", daemon.cpu_seconds() - before < 0.4)
    check(name + ": nobody was refused", "FAIL: " + name not in read(LOG), read(LOG))
    for s in held:
        s.close()
    check(name + ": all are served in the end", served(late))
    late.close()

held = [client(20001), client(20001)]
check("again at the limit", all(served(s) for s in held))
late = client(20001)
equal("one waits", served(late, 0.3), None)
daemon.reload(conf("3"))
check("a reload that raises the limit lets it in", served(late))
later = client(20001)
equal("another one waits", served(later, 0.3), None)
daemon.reload(conf("1"))
held.pop().close()
held.pop().close()
equal("while there are more than a lowered limit allows", served(later, 0.3), None)
late.close()
check("and is served when there is room", served(later))
with client(20004) as s:
    check("without it", served(s))
    equal("one too many is refused", ask(20004, b"x"), b"")
    check("and recorded", wait_for(lambda: "FAIL: refuse service_limit" in read(LOG)))
daemon.stop()
finish()
