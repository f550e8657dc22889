#!/usr/bin/env python3
# Proves: to read, check and build a service costs no more instructions and system calls than recorded here, whatever
# it inherits. It counts and does not time: the figures are the same on a slow machine.
# SPDX-License-Identifier: ISC
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "tests/lib"))
from harness import *  # noqa: E402,F403

for tool in ("strace", "valgrind"):
    if not shutil.which(tool):
        skip("needs " + tool)
with open(os.path.join(BUILD, "usherctl"), "rb") as binary:
    if b"__asan_init" in binary.read():
        skip("sanitizers have costs of their own")

FEW, MANY = 200, 1200
# What a service may cost. Raise a figure only with a reason in the commit; lower it when something got cheaper.
INSTRUCTIONS = 20000
CALLS = 0.1


def conf(n, addresses):
    """The file of tests/bench, with n services and so many addresses in defaults."""
    common = {"cps": "1000000 1", "instances": "10000", "per_source": "10000", "log_type": "FILE /tmp/records",
              "log_on_success": "PID HOST EXIT DURATION", "log_on_failure": "HOST"}
    if addresses:
        common["only_from"] = " ".join("10.%d.0.0/16" % i for i in range(addresses))
    text = "defaults\n{\n" + "".join("\t%s = %s\n" % item for item in common.items()) + "}\n"
    for i in range(n):
        text += ("service s%d\n{\n\ttype = UNLISTED\n\tport = %d\n\tsocket_type = stream\n\tprotocol = tcp\n"
                 "\twait = no\n\tuser = root\n\tflags = IPv4\n\tumask = 027\n\trlimit_cpu = 60\n"
                 "\tenv = BENCH=yes\n\tserver = /bin/sh\n\tserver_args = -c true\n}\n" % (i, 20000 + i))
    file = path("conf-%d-%d" % (n, addresses))
    with open(file, "w") as out:
        out.write(text)
    return file


def run(prefix, n, addresses):
    done = subprocess.run(prefix + [os.path.join(BUILD, "usherctl"), "check", conf(n, addresses)],
                          capture_output=True, text=True)
    check("%d services with %d addresses are read" % (n, addresses),
          done.returncode == 0 and "%d services" % n in done.stdout, done.stdout + done.stderr)


def instructions(n, addresses):
    out = path("callgrind")
    run(["valgrind", "-q", "--tool=callgrind", "--callgrind-out-file=" + out], n, addresses)
    with open(out) as file:
        return int(re.search(r"^(?:summary|totals): (\d+)", file.read(), re.M).group(1))


def calls(n, addresses):
    out = path("strace")
    run(["strace", "-f", "-o", out], n, addresses)
    with open(out) as file:
        return sum(1 for line in file if not re.search(r"\b(read|brk|mmap|munmap|mremap|write)\(", line))


for addresses in (0, 100):
    each = (instructions(MANY, addresses) - instructions(FEW, addresses)) / (MANY - FEW)
    print("%d addresses in defaults: %.0f instructions a service" % (addresses, each))
    check("with %d addresses in defaults, a service keeps to %d instructions" % (addresses, INSTRUCTIONS),
          0 < each <= INSTRUCTIONS)
each = (calls(MANY, 100) - calls(FEW, 100)) / (MANY - FEW)
print("%.3f system calls a service" % each)
check("a service keeps to %.1f system calls" % CALLS, each <= CALLS)
finish()
