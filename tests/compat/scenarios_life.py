# SPDX-License-Identifier: ISC
"""Scenarios: internal services, options, signals, reload, inetd.conf, the logs themselves (compat 3, 4, 5, 6)."""

import os
import re
import signal
import socket
import time

from table import add, alone, ask, close, crowd, ended, held, hold, hup, pause, release, sees, send, stanza, udp, until, until_log

# --- 6 internal services ------------------------------------------------------------------------------------


def internal(name, lines="", kind="stream"):
    return stanza("type = INTERNAL UNLISTED\n-server\n-server_args\n-user\nid = $NAME\nsocket_type = %s\nwait = %s\n%s" % (
        kind, "no" if kind == "stream" else "yes", lines), name)


def form(text):
    """Numbers and month as their form only."""
    return re.sub(r"\d", "9", re.sub(r"\b(JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC)\b", "MON", text))


def near_now(run, data):
    return abs(int.from_bytes(data, "big") - 2208988800 - time.time()) < 5 and len(data)


def raw_tcp(run):
    s = run.connect(None, None, 1)
    with s:
        return b"".join(iter(lambda: s.recv(4096), b""))


def raw_udp(run, data=b"x"):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(5)
        s.sendto(data, ("127.0.0.1", run.port))
        return s.recv(65536)


def chargen(run, size):
    s = run.connect(None, None, 1)
    got = b""
    with s:
        while len(got) < size:
            got += s.recv(65536)
    lines = got[:size].decode("ascii").split("\r\n")
    return "%s ... %s" % (lines[0], " ".join(line[:1] for line in lines[:-1]))


def burst(run, count):
    """Several datagrams at once, and how many answers there are."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        os.kill(run.daemon.pid, signal.SIGSTOP)
        for i in range(count):
            s.sendto(b"%d" % i, ("127.0.0.1", run.port))
        os.kill(run.daemon.pid, signal.SIGCONT)
        s.settimeout(0.4)
        answers = 0
        try:
            while s.recv(4096):
                answers += 1
        except socket.timeout:
            return answers


add("internal-echo", "6", internal("echo"), [ask(b"hello\n"), ask(b"x" * 100000), ask(src="fd00::2", data=b"six")])
add("internal-discard", "6", internal("discard"), [ask(b"x" * 100000), close()])
add("internal-daytime", "6", internal("daytime"), [sees("the form", lambda run: form(run.ask()))])
add("internal-time", "6", internal("time"), [sees("seconds since 1900", lambda run: near_now(run, raw_tcp(run)))])
add("internal-chargen", "6", internal("chargen"), [sees("lines", lambda run: chargen(run, 74 * 200))])
add("internal-echo-dgram", "6", internal("echo", kind="dgram"), [udp(b"hello"), pause(0.1), udp(b"x" * 2000, size=True)])
add("internal-echo-dgram-large", "6", internal("echo", kind="dgram"), [udp(b"x" * 4000, size=True)])
add("internal-discard-dgram", "6", internal("discard", kind="dgram"), [udp(b"hello", seconds=0.2)])
add("internal-daytime-dgram", "6", internal("daytime", kind="dgram"), [sees("the form", lambda run: form(raw_udp(run).decode()))])
add("internal-time-dgram", "6", internal("time", kind="dgram"), [sees("the time", lambda run: near_now(run, raw_udp(run)))])
add("internal-chargen-dgram", "6", internal("chargen", kind="dgram"), [udp(size=True)])
add("internal-dgram-burst", "6", internal("echo", kind="dgram"), [sees("answers", lambda run: burst(run, 5))], skip="log")
add("internal-dgram-low-port", "8.10", internal("echo", kind="dgram"), [udp(sport=900, src="127.0.0.2", seconds=0.3)])
add("internal-dgram-refused", "5.2", internal("echo", "only_from = 10.1.2.3", "dgram"), [
    udp(src="127.0.0.2", seconds=0.2), udp(src="127.0.0.2", seconds=0.2)])
add("internal-dgram-bound", "6", internal("echo", "bind = 10.0.0.1", "dgram"), [udp(src="10.1.2.3"), udp(seconds=0.2)])
add("internal-capitals", "6", internal("ECHO"), [ask(b"x")])
add("internal-instances", "8.1", internal("echo", "instances = 1"), [
    sees("the first", lambda run: stay(run, b"a\n")), sees("the second", lambda run: stay(run, b"b\n")), release()])
add("internal-per-source", "8.2", internal("discard", "per_source = 0"), [close()])
add("internal-server-ignored", "6", internal("echo", "server = /bin/false"), [ask(b"x")])
add("internal-user", "6", internal("echo", "user = nobody"), [ask(b"x")])
add("internal-wait", "6", internal("daytime", "wait = yes"), [sees("the form", lambda run: form(run.ask()))])
add("internal-services", "6.1", internal("services"), [sees("it is there", lambda run: run.ask()[:7])])
add("internal-servers", "6.1", internal("servers"), [sees("it is there", lambda run: run.ask()[:7])])
add("internal-xadmin", "6.1", internal("xadmin"), [ask()])


def stay(run, data):
    s = run.connect(None, None, 1)
    try:
        s.sendall(data)
        got = run.receive(s, b"\n")
    except OSError:
        got = "closed"
    run.connections.append(s)
    return got


def two_pieces(run, first, second):
    s = run.connect(None, None, 1)
    with s:
        s.sendall(first)
        time.sleep(0.2)
        try:
            s.sendall(second)
            s.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        return run.receive(s).rstrip("\n")


def mux(more=""):
    return internal("tcpmux", "user = root" + more) + \
        stanza("type = TCPMUX UNLISTED\n-port\nuser = nobody", "$NAME-a") + \
        stanza("type = TCPMUXPLUS UNLISTED\n-port\nuser = nobody", "$NAME-b")


MUX = mux()
# An IPv4 client of an IPv6 socket is one of either family for a server of ours, depending on who is faster.
MUX_IPV4 = mux("\nflags = IPv4")
add("tcpmux", "6.5", MUX, [ask(b"tcpmux-a\r\n")], skip="log")
add("tcpmux-plus", "6.5", MUX, [ask(b"tcpmux-plus-b\r\n")], skip="log")
add("tcpmux-unknown", "6.5", MUX, [ask(b"nosuch\r\n")], skip="log")
add("tcpmux-help", "6.5", MUX, [ask(b"help\r\n")], skip="log")
add("tcpmux-more-data", "6.5", MUX, [ask(b"tcpmux-more-data-a\r\nhello")], skip="log")
add("tcpmux-no-crlf", "6.5", MUX, [ask(b"tcpmux-no-crlf-a")], skip="log")
add("tcpmux-slow", "6.5", MUX, [sees("in two pieces", lambda run: two_pieces(run, b"tcpmux-sl", b"ow-a\r\n"))], skip="log")
add("tcpmux-user", "6.5", MUX_IPV4 + stanza("type = TCPMUX UNLISTED\n-port\nserver_args = world\nuser = nobody", "$NAME-c"), [
    ask(b"tcpmux-user-c\r\n")], skip="log")
add("tcpmux-refused", "6.5", MUX + stanza("type = TCPMUX UNLISTED\n-port\nonly_from = 10.1.2.3", "$NAME-c"), [
    ask(b"tcpmux-refused-c\r\n"), ask(b"tcpmux-refused-c\r\n", src="10.1.2.3")], skip="log")
add("tcpmux-limit", "6.5", MUX + stanza("type = TCPMUX UNLISTED\n-port\ninstances = 0", "$NAME-c"), [
    ask(b"tcpmux-limit-c\r\n")], skip="log")
add("tcpmux-load", "6.5", MUX + stanza("type = TCPMUX UNLISTED\n-port\nmax_load = -1", "$NAME-c"), [
    ask(b"tcpmux-load-c\r\n")], skip="log")
add("tcpmux-world", "6.5", MUX_IPV4 + stanza(
    "type = TCPMUX UNLISTED\n-port\nserver_args = world\nnice = 4\numask = 027\nrlimit_cpu = 40\nenv = A=b\npassenv =", "$NAME-c"), [
    ask(b"tcpmux-world-c\r\n")], skip="log")
add("tcpmux-lf", "6.5", MUX, [ask(b"tcpmux-lf-a\n")], skip="log")
add("tcpmux-empty", "6.5", MUX, [ask(b"\r\n")], skip="log")
add("tcpmux-long", "6.5", MUX, [ask(b"x" * 300 + b"\r\n")], skip="log")
add("tcpmux-data-in-name", "6.5", MUX, [ask(b"tcpmux data in name\r\n")], skip="log")
add("tcpmux-alone", "6.5", stanza("type = TCPMUX UNLISTED\n-port\nuser = nobody"), [ask()])
add("tcpmux-wait", "6.5", MUX + stanza("type = TCPMUX UNLISTED\n-port\nwait = yes", "$NAME-c"), [ask(b"tcpmux-wait-c\r\n")], skip="log")
alone("tcpmux-libwrap", "6.5", MUX, [ask(b"tcpmux-libwrap-a\r\n"), ask(b"tcpmux-libwrap-a\r\n", src="10.1.2.3"),
                                     ask(b"tcpmux-libwrap-b\r\n", src="10.1.2.3")],
      skip="log", files={"/etc/hosts.deny": "witness: 10.1.2.3\n"})
add("tcpmux-not-of-type", "6.5", MUX + stanza("port = $PORT2", "$NAME-d"), [ask(b"tcpmux-not-of-type-d\r\n")], skip="log")
add("tcpmux-capitals", "6.5", MUX, [ask(b"TCPMUX-Capitals-A\r\n")], skip="log")
add("tcpmux-log", "6.5", MUX, [ask(b"tcpmux-log-a\r\n")])
add("tcpmux-unlisted-missing", "1.8", stanza("type = TCPMUX\n-port"), [ask()])
add("rpc-no-portmapper", "2.1", "type = RPC UNLISTED\nrpc_version = 2\nrpc_number = 536870912\n-port\nprotocol = tcp", [ask()])
add("rpc-version-bad", "2.1", "type = RPC UNLISTED\nrpc_version = 3-2\nrpc_number = 536870912\n-port\nprotocol = tcp", [ask()])

# --- 3 options, 3.1 start and end -----------------------------------------------------------------------------


def status_only(*options):
    """Starts it, and says how it ended."""
    return options


NOTHING = "# nothing\n"
alone("option-version", "3", NOTHING, [ended()], options=("-version",), starts=False, skip="messages")
alone("option-unknown", "3", stanza(), [ended(0.7)], options=("-bogus",), starts=False, skip=("messages", "listens"))
alone("option-word", "3", stanza(), [ended()], options=("extra",), starts=False)
alone("option-limit-bad", "3", stanza(), [ended()], options=("-limit", "x"), starts=False)
alone("option-missing-value", "3", stanza(), [ended()], options=("-limit",), starts=False)
alone("option-two-logs", "3", stanza(), [ended()], options=("-filelog", "$DIR/messages", "-syslog", "daemon"), starts=False)
alone("option-old-ones", "3", stanza(), [ask()], options=("-reuse", "-cc", "60", "-logprocs", "3", "-inetd_ipv6", "-stayalive"))
alone("option-loop", "3", stanza(), [ended(0.7)], options=("-loop", "10"), starts=False, skip=("messages", "listens"))
alone("option-pidfile", "3", stanza(), [
    sees("the pid file", lambda run: same_pid(run)), send("TERM"), ended(),
    sees("it is gone", lambda run: not os.path.exists("/run/compat/pid"))], options=("-pidfile", "$DIR/pid"), skip="dump")
alone("option-file-missing", "3.1", stanza(), [ended()], options=("-nofile", "-f", "$DIR/nothing-here"), starts=False)
alone("start-foreground-empty", "3.1", NOTHING, [], skip="dump")
alone("start-background", "3.1", stanza(), [
    sees("the caller's status", lambda run: run.daemon.process.wait(10)), sees("it comes", lambda run: came(run)), ask(),
    sees("it goes", lambda run: end_background(run))],
    options=("-background", "-pidfile", "$DIR/pid"), starts=False, skip=("messages", "listens"))
alone("start-background-empty", "3.1", NOTHING, [
    sees("the caller's status", lambda run: run.daemon.process.wait(10)),
    sees("it said", lambda run: bool(run.daemon.wait_message_any("no services. Exiting")))],
    options=("-background",), starts=False, skip="messages")
alone("start-background-stay-alive", "3.1", NOTHING, [
    sees("the caller's status", lambda run: run.daemon.process.wait(10)), sees("it comes", lambda run: came(run)),
    sees("it goes", lambda run: end_background(run))],
    options=("-background", "-stayalive", "-pidfile", "$DIR/pid"), starts=False, skip="messages")
alone("start-many", "3.1", "".join(stanza("port = $PORT%s" % n, "$NAME-" + (n or "1")) for n in ("", "2", "3", "4", "5")), [],
      skip="dump")


def same_pid(run):
    with open("/run/compat/pid") as file:
        text = file.read()
    return text == "%d\n" % run.daemon.pid and oct(os.stat("/run/compat/pid").st_mode)


def came(run):
    from world import wait_for
    good = wait_for(lambda: os.path.exists("/run/compat/pid") and "Started working" in run.daemon.messages(), 10)
    if good:
        with open("/run/compat/pid") as file:
            run.daemon.pid = int(file.read())
    return bool(good)


def end_background(run):
    from world import wait_for
    with open("/run/compat/pid") as file:
        pid = int(file.read())
    os.kill(pid, signal.SIGTERM)
    return bool(wait_for(lambda: "Exiting..." in run.daemon.messages(), 10)) and bool(
        wait_for(lambda: not os.path.exists("/run/compat/pid"), 10))


# --- 4 signals ---------------------------------------------------------------------------------------------------

HELD = stanza("server_args = hold")
alone("signal-term", "4", HELD, [hold(), send("TERM"), ended(), held(), ask()], skip=("dump", "log"))
alone("signal-quit", "4", HELD, [hold(), send("QUIT"), ended(), held()], skip=("dump", "log"))
alone("signal-term-internal", "4", stanza("type = INTERNAL UNLISTED\n-server\n-server_args", "echo"), [
    sees("echo", lambda run: stay(run, b"a\n")), send("TERM"), ended(), held()], skip=("dump", "log"))
alone("signal-int", "4", HELD, [send("INT"), ended(0.4)], skip="dump")
for name in ("ALRM", "IO", "PIPE", "CONT", "TSTP", "TTIN", "TTOU", "WINCH", "URG", "VTALRM", "PROF"):
    alone("signal-" + name.lower(), "4", stanza(), [send(name), pause(0.05), ask()], skip="dump")
alone("signal-usr1", "4.2", stanza(), [send("USR1"), until("generated state dump"), ask()])
alone("signal-abrt", "4", stanza(), [ask(), send("ABRT"), until("Consistency check passed")])
alone("signal-usr2", "4", stanza(), [ask(), send("USR2"), until("Reconfigured"), ask()])

# --- 4.1 reload ------------------------------------------------------------------------------------------------------

MORE = stanza("port = $PORT2", "$NAME-2")
MANY = stanza("port = $PORT3", "$NAME-3")
alone("reload-same", "4.1", HELD, [hold(), hup(), held(), hold(), release()])
alone("reload-adds", "4.1", stanza(), [ask(port=2), hup(stanza() + MORE), ask(), ask(port=2)])
alone("reload-removes", "4.1", HELD + MORE, [hold(), hup(MORE), held(), ask(), ask(port=2)])
alone("reload-removes-idle", "4.1", stanza() + MORE, [hup(MORE), ask(), ask(port=2)])
alone("reload-disables", "4.1", stanza() + MORE, [hup(stanza("disable = yes") + MORE), ask(), ask(port=2)])
alone("reload-moves-port", "4.1", HELD, [hold(), hup(stanza("server_args = hold\nport = $PORT2")), held(), ask(), hold(port=2),
      release()])
alone("reload-new-settings", "4.1", stanza("server_args = hold\ninstances = 1"), [
    hold(), hold(), hup(stanza("server_args = hold\ninstances = 2")), hold(), hold(), release()])
alone("reload-tighter-access", "4.1", HELD, [hold(src="10.1.2.3"), hup(stanza("server_args = hold\nno_access = 10.1.2.3")),
      held(), hold(src="10.1.2.3"), hold(), release()])
alone("reload-new-server", "4.1", stanza(), [ask(), hup(stanza("server_args = exit 9")), ask()])
alone("reload-bind-added", "4.1", HELD, [hold(), hup(stanza("server_args = hold\nbind = 127.0.0.1")), held(), hold(),
      hold(src="10.1.2.3"), release()])
alone("reload-bind-removed", "4.1", stanza("bind = 127.0.0.1"), [ask(src="10.1.2.3"), hup(stanza()), ask(), ask(src="10.1.2.3")])
alone("reload-bind-v6-removed", "4.1", stanza("bind = ::1"), [ask(dst="::1"), hup(stanza()), ask(dst="::1"), ask()])
alone("reload-family", "4.1", HELD, [hold(), hup(stanza("server_args = hold\nflags = IPv4")), held(), hold(), release()])
alone("reload-broken-stanza", "4.1", HELD + MORE, [hold(), hup(stanza("server_args = hold\ninstances = x") + MORE), held(), hold(),
      ask(port=2), release()])
alone("reload-no-file", "4.1", stanza(), [
    sees("renamed", lambda run: os.rename(run.daemon.main, run.daemon.main + ".away")), hup(), ask()])
alone("reload-nothing-left", "4.1", stanza(), [hup(NOTHING), ask(), ended(0.1)], skip="dump")
alone("reload-many", "4.1", stanza() + MORE, [hup(stanza() + MORE + MANY), hup(MANY), hup(MORE + MANY), ask(), ask(port=2), ask(port=3)])
alone("reload-log-moved", "4.1", stanza(), [
    ask(), until_log("EXIT"), sees("renamed", lambda run: os.rename("/run/compat/log", "/run/compat/log.1")), hup(), ask()])
alone("reload-from-enabled", "4.1", stanza() + MORE, [hup("defaults\n{\nenabled = $NAME-2\n}\n" + stanza() + MORE), ask(), ask(port=2)])
alone("reload-user", "4.1", stanza("server_args = world"), [hup(stanza("server_args = world\nuser = nobody")), ask()])
alone("reload-wait", "4.1", stanza(), [ask(), hup(stanza("wait = yes\nserver_args = accept 1 500")), ask()])
alone("reload-cps-rests", "4.1", stanza("cps = 2 60"), [crowd(5), ask(), hup(), ask()])

# --- 3.2 inetd.conf ------------------------------------------------------------------------------------------------------


def inetd(name, line, do, conf="# nothing\n", **more):
    alone("inetd-" + name, "3.2", conf, do, options=("-inetd_compat",), files={"/etc/inetd.conf": line + "\n"}, **more)


WHO = "$W witness who"
inetd("nowait", "$NAME stream tcp nowait root " + WHO, [ask(), ask(src="fd00::2")])
inetd("world", "$NAME stream tcp nowait nobody $W witness world", [ask()])
inetd("argv0", "$NAME stream tcp nowait root $W other world x", [ask()])
inetd("user-group", "$NAME stream tcp nowait compat.compatone $W witness world", [ask()])
inetd("user-colon-group", "$NAME stream tcp nowait compat:compatone $W witness world", [ask()])
inetd("wait-dgram", "$NAME dgram udp wait root $W witness dgram 1 500", [udp()])
inetd("wait-stream", "$NAME stream tcp wait root $W witness accept 1 500", [ask()])
inetd("comments", "# $NAME stream tcp nowait root $W witness who\n\n  # more", [ask()])
inetd("comment-behind", "$NAME stream tcp nowait root $W witness world # x", [ask()])
inetd("nowait-number", "$NAME stream tcp nowait.40 root " + WHO, [ask()])
inetd("nowait-colon", "$NAME stream tcp nowait:40 root " + WHO, [ask()])
inetd("tcp6", "$NAME stream tcp6 nowait root " + WHO, [ask(), ask(src="fd00::2")])
inetd("port-number", "$PORT stream tcp nowait root " + WHO, [ask()])
inetd("address", "127.0.0.1:$NAME stream tcp nowait root " + WHO, [ask(), ask(src="10.1.2.3")])
inetd("unknown-name", "nosuchname stream tcp nowait root " + WHO, [ask()])
inetd("no-argv0", "$NAME stream tcp nowait root $W", [ask()])
inetd("three-fields", "$NAME stream tcp", [ask()])
inetd("two-fields", "$NAME stream", [ended(4)], starts=False, skip=("messages",))
inetd("server-missing", "$NAME stream tcp nowait root /no/such/server x", [ask()])
inetd("user-unknown", "$NAME stream tcp nowait nosuchuser " + WHO, [ask()])
inetd("internal-echo", "echo stream tcp nowait root internal", [sees("echo", lambda run: run.ask(b"x", port=7))], skip="log")
inetd("internal-discard", "discard stream tcp nowait root internal", [sees("discard", lambda run: run.ask(b"x", port=9))],
      skip="log")
inetd("internal-unknown", "$NAME stream tcp nowait root internal", [ask()])
inetd("defaults-access", "$NAME stream tcp nowait root " + WHO, [ask(), ask(src="10.1.2.3")],
      conf="defaults\n{\nonly_from = 10.1.2.3\n}\n")
inetd("defaults-limits", "$NAME stream tcp nowait root " + WHO, [ask()],
      conf="defaults\n{\ninstances = 0\nlog_type = FILE $LOG\nlog_on_failure = HOST\n}\n")
inetd("defaults-log", "$NAME stream tcp nowait root " + WHO, [ask()],
      conf="defaults\n{\nlog_type = FILE $LOG\nlog_on_success = PID HOST EXIT\n}\n")
inetd("beside", "$NAME stream tcp nowait root $W witness exit 5", [ask()], conf=stanza())
inetd("beside-disabled", "$NAME stream tcp nowait root " + WHO, [ask()], conf=stanza("disable = yes"))
inetd("beside-other", "$NAME stream tcp nowait root " + WHO, [ask(), ask(port=2)], conf=stanza("port = $PORT2", "$NAME-2"))
alone("inetd-missing", "3.2", stanza(), [ask()], options=("-inetd_compat",))
alone("inetd-reload", "3.2", "# nothing\n", [
    ask(), sees("written", lambda run: write_inetd(run)), hup(), ask()], options=("-inetd_compat",), files={"/etc/inetd.conf": ""})


def write_inetd(run):
    with open("/etc/inetd.conf", "w") as file:
        file.write("%s stream tcp nowait root /run/compat/witness witness who\n" % run.scenario.name)


# --- 5 the logs themselves ------------------------------------------------------------------------------------------------


def received(run, pattern, count, seconds=5):
    """What came to /dev/log that matches, numbers taken out."""
    deadline = time.monotonic() + seconds
    lines = []
    while time.monotonic() < deadline:
        try:
            text = run.syslog.recv(8192).decode("utf-8", "replace").rstrip("\n\0")
        except BlockingIOError:
            if sum(bool(re.search(pattern, line)) for line in lines) >= count:
                break
            time.sleep(0.005)
            continue
        lines.append(text)
    shape = [re.sub(r"pid=\d+", "pid=N", re.sub(r"\[\d+\]", "[N]", re.sub(
        r">\w+ +\d+ \d\d:\d\d:\d\d ", ">TIME ", re.sub(r"duration=\d+", "duration=N", line)))) for line in lines]
    return " | ".join(line.replace("xinetd[", "DAEMON[").replace("usherd[", "DAEMON[").replace("::ffff:", "")
                      for line in shape if re.search(pattern, line))


alone("syslog-service", "5.1", "log_type = SYSLOG authpriv notice", [
    ask(), sees("records", lambda run: received(run, r"(START|EXIT): ", 2))], skip="log")
alone("syslog-service-default", "5.1", "log_type = SYSLOG local3\nno_access = 127.0.0.1\nlog_on_success =", [
    ask(), sees("records", lambda run: received(run, r"FAIL: ", 1))], skip="log")
alone("syslog-daemon", "5.1", stanza(), [
    sees("messages", lambda run: received(run, r"Started working", 1))], options=("-syslog", "local1"), starts=False,
    skip=("dump", "listens", "messages"))
alone("filelog-form", "5.1", stanza(), [sees("a line", lambda run: re.sub(r"\d+", "9", next(
    line for line in run.daemon.messages().splitlines() if "Started working" in line).replace(run.daemon.side, "DAEMON"))),
    sees("mode", lambda run: oct(os.stat("/run/compat/messages").st_mode))], skip="dump")
alone("log-file-mode", "5.1", stanza(), [ask(), sees("mode", lambda run: oct(os.stat("/run/compat/log").st_mode))], skip="dump")
alone("log-file-hard-limit", "5.1", stanza("log_type = FILE $LOG 100 200"), [ask()] * 6 + [
    sees("it stays small", lambda run: limit_lines(run)),
    sees("errors", lambda run: "Error in" in run.daemon.messages())], skip=("dump", "log"))


def limit_lines(run):
    with open("/run/compat/log") as file:
        return len(file.read()) < 400
