#!/usr/bin/env python3
# Proves ident (RFC 1413): who is asked, when, what is recorded, that IDONLY lets nobody else in, and that no ident server delays anybody else.
# SPDX-License-Identifier: ISC
import os
import sys
import threading

sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "tests/lib"))
from harness import *  # noqa: E402,F403

PROBE = probe()
LOG = path("services.log")
NO = write(path("no"), "no\n")
# A client's address says what its ident server does.
GOOD, NONE, HANGS, ERROR, PORTS, RUBBISH, HUGE, CONTROL, NUL, EMPTY, RESETS = ("127.0.1.%d" % i for i in range(1, 12))
ZONE = "fe80::77%lo"

has_zone = subprocess.run(["ip", "addr", "add", "fe80::77/64", "dev", "lo", "nodad"]).returncode == 0


class Identd:
    """Ident servers on all addresses; those of NONE refuse."""

    def __init__(self):
        self.questions = []  # (from, to, client's port, usherd's port)
        self.hanging = []
        for host in (GOOD, HANGS, ERROR, PORTS, RUBBISH, HUGE, CONTROL, NUL, EMPTY, RESETS, "::1", ZONE):
            if host == ZONE and not has_zone:
                continue
            family, _, _, _, address = socket.getaddrinfo(host, 113, 0, socket.SOCK_STREAM)[0]
            listener = socket.socket(family, socket.SOCK_STREAM)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(1024)
            threading.Thread(target=self.serve, args=(listener, host), daemon=True).start()

    def serve(self, listener, host):
        while True:
            s, peer = listener.accept()
            if host == HANGS:
                self.hanging.append(s)
                continue
            threading.Thread(target=self.answer, args=(s, peer, host), daemon=True).start()

    def waits(self):
        """How many hanging ones somebody waits for."""
        return sum(tcp_state(s) == ESTABLISHED for s in list(self.hanging))

    def release(self):
        for s in self.hanging:
            s.close()
        self.hanging = []

    def answer(self, s, peer, host):
        with s:
            s.settimeout(PATIENCE)
            try:
                question = b""
                while not question.endswith(b"\r\n"):
                    more = s.recv(1024)
                    if not more:
                        return
                    question += more
                client, own = question.decode().strip().split(",")
                self.questions.append((peer[0], host, int(client), int(own)))
                pair = "%s , %s : " % (client, own)
                s.sendall({
                    ERROR: pair + "ERROR : NO-USER\r\n",
                    PORTS: "%s , %s : USERID : UNIX :joe\r\n" % (own, client),
                    RUBBISH: "SSH-2.0-OpenSSH_9.2\r\n",
                    HUGE: pair + "USERID : UNIX :" + "x" * 100000 + "\r\n",
                    CONTROL: pair + "USERID : UNIX :a\x07\x1b[1mb\r\n",
                    NUL: pair + "USERID : UNIX :a\0b\r\n",
                    EMPTY: "",
                    RESETS: "",
                }.get(host, pair + "USERID : UNIX :joe user\r\n").encode())
                if host == RESETS:
                    reset(s)
            except OSError:
                pass


ESTABLISHED = 1


def tcp_state(s):
    return s.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]


def connect(port, source, host=None):
    family, _, _, _, address = socket.getaddrinfo(host or ("::1" if ":" in source else "127.0.0.1"), port, 0,
                                                  socket.SOCK_STREAM)[0]
    s = socket.socket(family)
    s.settimeout(PATIENCE)
    s.bind(socket.getaddrinfo(source, 0, family, socket.SOCK_STREAM)[0][4])
    s.connect(address)
    return s


def ask_from(source, port, host=None, data=b"x"):
    """What comes back, and the client's port."""
    with connect(port, source, host) as s:
        own = s.getsockname()[1]
        try:
            s.sendall(data)
            s.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        return receive_all(s), own


def lines(name):
    return [x for x in log_lines(LOG) if re.match(r"\w+: %s( |$)" % name, x)]


def expect(sentence, name, wanted):
    """These lines and no others, in this order."""
    wait_for(lambda: len(lines(name)) >= len(wanted))
    equal(sentence, lines(name), wanted)


def named(name, port, **attributes):
    base = dict(id=name, port=port, cps="0 1", log_type="FILE " + LOG, log_on_success="HOST USERID",
                log_on_failure="HOST", server=PROBE, server_args="echo", instances="UNLIMITED", flags="NOLIBWRAP")
    base.update(attributes)
    return service(name, **base)


def gates():
    """Processes of this network namespace that ask."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if read("/proc/%s/comm" % pid).startswith("usherd-gate") and (
                    os.readlink("/proc/%s/ns/net" % pid) == os.readlink("/proc/self/ns/net")):
                found.append(pid)
        except OSError:
            pass
    return found


SOURCES = {"good": GOOD, "none": NONE, "hangs": HANGS, "error": ERROR, "ports": PORTS, "rubbish": RUBBISH,
           "huge": HUGE, "control": CONTROL, "nul": NUL, "empty": EMPTY, "resets": RESETS}
WHY = {"none": "no server", "error": "bad response", "ports": "bad response", "rubbish": "bad response",
       "nul": "bad response", "huge": "error while receiving response",
       "empty": "error while receiving response", "resets": "error while receiving response"}
USERID = {"good": "UNIX :joe user", "control": "UNIX :a\\x07\\x1b[1mb"}

AWAY = (time.localtime().tm_hour + 6) % 24
identd = Identd()
conf = "".join([
    # Asked first; each kind of ident server has a service, so that its lines are easy to tell.
    *(named("ask-" + kind, 21000 + i) for i, kind in enumerate(SOURCES)),
    *(named("only-" + kind, 21100 + i, flags="IDONLY NOLIBWRAP", banner_fail=NO) for i, kind in enumerate(SOURCES)),
    named("only-no-log", 21150, flags="IDONLY NOLIBWRAP", log_type=None, banner_fail=NO),
    named("idle-only", 21151, flags="IDONLY NOLIBWRAP", log_on_success="HOST"),
    # Refused, and asked about afterwards.
    named("refused-instances", 21201, instances="0", log_on_failure="HOST USERID", banner_fail=NO),
    named("refused-address", 21202, no_access="127.0.0.0/8", log_on_failure="USERID"),
    named("refused-time", 21203, access_times="%d:10-%d:50" % (AWAY, AWAY), log_on_failure="HOST USERID ATTEMPT"),
    named("refused-load", 21204, max_load="-1", log_on_failure="HOST USERID"),
    named("refused-source", 21205, per_source="0", log_on_failure="HOST USERID"),
    named("refused-quietly", 21206, instances="0", log_on_failure="HOST"),
    named("refused-hold", 21207, instances="0", log_on_failure="HOST USERID", banner_fail=NO),
    # All that can serve.
    named("plain", 21301, log_on_success="HOST PID EXIT"),
    named("echo", 21302, type="INTERNAL UNLISTED", server=None, server_args=None, log_on_success="USERID EXIT"),
    named("through", 21303, server=None, server_args=None, redirect="127.0.0.1 21301", log_on_success="USERID EXIT"),
    named("both", 21304, bind="127.0.0.1 " + path("both.sock"), log_on_success="USERID HOST EXIT"),
    named("leaves", 21305, log_on_success="HOST USERID EXIT"),
    named("changes", 21306, log_on_success="HOST USERID EXIT"),
    service("tcpmux", id="mux", port=21309, type="INTERNAL UNLISTED", bind="127.0.0.1 " + path("mux.sock"), cps="0 1"),
    named("muxed", None, type="TCPMUX UNLISTED", flags="IDONLY NOLIBWRAP"),
    named("busy", 21308),
    named("ends", 21307, log_on_success="HOST USERID EXIT"),
])
daemon = Daemon(conf)
check("IDONLY that lets everybody in is pointed out",
      "IDONLY has no effect without USERID, everybody is served" in daemon.log(), daemon.log())

# --- those that take long: begun now, looked at in the end -----------------------------------------------

began = time.monotonic()
slow = connect(21000 + list(SOURCES).index("hangs"), HANGS)
slow.sendall(b"x")
slow.shutdown(socket.SHUT_WR)
slow_only = connect(21100 + list(SOURCES).index("hangs"), HANGS)
check("two ident servers hang", wait_for(lambda: identd.waits() == 2))

# --- asked first -------------------------------------------------------------------------------------------

for i, (kind, source) in enumerate(SOURCES.items()):
    if kind == "hangs":
        continue
    answer, port = ask_from(source, 21000 + i)
    equal("ident server %s: the client is served" % kind, answer, b"x")
    start = ["START: ask-%s from=%s" % (kind, source)]
    said = ["USERID: ask-%s %s" % (kind, USERID[kind])] if kind in USERID else []
    expect("ident server %s: START and what it says" % kind, "ask-" + kind, start + said)
    if kind == "good":
        equal("the ports are those of the connection, the client's first", identd.questions[-1],
              ("127.0.0.1", GOOD, port, 21000 + i))
    answer, port = ask_from(source, 21100 + i)
    equal("IDONLY, ident server %s: served or not" % kind, answer, b"x" if kind in USERID else b"no\n")
    start[0] = start[0].replace("ask-", "only-")
    expect("IDONLY, ident server %s: one outcome" % kind, "only-" + kind,
           start + [said[0].replace("ask-", "only-")] if said else [
               "FAIL: only-%s ident from=%s" % (kind, source), "NOID: only-%s %s %s" % (kind, source, WHY[kind])])

equal("IDONLY without a log: an answer", ask_from(GOOD, 21150)[0], b"x")
equal("IDONLY without a log: none", ask_from(NONE, 21150)[0], b"no\n")
before = len(identd.questions)
equal("IDONLY without USERID serves", ask_from(NONE, 21151)[0], b"x")
equal("and those who could answer are not asked", (ask_from(GOOD, 21151)[0], len(identd.questions)), (b"x", before))

# --- from the address that the client has called, by both families ------------------------------------------

equal("a client of another address of ours", ask_from(GOOD, 21000, "127.0.0.99")[0], b"x")
equal("its ident server is asked from there", identd.questions[-1][:2], ("127.0.0.99", GOOD))
answer, port = ask_from("::1", 21000)
equal("IPv6", (answer, identd.questions[-1]), (b"x", ("::1", "::1", port, 21000)))
wanted = ["START: ask-good from=127.0.1.1", "USERID: ask-good UNIX :joe user"] * 2 + [
    "START: ask-good from=::1", "USERID: ask-good UNIX :joe user"]
if has_zone:
    answer, port = ask_from(ZONE, 21000, ZONE)
    equal("a link-local address", (answer, identd.questions[-1][1:]), (b"x", (ZONE, port, 21000)))
    wanted += ["START: ask-good from=" + ZONE, "USERID: ask-good UNIX :joe user"]
expect("all of them are recorded", "ask-good", wanted)

# --- whatever serves -----------------------------------------------------------------------------------------

for name, port in (("echo", 21302), ("through", 21303)):
    equal(name + ": serves", ask_from(GOOD, port)[0], b"x")
    expect(name + ": START, USERID, EXIT", name,
           ["START: " + name, "USERID: %s UNIX :joe user" % name, "EXIT: %s status=0" % name])
before = len(identd.questions)
equal("a Unix socket", ask_unix(socket.SOCK_STREAM, path("both.sock"), b"x"), b"x")
expect("nobody is asked about it", "both", ["START: both from=unix", "EXIT: both status=0"])
equal("indeed nobody", len(identd.questions), before)
equal("its TCP clients", ask_from(GOOD, 21304)[0], b"x")
expect("are asked about", "both", ["START: both from=unix", "EXIT: both status=0", "START: both from=" + GOOD,
                                   "USERID: both UNIX :joe user", "EXIT: both status=0"])

equal("by tcpmux, who can be identified", ask_from(GOOD, 21309, data=b"muxed\r\nx")[0], b"x")
equal("but nobody else", ask_from(NONE, 21309, data=b"muxed\r\nx")[0], b"")
equal("nor by a Unix socket", ask_unix(socket.SOCK_STREAM, path("mux.sock"), b"muxed\r\nx"), b"")
expect("as its records say", "muxed", [
    "START: muxed from=" + GOOD, "USERID: muxed UNIX :joe user", "FAIL: muxed ident from=" + NONE,
    "NOID: muxed %s no server" % NONE, "FAIL: muxed ident from=unix", "NOID: muxed unix system error"])

# --- refused ---------------------------------------------------------------------------------------------------

for name, port, reason, host in (("refused-instances", 21201, "service_limit", True), ("refused-address", 21202, "address", False),
                                 ("refused-time", 21203, "time", True), ("refused-load", 21204, "load", True),
                                 ("refused-source", 21205, "per_source_limit", True)):
    answer, client = ask_from(GOOD, port)
    equal(name + ": is told so", answer, b"no\n" if name == "refused-instances" else b"")
    expect(name + ": FAIL, then who it was", name, ["FAIL: %s %s%s" % (name, reason, " from=" + GOOD if host else ""),
                                                   "USERID: %s UNIX :joe user" % name])
    equal(name + ": the right connection", identd.questions[-1], ("127.0.0.1", GOOD, client, port))
before = len(identd.questions)
equal("without USERID in log_on_failure", ask_from(GOOD, 21206)[0], b"")
expect("there is FAIL alone", "refused-quietly", ["FAIL: refused-quietly service_limit from=" + GOOD])
equal("and no question", len(identd.questions), before)
equal("nobody answers: told at once", ask_from(NONE, 21201)[0], b"no\n")
expect("and FAIL alone", "refused-instances", ["FAIL: refused-instances service_limit from=" + GOOD,
                                              "USERID: refused-instances UNIX :joe user",
                                              "FAIL: refused-instances service_limit from=" + NONE])

# An ident server that hangs keeps a refused connection open for a moment, and not for half a minute.
held = connect(21207, HANGS)
check("a third one hangs", wait_for(lambda: identd.waits() == 3))
at = time.monotonic()
equal("the refused client has its banner", held.recv(3), b"no\n")
equal("and then the end, though nobody has answered", (receive_all(held), identd.waits()), (b"", 3))
check("after three seconds", time.monotonic() - at < 20, time.monotonic() - at)
held.close()

# --- a thousand refused clients whose ident server hangs (D64) ---------------------------------------------------

most = 0
crowd = []
for i in range(1000):
    crowd.append(connect(21207, HANGS))
    most = max(most, identd.waits())
    if i % 100 == 0:
        equal("number %d: others are served at once" % i, ask_from(GOOD, 21301)[0], b"x")
fails = ["FAIL: refused-hold service_limit from=" + HANGS] * 1001
wait_for(lambda: len(lines("refused-hold")) >= 1001)
equal("each has its FAIL and nothing else", lines("refused-hold"), fails)
check("never more than 15 look-ups for them", 10 < most <= 15 + 2, most)
check("no more processes", len(daemon.children()) <= 15 + 2 + 2, daemon.children())
said = daemon.log().count("refused client is not identified: 15 look-ups run already")
check("the log says it once a minute", 1 <= said <= 1 + (time.monotonic() - began) // 60, said)
for s in crowd:
    s.close()
check("descriptors come back", wait_for(lambda: daemon.descriptors() < 128))
early = not lines("ask-hangs") and not lines("only-hangs")
check("the two that were there first still wait", early or time.monotonic() - began > 29)

# --- reload and end while asking ------------------------------------------------------------------------------------

asked = len(identd.hanging)
waiting = {name: connect(port, HANGS) for name, port in (("leaves", 21305), ("changes", 21306), ("ends", 21307))}
for s in waiting.values():
    s.sendall(b"x")
    s.shutdown(socket.SHUT_WR)
check("three more are asked about", wait_for(lambda: len(identd.hanging) == asked + 3))
less = conf.replace(named("leaves", 21305, log_on_success="HOST USERID EXIT"), "").replace(
    named("changes", 21306, log_on_success="HOST USERID EXIT"),
    named("changes", 21306, log_on_success="HOST USERID EXIT", nice="3"))
check("a reload", daemon.reload(less))
equal("the service that has gone refuses who it was asking about", receive_all(waiting["leaves"]), b"")
equal("that is recorded once", len(lines("leaves")), 1)
check("as a refusal", lines("leaves")[0].startswith("FAIL: leaves "), lines("leaves"))

# --- the deadline ---------------------------------------------------------------------------------------------------

equal("without an answer within half a minute, the client is served", receive_all(slow), b"x")
check("not before", time.monotonic() - began > 29, time.monotonic() - began)
expect("START alone", "ask-hangs", ["START: ask-hangs from=" + HANGS])
equal("but not with IDONLY", receive_all(slow_only), b"no\n")
expect("which says why", "only-hangs", ["FAIL: only-hangs ident from=" + HANGS, "NOID: only-hangs %s timeout" % HANGS])
equal("one whose service has not changed is served", receive_all(waiting["ends"]), b"x")
expect("and recorded", "ends", ["START: ends from=" + HANGS, "EXIT: ends status=0"])
check("one whose service has changed is asked about once more", wait_for(lambda: len(identd.hanging) == asked + 4))
identd.release()
equal("and served, as its ident server gives up", receive_all(waiting["changes"]), b"x")
expect("and recorded, too", "changes", ["START: changes from=" + HANGS, "EXIT: changes status=0"])

# --- hundreds of clients whose ident servers hang, at one service ---------------------------------------------------------

crowd = [connect(21308, HANGS) for _ in range(300)]
check("some of them are asked about", wait_for(identd.waits))
share = identd.waits()
while wait_for(lambda: identd.waits() > share, 1.5):
    share = identd.waits()
check("a quarter of what there can be, and no more", share <= 256 // 4 + 1, share)
equal("clients of another service are asked about at once", ask_from(GOOD, 21000)[0], b"x")
check("while those wait", identd.waits() > share / 2, identd.waits())
for s in crowd:
    s.close()
equal("and go away", wait_for(lambda: identd.release() or not gates()), True)

# --- the end ---------------------------------------------------------------------------------------------------------

identd.release()
last = connect(21307, HANGS)
check("one more hangs", wait_for(lambda: identd.hanging))
daemon.stop()
equal("the end of the daemon refuses it", receive_all(last), b"")
equal("with one record", [x.split()[0] for x in lines("ends")], ["START:", "EXIT:", "FAIL:"])
check("no process is left", wait_for(lambda: not gates()), gates())
finish()
