#!/usr/bin/env python3
# Proves SENSOR (D19, D32): who touches one is refused everywhere for deny_time, by address and not by text, also over a reload; datagrams shut nobody out.
# SPDX-License-Identifier: ISC
import os
import sys

sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "tests/lib"))
from harness import *  # noqa: E402,F403

PROBE = probe()
LOG = path("services.log")
NO = write(path("no"), "no\n")


def common(name, **attributes):
    base = dict(id=name, cps="0 1", log_type="FILE " + LOG, log_on_failure="HOST", log_on_success="HOST", banner_fail=NO)
    base.update(attributes)
    return base


def sensor(name, port, **attributes):
    """D32: without server, user or type = INTERNAL."""
    return service(name, port=port, user=None, flags="SENSOR IPv4",
                   **common(name, **dict(dict(deny_time="5"), **attributes)))


def fails(name):
    return [x for x in log_lines(LOG) if x.startswith("FAIL: %s " % name)]


def ask_from(source, port):
    family = socket.AF_INET6 if ":" in source else socket.AF_INET
    with socket.socket(family) as s:
        s.settimeout(PATIENCE)
        s.bind((source, 0))
        s.connect(("::1" if ":" in source else "127.0.0.1", port))
        try:
            s.sendall(b"x")
            s.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        return receive_all(s)


conf = "".join([
    sensor("trap", 20001), sensor("never", 20002, deny_time=None),
    sensor("udp", 20003, socket_type="dgram", wait="yes", bind="127.0.0.1"),
    sensor("ever", 20004, deny_time="FOREVER").replace("SENSOR IPv4", "SENSOR"),
    service("open", port=20010, server=PROBE, server_args="echo", **common("open")),
    service("open4", port=20011, server=PROBE, server_args="echo", flags="IPv4", **common("open4")),
    service("echo", port=20012, **common("inner", type="INTERNAL UNLISTED")),
])
daemon = Daemon(conf)
equal("before, one is served", ask_from("127.0.0.1", 20010), b"x")
equal("without deny_time, a sensor refuses", ask_from("127.0.0.1", 20002), b"no\n")
equal("and that is all", ask_from("127.0.0.1", 20010), b"x")

with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
    for _ in range(3):
        s.sendto(b"x", ("127.0.0.1", 20003))
check("each datagram is refused", wait_for(lambda: fails("udp") == ["FAIL: udp address from=127.0.0.1"] * 3), read(LOG))
equal("and shuts nobody out, as anybody could have sent it", ask_from("127.0.0.1", 20010), b"x")

equal("who touches a sensor is refused", ask_from("127.0.0.2", 20001), b"no\n")
check("and recorded", wait_for(lambda: fails("trap") == ["FAIL: trap address from=127.0.0.2"]), read(LOG))
check("in xinetd's words", daemon.wait_log(
    "CRITICAL: Adding 127.0.0.2 to the global_no_access list for 5 minutes"), daemon.log())
for port, name in ((20010, "open"), (20011, "open4"), (20012, "inner")):
    equal(name + ": refuses it too", ask_from("127.0.0.2", port), b"no\n")
    check(name + ": with its FAIL line", wait_for(lambda: fails(name) == ["FAIL: %s address from=127.0.0.2" % name]))
    equal(name + ": and no other", ask_from("127.0.0.3", port), b"x")
equal("again", ask_from("127.0.0.2", 20001), b"no\n")
check("a second touch is recorded, but said once",
      wait_for(lambda: len(fails("trap")) == 2) and daemon.log().count("Adding 127.0.0.2") == 1)
daemon.reload(conf + "\n")
equal("a reload forgets nobody", ask_from("127.0.0.2", 20010), b"no\n")

# D19: by a dual-stack socket, the client is the same one.
equal("touched by IPv4 on an IPv6 socket", ask_from("127.0.0.4", 20004), b"no\n")
check("for ever", daemon.wait_log("Adding 127.0.0.4 to the global_no_access list for -1 minutes"))
equal("it is refused on an IPv4 socket", ask_from("127.0.0.4", 20011), b"no\n")
equal("an IPv6 client", ask_from("::1", 20004), b"no\n")
equal("is refused, too", ask_from("::1", 20010), b"no\n")
before = daemon.cpu_seconds()
equal("nothing runs for it", wait_for(lambda: daemon.cpu_seconds() - before > 0.1, 1), False)
daemon.stop()
finish()
