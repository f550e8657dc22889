# SPDX-License-Identifier: ISC
"""Processes that the bench runs: contenders and load generators, and what they use of the machine."""

import os
import re
import signal
import subprocess
import tempfile
import time

from generator import figures
from listening import listens

TICKS = os.sysconf("SC_CLK_TCK")


class Failed(Exception):
    pass


def stat_of(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
        text = file.read()
    fields = text[text.rindex(")") + 2:].split()
    return int(fields[1]), sum(int(field) for field in fields[11:15])


def own_seconds(pid):
    """What a process itself has used, without its children."""
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
        text = file.read()
    return sum(int(field) for field in text[text.rindex(")") + 2:].split()[11:13]) / TICKS


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


class Running:
    """A contender at work. All that it starts is ours to end, however it leaves its parents."""

    def __init__(self, command, port, datagram):
        self.datagram = datagram
        self.port = port
        self.log = tempfile.TemporaryFile()
        start = time.monotonic()
        # Few variables, as init's, and as many for all: an environment is copied for each server that inherits it.
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
                                        env={"PATH": os.environ["PATH"]})
        while not listens(port, datagram):
            if time.monotonic() > start + 10 or (self.process.poll() not in (None, 0)):
                said = self.said()
                self.end()
                raise Failed(said or "did not start")
            time.sleep(0.001)
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


class Generator:
    """A load generator at work."""

    def __init__(self, place, name, *words):
        self.process = subprocess.Popen([place.bench(name), *map(str, words)], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def stop(self):
        """Ends it before its time; result() tells what it found."""
        self.process.terminate()

    def result(self):
        try:
            out, errors = self.process.communicate(timeout=120)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
            raise Failed("the load generator did not come to its end") from None
        found = figures(out)
        if None not in found:
            raise Failed(f"the load generator said: {errors.strip()[-200:]}")
        return found


def generate(place, name, *words):
    """Runs a load generator; returns its last line as a dictionary."""
    return Generator(place, name, *words).result()[None]
