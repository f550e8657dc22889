#!/usr/bin/env python3
# Proves that a connection for which no process can be had is kept and tried again, how that ends, and that it leaves one record.
# SPDX-License-Identifier: ISC
import os
import resource
import signal
import sys

sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "tests/lib"))
import harness  # noqa: E402
from harness import *  # noqa: E402,F403

# root is exempt from the limit on processes, so the daemon is somebody else.
USER = own_uid()
PROBE = probe()
LOG = path("services.log")
DUMP = "/run/usherd/state.dump"
LIMITS = resource.getrlimit(resource.RLIMIT_NPROC)


def as_user(limits=LIMITS):
    resource.setrlimit(resource.RLIMIT_NPROC, limits)
    os.setgroups([])
    os.setgid(USER)
    os.setuid(USER)


if not subprocess.run(["sh", "-c", "/bin/true & wait; /bin/echo"], stderr=subprocess.DEVNULL,
                      stdout=subprocess.DEVNULL, preexec_fn=lambda: as_user((1, 1))).returncode:
    skip("the kernel does not limit processes here")
subprocess.run(["mount", "-t", "tmpfs", "-o", "uid=%d" % USER, "none", "/run"], check=True)
write(LOG, "")
os.chown(LOG, USER, USER)
binaries = path("binaries")
os.makedirs(binaries)
for name in ("usherd", "usherd-worker", "usherd-gate"):
    shutil.copy(os.path.join(BUILD, name), binaries)
    os.chmod(os.path.join(binaries, name), 0o755)
harness.BUILD = binaries
harness.TMP = path("open")
os.makedirs(harness.TMP)
os.chmod(harness.TMP, 0o777)
banner = write(path("busy"), "busy\n")
welcome = write(path("welcome"), "welcome\n")


def stanza(name, port, **attributes):
    attributes = {"server_args": "echo", "cps": "0 1", **attributes}
    return service(name, port=port, id=name, user=USER, server=PROBE, log_type="FILE " + LOG,
                   log_on_success="HOST EXIT", log_on_failure="HOST", **attributes)


def processes(daemon, allowed):
    # Somebody of his own may change his limits, but root only with a privilege that containers lack.
    soft = LIMITS[0] if allowed else 1
    subprocess.run(["prlimit", "--pid=%d" % daemon.pid, "--nproc=%s:" % ("unlimited" if soft < 0 else soft)],
                   preexec_fn=as_user, check=True)


def lines(name):
    """The records of a service, in the order of their writing."""
    return [x.replace(" from=127.0.0.1", "") for x in log_lines(LOG) if x.split()[1] == name]


def failures(daemon, name):
    return len(re.findall(r"ERROR: %s: fork failed: .*errno = 11" % name, daemon.log()))


def client(port, data=b"x", half=False):
    s = tcp(port)
    if data:
        s.sendall(data)
    if half:
        s.shutdown(socket.SHUT_WR)
    return s


def is_open(s):
    s.setblocking(False)
    try:
        return s.recv(1, socket.MSG_PEEK) != b""
    except BlockingIOError:
        return True
    except ConnectionResetError:
        return False
    finally:
        s.settimeout(PATIENCE)


def dump(daemon):
    before = daemon.log().count("generated state dump")
    os.kill(daemon.pid, signal.SIGUSR1)
    wait_for(lambda: daemon.log().count("generated state dump") > before)
    return read(DUMP)


# One whose processes never come back, beside all the rest: it takes twenty seconds.
# (The leak checker would want a process at its end.)
lasting = Daemon(stanza("five", 20101, banner_fail=banner) + stanza("many", 20102), preexec=as_user,
                 env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"})
processes(lasting, False)
begin = time.monotonic()
five = client(20101)
wait_for(lambda: failures(lasting, "five"))

daemon = Daemon(stanza("back", 20001) + stanza("none", 20002, flags="NORETRY", banner_fail=banner)
                + stanza("one", 20003, instances="1") + stanza("gone", 20004)
                + stanza("half", 20005), preexec=as_user)
processes(daemon, False)
first = client(20001)
equal("NORETRY: the client is let go at once, with banner_fail", receive_all(client(20002)), b"busy\n")
equal("NORETRY: one record", wait_for(lambda: lines("none")), ["FAIL: none fork"])
one = client(20003)
equal("one that waits counts", receive_all(client(20003)), b"")
check("and who comes over the limit is refused for that", wait_for(lambda: lines("one")) == ["FAIL: one service_limit"],
      lines("one"))
gone = client(20004)
half = client(20005, b"abc", half=True)
check("all have been tried", wait_for(lambda: all(failures(daemon, x) for x in ("back", "one", "gone", "half"))),
      daemon.log())
state = dump(daemon)
check("the state tells of those that wait", re.search(
    r"Service = back\n(\t.*\n)*?\trunning servers = 0\n\tretry servers = 1\n", state), state)
table = state.partition("Retry table dump:\n")[2]
check("in a table of their own", re.search(
    r"back server\npid = 0\n(.*\n)*?\tremote_address = 127.0.0.1,\d+\nfork_failures = [1-4]\n", table), state)
os.kill(daemon.pid, signal.SIGABRT)
check("the books agree", daemon.wait_log("Consistency check passed"), daemon.log())
check("those that wait hear nothing", is_open(first) and is_open(one) and is_open(half))
equal("and are not recorded", lines("back") + lines("half") + lines("gone"), [])
reset(gone)
processes(daemon, True)
equal("when processes can be had again, it is served", first.recv(1), b"x")
first.close()
equal("also who has ended his side", receive_all(half), b"abc")
equal("and the one that counted", one.recv(1), b"x")
one.close()
equal("one START and one EXIT", wait_for(lambda: len(lines("back")) > 1 and lines("back")),
      ["START: back", "EXIT: back status=0"])
equal("nobody is served who has gone", wait_for(lambda: lines("gone")), ["FAIL: gone fork"])
equal("the limit counts right again", wait_for(lambda: "EXIT: one status=0" in lines("one")) and ask(20003, b"y"), b"y")
os.kill(daemon.pid, signal.SIGABRT)
check("the books agree then, too", wait_for(lambda: daemon.log().count("Consistency check passed") == 2),
      daemon.log())
daemon.stop()

# --- what a reload does ---------------------------------------------------------------------------------
# Reading a configuration takes a thread, which is a process to the kernel, so processes can be had from the reload
# on. It is to come before the next attempt: on a machine that is too slow for that, all is done again.


def reloaded():
    write(LOG, "")
    daemon = Daemon(stanza("drop", 20011) + stanza("refuse", 20012) + stanza("never", 20013)
                    + stanza("other", 20014) + stanza("asked", 20015, banner_success=welcome), preexec=as_user)
    processes(daemon, False)
    begin = time.monotonic()
    clients = [client(port) for port in (20011, 20012, 20013, 20014)] + [client(20015, half=True)]
    wait_for(lambda: all(failures(daemon, x) for x in ("drop", "refuse", "never", "other", "asked")))
    processes(daemon, True)
    daemon.reload(stanza("refuse", 20012, no_access="127.0.0.1") + stanza("never", 20013, flags="NORETRY")
                  + stanza("other", 20014, server_args="exit 7")
                  + stanza("asked", 20015, banner_success=welcome, only_from="localhost"))
    if time.monotonic() - begin > 4:
        daemon.stop()
        return None
    return daemon, clients


for _ in range(5):
    done = reloaded()
    if done:
        break
if check("a reload came between two attempts", done):
    daemon, clients = done
    equal("a service that is no more lets its client go", receive_all(clients[0]), b"")
    equal("and records it", wait_for(lambda: lines("drop")), ["FAIL: drop fork"])
    equal("the rules of the new configuration hold", receive_all(clients[1]), b"")
    equal("for the record, too", wait_for(lambda: lines("refuse")), ["FAIL: refuse address"])
    equal("NORETRY holds for those that wait", receive_all(clients[2]), b"")
    equal("who are recorded", wait_for(lambda: lines("never")), ["FAIL: never fork"])
    receive_all(clients[3])
    equal("the new server is run", wait_for(lambda: len(lines("other")) > 1 and lines("other")),
          ["START: other", "EXIT: other status=7"])
    equal("whom a new rule by name asks about is greeted once", receive_all(clients[4]), b"welcome\nx")
    os.kill(daemon.pid, signal.SIGABRT)
    check("the books agree after that", daemon.wait_log("Consistency check passed"), daemon.log())
    daemon.stop()

# --- what never comes back --------------------------------------------------------------------------------
write(LOG, "")
equal("after five failures the client is let go", receive_all(five), b"busy\n")
took = time.monotonic() - begin
check("which took twenty seconds", took > 19, took)
check("the log says so", lasting.wait_log("ERROR: service five: too many consecutive fork failures"), lasting.log())
equal("one record", wait_for(lambda: lines("five")), ["FAIL: five fork"])
equal("five attempts", failures(lasting, "five"), 5)
held = [client(20102) for _ in range(70)]
check("so many may wait, more are refused", wait_for(lambda: len(lines("many")) == 6), len(lines("many")))
equal("at once", sum(is_open(s) for s in held), 64)
check("nothing is recorded of those that wait", lines("many") == 6 * ["FAIL: many fork"], lines("many"))
lasting.stop()
equal("the end of the daemon turns them away", sum(is_open(s) for s in held), 0)
equal("and each has its record", lines("many"), 70 * ["FAIL: many fork"])
finish()
