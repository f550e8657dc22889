# SPDX-License-Identifier: ISC
"""Floods: what the clients of other services notice of one, and whether everybody in it is accounted for."""

import os
import re
import time

from contenders import FIRST_PORT, RECORDS
from running import Generator, Running, own_seconds
from scenarios import Scenario

CROWDED, SPAWNED, ECHO, BARRED = range(FIRST_PORT, FIRST_PORT + 4)
FLOOR_SPAWNED, FLOOR_ECHO = FIRST_PORT + 11, FIRST_PORT + 12
OUTCOMES = ("START", "EXIT", "FAIL")


class Flood(Scenario):
    """Others are asked meanwhile, and so are bare loops beside the contender: the difference is the contender's."""

    unit = "µs at p99 for others, beyond a bare loop beside it"
    heavy = True

    def __init__(self, name, title, service, port, clients, *words, overload=None, rate=None):
        super().__init__(name, title)
        self.service = service
        self.target = f"{port}=hello"
        self.clients = clients
        self.words = words
        self.overload = overload
        self.rate = rate

    def shrink(self, share):
        self.clients = max(1, int(self.clients * share))
        self.rate = self.rate and max(1, int(self.rate * share))

    def command(self, contender):
        return contender.flooded(self.overload)

    def last_port(self):
        return BARRED

    def accounts(self, place):
        with open(os.path.join(place.directory, RECORDS), encoding="utf-8", errors="replace") as file:
            kinds = re.findall(rf"(?:^|: )(START|EXIT|FAIL): {self.service} ", file.read(), re.M)
        return [kinds.count(kind) for kind in OUTCOMES]

    def load(self, contender, running, seconds):
        place = contender.place
        hello = [place.bench("server"), "hello"]
        beside = [Running([place.bench("floor_spawn"), "-s", str(FLOOR_SPAWNED), str(FLOOR_SPAWNED), *hello],
                          FLOOR_SPAWNED, False),
                  Running([place.bench("floor_serve"), "echo", str(FLOOR_ECHO)], FLOOR_ECHO, False)]
        others = Generator(place, "load", "-c", 1000, "-t", 600, "-r", 400, f"{SPAWNED}=hello",
                           f"{FLOOR_SPAWNED}=hello", f"{ECHO}:echo=64", f"{FLOOR_ECHO}:echo=64")
        used = own_seconds(running.process.pid)
        words = ("-r", self.rate, "-t", 3 * seconds) if self.rate else ("-n", self.clients)
        flood = Generator(place, "load", "-w", 20, "-c", self.clients, *words, *self.words,
                          self.target).result()[None]
        used = own_seconds(running.process.pid) - used
        others.stop()
        others = others.result()
        for one in beside:
            one.process.kill()
        return self.weigh(place, flood, others, used)

    def weigh(self, place, flood, others, used):
        clients = flood["ok"] + flood["bad"]
        expected = [flood["ok"], flood["ok"], flood["bad"]]
        deadline = time.monotonic() + 5
        while self.accounts(place) != expected and time.monotonic() < deadline:
            time.sleep(0.05)
        lost = sum(abs(is_ - should) for is_, should in zip(self.accounts(place), expected))
        pairs = ((others[SPAWNED], others[FLOOR_SPAWNED]), (others[ECHO], others[FLOOR_ECHO]))
        beyond = max(one["p99"] - floor["p99"] for one, floor in pairs)
        return {"ok": clients, "bad": lost + others[None]["bad"], "rate": max(beyond, 0),
                "usec": used / clients * 1e6 if clients else 0, "p50": max(one["p50"] for one, _ in pairs),
                "p99": max(one["p99"] for one, _ in pairs)}


FLOODS = [
    Flood("flood-instances", "5,000 clients at once at instances = 50; others meanwhile (µs CPU: the daemon's, a client)",
          "crowded", CROWDED, 5000),
    Flood("flood-queue", "The same, where they wait for their turn", "crowded", CROWDED, 5000,
          overload="queue"),
    Flood("flood-refused", "20,000 clients a second from a refused address; others meanwhile (µs CPU: the same)",
          "barred", BARRED, 5000, "-o", 77, rate=20000),
]
