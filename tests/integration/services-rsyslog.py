#!/usr/bin/env python3
# Proves linelog's and the daemon's own records (log_type = SYSLOG) in a real rsyslog: facility, severity, ident, process id, and each line once.
# SPDX-License-Identifier: ISC
import os
import sys

sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "tests/lib"))
from harness import *  # noqa: E402,F403

LINELOG = os.path.join(BUILD, "services/linelog")
if not os.access(LINELOG, os.X_OK):
    skip("needs " + LINELOG)
programs = subprocess.run(["sh", os.path.join(os.path.dirname(os.path.abspath(sys.argv[0])), "../lib/programs.sh"), "--present"],
                          capture_output=True, text=True)
found = dict(re.findall(r"^(\w+)='(.*)'$", programs.stdout, re.M))
if not found.get("RSYSLOGD"):
    skip("no rsyslogd here (tests/lib/programs.sh fetches it)")
MESSAGES = path("messages")
write(path("rsyslog.conf"), """
module(load="imuxsock" SysSock.Use="off")
input(type="imuxsock" Socket="%s" RateLimit.Interval="0" ParseTrusted="off")
template(name="plain" type="string" string="%%syslogfacility-text%%.%%syslogseverity-text%% %%programname%% %%procid%%:%%msg%%\\n")
action(type="omfile" file="%s" template="plain")
""" % (private_dev(), MESSAGES))
env = dict(os.environ)
if found["RSYSLOG_LIBRARIES"]:
    env.update(LD_LIBRARY_PATH=found["RSYSLOG_LIBRARIES"], RSYSLOG_MODDIR=os.path.join(found["RSYSLOG_LIBRARIES"], "rsyslog"))
errors = open(path("rsyslog.err"), "w")
rsyslog = subprocess.Popen([found["RSYSLOGD"], "-n", "-f", path("rsyslog.conf"), "-i", path("rsyslog.pid")], env=env,
                           stdout=errors, stderr=errors)
try:
    if not wait_for(lambda: os.path.exists("/dev/log") or rsyslog.poll() is not None) or rsyslog.poll() is not None:
        check("rsyslogd runs", False, read(path("rsyslog.err")))
        finish()
    daemon = Daemon("".join([
        service("told", port=21000, server=LINELOG, server_args="--ident my-lines --options pid,ndelay --facility local3 --priority warning",
                log_type="SYSLOG local5 notice", log_on_success="PID HOST EXIT", log_on_failure="HOST", cps="0 1"),
        service("no-pid", port=21001, server=LINELOG, server_args="--options none --facility mail", log_type="SYSLOG local6", cps="0 1"),
        service("closed", port=21002, server=LINELOG, log_type="SYSLOG local5", log_on_failure="HOST", only_from="192.0.2.1"),
    ]))

    def messages(start):
        return [x[len(start):] for x in read(MESSAGES).splitlines() if x.startswith(start)]

    LINES = ["line %d %s" % (i, "é" * (i % 50)) for i in range(2000)]
    with tcp(21000) as s:
        peer = "127.0.0.1 port %d" % s.getsockname()[1]
        s.sendall("\n".join([*LINES, "\x1b[2J\x07", "%s%n"]).encode() + b"\n")
    expected = ["connect from " + peer] + ["line from %s: %s" % (peer, x) for x in (*LINES, "\\033[2J\\007", "%s%n")]
    expected.append("disconnect from " + peer)
    wait_for(lambda: "disconnect" in read(MESSAGES))
    pid = re.search(r"^local3\.warning my-lines (\d+): connect", read(MESSAGES), re.M)
    check("rsyslog has facility, severity, ident and process id", pid, read(MESSAGES)[:500])
    start = "local3.warning my-lines %s: " % (pid and pid.group(1))
    check("and each line once, in order", wait_for(lambda: messages(start) == expected), messages(start)[-3:])
    check("the daemon's records are there, of the same process", wait_for(
        lambda: any("EXIT: told status=0 pid=%s" % (pid and pid.group(1)) in x for x in messages("local5.notice "))), read(MESSAGES)[-1000:])
    check("START, too", any("START: told pid=%s from=127.0.0.1" % (pid and pid.group(1)) in x for x in messages("local5.notice ")))
    ask(21001, b"x\n")
    check("another facility, and no process id", wait_for(lambda: len(messages("mail.info linelog -: ")) == 3), read(MESSAGES)[-1000:])
    ask(21002)
    check("a refusal", wait_for(lambda: any("FAIL: closed address from=127.0.0.1" in x for x in messages("local5.info "))),
          read(MESSAGES)[-1000:])
finally:
    rsyslog.terminate()
    rsyslog.wait()
finish()
