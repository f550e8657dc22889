#!/usr/bin/env python3
# Proves that usherd does what xinetd does, scenario by scenario, against Debian's xinetd itself, and names every difference that stays.
# SPDX-License-Identifier: ISC
"""usage: run.py [-v] [NAME ...]   run the scenarios (whose names contain a NAME)
       run.py --table           print the differences that stay, as the migration page shows them
       run.py --table FILE      write them into FILE, between its two marks
       run.py --list            print names and sections

Needs root, for namespaces of its own, and Debian's xinetd (tests/lib/programs.sh); skipped otherwise. Scenarios
whose configuration needs what this usherd was built without are counted as pending.
"""

import os
import pickle
import re
import subprocess
import sys
import time
import traceback

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import compare  # noqa: E402
import scenarios  # noqa: E402
import world  # noqa: E402

LANES = 6
# As many failures may be the machine's; more are not. How often they are tried once more.
AGAIN = 20
TRIES = 3
MINIMUM = 150


def skip(why):
    print("SKIP:", why)
    sys.exit(77)


def prerequisites():
    build = os.path.abspath(os.environ.get("USHERD_BUILD", "."))
    if os.geteuid() != 0:
        skip("needs root for namespaces of its own")
    if subprocess.run(["unshare", "-n", "-m", "ip", "-V"], capture_output=True).returncode:
        skip("namespaces are not allowed here, or there is no ip")
    programs = subprocess.run(["sh", HERE + "/../lib/programs.sh", "--present"], capture_output=True, text=True)
    found = {name.lower(): path for name, path in re.findall(r"^(XINETD|RPCBIND|RPCINFO)='(.+)'$", programs.stdout, re.M)}
    if len(found) < 3:
        skip("no xinetd or rpcbind here (tests/lib/programs.sh fetches them)")
    for name in ("usherd", "usherctl", "usherd-worker", "tests/compat/witness"):
        if not os.path.exists(build + "/" + name):
            print("FAIL: %s/%s is missing" % (build, name))
            sys.exit(1)
    return build, found


def in_namespaces(build, programs, work):
    """Starts a process that does the work in namespaces of its own; returns its pid and where its answer comes."""
    out, into = os.pipe()
    pid = os.fork()
    if pid:
        os.close(into)
        return pid, out
    status = 1
    try:
        os.close(out)
        world.enter(build, programs)
        answer = work()
        with os.fdopen(into, "wb") as file:
            pickle.dump(answer, file)
        status = 0
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
    os._exit(status)


def finish_one(pid, out):
    with os.fdopen(out, "rb") as file:
        data = file.read()
    status = os.waitpid(pid, 0)[1]
    if status or not data:
        raise RuntimeError("a run ended with status %d" % status)
    return pickle.loads(data)


def run_all(chosen, build, programs):
    """Returns (side, name) -> what was seen."""
    ports = {s.name: 20000 + 5 * i for i, s in enumerate(scenarios.ALL)}
    shared = [s for s in chosen if s.shared]
    alone = [s for s in chosen if not s.shared]
    started = []
    for side in ("xinetd", "usherd"):
        if shared:
            started.append((side, in_namespaces(build, programs, lambda: world.run_shared(side, shared, ports))))
        # The slow ones are told apart by hand: they begin a lane each.
        lanes = [[] for _ in range(min(LANES, len(alone)))]
        for i, scenario in enumerate(alone):
            lanes[i % len(lanes)].append(scenario)
        for lane in lanes:
            started.append((side, in_namespaces(build, programs, lambda: {
                s.name: world.run_alone(side, s, ports[s.name]) for s in lane})))
    seen = {}
    for side, (pid, out) in started:
        for name, what in finish_one(pid, out).items():
            seen[side, name] = what
    return seen


def judge(chosen, seen, verbose):
    names = {s.name for s in chosen if s.shared}
    failed, pending, differing = [], [], 0
    for scenario in chosen:
        theirs, ours = seen["xinetd", scenario.name], seen["usherd", scenario.name]
        if ours.get("pending"):
            pending.append(scenario)
            print("pending - %s (%s): %s" % (scenario.name, scenario.section, ours["pending"]))
            if verbose:
                for line in theirs["wire"]:
                    print("    xinetd wire: " + line)
                for line in compare.log_lines(theirs["log_text"], names if scenario.shared else None, scenario.name, True):
                    print("    xinetd log: " + line)
            continue
        x, u = (compare.in_shape(scenario, side, what, names if scenario.shared else None)
                for side, what in (("xinetd", theirs), ("usherd", ours)))
        wrong = compare.compare(scenario, x, u)
        if "Sanitizer" in ours["errors_text"] or "runtime error" in ours["errors_text"]:
            wrong.append("usherd: " + ours["errors_text"][-3000:])
        differing += bool(scenario.differs)
        if wrong:
            failed.append(scenario)
        print("%sok - %s (%s)%s" % ("not " if wrong else "", scenario.name, scenario.section, "".join(
            " # " + d.ref for d in scenario.differs)))
        for text in wrong:
            print("  " + text)
        if verbose:
            print("  %.2f s, %.2f s" % (theirs["seconds"], ours["seconds"]))
            for side, shape in (("xinetd", x), ("usherd", u)):
                for aspect, lines in shape.items():
                    for line in lines:
                        print("    %s %s: %s" % (side, aspect, line))
            for side, what in (("xinetd", theirs), ("usherd", ours)):
                print("".join("    %s said: %s\n" % (side, line) for line in what["messages_text"].splitlines()
                              if not scenario.shared or scenario.name in line), end="")
    return failed, pending, differing


def main():
    arguments = sys.argv[1:]
    if "--table" in arguments:
        for path in arguments[arguments.index("--table") + 1:]:
            with open(path, encoding="utf-8") as file:
                text = scenarios.with_table(file.read())
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
            return 0
        print(scenarios.table_text(), end="")
        return 0
    if "--list" in arguments:
        for s in scenarios.ALL:
            print("%-32s %-6s %s" % (s.name, s.section, " ".join(d.ref for d in s.differs)))
        print(len(scenarios.ALL))
        return 0
    verbose = "-v" in arguments
    wanted = [a for a in arguments if not a.startswith("-")]
    chosen = [s for s in scenarios.ALL if not wanted or any(w in s.name for w in wanted)]
    build, xinetd = prerequisites()
    try:
        os.setpriority(os.PRIO_PROCESS, 0, 0)
    except PermissionError:
        pass  # scenarios of nice differ then where the caller is not at 0 itself
    begin = time.monotonic()
    seen = run_all(chosen, build, xinetd)
    failed, pending, differing = judge(chosen, seen, verbose)
    # Many scenarios look at clocks, and both daemons run beside everything else that is tested. A few
    # that fail are tried once more by themselves; a difference that is there is there again.
    for _ in range(TRIES):
        if not failed or len(failed) > AGAIN:
            break
        print("# %d of them once more, by themselves" % len(failed))
        failed = judge(failed, run_all(failed, build, xinetd), verbose)[0]
    print("%d scenarios: %d compared, %d of them differ as the table says, %d failed, %d pending; %.1f s" % (
        len(chosen), len(chosen) - len(pending), differing, len(failed), len(pending), time.monotonic() - begin))
    if not wanted and len(chosen) < MINIMUM:
        print("not ok - there are fewer than %d scenarios" % MINIMUM)
        return 1
    return 1 if failed else 0


sys.exit(main())
