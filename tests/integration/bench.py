#!/usr/bin/env python3
# Proves that the bench works: each scenario with each load generator, the table, the page and the plot, in small; not what it measures.
# SPDX-License-Identifier: ISC
import os
import sys
import xml.dom.minidom

TOP = os.environ.get("srcdir", ".")
sys.path.insert(0, os.path.join(TOP, "tests/lib"))
sys.path.insert(0, os.path.join(TOP, "tests/bench"))
from harness import *  # noqa: E402,F403
from listening import is_listed, listens  # noqa: E402

BENCH = os.path.join(TOP, "tests/bench/bench.py")


def bench(*words):
    """It is in a namespace of its own already."""
    done = subprocess.run([sys.executable, BENCH, *words], capture_output=True, text=True,
                          env=dict(os.environ, USHERD_BENCH_NETNS="1", QUICK=""))
    return done.returncode, done.stdout + done.stderr


# Who is there is seen as soon as clients are let in, and not before, by both ways to look.
for family, kind, host in ((socket.AF_INET, socket.SOCK_STREAM, "127.0.0.1"), (socket.AF_INET, socket.SOCK_STREAM, ""),
                           (socket.AF_INET6, socket.SOCK_STREAM, "::"), (socket.AF_INET, socket.SOCK_DGRAM, "")):
    with socket.socket(family, kind) as door:
        datagram = kind == socket.SOCK_DGRAM
        door.bind((host, 0))
        port = door.getsockname()[1]
        looks = [(listens(port, datagram), is_listed(port, datagram))]
        if not datagram:
            door.listen()
            looks.append((listens(port, datagram), is_listed(port, datagram)))
    looks.append((listens(port, datagram), is_listed(port, datagram)))
    equal("%s of %s is seen to be there" % (kind.name, host or "all addresses"), looks,
          [(datagram,) * 2] + [(True, True)] * (not datagram) + [(False, False)])
status, said = bench("--only", "nonsense")
equal("a scenario that there is not is refused", status, 2)
scenarios = re.search(r"there are (.*)", said).group(1).split(", ")
check("and those that there are, are named", len(scenarios) >= 18, said)
status, said = bench("--rounds", "1", "--seconds", "0.1", "--share", "0.005", "--with", "floor,bare floor,usherd",
                     "--doc", TMP)
equal("all of it runs", status, 0)
check("and nobody is missing", "could not" not in said and len(re.findall("^usherd ", said, re.M)) == len(scenarios), said)
for name in scenarios:
    # A table goes to the next empty line.
    table = said.split("(%s), " % name)[-1].split("\n\n")[0] if "(%s), " % name in said else ""
    row = re.search(r"^usherd +(-?[\d,]+) .* ([\d,]+)$", table, re.M)
    # Datagrams that are late count as lost, which a busy machine is free to make them.
    if check(name + " is measured", row, said) and name not in ("udp-16", "dgram-wait"):
        equal(name + ": without errors", row.group(2), "0")
page = read(path("performance.md"))
equal("the page has a table for each", page.count("\n## "), len(scenarios))
check("and says where it was made, but no paths", re.search(r"on \d+ processors \(.*\), Linux \S+, \d+ \w+ \d{4}\.", page)
      and "/tmp/" not in page, page[:1500])
plot = read(path("performance.svg"))
check("the plot is sound XML with a line for each", xml.dom.minidom.parseString(plot)
      .getElementsByTagName("polyline").length >= 2, plot)
finish()
