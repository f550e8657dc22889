#!/usr/bin/env python3
# Proves that a server which cannot be given what its stanza says, or executed, is not run, and that this is recorded; and session_timeout.
# SPDX-License-Identifier: ISC
import os
import resource
import socket
import sys

sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "tests/lib"))
from harness import *  # noqa: E402,F403

PROBE = probe()
LOG = path("services.log")


def stanza(name, port, **attributes):
    attributes.setdefault("server", PROBE)
    return service(name, port=port, id=name, log_type="FILE " + LOG,
                   log_on_success="PID HOST EXIT DURATION", log_on_failure="HOST", **attributes)


def script(name, text, mode=0o755):
    write(path(name), text)
    os.chmod(path(name), mode)
    return path(name)


def exit_line(name):
    """The last EXIT of a service without pid and duration."""
    def find():
        lines = [x for x in log_lines(LOG) if x.startswith("EXIT: %s " % name)]
        return re.sub(r" pid=\d+ duration=\d+\(sec\)$", "", lines[-1]) if lines else None
    return wait_for(find)


gone = script("gone", "#!/bin/sh\nexit 0\n")
interpreter = script("interpreter", "#!/nowhere/sh\n")
rubbish = script("rubbish", "this is no program\n")
forbidden = script("forbidden", "#!/bin/sh\nexit 0\n")
daemon = Daemon(
    stanza("labeled", 20008, flags="LABELED") + stanza("gone", 20001, server=gone) + stanza("interpreter", 20002, server=interpreter)
    + stanza("forbidden", 20003, server=forbidden) + stanza("rubbish", 20004, server=rubbish)
    + stanza("status", 20005, server_args="exit 7") + stanza("signal", 20006, server_args="kill 15")
    + stanza("unreachable", 20007, server=path("private/probe"), user="nobody")
    if os.makedirs(path("private")) or shutil.copy(PROBE, path("private/probe"))
    and not os.chmod(path("private"), 0o700) else "")
os.remove(gone)
os.chmod(forbidden, 0o644)
for name, port, error, where in (
        ("gone", 20001, "No such file or directory (errno = 2)", gone),
        ("interpreter", 20002, "No such file or directory (errno = 2)", interpreter),
        ("forbidden", 20003, "Permission denied (errno = 13)", forbidden),
        ("rubbish", 20004, "Exec format error (errno = 8)", rubbish),
        ("unreachable", 20007, "Permission denied (errno = 13)", path("private/probe"))):
    equal("%s: the client is let go without a byte" % name, ask(port), b"")
    equal("%s: EXIT tells 127" % name, exit_line(name), "EXIT: %s status=127" % name)
    # The daemon's words for an error are libc's; the number is what counts.
    check("%s: path and errno are recorded" % name,
          wait_for(lambda: [x for x in daemon.log().splitlines()
                            if "execv( %s ) failed" % where in x and "ERROR" in x and error in x]),
          daemon.log())
equal("without a label of SELinux that it asks for, nothing is served", ask(20008), b"")
equal("EXIT tells 126", exit_line("labeled"), "EXIT: labeled status=126")
check("and the log why", daemon.wait_log("ERROR: service labeled: label( %s ) failed" % PROBE), daemon.log())
check("where there is no SELinux, that was said before", os.path.exists("/sys/fs/selinux/create") or
      "no server of it will run: flags = LABELED wants the label of the client" in daemon.log(), daemon.log())
ask(20005)
equal("an exit status is recorded", exit_line("status"), "EXIT: status status=7")
ask(20006)
equal("a signal is recorded", exit_line("signal"), "EXIT: signal signal=15")
# The program comes back: nobody has to tell the daemon.
script("gone", "#!/bin/sh\necho back\n")
equal("a program that is back is run", ask(20001), b"back\n")
equal("as many START as EXIT", wait_for(lambda: (
    lambda l: sum(x.startswith("START") for x in l) == sum(x.startswith("EXIT") for x in l) == 9)(
        log_lines(LOG))), True)
daemon.stop()

# --- without root -------------------------------------------------------------------------
# The limits cannot be raised, other users cannot be had; the service log must be writable.
LOG = path("open/services.log")
os.makedirs(path("open"))
os.chmod(path("open"), 0o777)


def as_nobody():
    import pwd
    user = pwd.getpwnam("nobody")
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))
    resource.setrlimit(resource.RLIMIT_CPU, (1000, 1000))
    os.setgroups([])
    os.setgid(user.pw_gid)
    os.setuid(user.pw_uid)


# usherd must be reachable by nobody, wherever the build lies.
binaries = path("binaries")
os.makedirs(binaries)
os.chmod(binaries, 0o755)
for name in ("usherd", "usherd-worker"):
    shutil.copy(os.path.join(BUILD, name), binaries)
import harness  # noqa: E402
harness.BUILD = binaries
harness.TMP = path("open")
daemon = Daemon(
    stanza("files", 20011, user="nobody", rlimit_files="100000")
    + stanza("cpu", 20012, user="nobody", rlimit_cpu="UNLIMITED")
    + stanza("lower", 20013, user="nobody", rlimit_files="100")
    + stanza("nice", 20014, user="nobody", nice="-10")
    + stanza("other", 20015, user="daemon") + stanza("root", 20016, user="root")
    + stanza("groupother", 20017, user="nobody", group="daemon"),
    preexec=as_nobody)
for name, port, step in (("files", 20011, "setrlimit"), ("cpu", 20012, "setrlimit"),
                         ("nice", 20014, "setpriority")):
    equal("%s: nothing is served" % name, ask(port), b"")
    equal("%s: EXIT tells it" % name, exit_line(name), "EXIT: %s status=126" % name)
    check("%s: the step is named" % name, wait_for(lambda: re.search(
        r"ERROR: service %s: %s.*errno = \d+" % (name, step), daemon.log())), daemon.log())
equal("a lower limit can be had without root", report(ask(20013)).get("nofile"), "100 100")
equal("another user's service is not hosted without root", ask(20015), None)
check("and that is said", "service other wants user daemon" in daemon.log(), daemon.log())
equal("nor one of another group", ask(20017), None)
check("root's service runs with less", report(ask(20016)).get("uid", "0").split()[0] != "0")
daemon.stop()
harness.TMP = os.path.dirname(harness.TMP)
harness.BUILD = os.path.abspath(os.environ.get("USHERD_BUILD", "."))

# --- root that may not become another user --------------------------------------------------
LOG = path("bounded.log")
if shutil.which("setpriv"):
    for capability in ("setuid", "setgid"):
        daemon = Daemon(stanza("user", 20018, user="nobody") + stanza("root", 20019, user="root"),
                        prefix=("setpriv", "--bounding-set", "-" + capability))
        equal("without CAP_%s another user's service is not hosted" % capability.upper(), ask(20018), None)
        check("and that is said", "service user wants user nobody" in daemon.log(), daemon.log())
        check("root's own is", ask(20019))
        daemon.stop()
        os.remove(LOG)

# --- a user who stops the children that become his servers ------------------------------------
# Between the change of identity and exec a child belongs to its user, who may send it SIGSTOP.
# He is nobody else on this machine, nor in a copy of this test.
HIS = own_uid()


def as_him(code):
    return [sys.executable, "-c", "import os, signal, time\nos.setgid(%d)\nos.setuid(%d)\n%s" % (HIS, HIS, code)]


def to_all_of_his(name):
    subprocess.run(as_him("try:\n    os.kill(-1, signal.%s)\nexcept OSError:\n    pass" % name), check=True)


LOG = path("stopped.log")
daemon = Daemon(stanza("his", 20031, user=str(HIS), cps="0 0", server_args="hold")
                + stanza("other", 20032, user="root", cps="0 0"))
stopper = subprocess.Popen(as_him("""
end = time.monotonic() + 3
while time.monotonic() < end:
    try:
        os.kill(-1, signal.SIGSTOP)
    except OSError:
        pass
"""))
slowest = 0
held = []
while stopper.poll() is None:
    held.append(tcp(20031))
    begin = time.monotonic()
    check("another service answers meanwhile", ask(20032)) if len(held) % 20 == 1 else ask(20032)
    slowest = max(slowest, time.monotonic() - begin)
# The daemon would wait three seconds and more.
check("nobody who stops his own processes delays another service", slowest < 2.5, slowest)
print("# slowest answer: %.3f s, %d connections" % (slowest, len(held)))
to_all_of_his("SIGCONT")
check("they become servers when he lets them", all(x.recv(65536).endswith(b"\n") for x in held))
daemon.stop()
to_all_of_his("SIGKILL")
for connection in held:
    connection.close()

# --- session_timeout -------------------------------------------------------------------------
LOG = path("timeout.log")
daemon = Daemon(stanza("short", 20021, server_args="pause", session_timeout="1")
                + stanza("stubborn", 20022, server_args="stubborn", session_timeout="1")
                + stanza("quick", 20023, server_args="hold", session_timeout="1000")
                + stanza("echo", 20024, type="INTERNAL UNLISTED", server=None, session_timeout="1",
                         user=None)
                + stanza("lent", 20025, server_args="accept 1 1000000", session_timeout="1", wait="yes"))
begin = time.monotonic()
stubborn, short, lent = tcp(20022), tcp(20021), tcp(20025)
idle = tcp(20025)
inner = tcp(20024)
equal("a session in time is not touched", ask(20023)[-1:], b"\n")
equal("its EXIT is its own", exit_line("quick"), "EXIT: quick status=0")
equal("an internal session is ended, too", receive_all(inner), b"")
check("and recorded", exit_line("echo"))
receive_all(short)
took = time.monotonic() - begin
check("a server is ended when its time is over", 0.9 <= took < 30, took)
equal("EXIT tells SIGTERM", exit_line("short"), "EXIT: short signal=15")
equal("a server that has the socket is ended, too", exit_line("lent"), "EXIT: lent signal=15")
receive_all(stubborn)
took = time.monotonic() - begin
check("one that ignores SIGTERM is killed five seconds later", 5.5 <= took < 40, took)
equal("EXIT tells SIGKILL", exit_line("stubborn"), "EXIT: stubborn signal=9")
equal("no FAIL anywhere", [x for x in log_lines(LOG) if x.startswith("FAIL")], [])
finish()
