#!/usr/bin/env python3
# Proves only_from_file and no_access_file: merged with the lists, read again on SIGHUP, fail closed; 100,000 entries do not slow an accept.
# SPDX-License-Identifier: ISC
import os
import sys

sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "tests/lib"))
from harness import *  # noqa: E402,F403

ONLY = write(path("only"), "# ours\n127.0.0.2\n127.0.0.8/29 # a few\n")
NO = write(path("no"), "127.0.0.9\n")
MANY = write(path("many"), "".join("10.%d.%d.%d\n" % (i >> 15, i >> 7 & 255, i << 1 & 255) for i in range(100000)))


def stanza(name, port, **attributes):
    return service("echo", port=port, id=name, type="INTERNAL UNLISTED", user=None, cps="0 1", **attributes)


conf = "".join([
    stanza("lists", 20001, only_from="127.0.0.1", only_from_file=ONLY, no_access_file=NO),
    stanza("none", 20002), stanza("many", 20003, no_access_file=MANY),
    stanza("gone", 20004, no_access_file=path("nowhere")),
])
daemon = Daemon(conf)


def served(source, port=20001):
    with socket.socket() as s:
        s.settimeout(PATIENCE)
        s.bind((source, 0))
        s.connect(("127.0.0.1", port))
        try:
            s.sendall(b"x")
            s.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        return receive_all(s) == b"x"


def who():
    return [n for n in (1, 2, 3, 8, 9, 10) if served("127.0.0.%d" % n)]


def seconds(port, times=1000):
    """How much of a processor the daemon takes to have so many served."""
    before = daemon.cpu_seconds()
    for _ in range(times):
        ask(port, b"x")
    return daemon.cpu_seconds() - before


equal("the files and the lists are one", who(), [1, 2, 8, 10])
equal("what cannot be read is not served", ask(20004), None)
check("and said", "nowhere: No such file" in daemon.log(), daemon.log())
write(ONLY, "127.0.0.3\n")
equal("a changed file", who(), [1, 2, 8, 10])
daemon.reload()
equal("is read again with the configuration", who(), [1, 3])
write(ONLY, "127.0.0.3\nall of them\n")
daemon.reload()
equal("one that is broken then changes nothing", who(), [1, 3])
check("and is said", "line 2: write one address a line" in daemon.log(), daemon.log())
few, many = seconds(20002), seconds(20003)
print("# 1000 connections: %.1f ms without a list, %.1f ms with 100,000 entries" % (few * 1e3, many * 1e3))
check("100,000 entries do not slow an accept", many < 2 * few + 0.1, (few, many))
daemon.stop()

# --- in defaults, for services that say nothing else -------------------------------------------------
write(ONLY, "127.0.0.1\n127.0.0.2\n127.0.0.9\n")
daemon = Daemon("defaults\n{\n\tonly_from_file = %s\n\tno_access_file = %s\n}\n" % (ONLY, NO)
                + stanza("inherits", 20001) + stanza("adds", 20002, only_from="127.0.0.3") + stanza("own", 20003, no_access_file=MANY))
equal("files of defaults are for all", who(), [1, 2])
equal("a list of the service comes on top", [n for n in (1, 2, 3, 8, 9) if served("127.0.0.%d" % n, 20002)], [1, 2, 3])
equal("a file of the service replaces that of defaults", [n for n in (1, 2, 3, 8, 9) if served("127.0.0.%d" % n, 20003)],
      [1, 2, 9])
daemon.stop()
finish()
