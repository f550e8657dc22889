#!/usr/bin/env python3
# Proves: defects of xinetd that no comparison beside it can show, each by the number that it has in the notes on
# compatibility. The scenarios of tests/compat have most of the others.
# SPDX-License-Identifier: ISC
import os
import resource
import sys

sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "tests/lib"))
from harness import *  # noqa: E402,F403

PROBE = probe()
LOG = path("records")
USER = 300000 + os.getpid()


def echo(name, port, **attributes):
    base = {"id": name, "port": port, "server": PROBE, "server_args": "echo", "cps": "0 1", "flags": "IPv4",
            "log_type": "FILE " + LOG, "log_on_failure": "HOST", "log_on_success": "HOST EXIT"}
    base.update(attributes)
    return service(name, **base)


def answers(port, host="127.0.0.1"):
    return ask(port, b"hello\n", host) == b"hello\n"


daemon = Daemon("".join([
    echo("all6", 20001, flags="IPv6", only_from="::/0"), echo("none6", 20002, flags="IPv6", only_from="::"),
    echo("better", 20003, only_from="127.0.0.1", no_access="127.0.0.0/8"),
    echo("logging", 20004, only_from="", instances="0"), echo("intercept", 20005, no_access="0.0.0.0/0"),
    echo("open", 20006),
    service("echo", id="inner", type="INTERNAL UNLISTED", socket_type="dgram", wait="yes", port=20007, bind="0.0.0.0",
            flags="IPv4")]))
check("D7: ::/0 is every IPv6 address", answers(20001, "::1"))
check("D7: :: is that address alone", not answers(20002, "::1"))
check("D13: no_access wins, however narrow only_from is", not answers(20003))
check("D27: a service named logging is checked as any other", not answers(20004))
check("D27: and so is one named intercept", not answers(20005))

# A client that is gone before it is accepted holds nobody up.
os.kill(daemon.pid, signal.SIGSTOP)
for _ in range(20):
    gone = tcp(20006)
    reset(gone)
os.kill(daemon.pid, signal.SIGCONT)
check("D31: clients that have vanished from the queue do not hang the daemon", answers(20006))

with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
    # From a port that is not privileged, which is not answered (D42).
    s.bind(("127.0.0.1", 0))
    s.settimeout(PATIENCE)
    s.sendto(b"who", ("127.0.0.5", 20007))
    equal("D43: an answer comes from the address that was asked", s.recvfrom(100), (b"who", ("127.0.0.5", 20007)))
daemon.stop()


# A machine without IPv6, and servers that reloads must leave alone.
def without_ipv6():
    for place in ("all", "default", "lo"):
        write("/proc/sys/net/ipv6/conf/%s/disable_ipv6" % place, "1")


without_ipv6()
steady = echo("steady", 20011, flags=None)
daemon = Daemon(steady)
held = tcp(20011)
held.sendall(b"x")
equal("a server runs", held.recv(1), b"x")
for n in range(5):
    check("reload %d" % n, daemon.reload(steady + echo("other", 20020 + n)))
held.sendall(b"y")
equal("D20: without IPv6, a reload leaves servers alone", held.recv(1), b"y")
held.close()
daemon.stop()

# Few descriptors, and reloads that replace a service each time.
low = (64, 64)
daemon = Daemon(steady + echo("n0", 20030), preexec=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, low))
before = daemon.descriptors()
for n in range(80):
    if not daemon.reload(steady + echo("n%d" % (n + 1), 20030 + (n + 1) % 40)):
        check("reload %d" % n, False)
        break
check("D21: reloads that replace services use nothing up", wait_for(lambda: daemon.descriptors() <= before), daemon.descriptors())
check("D21: and the daemon still hears", answers(20011) and answers(20030 + 80 % 40))
daemon.stop()

# As many descriptors as the kernel knows.
with open("/proc/sys/fs/nr_open") as file:
    most = int(file.read())
old = resource.getrlimit(resource.RLIMIT_NOFILE)


def many_descriptors():
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (old[0], most))
    except (OSError, ValueError):
        pass


daemon = Daemon(steady, preexec=many_descriptors)
check("D23: a limit of %d descriptors costs nothing at start" % most, daemon.cpu_seconds() < 5, daemon.cpu_seconds())
check("D23: nor for a server", answers(20011))
daemon.stop()


# A daemon that may not change identities.
def unprivileged():
    os.setgroups([])
    os.setgid(USER)
    os.setuid(USER)


os.chmod(TMP, 0o777)
write(path("own.log"), "")
own = [echo("mine", 20041, user=str(USER), group=str(USER), log_type=None), echo("root", 20042, log_type=None),
       echo("another", 20043, user="nobody", log_type=None)]
daemon = Daemon("".join(own), preexec=unprivileged)
check("D38: without privilege its own user's services run", answers(20041))
equal("D38: another user's do not", ask(20043, b"x"), None)
check("D38: and the log says why", "may not change identities" in daemon.log(), daemon.log())
daemon.stop()
finish()
