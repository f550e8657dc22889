#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Measures usherd, the floor and every other super-server that is installed, in turn, on one machine.

usage: bench.py [--quick] [--only SCENARIO[,...]] [--with NAME[,...]] [--rounds N] [--seconds S] [--doc DIRECTORY]

Each round starts a contender anew, in a network namespace of the bench where that is possible, loads it, and ends it;
rounds of different contenders alternate, so that whatever else the machine does hits all of them. Prints for each
scenario the medians and their ratio to the floor (a bare loop that does nothing else, tests/bench/floor_*.c).
With --doc the tables go to DIRECTORY/performance.md and a plot to DIRECTORY/performance.svg.
"""

import argparse
import ctypes
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

from contenders import EVERYBODY, FIRST_PORT, RECORDS, Place
from report import print_table, write_document

HERE = os.path.dirname(os.path.abspath(__file__))
PR_SET_CHILD_SUBREAPER = 36
TICKS = os.sysconf("SC_CLK_TCK")


class Failed(Exception):
    pass


# --- processes ------------------------------------------------------------------------


def stat_of(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
        text = file.read()
    fields = text[text.rindex(")") + 2:].split()
    return int(fields[1]), sum(int(field) for field in fields[11:15])


def descendants(root):
    parents = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                parents.setdefault(stat_of(name)[0], []).append(int(name))
            except (OSError, ValueError):
                pass
    found, look = [], [root]
    while look:
        children = parents.get(look.pop(), [])
        found += children
        look += children
    return found


def cpu_seconds(pids):
    """What these have used, and those of their children that were waited for."""
    total = 0
    for pid in pids:
        try:
            total += stat_of(pid)[1]
        except (OSError, ValueError):
            pass
    return total / TICKS


def memory_bytes(pids):
    """Proportional set size: what is shared counts once."""
    total = 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
                total += int(re.search(r"^Pss: *(\d+)", file.read(), re.M).group(1)) * 1024
        except (OSError, AttributeError):
            pass
    return total


def listens(port, datagram):
    wanted = f":{port:04X} "
    for family in ("udp", "udp6") if datagram else ("tcp", "tcp6"):
        with open(f"/proc/net/{family}", encoding="ascii") as file:
            for line in file:
                fields = line.split(None, 4)
                if fields[1].endswith(wanted.strip()) and (datagram or fields[3] == "0A"):
                    return True
    return False


class Running:
    """A contender at work. All that it starts is ours to end, however it leaves its parents."""

    def __init__(self, command, port, datagram):
        self.datagram = datagram
        self.port = port
        self.log = tempfile.TemporaryFile()
        start = time.monotonic()
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        while not listens(port, datagram):
            if time.monotonic() > start + 60 or (self.process.poll() not in (None, 0)):
                said = self.said()
                self.end()
                raise Failed(said or "did not start")
            time.sleep(0.002)
        self.started = time.monotonic() - start

    def said(self):
        self.log.seek(0)
        return self.log.read()[-200:].decode(errors="replace").strip().replace("\n", " / ")

    def pids(self):
        return descendants(os.getpid())

    def end(self):
        deadline = time.monotonic() + 10
        while True:
            pids = self.pids()
            for pid in pids:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            try:
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass
            except ChildProcessError:
                pass
            if (not pids and not listens(self.port, self.datagram)) or time.monotonic() > deadline:
                break
            time.sleep(0.005)
        self.process.returncode = 0
        self.log.close()


def generate(place, *words):
    """Runs a load generator; returns its last line as a dictionary."""
    done = subprocess.run([place.bench(words[0]), *map(str, words[1:])], capture_output=True, text=True, timeout=120,
                          check=False)
    line = done.stdout.strip().splitlines()[-1] if done.stdout.strip() else ""
    values = dict(re.findall(r"(\w+)=([\d.]+)", line))
    if not values:
        raise Failed(f"the load generator said: {done.stderr.strip()[-200:]}")
    return {key: float(value) for key, value in values.items()}


# --- scenarios ------------------------------------------------------------------------


class Scenario:
    """What is measured: how a contender is told, what loads it, and which figure counts."""

    unit = "connections/s"
    datagram = False
    heavy = False  # left out of quick runs

    def __init__(self, name, title):
        self.name = name
        self.title = title

    def command(self, contender):
        raise NotImplementedError

    def last_port(self):
        return FIRST_PORT

    def load(self, place, running, seconds):
        raise NotImplementedError

    def measure(self, contender, seconds):
        command = self.command(contender)
        running = Running(command, self.last_port(), self.datagram)
        try:
            before = cpu_seconds(running.pids())
            result = self.load(contender.place, running, seconds)
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

    def command(self, contender):
        return contender.spawn(self.services)

    def last_port(self):
        return FIRST_PORT + self.services - 1

    def load(self, place, running, seconds):
        return generate(place, "load", "-c", self.clients, "-t", seconds, self.last_port())


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

    def load(self, place, running, seconds):
        result = generate(place, self.generator, *self.words, "-t", seconds, self.target)
        if self.unit == "MB/s":
            result["rate"] = result["mbytes"]
        return result


class Idle(Scenario):
    """Connections that only stay: what each costs in memory."""

    unit = "MB for all"

    def __init__(self, name, title, connections):
        super().__init__(name, title)
        self.connections = connections

    def command(self, contender):
        return contender.echo()

    def load(self, place, running, seconds):
        before = memory_bytes(running.pids())
        holder = subprocess.Popen([place.bench("flows"), "-i", "-c", str(self.connections), str(FIRST_PORT)],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        try:
            if holder.stdout.readline().strip() != "ready":
                raise Failed("cannot hold so many connections")
            time.sleep(0.5)
            others = [pid for pid in running.pids() if pid != holder.pid]
            memory = memory_bytes(others) - before
            holder.stdin.close()
            line = holder.stdout.read()
        finally:
            holder.kill()
            holder.wait()
        values = {key: float(value) for key, value in re.findall(r"(\w+)=([\d.]+)", line)}
        return {"ok": values.get("ok", 0), "bad": values.get("bad", self.connections), "rate": memory / 1e6,
                "usec": 0, "memory": memory}


class Reload(Scenario):
    """SIGHUP with files that are the same: until the log says that it is done."""

    unit = "ms"
    heavy = True

    def __init__(self, name, title, services):
        super().__init__(name, title)
        self.services = services

    def command(self, contender):
        return contender.spawn(self.services) if contender.name in ("usherd", "xinetd") else None

    def last_port(self):
        return FIRST_PORT + self.services - 1

    def load(self, place, running, seconds):
        log = os.path.join(place.directory, "log")
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

# A quick run leaves these out, as well as what is heavy.
QUICK = {"floor", "usherd", "xinetd"}


# --- the run ----------------------------------------------------------------------------


def choose(options, place):
    contenders = []
    for kind in EVERYBODY:
        contender = kind(place)
        if options.contenders and contender.name not in options.contenders:
            continue
        if options.quick and not options.contenders and contender.name not in QUICK:
            continue
        if contender.path and os.path.exists(contender.path):
            contenders.append(contender)
    return contenders


def run_scenario(scenario, contenders, options):
    """Returns {name: [result of each round]} and {name: why it could not}."""
    results, failures = {}, {}
    able = [one for one in contenders if scenario.command(one)]
    for _ in range(options.rounds):
        for contender in able:
            if contender.name in failures:
                continue
            try:
                result = scenario.measure(contender, options.seconds)
                results.setdefault(contender.name, []).append(result)
            except (Failed, OSError, subprocess.TimeoutExpired) as error:
                failures[contender.name] = str(error)
            # The log of the round before is no part of the next.
            for name in (RECORDS, "log"):
                path = os.path.join(contender.place.directory, name)
                if os.path.exists(path):
                    os.unlink(path)
    return results, failures


def enter_namespace():
    if os.environ.get("USHERD_BENCH_NETNS") or os.geteuid() != 0:
        return
    os.environ["USHERD_BENCH_NETNS"] = "1"
    if subprocess.run(["unshare", "-n", "true"], capture_output=True, check=False).returncode == 0:
        script = f"ip link set lo up && exec {sys.executable} \"$0\" \"$@\""
        os.execvp("unshare", ["unshare", "-n", "sh", "-c", script, *sys.argv])
    print("bench: no network namespace here: measured on the machine's own loopback", file=sys.stderr)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", default=bool(os.environ.get("QUICK")))
    parser.add_argument("--only", default="")
    parser.add_argument("--with", dest="contenders", default="")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--doc")
    options = parser.parse_args()
    options.contenders = set(filter(None, options.contenders.split(",")))
    options.rounds = options.rounds or (1 if options.quick else 3)
    options.seconds = options.seconds or (0.5 if options.quick else 1)
    only = set(filter(None, options.only.split(",")))
    unknown = only - {scenario.name for scenario in SCENARIOS}
    if unknown:
        parser.error(f"no such scenario: {', '.join(sorted(unknown))}; there are "
                     f"{', '.join(scenario.name for scenario in SCENARIOS)}")
    enter_namespace()
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    directory = tempfile.mkdtemp(prefix="usherd-bench-")
    os.chmod(directory, 0o755)
    build = os.environ.get("USHERD_BUILD", os.getcwd())
    programs = os.environ.get("USHERD_PROGRAMS", os.path.join(HERE, "../../build/programs"))
    place = Place(directory, build, os.path.abspath(programs))
    for name in ("static_server", "answer"):
        if not os.access(place.bench(name), os.X_OK):
            sys.exit(f"bench: {place.bench(name)} is missing: run \"make bench\"")
    start = time.monotonic()
    outcomes = []
    try:
        contenders = choose(options, place)
        print(f"bench: {', '.join(one.name for one in contenders)}; {options.rounds} rounds of {options.seconds} s")
        for scenario in SCENARIOS:
            if (only and scenario.name not in only) or (options.quick and scenario.heavy and not only):
                continue
            results, failures = run_scenario(scenario, contenders, options)
            outcomes.append((scenario, results, failures))
            print_table(scenario, results, failures)
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    print(f"bench: {time.monotonic() - start:.0f} s in all")
    if options.doc:
        write_document(options.doc, outcomes, options)


if __name__ == "__main__":
    main()
