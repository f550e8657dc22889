#!/usr/bin/env python3
# Proves chroot, directory and no_new_privs: set before the identity is given up, the program looked for within the root, a step that fails is named and ends with 126.
# SPDX-License-Identifier: ISC
import os
import sys

sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "tests/lib"))
from harness import *  # noqa: E402,F403

LOG = path("services.log")
JAIL = path("jail")
for place in ("", "usr", "proc", "inside", "etc"):
    os.mkdir(os.path.join(JAIL, place))
for place in ("usr", "proc"):
    subprocess.run(["mount", "--rbind", "/" + place, os.path.join(JAIL, place)], check=True)
for place in ("bin", "lib", "lib32", "lib64", "libx32", "sbin"):
    if os.path.islink("/" + place):
        os.symlink(os.readlink("/" + place).lstrip("/"), os.path.join(JAIL, place))
if not os.path.exists(os.path.join(JAIL, "bin/sh")):
    skip("needs a machine whose /bin is in /usr")
SCRIPT = """#!/bin/sh
echo cwd=$(pwd) uid=$(id -u) groups=$(id -G)
echo inside=$(test -d /inside && echo yes || echo no)
grep NoNewPrivs /proc/self/status
"""
for script in (os.path.join(JAIL, "run"), path("run")):
    write(script, SCRIPT)
    os.chmod(script, 0o755)
os.symlink("/run", os.path.join(JAIL, "link"))
os.chmod(JAIL, 0o755)
GOING = path("going")
os.mkdir(GOING)
os.mkdir(path("gone"))


def stanza(name, port, **attributes):
    base = dict(id=name, server=path("run"), user="nobody", cps="0 1", log_type="FILE " + LOG, log_on_success="EXIT")
    base.update(attributes)
    return service(name, port=port, **base)


conf = "".join([
    stanza("plain", 20001),
    stanza("jail", 20002, chroot=JAIL, server="/run"),
    stanza("deep", 20003, chroot=JAIL, server="/link", directory="/inside"),
    stanza("dir", 20004, directory=GOING),
    stanza("nnp", 20005, no_new_privs="yes"),
    stanza("all", 20006, chroot=JAIL, server="/run", directory="/inside", no_new_privs="yes"),
    stanza("nodir", 20007, directory=path("gone")), stanza("noroot", 20008, chroot=path("gone2"), server="/run"),
    stanza("outside", 20009, chroot=JAIL, server=path("run")),
])
os.mkdir(path("gone2"))
os.mkdir(path("gone2", "sub"))
write(path("gone2", "run"), SCRIPT)
os.chmod(path("gone2", "run"), 0o755)
daemon = Daemon(conf)
NOBODY = int(subprocess.run(["id", "-u", "nobody"], stdout=subprocess.PIPE, check=True).stdout)
for name, port, cwd, inside, nnp in (
        ("plain", 20001, "/", "no", 0), ("jail", 20002, "/", "yes", 0), ("deep", 20003, "/inside", "yes", 0),
        ("dir", 20004, GOING, "no", 0), ("nnp", 20005, "/", "no", 1), ("all", 20006, "/inside", "yes", 1)):
    text = (ask(port) or b"").decode()
    check(name + ": where it starts, as its user", text.startswith("cwd=%s uid=%d " % (cwd, NOBODY)), text)
    check(name + ": its root", "inside=%s\n" % inside in text, text)
    check(name + ": its privileges", "NoNewPrivs:\t%d\n" % nnp in text, text)
equal("the daemon has kept its directory", os.readlink("/proc/%d/cwd" % daemon.pid), "/")
equal("and its root", os.readlink("/proc/%d/root" % daemon.pid), "/")
equal("a program outside of the root is none", ask(20009), None)
check("and said", "server %s: No such file" % path("run") in daemon.log(), daemon.log())

os.rmdir(path("gone"))
shutil.rmtree(path("gone2"))
for name, port, step in (("nodir", 20007, "chdir"), ("noroot", 20008, "chroot")):
    equal(name + ": is not run", ask(port), b"")
    check(name + ": the step is named", daemon.wait_log("service %s: %s(" % (name, step)), daemon.log())
    check(name + ": EXIT tells it", wait_for(lambda: "EXIT: %s status=126" % name in log_lines(LOG)), read(LOG))
daemon.stop()
finish()
