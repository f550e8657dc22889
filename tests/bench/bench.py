#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Measures usherd, the floor and every other super-server that is installed, in turn, on one machine.

usage: bench.py [--quick] [--only SCENARIO[,...]] [--with NAME[,...]] [--rounds N] [--seconds S] [--doc DIRECTORY]
                [--share S]

Each round starts a contender anew, in a network namespace of the bench where that is possible, loads it, and ends it;
rounds of different contenders alternate, so that whatever else the machine does hits all of them. Prints for each
scenario the medians and their ratio to the floor (a bare loop that does nothing else, tests/bench/floor_*.c).
With --doc the tables go to DIRECTORY/performance.md and a plot to DIRECTORY/performance.svg. --share tries everything
out with that share of the services, clients and connections.
"""

import argparse
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from contenders import EVERYBODY, FIRST_PORT, RECORDS, Place
from floods import FLOODS
from report import print_table, write_document
from running import Failed
from scenarios import SCENARIOS

HERE = os.path.dirname(os.path.abspath(__file__))
PR_SET_CHILD_SUBREAPER = 36

EVERYTHING = SCENARIOS + FLOODS

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
    parser.add_argument("--share", type=float)
    options = parser.parse_args()
    options.contenders = set(filter(None, options.contenders.split(",")))
    options.rounds = options.rounds or (1 if options.quick else 3)
    options.seconds = options.seconds or (0.25 if options.quick else 0.4)
    only = set(filter(None, options.only.split(",")))
    unknown = only - {scenario.name for scenario in EVERYTHING}
    if unknown:
        parser.error(f"no such scenario: {', '.join(sorted(unknown))}; there are "
                     f"{', '.join(scenario.name for scenario in EVERYTHING)}")
    for scenario in EVERYTHING if options.share else ():
        scenario.shrink(options.share)
    enter_namespace()
    # Whatever ends the bench, contenders end with it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    directory = tempfile.mkdtemp(prefix="usherd-bench-")
    os.chmod(directory, 0o755)
    build = os.environ.get("USHERD_BUILD", os.getcwd())
    programs = os.environ.get("USHERD_PROGRAMS", os.path.join(HERE, "../../build/programs"))
    place = Place(directory, build, os.path.abspath(programs))
    for name in ("server", "answer"):
        if not os.access(place.bench(name), os.X_OK):
            sys.exit(f"bench: {place.bench(name)} is missing: run \"make bench\"")
    start = time.monotonic()
    outcomes = []
    try:
        contenders = choose(options, place)
        print(f"bench: {', '.join(one.name for one in contenders)}; {options.rounds} rounds of {options.seconds} s")
        for scenario in EVERYTHING:
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
