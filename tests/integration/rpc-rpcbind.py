#!/usr/bin/env python3
# Proves that nobody waits for rpcbind, which may be away, hang, forget everything or have an entry of somebody else's.
# SPDX-License-Identifier: ISC
import os
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import harness  # noqa: E402
from harness import Daemon, ask, check, equal, finish, probe, service, wait_for  # noqa: E402
from rpc_lib import Rpcbind, call, port_of, stanza, table, versions  # noqa: E402

TCP, UDP, LATER, TWICE = range(536870912, 536870916)
PLAIN = service("plain", port="4000", server=probe(), cps="0 0")
RPC = stanza("first", TCP, 1, 2) + stanza("second", UDP, 1, 1, "udp")


def slowest(n=40):
    """The longest that a client of another service waits, in seconds."""
    worst = 0
    for _ in range(n):
        begin = time.monotonic()
        if b"end" not in (ask(4000) or b""):
            return 999
        worst = max(worst, time.monotonic() - begin)
    return worst


def helpers(daemon):
    """Children that register."""
    found = []
    for pid in daemon.children():
        try:
            with open("/proc/%d/comm" % pid) as file:
                if file.read().startswith("usherd-rpc"):
                    found.append(pid)
        except OSError:
            pass
    return found


def registered():
    return versions(TCP, "tcp") == [1, 2] == versions(TCP, "tcp6") and versions(UDP, "udp") == [1]


# --- it is not there --------------------------------------------------------------

begin = time.monotonic()
daemon = Daemon(PLAIN + RPC)
check("without rpcbind the daemon is there at once", time.monotonic() - begin < 10)
check("an error says so in xinetd's words", daemon.wait_log("ERROR: pmap_set failed. service=first program=%d version=1" % TCP))
check("for the other service, too", daemon.wait_log("pmap_set failed. service=second"))
check("other services answer", slowest() < 5)
time.sleep(1.5)  # at least one more attempt
equal("each service complains once", daemon.log().count("pmap_set failed"), 2)

rpcbind = Rpcbind()
begin = time.monotonic()
check("once it runs, all is registered", wait_for(registered), table(TCP, UDP))
check("and a notice says so", daemon.wait_log("NOTICE: service first: program %d is registered with rpcbind at last" % TCP))
check("a client is answered", call("tcp", port_of(TCP, "tcp"), TCP, 1))

# --- it forgets ---------------------------------------------------------------------

rpcbind.kill()
rpcbind = Rpcbind()
check("a new rpcbind learns all within seconds, not with the next look", wait_for(registered, 20), table(TCP, UDP))

# --- it hangs -----------------------------------------------------------------------

rpcbind.signal(signal.SIGSTOP)
before = daemon.log().count("Reconfigured:")
begin = time.monotonic()
check("a reload is not held up by one that hangs", daemon.reload(PLAIN + RPC + stanza("later", LATER, 1, 1)))
check("it takes no time", time.monotonic() - begin < 10, time.monotonic() - begin)
check("somebody is told to register", wait_for(lambda: helpers(daemon)))
begin = time.monotonic()
worst = slowest(20)
# The helper waits for five seconds.
check("meanwhile other services answer", worst < 4, worst)
print("    the slowest of 20 answers took %.1f ms" % (worst * 1000))
if time.monotonic() - begin < 3:
    check("there the helper still waits", helpers(daemon))
check("a failure is told", daemon.wait_log("pmap_set failed. service=later"), daemon.log())
check("with the reason", "rpcbind does not answer" in daemon.log())
rpcbind.signal(signal.SIGCONT)
check("when it goes on, the new service is registered", wait_for(lambda: port_of(LATER, "tcp")))
check("and the others still are", registered(), table(TCP, UDP))

# --- somebody else has it ---------------------------------------------------------------

first = Daemon(stanza("mine", TWICE, 1, 1))
check("one daemon registers a program", wait_for(lambda: port_of(TWICE, "tcp")))
port = port_of(TWICE, "tcp")
second = Daemon(stanza("yours", TWICE, 1, 1))
check("the other one's is refused", second.wait_log("pmap_set failed. service=yours"))
check("as the first one lives", "somebody else is registered and listens there" in second.log(), second.log())
equal("which keeps it", port_of(TWICE, "tcp"), port)
first.process.kill()
first.process.wait()
harness._daemons.remove(first)
check("when that is gone without a word, its entry is replaced", wait_for(lambda: port_of(TWICE, "tcp") not in (port, None), 60),
      table(TWICE))
check("and works", call("tcp", port_of(TWICE, "tcp"), TWICE, 1))
second.stop()
equal("the end removes it", table(TWICE), [])

# --- the end with one that hangs ----------------------------------------------------------

rpcbind.signal(signal.SIGSTOP)
begin = time.monotonic()
daemon.process.send_signal(signal.SIGTERM)
equal("the daemon ends all the same", daemon.process.wait(30), 0)
check("soon", time.monotonic() - begin < 15, time.monotonic() - begin)
check("and warns", "rpcbind does not answer: what is registered" in daemon.log(), daemon.log()[-500:])
in_time = time.monotonic() - begin < 4
rpcbind.signal(signal.SIGCONT)
if in_time:
    check("its last orders are carried out where rpcbind goes on soon", wait_for(lambda: not table(TCP, UDP, LATER)), table(TCP))

# --- without RPC services -------------------------------------------------------------------

rpcbind.kill()
daemon = Daemon(PLAIN)
check("a daemon without them answers", slowest(1) < 10)
equal("and watches nothing", [x for x in os.listdir("/proc/%d/fd" % daemon.pid)
                             if "inotify" in os.readlink("/proc/%d/fd/%s" % (daemon.pid, x))], [])
equal("and says nothing of rpcbind", daemon.log().count("pmap"), 0)
finish()
