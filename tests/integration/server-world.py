#!/usr/bin/env python3
# Proves that a server finds the world that its stanza and xinetd promise: descriptors, arguments, session, signals, identity, limits, environment.
# SPDX-License-Identifier: ISC
import ctypes
import os
import platform
import pwd
import resource
import signal
import socket
import sys

sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "tests/lib"))
from harness import *  # noqa: E402,F403

PROBE = probe()
NOBODY = pwd.getpwnam("nobody")
# A user with supplementary groups, whatever the machine has: the databases of this test are its own.
write(path("passwd"), read("/etc/passwd") + "usherdtest:x:54321:54321::/:/bin/sh\n")
write(path("group"), read("/etc/group") +
      "usherdtest:x:54321:\nusherdone:x:54322:usherdtest\nusherdtwo:x:54323:usherdtest\n")
for name in ("passwd", "group"):
    os.chmod(path(name), 0o644)
    subprocess.run(["mount", "--bind", path(name), "/etc/" + name], check=True)

SYSCALL = {"x86_64": 13, "aarch64": 134}.get(platform.machine())


def hostile_start():
    """Signals ignored and blocked, descriptors open, limits of its own: what a careless parent leaves."""
    libc = ctypes.CDLL(None, use_errno=True)
    ignore = (ctypes.c_ulong * 8)(1)
    for signo in range(1, 65):
        if signo in (signal.SIGKILL, signal.SIGSTOP):
            continue
        if SYSCALL:
            libc.syscall(SYSCALL, signo, ignore, None, ctypes.c_size_t(8))
        elif signo not in (32, 33):
            signal.signal(signo, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    resource.setrlimit(resource.RLIMIT_NOFILE, (777, 20000))
    os.umask(0o005)
    for number in (3, 7, 50, 200):  # open, and not close-on-exec
        os.dup2(0, number, inheritable=True)


stanzas = {}
ports = {}


def add(name, **attributes):
    ports[name] = 20000 + len(ports)
    attributes.setdefault("server", PROBE)
    attributes.setdefault("port", ports[name])
    attributes.setdefault("id", name)
    stanzas[name] = service(name, **attributes)


def world(name, host="127.0.0.1"):
    return report(ask(ports[name], b"", host))


add("plain")
add("v6only", flags="IPv6", v6only="yes")
add("ipv4", flags="IPv4")
add("args", server_args='report "three four" \\ $x # y')
add("nameinargs", flags="NAMEINARGS", server_args="wrong-name report b")
# The same attributes the other way round: order means nothing (D15).
stanzas["argsfirst"] = """service argsfirst
{
	server_args = other-name report c
	server = %s
	flags = NAMEINARGS
	user = root
	wait = no
	socket_type = stream
	type = UNLISTED
	port = 20100
}
""" % PROBE
ports["argsfirst"] = 20100
add("programname", programname="third-name", server_args="report d")
add("user", user="nobody")
add("group", user="nobody", group="usherdone")
add("groups", user="usherdtest", groups="yes")
add("groupsno", user="usherdtest", groups="no")
add("groupsgroup", user="usherdtest", groups="yes", group="usherdtest")
add("numeric", user="61234")
add("numericgroup", user="61234", group="61235")
add("umask", umask="027")
add("umask0", umask="0")
add("nice", nice="5", user="nobody")
add("nicer", nice="-5", user="nobody")
add("files", rlimit_files="50")
add("limits", server="/bin/cat", server_args="/proc/self/limits", user="nobody", rlimit_as="800M",
    rlimit_cpu="7", rlimit_data="500M", rlimit_rss="300K", rlimit_stack="4M")
add("unlimited", server="/bin/cat", server_args="/proc/self/limits", rlimit_cpu="UNLIMITED",
    rlimit_as="UNLIMITED")
add("env", env="NEW=1 KEPT=changed EMPTY= A=b=c REMOTE_HOST=mine")
add("passenv", passenv="KEPT", env="NEW=1")
add("nopass", passenv="")
add("lateadd", passenv="KEPT OTHER", env="KEPT=mine")
add("nodelay", flags="NODELAY")
add("keepalive", flags="KEEPALIVE")
add("waits", wait="yes", server_args="accept-report")
add("seldom", socket_type="dgram", wait="yes", server_args="dgram-report")

environment = {"PATH": os.environ["PATH"], "KEPT": "yes", "OTHER": "two words", "REMOTE_HOST": "wrong",
               "REMOTE_PORT": "wrong", "NOTIFY_SOCKET": "@nobody", "LISTEN_FDS": "1",
               "LISTEN_PID": "1", "LISTEN_FDNAMES": "x", "WATCHDOG_USEC": "1000000000",
               "WATCHDOG_PID": "1", "LC_ALL": "C", "COUNT": path("count")}
for sanitizer in ("ASAN_OPTIONS", "UBSAN_OPTIONS"):
    if sanitizer in os.environ:
        environment[sanitizer] = os.environ[sanitizer]
daemon = Daemon("".join(stanzas.values()), env=environment, preexec=hostile_start, close_fds=False)

# --- descriptors, session, signals --------------------------------------------------
w = world("plain")
check("the whole report arrives", "incomplete" not in w, w)
equal("D48: descriptors 0, 1 and 2 are there and no others", [f.split()[0] for f in w["fd"]],
      ["0", "1", "2"])
equal("all three are the same socket", len({f.split()[2] for f in w["fd"]}), 1)
check("they are sockets and block", all(f.split()[1] == "socket" and f.split()[3] == "blocking"
                                        for f in w["fd"]), w["fd"])
equal("argv[0] is the last part of the path", w["argv"], ["probe"])
equal("it runs in /", w["cwd"], "/")
check("it leads a session and a group of its own", w["pid"] == w["pgid"] == w["sid"], w)
equal("it has no terminal", w["tty"], "no")
equal("its parent is the daemon", w["ppid"], str(daemon.pid))
equal("no signal is blocked", int(w["SigBlk"], 16), 0)
equal("no signal is ignored, of all 64", "%016x" % int(w["SigIgn"], 16), "0" * 16)
equal("no signal is caught", int(w["SigCgt"], 16), 0)
equal("it is not confined", w.get("Seccomp", "0"), "0")
equal("D49: its umask is the inherited one and 022", w["umask"], "027")
equal("its limit on descriptors is the daemon's inherited one", w["nofile"], "777 20000")
equal("it is as nice as the daemon was", w["nice"], str(os.getpriority(os.PRIO_PROCESS, 0)))
# The kernel changes the family of established connections only: this client ends its side later.
with tcp(ports["plain"]) as connection:
    received = b""
    while b"end=" not in received:
        received += connection.recv(65536)
w = report(received)
equal("an IPv4 client of a dual-stack socket gives an IPv4 socket", (w["family"], w["peer"]),
      (str(int(socket.AF_INET)),) * 2)
equal("REMOTE_HOST of an IPv4 client", w["env"].get("REMOTE_HOST"), "127.0.0.1")

# --- what others there are ----------------------------------------------------------
w = world("plain", "::1")
equal("an IPv6 client gives an IPv6 socket", w["peer"], str(int(socket.AF_INET6)))
equal("REMOTE_HOST of an IPv6 client", w["env"].get("REMOTE_HOST"), "::1")
equal("v6only: IPv4 is not served", ask(ports["v6only"]), None)
equal("v6only: IPv6 is", world("v6only", "::1")["peer"], str(int(socket.AF_INET6)))
w = world("ipv4")
equal("IPv4 socket", (w["peer"], w["env"].get("REMOTE_HOST")), (str(int(socket.AF_INET)), "127.0.0.1"))

# --- arguments ----------------------------------------------------------------------
equal("words are passed as they stand", world("args")["argv"],
      ["probe", "report", '"three', 'four"', "\\", "$x", "#", "y"])
equal("NAMEINARGS names the program", world("nameinargs")["argv"], ["wrong-name", "report", "b"])
equal("NAMEINARGS behind server_args, too", world("argsfirst")["argv"], ["other-name", "report", "c"])
equal("programname names the program", world("programname")["argv"], ["third-name", "report", "d"])

# --- identity -----------------------------------------------------------------------


def identity(name):
    got = world(name)
    return got["uid"], got["gid"], got["Groups"].split()


def three(n):
    return "%d %d %d" % (n, n, n)


equal("user gives uid and its primary group, and no more", identity("user"),
      (three(NOBODY.pw_uid), three(NOBODY.pw_gid), []))
equal("group replaces the primary group", identity("group"), (three(NOBODY.pw_uid), three(54322), []))
u, g, more = identity("groups")
equal("groups = yes gives the user's groups", (u, g, sorted(set(more) - {"54321"})),
      (three(54321), three(54321), ["54322", "54323"]))
equal("groups = no clears them", identity("groupsno"), (three(54321), three(54321), []))
equal("a numeric user sets the same group", identity("numeric"), (three(61234), three(61234), []))
equal("a numeric user with a group", identity("numericgroup"), (three(61234), three(61235), []))
equal("root has no supplementary groups either", identity("plain"), (three(0), three(0), []))

# --- umask, nice, limits --------------------------------------------------------------
equal("umask", world("umask")["umask"], "027")
equal("umask 0 is a value", world("umask0")["umask"], "000")
base = os.getpriority(os.PRIO_PROCESS, 0)
equal("nice is added", world("nice")["nice"], str(min(base + 5, 19)))
equal("nice may be negative although the server is not root", world("nicer")["nice"],
      str(max(base - 5, -20)))
equal("rlimit_files sets soft and hard", world("files")["nofile"], "50 50")
limits = ask(ports["limits"]).decode()
for line, value in (("Max address space", 800 << 20), ("Max cpu time", 7),
                    ("Max data size", 500 << 20), ("Max resident set", 300 << 10),
                    ("Max stack size", 4 << 20), ("Max open files", None)):
    got = re.search(re.escape(line) + r"\s+(\S+)\s+(\S+)", limits)
    expected = ("777", "20000") if value is None else (str(value), str(value))
    equal("%s, soft and hard" % line, got and got.groups(), expected)
check("UNLIMITED limits", re.search(r"Max cpu time\s+unlimited\s+unlimited",
                                    ask(ports["unlimited"]).decode()))

# --- environment ------------------------------------------------------------------------
INHERITED = {k: environment[k] for k in environment if not k.startswith(
    ("REMOTE_", "NOTIFY_", "LISTEN_", "WATCHDOG_"))}


def surroundings(name):
    env = world(name)["env"]
    return env.pop("REMOTE_HOST", None), env.pop("REMOTE_PORT", "").isdigit(), env


equal("the environment is the daemon's, without what speaks to the daemon alone",
      surroundings("plain"), ("127.0.0.1", True, INHERITED))
equal("env adds and overrides", surroundings("env"), ("127.0.0.1", True, dict(
    INHERITED, NEW="1", KEPT="changed", EMPTY="", A="b=c")))
equal("passenv lets only those pass", surroundings("passenv"),
      ("127.0.0.1", True, {"KEPT": "yes", "NEW": "1"}))
equal("an empty passenv lets none pass", surroundings("nopass"), ("127.0.0.1", True, {}))
equal("env overrides what passenv lets pass", surroundings("lateadd"),
      ("127.0.0.1", True, {"KEPT": "mine", "OTHER": "two words"}))
with tcp(ports["plain"]) as connection:
    own = connection.getsockname()[1]
    connection.shutdown(socket.SHUT_WR)
    equal("REMOTE_PORT is the client's", report(receive_all(connection))["env"].get("REMOTE_PORT"),
          str(own))

# --- servers that get the socket itself ----------------------------------------------------
w = report(ask(ports["waits"]))
equal("wait = yes: 0, 1 and 2 and no others", [f.split()[0] for f in w["fd"]], ["0", "1", "2"])
check("wait = yes: the socket blocks", all(f.endswith(" blocking") for f in w["fd"]), w["fd"])
equal("wait = yes: xinetd's word for an unknown client", w["env"].get("REMOTE_HOST"), "<no address>")
check("wait = yes: no REMOTE_PORT", "REMOTE_PORT" not in w["env"])
w = report(ask_udp(ports["seldom"], b"x"))
equal("dgram: 0, 1 and 2 and no others", [f.split()[0] for f in w["fd"]], ["0", "1", "2"])
check("dgram: the socket blocks", all(f.endswith(" blocking") for f in w["fd"]), w["fd"])
equal("dgram: REMOTE_HOST of the first sender", w["env"].get("REMOTE_HOST"), "127.0.0.1")
check("dgram: REMOTE_PORT", w["env"].get("REMOTE_PORT", "").isdigit(), w["env"])

# --- nothing of one connection is seen by the server of another -------------------------------
held = [tcp(ports["plain"]) for _ in range(20)]
w = world("plain")
equal("still no other descriptors with many connections open", [f.split()[0] for f in w["fd"]],
      ["0", "1", "2"])
for connection in held:
    connection.close()


# --- options of the connection --------------------------------------------------------------------
def options(name):
    w = world(name)
    return w["nodelay"], w["keepalive"]


equal("a connection has neither TCP_NODELAY nor SO_KEEPALIVE", options("plain"), ("0", "0"))
equal("flags = NODELAY sets the one", options("nodelay"), ("1", "0"))
equal("flags = KEEPALIVE sets the other", options("keepalive"), ("0", "1"))
stanzas["plain"], stanzas["nodelay"] = (stanzas[a].replace(a, b).replace("port = %d" % ports[a], "port = %d" % ports[b])
                                        for a, b in (("nodelay", "plain"), ("plain", "nodelay")))
check("reloads with the flags changed", daemon.reload("".join(stanzas.values())))
equal("then the open socket has got the option", options("plain"), ("1", "0"))
equal("and another one has lost it", options("nodelay"), ("0", "0"))
finish()
