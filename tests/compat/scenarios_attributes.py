# SPDX-License-Identifier: ISC
"""Scenarios: every attribute's values, and what the server finds (compat 2.1, 2.2, 2.6, 2.7, 7)."""

from table import add, alone, ask, identd, sees, stanza, udp, until_log

WORLD = "server_args = world\n"
IDENTITY = [ask()]

# --- 2.1 identity and program -----------------------------------------------------------------------

add("id", "2.1", "id = $NAME-other", [ask()])
add("type-bad", "2.1", "type = UNLISTED NONSENSE", [ask()])
add("flags-bad", "2.1", "flags = NONSENSE", [ask()])
add("flags-disable", "2.1", "flags = DISABLE", [ask()])
add("socket-type-bad", "2.1", "socket_type = strem", [ask()])
add("protocol-bad", "2.1", "protocol = nonsense", [ask()])
add("protocol-tcp6", "2.1", "protocol = tcp6", [ask()])
add("wait-bad", "2.1", "wait = maybe", [ask()])
add("port-bad", "2.1", "port = 65536", [ask()])
add("port-negative", "2.1", "port = -5", [ask()])
add("port-name", "2.1", "port = $NAME", [ask()])
add("server-missing", "2.1", "server = $DIR/none", [ask()])
add("server-not-executable", "2.1", "server = $DIR/plain-file", [ask()], files={"$DIR/plain-file": "text"})
add("server-directory", "2.1", "server = $DIR", [ask()])
add("server-args-empty", "2.1", "server_args =", [ask()])
add("server-args-none", "2.1", "-server_args", [ask()])
add("user-unknown", "2.1", "user = nosuchuser", [ask()])
add("user-capitals", "2.1", "user = NOBODY", [ask()])
add("user-nobody", "2.1", WORLD + "user = nobody", IDENTITY)
add("user-number", "2.1", WORLD + "user = 65534", IDENTITY)
add("user-number-unknown", "2.1", WORLD + "user = 61234", IDENTITY)
add("group", "2.1", WORLD + "user = compat\ngroup = compatone", IDENTITY)
add("group-number", "2.1", WORLD + "user = nobody\ngroup = 61235", IDENTITY)
add("group-unknown", "2.1", "group = nosuchgroup", [ask()])
add("group-without-user", "2.1", WORLD + "user = root\ngroup = compattwo", IDENTITY)
add("groups-yes", "2.1", WORLD + "user = compat\ngroups = yes", IDENTITY)
add("groups-no", "2.1", WORLD + "user = compat\ngroups = no", IDENTITY)
add("groups-yes-group", "2.1", WORLD + "user = compat\ngroup = daemon\ngroups = yes", IDENTITY)
add("groups-yes-unknown-number", "2.1", WORLD + "user = 61234\ngroups = yes", IDENTITY)
add("groups-bad", "2.1", "groups = some", [ask()])
add("umask", "2.1", WORLD + "umask = 027", [ask()])
add("umask-zero", "2.1", WORLD + "umask = 0", [ask()])
add("umask-decimal", "2.1", "umask = 089", [ask()])
add("umask-large", "2.1", "umask = 1000", [ask()])
add("nice", "2.1", WORLD + "nice = 5", [ask()])
add("nice-negative-root", "2.1", WORLD + "nice = -5", [ask()])
add("nice-negative", "2.1", WORLD + "nice = -5\nuser = nobody", [ask()])
add("nice-bad", "2.1", "nice = nice", [ask()])
add("env", "2.1", WORLD + "env = NEW=1 KEPT=changed EMPTY= A=b=c", [ask()])
add("env-added", "2.1", WORLD + "env = A=1\nenv += B=2", [ask()])
add("env-twice", "2.1", WORLD + "env = A=1 A=2", [ask()])
add("env-no-equals", "2.1", "env = WORD", [ask()])
add("env-remote-host", "2.1", WORLD + "env = REMOTE_HOST=mine", [ask()])
add("passenv", "2.1", WORLD + "passenv = KEPT\nenv = NEW=1", [ask()])
add("passenv-none", "2.1", WORLD + "passenv =", [ask()])
add("passenv-unknown", "2.1", WORLD + "passenv = KEPT NOSUCHNAME", [ask()])
add("passenv-removed", "2.1", WORLD + "passenv = KEPT OTHER\npassenv -= OTHER", [ask()])
for name, value in (("as", "800M"), ("cpu", "7"), ("data", "500m"), ("files", "50"), ("rss", "300K"), ("stack", "4M")):
    add("rlimit-" + name, "2.1", WORLD + "rlimit_%s = %s" % (name, value), [ask()])
add("rlimit-user", "2.1", WORLD + "rlimit_cpu = 9\nrlimit_files = 60\nuser = nobody", [ask()])
add("rlimit-unlimited", "2.1", WORLD + "rlimit_cpu = UNLIMITED\nrlimit_as = unlimited", [ask()])
add("rlimit-zero", "2.1", WORLD + "rlimit_cpu = 0", [ask()])
add("rlimit-bad", "2.1", "rlimit_as = much", [ask()])
add("rlimit-giga", "2.1", WORLD + "rlimit_as = 2G", [ask()])
add("rlimit-cpu-suffix", "2.1", "rlimit_cpu = 7k", [ask()])
add("mdns", "2.1", "mdns = yes", [ask()])
alone("nofile-soft", "7.5", WORLD, [ask()], limits=(300, 2000))
alone("careless-parent", "7.3", WORLD, [ask()], careless=True)
alone("remote-port", "7.3", WORLD, [ask()], raw=True)

# --- 2.2 network ------------------------------------------------------------------------------------

FAMILIES = [ask(), ask(src="10.1.2.3"), ask(dst="::1"), ask(src="fd00::2")]
add("bind-ipv4", "2.2", "bind = 10.0.0.1", FAMILIES)
add("bind-ipv6", "2.2", "bind = fd00::1", FAMILIES)
add("bind-any-ipv4", "2.2", "bind = 0.0.0.0", FAMILIES)
add("bind-any-ipv6", "2.2", "bind = ::", FAMILIES)
add("bind-name", "2.2", "bind = alpha.example.org", [ask(dst="10.1.2.3"), ask()])
add("bind-name-both", "2.2", "bind = localhost", FAMILIES)
add("bind-name-ipv4", "2.2", "bind = localhost\nflags = IPv4", FAMILIES)
add("bind-name-unknown", "2.2", "bind = no.such.name", [ask()])
add("bind-bad", "2.2", "bind = 10.0.0.256", [ask()])
add("bind-not-here", "2.2", "bind = 10.77.77.77", [ask()])
add("bind-two", "2.2", "bind = 127.0.0.1 10.0.0.1", FAMILIES)
add("bind-interface", "2.2", "interface = 127.0.0.1", FAMILIES)
add("bind-and-interface", "2.2", "bind = 127.0.0.1\ninterface = 10.0.0.1", FAMILIES)
add("bind-v6-flag-v4", "2.2", "bind = ::1\nflags = IPv4", FAMILIES)
add("bind-v4-flag-v6", "2.2", "bind = 127.0.0.1\nflags = IPv6", FAMILIES)
alone("bind-default-flag-v6", "2.2", "defaults\n{\nbind = 127.0.0.1\n}\n" + stanza("flags = IPv6"), FAMILIES)
add("flag-ipv4", "2.2", "flags = IPv4", FAMILIES)
add("flag-ipv6", "2.2", "flags = IPv6", FAMILIES)
add("flag-both", "2.2", "flags = IPv4 IPv6", FAMILIES)
add("v6only-yes", "2.2", "v6only = yes", FAMILIES)
add("v6only-no", "2.2", "v6only = no", FAMILIES)
add("v6only-bad", "2.2", "v6only = perhaps", [ask()])
add("mapped-socket", "7.1", WORLD, [ask(src="10.1.2.3"), ask(src="fd00::2")])
add("mapped-raw", "5.2", "", [ask(src="10.1.2.3")], raw=True)
BANNERS = {"$DIR/banner": "hello\n", "$DIR/banner-fail": "go away\n", "$DIR/banner-success": "welcome\n"}
add("banner", "2.2", "banner = $DIR/banner", [ask()], files=BANNERS)
add("banner-missing", "2.2", "banner = $DIR/no-banner", [ask()])
add("banner-success", "2.2", "banner_success = $DIR/banner-success\nno_access = 10.1.2.3", [ask(), ask(src="10.1.2.3")],
    files=BANNERS)
add("banner-fail", "2.2", "banner_fail = $DIR/banner-fail\nno_access = 10.1.2.3", [ask(), ask(src="10.1.2.3")], files=BANNERS)
add("banner-all", "2.2", "banner = $DIR/banner\nbanner_success = $DIR/banner-success\nbanner_fail = $DIR/banner-fail\n"
    "no_access = 10.1.2.3", [ask(), ask(src="10.1.2.3")], files=BANNERS)
add("banner-fail-limit", "2.2", "banner = $DIR/banner\nbanner_fail = $DIR/banner-fail\ninstances = 0", [ask()], files=BANNERS)
add("banner-internal", "2.2", "service daytime\n{\ntype = INTERNAL UNLISTED\nid = $NAME\nsocket_type = stream\nwait = no\n"
    "port = $PORT\nbanner = $DIR/banner\ninstances = 0\nno_access = 127.0.0.1\nbanner_fail = $DIR/banner-fail\n}\n", [ask()],
    files=BANNERS)

# --- redirect ---------------------------------------------------------------------------------------

add("redirect", "7.7", stanza("-server\n-server_args\nredirect = 127.0.0.1 $PORT2\nlog_on_success += TRAFFIC") +
    stanza("port = $PORT2\n-log_type\nflags = IPv4", "$NAME-target"), [ask()], skip="dump")
add("redirect-talk", "7.7", stanza("-server\n-server_args\nredirect = 127.0.0.1 $PORT2\nlog_on_success += TRAFFIC") +
    stanza("port = $PORT2\nserver_args = echo\n-log_type", "$NAME-target"), [
        sees("a word goes both ways", lambda run: exchange(run, b"word\n"))], skip="dump")
add("redirect-half-close", "7.7", stanza("-server\n-server_args\nredirect = 127.0.0.1 $PORT2") +
    stanza("port = $PORT2\n-server_args\nserver = /usr/bin/wc\n-log_type", "$NAME-target"), [ask(b"a b\nc\n")], skip="dump")
add("redirect-nobody-there", "7.7", "-server\n-server_args\nredirect = 127.0.0.1 1", [ask()], skip="dump")
add("redirect-refused", "7.7", stanza("-server\n-server_args\nno_access = 10.1.2.3\nredirect = 127.0.0.1 $PORT2") +
    stanza("port = $PORT2\n-log_type", "$NAME-target"), [ask(src="10.1.2.3")], skip="dump")
add("redirect-name", "7.7", stanza("-server\n-server_args\nredirect = localhost $PORT2") +
    stanza("port = $PORT2\n-log_type", "$NAME-target"), [ask()], skip="dump")
add("redirect-ipv6", "7.7", stanza("-server\n-server_args\nredirect = ::1 $PORT2") +
    stanza("port = $PORT2\n-log_type", "$NAME-target"), [ask()], skip="dump")
add("redirect-port-bad", "2.2", "-server\n-server_args\nredirect = 127.0.0.1 70000", [ask()])
add("redirect-one-word", "2.2", "-server\n-server_args\nredirect = 127.0.0.1", [ask()])
add("redirect-wait", "2.2", "-server\n-server_args\nredirect = 127.0.0.1 7\nwait = yes", [ask()])
add("redirect-dgram", "2.2", "-server\n-server_args\nredirect = 127.0.0.1 7\nsocket_type = dgram", [udp(seconds=0.2)])
add("redirect-needs-user", "1.8", "-server\n-server_args\nredirect = 127.0.0.1 7\n-user", [ask()])


def exchange(run, data):
    s = run.connect(None, None, 1)
    if isinstance(s, str):
        return s
    with s:
        s.sendall(data)
        return run.receive(s, data[-1:]).strip()


# --- 2.6 flags --------------------------------------------------------------------------------------

add("flag-reuse", "2.6", "flags = REUSE", [ask()])
add("flag-nodelay", "2.6", WORLD + "flags = NODELAY", [ask()])
add("flag-keepalive", "2.6", WORLD + "flags = KEEPALIVE NODELAY", [ask()])
add("flag-noretry", "2.6", "flags = NORETRY NOLIBWRAP", [ask()])
add("flag-nameinargs", "2.6", "-server_args\nflags = NAMEINARGS\nserver_args = other world b", [ask()])
add("flag-nameinargs-later", "2.6", "server_args = other world b\nflags = NAMEINARGS", [ask()])
add("flag-nameinargs-alone", "2.6", "-server_args\nflags = NAMEINARGS", [ask()])
add("flag-nameinargs-internal", "2.6", "service echo\n{\ntype = INTERNAL UNLISTED\nid = $NAME\nsocket_type = stream\nwait = no\n"
    "port = $PORT\nflags = NAMEINARGS\nserver_args = a\n}\n", [ask(b"x")])
add("flag-idonly-without-userid", "2.6", "flags = IDONLY", [ask()])
add("flag-idonly", "2.6", "flags = IDONLY\nlog_on_success += USERID", [ask()])
add("userid", "5.2", "log_on_success += USERID\nlog_on_failure += USERID", [ask()])
USERID = "log_on_success += USERID\nlog_on_failure += USERID\n"
GOOD = "$L , $R : USERID : UNIX :joe user\r\n"
alone("userid-answer", "5.2", USERID, [identd(GOOD), ask(), ask(src="fd00::2")])
alone("userid-error", "5.2", USERID, [identd("$L , $R : ERROR : NO-USER\r\n"), ask()])
for name, answer in (
        ("close", "$L,$R:USERID:UNIX:joe\r\n"), ("lower-case", "$L , $R : userid : UNIX : joe\r\n"),
        ("newline-only", "$L , $R : USERID : UNIX :joe\n"), ("no-end", "$L , $R : USERID : UNIX :joe"),
        ("no-system", "$L , $R : USERID : joe\r\n"), ("no-user", "$L , $R : USERID : UNIX :\r\n"), ("nothing", "$L , $R : USERID :\r\n"),
        ("empty", ""), ("more-lines", "$L , $R : USERID : UNIX :joe\r\nmore\r\n"), ("zeros", "0$L , 0$R : USERID : UNIX :joe\r\n"),
        ("long", "$L , $R : USERID : UNIX :" + 600 * "j" + "\r\n"), ("too-long", "$L , $R : USERID : UNIX :" + 3000 * "j" + "\r\n"),
        ("nul", "$L , $R : USERID : UNIX :joe\0x\r\n"), ("carriage-return", "$L , $R : USERID : UNIX :jo\re\r\n")):
    alone("idonly-answer-" + name, "5.2", USERID + "flags = IDONLY", [identd(answer), ask()])
alone("flag-idonly-no-log", "2.6", "-log_type\n" + USERID + "flags = IDONLY", [ask()])
alone("userid-internal", "2.7", "service daytime\n{\ntype = INTERNAL UNLISTED\nid = $NAME\nsocket_type = stream\nwait = no\n"
      "port = $PORT\nlog_type = FILE $LOG\nlog_on_success = HOST USERID\n}\n", [
          identd(GOOD), sees("date", lambda run: len(run.ask()) > 10)])
alone("userid-redirect", "2.7", stanza("-server\n-server_args\nredirect = 127.0.0.1 $PORT2\n" + USERID) + stanza(
    "port = $PORT2", "$NAME-2"), [identd(GOOD), ask()])
alone("userid-control-characters", "5.2", USERID, [identd("$L , $R : USERID : UNIX : a\x07b\x1b[1m\r\n"), ask()])
alone("userid-refused", "5.2", USERID + "instances = 0", [identd(GOOD), ask(), until_log("USERID", 2)])
alone("flag-idonly-answer", "2.6", USERID + "flags = IDONLY", [identd(GOOD), ask()])
alone("flag-idonly-error", "2.6", USERID + "flags = IDONLY", [identd("$L , $R : ERROR : NO-USER\r\n"), ask()])
alone("flag-idonly-other-ports", "2.6", USERID + "flags = IDONLY", [identd("1 , 2 : USERID : UNIX :joe\r\n"), ask()])
add("flag-intercept", "2.6", "flags = INTERCEPT\nwait = yes\nserver_args = accept 1 500", [ask()])
add("flag-intercept-dgram", "2.6", "flags = INTERCEPT\nsocket_type = dgram\nwait = yes\nserver_args = dgram 1 500\n"
    "only_from = 127.0.0.1", [udp(), udp(src="10.1.2.3", seconds=0.2)])
add("flag-intercept-nowait", "2.6", "flags = INTERCEPT", [ask()])
add("flag-labeled", "2.6", "flags = LABELED", [ask()])
add("flag-labeled-wait", "2.6", "flags = LABELED\nwait = yes\nserver_args = accept 1 500", [ask()])
add("flags-twice", "2.6", "flags = IPv4\nflags = NODELAY", FAMILIES)

# --- 7.3 how servers end, 7.6 wait = yes ---------------------------------------------------------------

add("ends-with-status", "5.2", "server_args = exit 42", [ask()])
add("ends-by-signal", "5.2", "server_args = kill 15", [ask()])
add("ends-by-kill", "5.2", "server_args = kill 9", [ask()])
add("wait-stream", "7.6", "wait = yes\nserver_args = accept 3 300", [ask(), ask(src="10.1.2.3"), ask(src="fd00::2")])
add("wait-stream-world", "7.3", "wait = yes\nserver_args = accept-world 1 500", [ask()])
add("wait-stream-again", "7.6", "wait = yes\nserver_args = accept 1 500", [ask(), ask()])
add("wait-dgram", "7.6", "socket_type = dgram\nwait = yes\nserver_args = dgram 3 300", [udp(b"a\n"), udp(b"b\n"), udp(b"c\n")])
add("wait-dgram-world", "7.3", "socket_type = dgram\nwait = yes\nserver_args = dgram-world 1 500", [udp()])
add("wait-dgram-again", "7.6", "socket_type = dgram\nwait = yes\nserver_args = dgram 1 500", [
    udp(b"a\n"), sees("it ends", lambda run: run.settle()), udp(b"b\n")])
add("wait-dgram-exits", "7.6", "socket_type = dgram\nwait = yes\nserver_args = exit 3", [udp(seconds=0.2)])
add("wait-dgram-only-from", "7.6", "socket_type = dgram\nwait = yes\nserver_args = dgram 1 300\nonly_from = 10.1.2.3", [
    udp(src="10.2.0.1", seconds=0.3), udp(src="10.1.2.3")])
add("wait-dgram-ipv6", "7.6", "socket_type = dgram\nwait = yes\nserver_args = dgram 1 500", [udp(dst="::1")])
add("wait-dgram-no", "8.9", "socket_type = dgram", [])
add("wait-stream-only-from", "7.6", "wait = yes\nonly_from = 10.0.0.0", [])
alone("exec-fails", "7.3", stanza("server = $DIR/gone"), [sees("removed", lambda run: remove(run)), ask()],
      files={"$DIR/gone": "#!/bin/sh\n"}, skip="dump")


def remove(run):
    import os
    os.unlink(os.path.dirname(run.daemon.main) + "/gone")
    return "yes"


# --- 2.7 logging ---------------------------------------------------------------------------------------

REFUSED = "no_access = 10.1.2.3\n"
BOTH = [ask(), ask(src="10.1.2.3")]
for words in ("PID", "HOST", "EXIT", "DURATION", "PID EXIT", "HOST DURATION", ""):
    add("log-success-" + (words.lower().replace(" ", "-") or "nothing"), "5.2", "log_on_success = " + words, [ask()])
add("log-success-unset", "5.2", "-log_on_success", [ask()])
add("log-success-removed", "2.7", "log_on_success -= EXIT DURATION", [ask()])
add("log-success-bad", "2.7", "log_on_success = ATTEMPT", [ask()])
add("log-failure-host", "5.2", REFUSED, BOTH)
add("log-failure-attempt", "5.2", REFUSED + "log_on_failure = ATTEMPT", BOTH)
add("log-failure-nothing", "5.2", REFUSED + "log_on_failure =", BOTH)
add("log-failure-bad", "2.7", "log_on_failure = PID", [ask()])
add("log-failure-record", "2.7", "log_on_failure = HOST RECORD", [ask()])
add("log-none", "2.7", "-log_type", [ask()])
add("log-traffic", "2.7", "log_on_success += TRAFFIC", [ask()])
add("log-type-bad", "2.7", "log_type = NOWHERE", [ask()])
add("log-facility-bad", "2.7", "log_type = SYSLOG nonsense", [ask()])
add("log-level-bad", "2.7", "log_type = SYSLOG daemon nonsense", [ask()])
add("log-file-missing", "2.7", "log_type = FILE", [ask()])
add("log-file-limits-wrong", "2.7", "log_type = FILE $LOG 2000 1000", [ask()])
add("log-file-limits", "2.7", "log_type = FILE $DIR/other-log 200k 1M", [ask()])
add("log-file-soft", "2.7", "log_type = FILE $DIR/other-log 2M", [ask()])
add("log-file-no-directory", "2.7", "log_type = FILE $DIR/none/log", [ask()])
add("log-id-case", "5.2", "id = $NAME-UPPER", [ask()])
alone("log-traffic-default", "2.7", "defaults\n{\nlog_on_success = TRAFFIC PID\n}\n" + stanza("-log_on_success"), [ask()])
