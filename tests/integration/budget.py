#!/usr/bin/env python3
# Proves: a connection costs no more system calls and instructions than recorded here, so that the path of a connection
# cannot grow unseen. It counts and does not time: the figures are the same on a slow machine.
# SPDX-License-Identifier: ISC
import os
import sys

sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "tests/lib"))
from counting import *  # noqa: E402,F403

needs_counting()

LOAD = os.path.join(BUILD, "tests/bench/load")
SERVER = os.path.join(BUILD, "tests/bench/server")
CONNECTIONS = 1000

# What a connection may cost: the daemon's and the worker's system calls, and the daemon's instructions. Raise a
# figure only with a reason in the commit; lower it when something got cheaper.
BUDGET = {
    # Where the machine is busy, the daemon looks several times whether the child has its descriptors.
    "spawned": {"daemon": 11.5, "instructions": 10000},
    # Where the machine is busy, a connection takes so long that each end is told alone, and the first look finds nothing.
    "echo": {"daemon": 7.3, "worker": 12.0, "instructions": 7500},
    # Answered by the daemon: accept4, ioctl, send, shutdown, close, and what a connection that comes alone costs besides.
    "daytime": {"daemon": 9.0, "instructions": 9000},
    # accept4 and close; one that comes alone costs a wait and an accept4 in vain besides.
    "refused": {"daemon": 4.5, "instructions": 4000},
}
# Clients that come at once; the first ones are taken one by one.
CROWD = 40
# What a child does before its program runs: descriptors, session, a limit, signals, umask, identity, exec.
CHILD_CALLS = 15
TARGETS = {"spawned": "20001=hello", "echo": "20002:echo", "daytime": "20003", "refused": "20004"}


def conf():
    addresses = " ".join("10.%d.0.0/16" % i for i in range(99))
    common = {"cps": "1000000 1", "instances": "10000", "per_source": "10000", "flags": "IPv4",
              "only_from": "127.0.0.0/8 " + addresses, "log_type": "FILE " + path("records"),
              "log_on_success": "PID HOST EXIT DURATION", "log_on_failure": "HOST"}
    inner = dict(common, type="INTERNAL UNLISTED", user=None, server=None, server_args=None)
    return "".join([service("spawned", id="spawned", port=20001, server=SERVER, server_args="hello", umask="027",
                            rlimit_cpu="60", **common),
                    service("echo", port=20002, **inner), service("daytime", port=20003, **inner),
                    service("refused", port=20004, server=SERVER, no_access="127.0.0.0/8 " + addresses,
                            **dict(common, only_from=None))])


def load(kind, n):
    """One connection after the other, so that how many come together does not depend on the machine."""
    done = subprocess.run([LOAD, "-n", str(n), "-w", str(PATIENCE), TARGETS[kind]], capture_output=True, text=True)
    outcome = "empty" if kind == "refused" else "ok"
    check("%s: %d connections end as they should" % (kind, n), " %s=%d " % (outcome, n) in done.stdout,
          done.stdout + done.stderr)


def crowd(pid, n):
    """So many connections to echo that the daemon, held up meanwhile, finds at once."""
    os.kill(pid, signal.SIGSTOP)
    clients = [tcp(20002) for _ in range(n)]
    os.kill(pid, signal.SIGCONT)
    for client in clients:
        client.sendall(b"x")
    equal("each of a crowd is answered", [client.recv(1) for client in clients], [b"x"] * n)
    for client in clients:
        client.close()


def child_calls(pid, n):
    """The most system calls that a child of the daemon needs up to its exec."""
    out = path("strace.children")
    tracer = subprocess.Popen(["strace", "-f", "-o", out, "-p", str(pid)], stderr=subprocess.DEVNULL)
    wait_for(lambda: attached(pid))
    load("spawned", n)
    tracer.send_signal(signal.SIGINT)
    tracer.wait()
    counts, done = {}, set()
    with open(out) as lines:
        for line in lines:
            who, what = line.split(None, 1)
            if who == str(pid) or who in done or what.startswith(("<...", "+++", "---")):
                continue
            counts[who] = counts.get(who, 0) + 1
            if what.startswith("execve("):
                done.add(who)
    return max([counts[who] for who in done] or [0]), len(done)


daemon = Daemon(conf())
with tcp(20002) as s:
    s.sendall(b"x")
    s.recv(1)
worker = daemon.worker()
for kind, budget in BUDGET.items():
    totals = count_calls([daemon.pid, worker], lambda: load(kind, CONNECTIONS))
    for who, calls in zip(("daemon", "worker"), totals):
        if who in budget:
            each = sum(calls.values()) / CONNECTIONS
            print("%s: %.2f system calls a connection in the %s" % (kind, each, who))
            check("%s: the %s keeps to %.1f system calls a connection" % (kind, who, budget[who]),
                  0 < each <= budget[who], calls)
            check("%s: nobody is let first where clients come one by one" % kind, "sched_yield" not in calls, calls)
# A turn at a door ends after a fifth of a millisecond, in which a daemon that is traced may not come to a second one.
for attempt in range(8):
    calls = count_calls([daemon.pid], lambda: crowd(daemon.pid, CROWD))[0]
    if calls.get("sched_yield") and calls.get("sendmsg", 0) < CROWD:
        break
check("those of a crowd are handed over together", 0 < calls.get("sendmsg", 0) < CROWD, calls)
check("the worker is let first then", calls.get("sched_yield", 0) > 0, calls)
calls, children = child_calls(daemon.pid, 20)
print("spawned: %d system calls in a child" % calls)
check("spawned: a child keeps to %d system calls" % CHILD_CALLS, 0 < calls <= CHILD_CALLS)
equal("all children were looked at", children, 20)
daemon.stop()


for kind, budget in BUDGET.items():
    few, many = 50, 250
    each = (instructions(conf(), lambda: load(kind, many)) - instructions(conf(), lambda: load(kind, few))) / (many - few)
    print("%s: %.0f instructions a connection in the daemon" % (kind, each))
    check("%s: the daemon keeps to %d instructions a connection" % (kind, budget["instructions"]),
          0 < each <= budget["instructions"])
finish()
