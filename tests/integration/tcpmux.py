#!/usr/bin/env python3
# Proves tcpmux: names however they come in, what follows reaches the server byte for byte, its limits and records are its own, nobody waits for silent clients.
# SPDX-License-Identifier: ISC
import os
import pwd
import random
import resource
import socket
import sys

sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "tests/lib"))
from harness import *  # noqa: E402,F403

PROBE = probe()
LOG = path("services.log")
OWN = path("own.log")
MUX = 20001
UNKNOWN = b"-Service name not found\r\n"
_, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def stanza(_name, **attributes):
    return service(_name, **dict(dict(log_type="FILE " + LOG, log_on_success="PID HOST EXIT",
                                      log_on_failure="HOST", cps="0 1"), **attributes))


def mux(port=MUX, ident="mux", **attributes):
    return stanza("tcpmux", **dict(dict(id=ident, type="INTERNAL UNLISTED", port=port), **attributes))


def behind(name, args="echo", plus=False, **attributes):
    return stanza(name, **dict(dict(type="TCPMUX%s UNLISTED" % ("PLUS" if plus else ""), server=PROBE,
                                    server_args=args), **attributes))


def lines(ident, what=None):
    """The records of a service, without pids."""
    found = []
    for line in log_lines(LOG):
        match = re.match(r"(START|EXIT|FAIL): (\S+)(.*)", line)
        if match and match[2] == ident and what in (None, match[1]):
            found.append(match[1] + re.sub(r" pid=\d+", "", match[3]))
    return found


def records(ident, expected):
    """Waits for as many, and compares."""
    wait_for(lambda: len(lines(ident)) >= len(expected))
    return equal("records of %s" % ident, lines(ident), expected)


def pieces(*parts, port=MUX, host="127.0.0.1"):
    """Sends the parts as so many packets; what comes back until the end."""
    with tcp(port, host) as s:
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for part in parts:
            try:
                s.sendall(part)
            except OSError:
                break
            # So that they do not come together: only the test is weaker where they do.
            time.sleep(0.03)
        try:
            s.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        return receive_all(s)


def until(s, text):
    data = b""
    while text not in data:
        more = s.recv(65536)
        if not more:
            break
        data += more
    return data


def hour(shift):
    return "%02d:00" % ((time.localtime().tm_hour + shift) % 24)


write(path("hello"), "hello\n")
write(path("welcome"), "welcome\n")
write(path("sorry"), "sorry\n")
target = socket.create_server(("127.0.0.1", 20090))
BASE = "".join([
    behind("Echo-A", id="a"), behind("echo-b", plus=True),
    behind("report", "report", user="nobody", umask="027", nice="5", env="FROM=stanza", passenv="",
           rlimit_files="77", flags="NODELAY KEEPALIVE", log_type="FILE " + OWN, id="told"),
    stanza("outside", server=PROBE, server_args="echo", port=20002),
    behind("only", only_from="127.0.0.2"), behind("no", no_access="127.0.0.1", plus=True),
    behind("none", instances="0"), behind("one", "hold", instances="1"), behind("each", "hold", per_source="1"),
    behind("never", access_times="%s-%s" % (hour(10), hour(12))), behind("load", max_load="-1"),
    behind("rate", cps="2 8"), behind("session", "pause", session_timeout="1"), behind("status", "exit 3"),
    behind("banners", plus=True, banner=path("hello"), banner_success=path("welcome"), banner_fail=path("sorry")),
    behind("refusing", banner_fail=path("sorry"), only_from=""),
    stanza("daytime", id="inner", type="INTERNAL TCPMUX UNLISTED"),
    behind("relayed", None, server=None, redirect="127.0.0.1 20090"),
    behind("echo", "echo"), behind("help"),
])
conf = mux() + mux(20003, "impatient", idle_timeout="1") + mux(20004, "narrow", instances="1", access_times="0:00-23:59") \
    + mux(20005, "choosy", only_from="127.0.0.2") + mux(None, "unix", bind=path("mux")) \
    + mux(20006, "turns", wait="yes") + BASE
daemon = Daemon(conf)

# --- names ----------------------------------------------------------------------------------------
for host in ("127.0.0.1", "::1"):
    equal("TCPMUX: the server speaks alone, " + host, ask(MUX, b"echo-a\r\nhello", host), b"hello")
    equal("TCPMUXPLUS: +Go, and no NUL, " + host, ask(MUX, b"echo-b\r\nhello", host), b"+Go\r\nhello")
    equal("a name that nobody has, " + host, ask(MUX, b"nosuch\r\nhello", host), UNKNOWN)
equal("over a Unix socket", ask_unix(socket.SOCK_STREAM, path("mux"), b"echo-b\r\nhello"), b"+Go\r\nhello")
equal("capitals do not matter", ask(MUX, b"eChO-a\r\nx"), b"x")
equal("LF alone will do", ask(MUX, b"echo-a\nx"), b"x")
equal("the name is not the id", ask(MUX, b"a\r\nx"), UNKNOWN)
equal("nor a part of a name", ask(MUX, b"echo-\r\nx"), UNKNOWN)
equal("services that are not of this type are not reached", ask(MUX, b"outside\r\nx"), UNKNOWN)
equal("though they are there", ask(20002, b"x"), b"x")
equal("tcpmux does not lead to itself", ask(MUX, b"tcpmux\r\necho-a\r\n"), UNKNOWN)
names = [x.split()[1] for x in BASE.splitlines() if x.startswith("service ")]
names.remove("outside")
for word in (b"help", b"HELP", b"Help"):
    equal("%s lists the names" % word.decode(), ask(MUX, word + b"\r\nmore"), "".join(x + "\r\n" for x in names).encode())
equal("a name that comes byte by byte", pieces(*[bytes([x]) for x in b"echo-b\r\n"], b"x", b"y"), b"+Go\r\nxy")
equal("CR and LF apart", pieces(b"echo-b\r", b"\nx"), b"+Go\r\nx")
equal("an end instead of a name", ask(MUX, b""), b"")
equal("an end within the name", ask(MUX, b"echo-a"), b"")
equal("no name", ask(MUX, b"\r\nx"), b"-Service name malformed\r\n")
equal("a NUL in it", ask(MUX, b"echo-a\0\r\nx"), b"-Service name malformed\r\n")
equal("blanks", ask(MUX, b"echo-a \r\nx"), b"-Service name malformed\r\n")
equal("256 bytes are too long", ask(MUX, b"n" * 256 + b"\r\n" + b"x" * 5000), b"-Service name too long\r\n")
equal("255 are not", ask(MUX, b"n" * 255 + b"\r\n"), UNKNOWN)
equal("a megabyte without an end", ask(MUX, b"n" * 1000000), b"-Service name too long\r\n")
rng = random.Random(1078)
for i in range(200):
    ask(MUX, bytes(rng.choice(b"\r\n\r\n\0 abc\xff\x7fhelp") for _ in range(rng.randrange(60))))
equal("rubbish does no harm", ask(MUX, b"echo-b\r\nx"), b"+Go\r\nx")

# --- what follows the name is the server's ---------------------------------------------------------------
for size in (1, 2, 255, 4096, 70000, 1000000):
    data = rng.randbytes(size)
    with tcp(MUX) as s:
        s.setblocking(False)
        out, back = b"echo-b\r\n" + data, b""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and len(back) < size + 5:
            try:
                if out:
                    out = out[s.send(out[:65536]):]
                if not out:
                    s.setblocking(True)
                back += s.recv(65536)
            except BlockingIOError:
                pass
        check("%d bytes behind the name come to the server as they are" % size, back == b"+Go\r\n" + data, len(back))

# --- the server's world -----------------------------------------------------------------------------------------
told = report(ask(MUX, b"report\r\n"))
nobody = pwd.getpwnam("nobody")
check("D47: it runs as its own user", told.get("uid", "").split()[:1] == [str(nobody.pw_uid)], told)
check("its descriptors are 0, 1 and 2, the connection, which blocks",
      [x.split()[0] for x in told["fd"]] == ["0", "1", "2"] and len({x.split()[2] for x in told["fd"]}) == 1
      and all(x.split()[1] == "socket" and x.split()[3] == "blocking" for x in told["fd"]), told["fd"])
equal("its environment", (told["env"].get("FROM"), told["env"].get("REMOTE_HOST")), ("stanza", "127.0.0.1"))
equal("its limits", told.get("nofile"), "77 77")
equal("the options of its connection", (told.get("nodelay"), told.get("keepalive")), ("1", "1"))
equal("its nice and umask", (told.get("nice"), told.get("umask")), (str(os.nice(0) + 5), "027"))
check("it has a log of its own", wait_for(lambda: len(log_lines(OWN)) == 2)
      and re.match(r"START: told pid=\d+ from=127", log_lines(OWN)[0])
      and re.match(r"EXIT: told status=0 pid=\d+$", log_lines(OWN)[1]), log_lines(OWN))
equal("an internal service can stand behind tcpmux, too", ask(MUX, b"daytime\r\n")[-2:], b"\r\n")
with tcp(MUX) as s:
    s.sendall(b"relayed\r\nto the target")
    there, _ = target.accept()
    there.settimeout(PATIENCE)
    equal("and a redirected one", there.recv(100), b"to the target")
    there.sendall(b"and back")
    equal("both ways", s.recv(100), b"and back")
    there.close()
target.close()

# --- limits and records ---------------------------------------------------------------------------------------------
START, EXIT = "START from=127.0.0.1", "EXIT status=0"


def fails(name, why):
    equal("%s: refused" % name, ask(MUX, name.encode() + b"\r\nx"), b"")
    records(name, ["FAIL %s from=127.0.0.1" % why])


fails("only", "address")
fails("no", "address")
fails("none", "service_limit")
fails("never", "time")
fails("load", "load")
with tcp(MUX) as first:
    first.sendall(b"one\r\n")
    check("instances: the first", until(first, b"\n")[:-1].isdigit())
    equal("instances: the second", ask(MUX, b"one\r\n"), b"")
records("one", [START, "FAIL service_limit from=127.0.0.1", EXIT])
with tcp(MUX) as first:
    first.sendall(b"each\r\n")
    check("per_source: the first", until(first, b"\n")[:-1].isdigit())
    equal("per_source: the second", ask(MUX, b"each\r\n"), b"")
    check("per_source: another one", ask(MUX, b"each\r\n", "::1")[:-1].isdigit())
equal("the server's status is recorded", ask(MUX, b"status\r\n"), b"")
records("status", [START, "EXIT status=3"])
ask(MUX, b"session\r\n")
records("session", [START, "EXIT signal=15"])
equal("the answer comes before banners", ask(MUX, b"banners\r\nx"), b"+Go\r\nhello\nwelcome\nx")
equal("who is refused sees banner_fail and no +Go", ask(MUX, b"refusing\r\nx"), b"sorry\n")

# Within the daemon's second, however slow their client is.
daemon.process.send_signal(signal.SIGSTOP)
crowd = [tcp(MUX) for _ in range(3)]
for s in crowd:
    s.sendall(b"rate\r\nx")
    s.shutdown(socket.SHUT_WR)
daemon.process.send_signal(signal.SIGCONT)
equal("cps: two are served, the third is not", sorted(receive_all(s) for s in crowd), [b"", b"x", b"x"])
check("cps: it says that it rests", daemon.wait_log("Deactivating service rate due to excessive incoming connections.  Restarting in 8 seconds."))
equal("cps: while it rests it refuses", ask(MUX, b"rate\r\nx"), b"")
equal("cps: others do not rest", ask(MUX, b"echo-a\r\nx"), b"x")
check("cps: until the rest is over", wait_for(lambda: ask(MUX, b"rate\r\nx") == b"x"))
why = [x for x in lines("rate") if x.startswith("FAIL")]
check("cps: each refusal has its FAIL", len(why) >= 2 and set(why) == {"FAIL connections per second from=127.0.0.1"}, why)

with tcp(20004) as s:
    wait_for(lambda: "START from=127.0.0.1" in lines("narrow"))
    equal("tcpmux's own instances count those who name", ask(20004, b"echo-b\r\nx"), b"")
    s.sendall(b"one\r\n")
    check("the first goes on", until(s, b"\n")[:-1].isdigit())
    equal("and makes room as soon as it has named", ask(20004, b"echo-b\r\nx"), b"+Go\r\nx")
records("narrow", [START, "FAIL service_limit from=127.0.0.1", EXIT, START, EXIT])
equal("tcpmux's own only_from", ask(20005, b"echo-b\r\nx"), b"")
records("choosy", ["FAIL address from=127.0.0.1"])
for _ in range(3):
    equal("tcpmux with wait = yes, one after the other", ask(20006, b"echo-b\r\nx"), b"+Go\r\nx")
records("turns", [START, EXIT] * 3)


def balanced(ident):
    return len(lines(ident, "START")) == len(lines(ident, "EXIT"))


# --- silent clients --------------------------------------------------------------------------------------------------------
with tcp(20003) as s:
    began = time.monotonic()
    s.settimeout(0.2)
    got = None
    while got is None and time.monotonic() - began < PATIENCE:
        try:
            s.sendall(b"x")
            got = s.recv(100)
        except socket.timeout:
            pass
        except OSError:
            got = b""
    check("one that drips is not given more time", got == b"" and time.monotonic() - began >= 0.9, got)
records("impatient", [START, EXIT])

MANY = 1000 if hard >= 16384 else 60
silent = []
before = daemon.descriptors()
for i in range(MANY):
    silent.append(tcp(MUX))
    if i % 2:
        silent[-1].sendall(b"echo-")
check("%d are silent" % MANY, wait_for(lambda: len(lines("mux", "START")) - len(lines("mux", "EXIT")) >= MANY))
equal("others are served all the same", ask(MUX, b"echo-b\r\nx"), b"+Go\r\nx")
equal("those of other services, too", ask(20002, b"x"), b"x")
check("they hold a descriptor each", daemon.descriptors() <= before + MANY + 10, daemon.descriptors())
for s in silent[:10:2]:
    s.sendall(b"echo-b\r\nlate")
    s.shutdown(socket.SHUT_WR)
equal("they may speak at last", [receive_all(s) for s in silent[:10:2]], [b"+Go\r\nlate"] * 5)
for s in silent:
    s.close()
check("and are forgotten when they go", wait_for(lambda: balanced("mux") and daemon.descriptors() <= before + 5),
      daemon.descriptors())

# --- the worker dies --------------------------------------------------------------------------------------------------------
silent = [tcp(MUX) for _ in range(5)]
wait_for(lambda: len(lines("mux", "START")) - len(lines("mux", "EXIT")) == 5)
with tcp(MUX) as served:
    served.sendall(b"echo-b\r\nx")
    equal("one is served", until(served, b"x"), b"+Go\r\nx")
    signals = len([x for x in lines("mux") if x == "EXIT signal=9"])
    os.kill(wait_for(daemon.worker), signal.SIGKILL)
    equal("who was naming is let go", [receive_all(s) for s in silent], [b""] * 5)
    check("with a record each", wait_for(lambda: len([x for x in lines("mux") if x == "EXIT signal=9"]) - signals == 5),
          lines("mux")[-10:])
    served.sendall(b"y")
    equal("who has a server notices nothing", served.recv(10), b"y")
equal("others are served by the next", ask(MUX, b"echo-b\r\nx"), b"+Go\r\nx")

# --- reload --------------------------------------------------------------------------------------------------------------------
naming, kept, going = tcp(MUX), tcp(MUX), tcp(MUX)
naming.sendall(b"ne")
kept.sendall(b"echo-b\r\nx")
going.sendall(b"one\r\n")
equal("before the reload: one that stays", until(kept, b"x"), b"+Go\r\nx")
pid = int(until(going, b"\n"))
check("reload", daemon.reload(conf.replace(behind("one", "hold", instances="1"), "")
                              + behind("new", plus=True) + behind("echo-c")))
equal("a running server of a service that is gone is ended", receive_all(going), b"")
check("by SIGTERM, and recorded", wait_for(lambda: lines("one")[-1:] == ["EXIT signal=15"]), lines("one"))
equal("the service is gone", ask(MUX, b"one\r\n"), UNKNOWN)
kept.sendall(b"y")
equal("one that stays goes on", kept.recv(10), b"y")
naming.sendall(b"w\r\nz")
equal("a name begun before the reload may be a new service's", until(naming, b"z"), b"+Go\r\nz")
check("help knows it", b"new\r\necho-c\r\n" in ask(MUX, b"help\r\n"))
check("a service may change its kind", daemon.reload(
    conf.replace(behind("echo-b", plus=True), stanza("echo-b", server=PROBE, server_args="echo", port=20007))
    .replace(stanza("outside", server=PROBE, server_args="echo", port=20002), behind("outside"))))
equal("from tcpmux to a port", (ask(MUX, b"echo-b\r\nx"), ask(20007, b"x")), (UNKNOWN, b"x"))
equal("and back", (ask(MUX, b"outside\r\nx"), ask(20002, b"x")), (b"x", None))
waiting = tcp(MUX)
waiting.sendall(b"echo-a")
wait_for(lambda: not balanced("mux"))
check("tcpmux goes", daemon.reload(conf.replace(mux(), "")))
equal("who was naming is let go", receive_all(waiting), b"")
equal("nobody listens", ask(MUX, b"echo-a\r\n"), None)
check("the service behind it stays", ask(20003, b"echo-a\r\nx") == b"x")
check("tcpmux comes back", daemon.reload(conf) and ask(MUX, b"echo-a\r\nx") == b"x")
for s in (naming, kept, going, waiting):
    s.close()

# --- state ----------------------------------------------------------------------------------------------------------------------
daemon.process.send_signal(signal.SIGUSR1)
daemon.wait_log("generated state dump")
dumped = re.search(r"generated state dump in file (\S+)", daemon.log())
state = read(dumped[1]) if dumped else ""
check("the state dump has a service behind tcpmux, which is not started", "Service = echo-b\n\tState = Not started" in state, state[:500])
before = daemon.log().count("Consistency check detected")
daemon.process.send_signal(signal.SIGABRT)
wait_for(lambda: all(balanced(x) for x in ("mux", "a", "echo-b", "narrow", "turns")))
for ident in ("mux", "impatient", "narrow", "turns", "unix", "a", "echo-b", "one", "each", "rate", "inner", "relayed"):
    check("as many START as EXIT: " + ident, wait_for(lambda: balanced(ident)), lines(ident)[-6:])
equal("the books agree", daemon.log().count("Consistency check detected"), before)
daemon.stop()

# --- few descriptors ------------------------------------------------------------------------------------------------------------
few = Daemon(mux(ident="few", idle_timeout="600") + behind("echo-b", plus=True),
             preexec=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (500, 500)))
silent = [tcp(MUX) for _ in range(120)]
check("of 120 silent ones 64 may stay", wait_for(lambda: lines("few", "EXIT") and len(lines("few", "START")) -
                                                  len(lines("few", "EXIT")) == 64), len(lines("few")))
equal("those who come are served", [ask(MUX, b"echo-b\r\nx") for _ in range(5)], [b"+Go\r\nx"] * 5)
equal("the oldest have gone", [receive_all(s) for s in silent[:30]], [b""] * 30)
silent[-1].sendall(b"echo-b\r\nx")
equal("the newest may still speak", until(silent[-1], b"x"), b"+Go\r\nx")
check("the log says so", "have not named a service yet" in few.log())
for s in silent:
    s.close()
check("as many START as EXIT", wait_for(lambda: balanced("few")))
last = tcp(MUX)
check("one is silent at the end", wait_for(lambda: not balanced("few")))
few.stop()
equal("the end of the daemon is its end", receive_all(last), b"")
check("and recorded", balanced("few"), lines("few")[-4:])
last.close()

# --- targets that do not answer ------------------------------------------------------------------------------------------------
# Its queue is full and nobody accepts: the kernel does not answer a SYN.
deaf = socket.create_server(("127.0.0.1", 20091), backlog=0)
fill = [socket.socket() for _ in range(4)]
for s in fill:
    s.setblocking(False)
    s.connect_ex(("127.0.0.1", 20091))
seeking = Daemon(mux(ident="seeking") + behind("echo-b", plus=True)
                 + behind("lost", None, server=None, redirect="127.0.0.1 20091"),
                 preexec=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (500, 500)))
seekers = []
for i in range(70):
    seekers.append(tcp(MUX))
    seekers[-1].sendall(b"lost\r\n")
    # Those who have not named a service yet are few, too.
    if not wait_for(lambda: len(lines("lost", "START")) + len(lines("lost", "FAIL")) > i):
        break
equal("of 70 clients whose target does not answer 64 wait", [len(lines("lost", x)) for x in ("START", "FAIL")], [64, 6])
check("the log says why the others do not", "too many clients wait for their target" in seeking.log())
equal("others are served meanwhile", ask(MUX, b"echo-b\r\nx"), b"+Go\r\nx")
for s in seekers + fill + [deaf]:
    s.close()
seeking.stop()

# --- tcp_wrappers ---------------------------------------------------------------------------------------------------------------
with open(os.path.join(BUILD, "usherd-gate"), "rb") as file:
    wraps = b"hosts_access" in file.read() and os.path.exists("/etc/hosts.deny")
if wraps:
    subprocess.run(["mount", "--bind", write(path("deny"), "secret: 127.0.0.2\ntcpmux: 127.0.0.3\n"), "/etc/hosts.deny"],
                   check=True)
    wrapped = Daemon(mux(ident="wrapped") + behind("secret", plus=True, libwrap="secret") + behind("echo-a")
                     + behind("secret-echo", id="secret-echo", plus=True, libwrap="secret", banner=path("hello")))

    def from_there(address, data):
        with socket.create_connection(("127.0.0.1", MUX), PATIENCE, (address, 0)) as s:
            try:
                s.sendall(data)
                s.shutdown(socket.SHUT_WR)
            except OSError:
                pass
            return receive_all(s)

    equal("whom hosts.deny does not name", from_there("127.0.0.1", b"secret\r\nx"), b"+Go\r\nx")
    equal("banner and +Go in order, too", from_there("127.0.0.1", b"secret-echo\r\nx"), b"+Go\r\nhello\nx")
    equal("whom it names gets no +Go", from_there("127.0.0.2", b"secret\r\nx"), b"")
    # The first one's server may be reaped late.
    check("with a record", wait_for(lambda: sorted(lines("secret")) == [EXIT, "FAIL libwrap from=127.0.0.2", START]), lines("secret"))
    equal("but other services", from_there("127.0.0.2", b"echo-a\r\nx"), b"x")
    equal("whom it names for tcpmux", from_there("127.0.0.3", b"echo-a\r\nx"), b"")
    check("is refused there", wait_for(lambda: lines("wrapped", "FAIL") == ["FAIL libwrap from=127.0.0.3"]), lines("wrapped"))
finish()
