#!/usr/bin/env python3
# Proves START, EXIT and FAIL to the byte for every combination of flags, to FILE and SYSLOG, the FILE limits, and reopening after rotation.
# SPDX-License-Identifier: ISC
import itertools
import os
import socket
import sys

sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "tests/lib"))
from harness import *  # noqa: E402,F403

PROBE = probe()
LOG = path("services.log")
DEV_LOG = private_dev()

SUCCESS = [c for n in range(5) for c in itertools.combinations(("PID", "HOST", "EXIT", "DURATION"), n)]
FAILURE = [c for n in range(3) for c in itertools.combinations(("HOST", "ATTEMPT"), n)]
cases, stanzas = {}, ""
for n, flags in enumerate(SUCCESS):
    name = "s%d" % n
    cases[name] = (20001 + n, flags)
    stanzas += service(name, id=name, port=20001 + n, server=PROBE, server_args="exit 3", cps="0 1",
                       log_type="FILE " + LOG, log_on_success=" ".join(flags))
for n, flags in enumerate(FAILURE):
    stanzas += service("f%d" % n, id="f%d" % n, port=20101 + n, server=PROBE, no_access="0.0.0.0/0 ::/0",
                       cps="0 1", log_type="FILE " + LOG, log_on_failure=" ".join(flags))


def full(name, port, **attributes):
    base = {"id": name, "server": PROBE, "server_args": "exit 0", "cps": "0 1",
            "log_on_success": "PID HOST EXIT DURATION", "log_on_failure": "HOST",
            "log_type": "FILE " + LOG}
    base.update(attributes)
    return service(name, port=port, **base)


stanzas += full("killed", 20120, server_args="kill 9") + full("slow", 20121, server_args="hold") \
    + full("quiet", 20122, log_type=None) \
    + full("echo", 20123, type="INTERNAL UNLISTED", user=None, server=None, server_args=None) \
    + full("unix", None, bind=path("unix")) \
    + full("unixno", None, bind=path("unixno"), only_from="127.0.0.1") \
    + full("waits", 20124, wait="yes", server_args="accept 1 1000") \
    + full("sys", 20130, log_type="SYSLOG authpriv notice") \
    + full("sysfail", 20131, log_type="SYSLOG local7", no_access="0.0.0.0/0") \
    + full("odd", 20140, id="odd-id/with:signs") \
    + full("limited", 20141, log_type="FILE %s 1000 2000" % path("limited.log")) \
    + full("shared", 20142, log_type=None) + full("nolog", 20143, log_type="FILE " + path("nowhere/log")) \
    + full("dirlog", 20144, log_type="FILE " + TMP)
daemon = Daemon("defaults\n{\n\tlog_type = FILE %s\n}\n" % path("common.log") + stanzas
                .replace("\tlog_type = None\n", ""))


def lines(name=LOG):
    return log_lines(name)


def of(ident, kind, name=LOG):
    return [x for x in lines(name) if re.match(r"%s: %s( |$)" % (kind, re.escape(ident)), x)]


# --- every combination ------------------------------------------------------------------
for name, (port, flags) in cases.items():
    ask(port)
ask(20123)  # what follows in the same log: once it is there, all before it is
check("the log is written", wait_for(lambda: of("echo", "EXIT")) and wait_for(lambda: all(
    of(n, "EXIT") for n, (_, f) in cases.items() if "EXIT" in f or "DURATION" in f)))
PID = r"[1-9]\d*"
for name, (port, flags) in cases.items():
    start = "START: " + name + (" pid=" + PID if "PID" in flags else "") \
        + (" from=127\\.0\\.0\\.1" if "HOST" in flags else "")
    end = "EXIT: " + name + (" status=3" if "EXIT" in flags else "") \
        + (" pid=" + PID if "PID" in flags else "") \
        + (r" duration=\d+\(sec\)" if "DURATION" in flags else "")
    expected = [start] if flags else []
    if "EXIT" in flags or "DURATION" in flags:
        expected.append(end)
    got = of(name, "START") + of(name, "EXIT")
    check("log_on_success = " + " ".join(flags), len(got) == len(expected) and
          all(re.fullmatch(e, g) for e, g in zip(expected, got)), (expected, got))
for n, flags in enumerate(FAILURE):
    for host in ("127.0.0.1", "::1"):
        ask(20101 + n, b"", host)
ask(20123)
wait_for(lambda: len(of("echo", "EXIT")) == 2)
for n, flags in enumerate(FAILURE):
    equal("log_on_failure = " + " ".join(flags), of("f%d" % n, "FAIL"), [] if not flags else [
        "FAIL: f%d address%s" % (n, " from=" + host if "HOST" in flags else "")
        for host in ("127.0.0.1", "::1")])
    equal("nothing was started for those refused", of("f%d" % n, "START") + of("f%d" % n, "EXIT"), [])

# --- the rest -------------------------------------------------------------------------------


def one(sentence, ident, start, end, name=LOG):
    wait_for(lambda: of(ident, "EXIT", name))
    got = of(ident, "START", name) + of(ident, "EXIT", name)
    check(sentence, len(got) == 2 and re.fullmatch(start, got[0]) and re.fullmatch(end, got[1]), got)


ask(20120)
one("a signal", "killed", r"START: killed pid=\d+ from=127\.0\.0\.1",
    r"EXIT: killed signal=9 pid=\d+ duration=\d+\(sec\)")
with tcp(20121) as s:
    pid = int(s.recv(100))
    time.sleep(2.1)  # what is measured
one("duration and pid are true", "slow", r"START: slow pid=%d from=127\.0\.0\.1" % pid,
    r"EXIT: slow status=0 pid=%d duration=([2-9]|\d\d)\(sec\)" % pid)
ask(20122)
check("log_type from defaults is used", wait_for(lambda: of("quiet", "EXIT", path("common.log"))))
check("an internal service has xinetd's pid 0",
      re.fullmatch(r"START: echo pid=0 from=127\.0\.0\.1", of("echo", "START")[0])
      and re.fullmatch(r"EXIT: echo status=0 pid=0 duration=\d+\(sec\)", of("echo", "EXIT")[0]),
      of("echo", "START") + of("echo", "EXIT"))
ask_unix(socket.SOCK_STREAM, path("unix"))
one("a Unix client", "unix", r"START: unix pid=\d+ from=\S.*", r"EXIT: unix status=0 pid=\d+ duration=\d+\(sec\)")
ask_unix(socket.SOCK_STREAM, path("unixno"))
check("a Unix client refused", wait_for(lambda: len(of("unixno", "FAIL")) == 1), of("unixno", "FAIL"))
ask(20124)
one("wait = yes", "waits", r"START: waits pid=\d+ from=<no address>",
    r"EXIT: waits status=0 pid=\d+ duration=\d+\(sec\)")
ask(20140)
one("an id with signs in it", "odd-id/with:signs", r"START: odd-id/with:signs pid=\d+ from=127\.0\.0\.1",
    r"EXIT: odd-id/with:signs status=0 pid=\d+ duration=\d+\(sec\)")
ask(20142, b"", "::1")
check("an IPv6 client", wait_for(lambda: any(re.fullmatch("START: shared pid=\\d+ from=::1", x)
                                             for x in lines(path("common.log")))))
bad = [x for x in lines() + lines(path("common.log")) if x.startswith("BAD")]
equal("every line has its time before it", bad, [])
stamp = re.match(r"(\d\d)/(\d+)/(\d+)@(\d\d):(\d\d):(\d\d): ", read(LOG))
now = time.localtime()
check("which is local and now", stamp and stamp.group(1) == "%02d" % (now.tm_year % 100)
      and stamp.group(2) == str(now.tm_mon), read(LOG)[:40])
equal("the log is readable by all, writable by root", oct(os.stat(LOG).st_mode & 0o777), "0o644")

# --- logs that cannot be had: such a service does not run unrecorded ------------------------------
for name, port in (("nolog", 20143), ("dirlog", 20144)):
    check("%s: is not hosted" % name, ask(port) is None and
          "creation of %s log failed" % name in daemon.log() and
          "Service %s failed to start and is deactivated." % name in daemon.log(), daemon.log())

# --- syslog -------------------------------------------------------------------------------------
syslog = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
syslog.bind(DEV_LOG)
syslog.settimeout(PATIENCE)
ask(20130)
ask(20131)
got = sorted((syslog.recv(2000).decode() for _ in range(3)), key=lambda x: "EXIT" in x)
text = r"[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d usherd\[%d\]: " % daemon.pid
for expected in (r"<85>" + text + r"START: sys pid=\d+ from=127\.0\.0\.1",
                 r"<85>" + text + r"EXIT: sys status=0 pid=\d+ duration=\d+\(sec\)",
                 r"<190>" + text + r"FAIL: sysfail address from=127\.0\.0\.1"):
    check("syslog: " + expected[-30:], any(re.fullmatch(expected, x) for x in got), got)

# --- limits ---------------------------------------------------------------------------------------
for _ in range(60):
    ask(20141)
check("the soft limit is told", daemon.wait_log("WARNING: Size of limited log exceeded soft limit"))
check("the hard limit is told", daemon.wait_log("ERROR: Size of limited log exceeded hard limit"))
check("once each", daemon.log().count("Size of limited") == 2, daemon.log())
size = os.path.getsize(path("limited.log"))
check("the file ends with the line that passed the limit", 2000 < size <= 2100, size)
os.rename(path("limited.log"), path("limited.old"))
os.rename(LOG, LOG + ".old")
check("SIGHUP", daemon.reload())
ask(20141)
check("after rotation the limited log is written again", wait_for(
    lambda: of("limited", "EXIT", path("limited.log"))))
ask(20120)
check("and the other goes to the new file", wait_for(lambda: of("killed", "EXIT")))
old = read(LOG + ".old")
equal("not to the old one", old.count("EXIT: killed "), 1)
equal("which has kept its lines", os.path.getsize(path("limited.old")), size)
daemon.stop()

# --- the daemon's own messages ------------------------------------------------------------------
for options, priority in ((("-syslog", "daemon"), 3 << 3), (("-syslog", "local3"), 19 << 3)):
    daemon = Daemon(stanzas, *options, filelog=False)
    message = syslog.recv(3000).decode()
    while "Started working" not in message:
        message = syslog.recv(3000).decode()
    check("daemon messages to syslog %s" % " ".join(options), re.fullmatch(
        r"<%d>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d usherd\[%d\]: Started working: \d+ available services"
        % (priority | 5, daemon.pid), message), message)
    daemon.stop()
finish()
