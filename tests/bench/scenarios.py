# SPDX-License-Identifier: ISC
"""What is measured: how a contender is told, what loads it, and which figure counts."""

import os
import signal
import statistics
import subprocess
import time

from contenders import FIRST_PORT
from generator import figures
from running import Failed, Running, cpu_seconds, generate, memory_bytes


class Scenario:
    """What is measured: how a contender is told, what loads it, and which figure counts."""

    unit = "connections/s"
    datagram = False
    heavy = False  # left out of quick runs

    def __init__(self, name, title):
        self.name = name
        self.title = title

    def shrink(self, share):
        """For a trial run: with this share of the services, clients or connections."""

    def command(self, contender):
        raise NotImplementedError

    def last_port(self):
        return FIRST_PORT

    def load(self, contender, running, seconds):
        raise NotImplementedError

    def measure(self, contender, seconds):
        command = self.command(contender)
        running = Running(command, self.last_port(), self.datagram)
        try:
            before = cpu_seconds(running.pids())
            result = self.load(contender, running, seconds)
            used = cpu_seconds(running.pids()) - before
            if "usec" not in result and result.get("ok"):
                result["usec"] = used / result["ok"] * 1e6
            result["memory"] = result.get("memory") or memory_bytes(running.pids())
            result["started"] = running.started
            return result
        finally:
            running.end()


class Spawned(Scenario):
    """A program a connection; the services take no turns: the last one of them is asked."""

    def __init__(self, name, title, clients, services=1, heavy=False):
        super().__init__(name, title)
        self.clients = clients
        self.services = services
        self.heavy = heavy

    def shrink(self, share):
        self.services = max(1, int(self.services * share))

    def command(self, contender):
        return contender.spawn(self.services)

    def last_port(self):
        return FIRST_PORT + self.services - 1

    def load(self, contender, running, seconds):
        return generate(contender.place, "load", "-c", self.clients, "-t", seconds, self.last_port())


class Internal(Scenario):
    def __init__(self, name, title, what, unit, generator, *words, target=""):
        super().__init__(name, title)
        self.what = what
        self.unit = unit
        self.generator = generator
        self.words = words
        self.target = str(FIRST_PORT) + target
        self.datagram = what in ("udp", "dgram")

    def command(self, contender):
        return getattr(contender, self.what)()

    def load(self, contender, running, seconds):
        result = generate(contender.place, self.generator, *self.words, "-t", seconds, self.target)
        if self.unit == "MB/s":
            result["rate"] = result["mbytes"]
        return result


class Idle(Scenario):
    """Connections that only stay: what each costs in memory. Who has a process or a thread for each holds a tenth of
    them, which takes long enough, and counts ten times."""

    unit = "MB for all"

    def __init__(self, name, title, connections):
        super().__init__(name, title)
        self.connections = connections

    def shrink(self, share):
        self.connections = max(1, int(self.connections * share))

    def command(self, contender):
        return contender.echo()

    def load(self, contender, running, seconds):
        times = 10 if contender.one_each else 1
        count = max(1, self.connections // times)
        before = memory_bytes(running.pids())
        holder = subprocess.Popen([contender.place.bench("flows"), "-i", "-c", str(count), str(FIRST_PORT)],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        try:
            if holder.stdout.readline().strip() != "ready":
                raise Failed("cannot hold so many connections")
            time.sleep(0.5)
            others = [pid for pid in running.pids() if pid != holder.pid]
            memory = (memory_bytes(others) - before) * times
            holder.stdin.close()
            line = holder.stdout.read()
        finally:
            holder.kill()
            holder.wait()
        values = figures(line).get(None, {})
        return {"ok": values.get("ok", 0), "bad": values.get("bad", count), "rate": memory / 1e6,
                "usec": 0, "memory": memory}


class Reload(Scenario):
    """SIGHUP with files that are the same: until the log says that it is done."""

    unit = "ms"
    heavy = True

    def __init__(self, name, title, services):
        super().__init__(name, title)
        self.services = services

    def shrink(self, share):
        self.services = max(1, int(self.services * share))

    def command(self, contender):
        return contender.spawn(self.services) if contender.name in ("usherd", "xinetd") else None

    def last_port(self):
        return FIRST_PORT + self.services - 1

    def load(self, contender, running, seconds):
        log = os.path.join(contender.place.directory, "log")
        deadline = time.monotonic() + 30
        times = []

        def said(text):
            with open(log, encoding="utf-8", errors="replace") as file:
                return file.read().count(text)

        while not said("Started working") and time.monotonic() < deadline:
            time.sleep(0.01)
        for i in range(3):
            start = time.monotonic()
            os.kill(running.process.pid, signal.SIGHUP)
            while said("Reconfigured:") <= i:
                if time.monotonic() > deadline:
                    raise Failed("the reload did not come to its end")
                time.sleep(0.001)
            times.append((time.monotonic() - start) * 1000)
        return {"ok": len(times), "bad": 0, "rate": statistics.median(times), "usec": 0}


SCENARIOS = [
    Spawned("spawn-16", "Spawned service, 16 clients", 16),
    Spawned("spawn-64", "Spawned service, 64 clients", 64),
    Spawned("last-100", "The last of 100 services, 16 clients", 16, 100, heavy=True),
    Spawned("last-1000", "The last of 1,000 services, 16 clients", 16, 1000),
    Spawned("last-10000", "The last of 10,000 services, 16 clients", 16, 10000),
    Reload("reload-10000", "SIGHUP with 10,000 services that stay", 10000),
    Internal("echo-16", "Internal echo: connect, 64 bytes, close; 16 clients", "echo", "connections/s", "load", "-c", 16,
             target=":echo=64"),
    Internal("messages-16", "Internal echo: 64 bytes there and back on 16 connections", "echo", "messages/s", "flows",
             "-c", 16),
    Internal("daytime-16", "Internal daytime, 16 clients", "daytime", "connections/s", "load", "-c", 16),
    Internal("daytime-64", "Internal daytime, 64 clients", "daytime", "connections/s", "load", "-c", 64),
    Internal("stream-1", "Internal echo, one connection", "echo", "MB/s", "flows", "-s", "-c", 1),
    Internal("stream-16", "Internal echo, 16 connections", "echo", "MB/s", "flows", "-s", "-c", 16),
    Idle("idle-10000", "10,000 idle internal connections", 10000),
    Internal("udp-16", "Internal UDP echo, 16 sockets with 16 in flight", "udp", "datagrams/s", "datagrams", "-c", 16,
             "-w", 16),
    Internal("dgram-wait", "dgram wait: one datagram, one server", "dgram", "datagrams/s", "datagrams", "-c", 1, "-w", 1,
             "-p", 2000),
]
