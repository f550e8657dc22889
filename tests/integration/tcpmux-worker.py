#!/usr/bin/env python3
# Proves that a worker that has been taken over can say names of services behind tcpmux, and do nothing else with them.
# SPDX-License-Identifier: ISC
import os
import shutil
import sys

sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "tests/lib"))
import harness  # noqa: E402
from harness import *  # noqa: E402,F403

LOG, MODE, SEEN = path("services.log"), path("mode"), path("seen")
PROBE = probe()
os.mkdir(path("bin"))
# A worker is looked for beside the daemon.
for name in ("usherd", "usherd-gate"):
    shutil.copy(os.path.join(BUILD, name), path("bin", name))
# What the worker and the daemon say to each other: src/base/wire.h.
write(path("bin", "usherd-worker"), "#!%s\n" % sys.executable + '''
import array, fcntl, os, socket, struct
pair = socket.socket(fileno=0)
pair.setblocking(True)
kept = []
def name(session, text, length=None, cut=None):
    message = struct.pack("=IIII", 0x75736833, 4, 1, 0) + struct.pack(
        "=QQII256s", session, 9, len(text) if length is None else length, 0, text)
    pair.send(message[:cut])
def done(session):
    pair.send(struct.pack("=IIII", 0x75736833, 3, 1, 0) + struct.pack("=QQQiI", session, 0, 0, 0, 0))
while True:
    data, control, _, _ = pair.recvmsg(200000, 65536)
    if not data:
        os._exit(0)
    fds = array.array("i")
    for _, _, bytes in control:
        fds.frombytes(bytes[:len(bytes) // 4 * 4])
    _, kind, count, _ = struct.unpack_from("=IIII", data)
    mode = open("%(mode)s").read()
    if kind == 2 and mode == "late":
        for i in range(count):
            name(struct.unpack_from("=Q", data, 16 + 8 * i)[0], b"echo-b")
    if kind != 0:
        for fd in fds:
            os.close(fd)
        continue
    for i in range(count):
        session, service, _ = struct.unpack_from("=QII", data, 16 + 16 * i)
        open("%(seen)s", "a").write("%%d %%d\\n" %% (session, service))
        if service == 6 and mode.startswith("name "):
            for fd in fds:
                client = socket.socket(fileno=fd)
                fcntl.fcntl(fd, fcntl.F_SETFL, os.O_NONBLOCK)
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 1000))
                kept.append(client)
            fds = []
            name(session, mode[5:].encode())
        elif mode == "twice":
            name(session, b"echo-b")
            name(session, b"echo-b")
            done(session)
        elif mode == "others":
            for number in range(session + 1000):
                if number != session:
                    name(number, b"echo-b")
            name(1 << 63, b"echo-b")
            name(session, b"echo-b")
            done(session)
        elif mode == "late":
            kept.extend(fds)
            fds = []
        elif mode == "length":
            name(session, b"echo-b", 256)
        elif mode == "nul":
            name(session, b"echo-b", 7)
        elif mode == "short":
            name(session, b"echo-b", cut=100)
        else:
            done(session)
    for fd in fds:
        os.close(fd)
''' % {"mode": MODE, "seen": SEEN})
os.chmod(path("bin", "usherd-worker"), 0o755)
harness.BUILD = path("bin")
write(MODE, "")


def stanza(_name, ident, **attributes):
    return service(_name, id=ident, log_type="FILE " + LOG, log_on_success="PID HOST EXIT", log_on_failure="HOST",
                   cps="0 1", **attributes)


conf = (stanza("tcpmux", "mux", type="INTERNAL UNLISTED", port=20001)
                + stanza("echo", "inner", type="INTERNAL UNLISTED", port=20002)
                + stanza("echo-b", "echo-b", type="TCPMUXPLUS UNLISTED", server=PROBE, server_args="echo")
                + stanza("report", "report", type="TCPMUX UNLISTED", server=PROBE, server_args="report")
                + stanza("outside", "outside", port=20003, server=PROBE, server_args="echo"))
daemon = Daemon(conf)


def count(ident, what="START"):
    return len([x for x in log_lines(LOG) if re.match("%s: %s " % (what, ident), x)])


def mode(text):
    write(MODE + ".new", text)
    os.rename(MODE + ".new", MODE)


mode("name echo-b")
with tcp(20001) as s:
    s.sendall(b"all of this is the server's")
    s.shutdown(socket.SHUT_WR)
    got = b""
    # The worker keeps its duplicate, so there is no end to wait for.
    while not got.endswith(b"server's"):
        more = s.recv(100)
        if not more:
            break
        got += more
    equal("it may say which service", got, b"+Go\r\nall of this is the server's")
mode("name report")
with tcp(20001) as s:
    got = b""
    while b"end=" not in got:
        more = s.recv(65536)
        if not more:
            break
        got += more
    told = report(got)
    check("the server finds a connection that blocks, whatever the worker did to it",
          [x.split()[0] for x in told["fd"]] == ["0", "1", "2"] and all(x.endswith(" blocking") for x in told["fd"]), told["fd"])
mode("name outside")
with tcp(20001) as s:
    wait_for(lambda: read(SEEN).count(" 257\n") == 1)
equal("but no other than those behind tcpmux", count("outside"), 0)

check("the one that it named has its records", wait_for(lambda: count("echo-b") == count("echo-b", "EXIT") == 1))
before = count("echo-b")
mode("twice")
ask(20001, b"x")
check("a second name for a session is ignored", wait_for(lambda: count("echo-b", "EXIT") == before + 1))
mode("others")
ask(20001, b"x")
check("so are names for sessions that it does not have", wait_for(lambda: count("echo-b", "EXIT") == before + 2))
mode("twice")
equal("and for those that are not tcpmux's", ask(20002, b"x"), b"")
mode("")
ask(20001, b"x")
check("a session may end without a name", wait_for(lambda: count("mux", "EXIT") == count("mux")))
equal("nothing else was started", (count("echo-b"), count("outside")), (before + 2, 0))

mode("late")
before = count("echo-b"), read(SEEN).count("\n")
late = tcp(20001)
late.sendall(b"x")
wait_for(lambda: read(SEEN).count("\n") > before[1])
check("reload", daemon.reload(conf.replace("\tid = mux\n", "\tid = other\n")))
check("a session that is to end does, whatever is said of it", wait_for(lambda: count("mux", "EXIT") == count("mux")))
equal("nothing is started for it", count("echo-b"), before[0])
late.close()
mode("")
check("reload", daemon.reload(conf))
before = count("echo-b")

# Those that are tried here are few, as the next worker comes after a pause that grows; test-worker_pair knows more.
for text in ("length", "nul", "short"):
    mode(text)
    killed = count("mux signal=9", "EXIT")
    equal("a message out of form ends the session: " + text, ask(20001, b"x"), b"")
    check("and the worker", wait_for(lambda: count("mux signal=9", "EXIT") == killed + 1))
    mode("")
    equal("the next worker serves", ask(20001, b"x"), b"")
equal("others never noticed", ask(20003, b"x"), b"x")
equal("nothing was started", count("echo-b"), before)
check("as many START as EXIT", wait_for(lambda: all(count(x) == count(x, "EXIT") for x in ("mux", "echo-b", "report", "inner"))))
finish()
