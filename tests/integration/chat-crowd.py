#!/usr/bin/env python3
# Proves: a thousand people in one room get each of 100,000 lines exactly once and in one order, while somebody does not read at all.
# SPDX-License-Identifier: ISC
import os
import resource
import sys

sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "tests/lib"))
from harness import *  # noqa: E402,F403

LOG = path("services.log")
CHAT = os.path.join(BUILD, "services/chat")
CROWD = os.path.join(BUILD, "tests/integration/crowd")
if not os.access(CHAT, os.X_OK):
    skip("needs " + CHAT)
LINES = os.environ.get("USHERD_TEST_LINES", "100000")
_, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
if hard < 1200:
    skip("needs 1200 descriptors for a process")
# As most machines have it: the server has to ask for more.
resource.setrlimit(resource.RLIMIT_NOFILE, (1024, hard))
# The backlog holds all that is said: here nobody may be dropped who reads, however slow the machine is.
daemon = Daemon(service("chat", port=21000, wait="yes", server=CHAT, cps="0 1",
                        server_args="--people 1001 --idle 0 --rate 100 --backlog 32768",
                        log_type="FILE " + LOG, log_on_success="PID EXIT"))

stalled = socket.socket()
stalled.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
stalled.connect(("127.0.0.1", 21000))
check("somebody comes, and reads no more", stalled.recv(10) == b"*** Welcom")
crowd = subprocess.run([CROWD, "21000", "1000", LINES, "60"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
print("    " + crowd.stdout.decode().strip())
equal("1000 people, %s lines: each comes to everybody once, in one order" % LINES, crowd.returncode, 0)
stalled.close()
check("the room closes well", wait_for(lambda: "EXIT: chat status=0" in read(LOG)), read(LOG))
equal("one process served them all", read(LOG).count("START: chat"), 1)
finish()
