#!/usr/bin/env python3
# Proves the samples of conf.d: each is disabled as installed, those of our own servers and the internal ones answer once enabled, and who warns of the Internet is bound to loopback.
# SPDX-License-Identifier: ISC
import json
import os
import sys

sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "tests/lib"))
from harness import *  # noqa: E402,F403

SERVICES = os.path.join(BUILD, "services")
if not os.access(os.path.join(SERVICES, "echo"), os.X_OK):
    skip("needs " + SERVICES)
if os.getuid():
    skip("must be root: the samples have ports below 1024 and users")
SOURCE = os.path.join(os.environ.get("srcdir", "."), "conf.d")
LOCAL = re.compile(r"loopback only|keep it local|not for the Internet")
# Programs of others, which need not be here, and the defaults.
OTHERS = ("git", "rsync", "sshd", "tftp", "xinetd.conf")

samples = {}
for name in sorted(os.listdir(SOURCE)):
    if name not in OTHERS and name != "demo.conf.in":
        samples[name.removesuffix(".in")] = read(os.path.join(SOURCE, name))
named = set(re.findall(r"(?m)^\s*server\s*= @servicesdir@/(\S+)$", "\n".join(samples.values())))
programs = {name for name in os.listdir(SERVICES) if "." not in name and os.path.isfile(os.path.join(SERVICES, name))}
equal("every stub server has a sample", programs - named, set())
os.mkdir(path("d"))
for name, text in samples.items():
    check("%s is disabled" % name, re.search(r"^\s*disable\s*= yes$", text, re.M))
    # Words of a comment may be on two lines.
    words = re.sub(r"\s*\n#?\s*", " ", text)
    if LOCAL.search(words):
        check("%s is bound to loopback, as it says" % name,
              re.search(r"^\s*bind\s*= 127\.0\.0\.1$", text, re.M) or "INTERNAL" in text and name in ("servers", "services"))
    text = re.sub(r"(?m)^(\s*disable\s*=) yes$", r"\1 no", text).replace("@servicesdir@", SERVICES).replace("/run/", TMP + "/")
    write(path("d", name), text.replace("= nobody", "= root"))
conf = "defaults\n{\n\tlog_type = FILE %s\n}\nincludedir %s\n" % (path("log"), path("d"))
write(path("conf"), conf)
checked = subprocess.run([os.path.join(BUILD, "usherctl"), "check", path("conf")], capture_output=True, text=True)
check("none of them has a mistake", checked.returncode == 0 and "0 errors, 0 warnings" in checked.stdout + checked.stderr,
      checked.stdout + checked.stderr)
daemon = Daemon(conf)
called = subprocess.run([os.path.join(BUILD, "usherctl"), "call", "--all", path("conf"), "--timeout", "5", "--json"],
                        capture_output=True, text=True)
results = {x["service"]: x["result"] for x in json.loads(called.stdout)}
equal("every one was called", set(samples) - set(results), set())
for name, result in results.items():
    check("%s is hosted" % name, result in ("answers", "ends", "silent", "not called"), result)
daemon.stop()
finish()
