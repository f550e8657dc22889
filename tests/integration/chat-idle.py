#!/usr/bin/env python3
# Proves that nobody loses a line at the moment when an empty room's server ends: visitors who come just then are served by it or by the next one.
# SPDX-License-Identifier: ISC
import os
import random
import sys
import threading

sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "tests/lib"))
from harness import *  # noqa: E402,F403

LOG = path("services.log")
CHAT = os.path.join(BUILD, "services/chat")
if not os.access(CHAT, os.X_OK):
    skip("needs " + CHAT)
SANITIZED = sanitized(CHAT)
# A sanitized server takes a tenth of a second to start, at best.
VISITS = int(os.environ.get("USHERD_TEST_VISITS", "300" if SANITIZED else "1000"))
UNIX = path("chat.sock")
# With --idle 0 a server ends as soon as nobody is left.
daemon = Daemon("".join(
    service(name, port=port, bind=bind, wait="yes", server=CHAT, server_args="--idle " + idle, cps="0 1",
            log_type="FILE " + LOG, log_on_success="PID EXIT")
    for name, port, bind, idle in (("tcp", 21000, None, "0"), ("unix", None, UNIX, "0"), ("rested", 21001, None, "1"))))


def connect_tcp():
    return tcp(21000)


def connect_unix():
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(PATIENCE)
    s.connect(UNIX)
    return s


def visit(connect, number):
    """Says everything at once and leaves; whether each line was answered, and by a server that nobody has visited before."""
    with connect() as s:
        s.sendall(b"/nick v%d\nwords\n/topic t%d\n/me waves\n/quit\n" % (number, number))
        text = receive_all(s).decode()
    good = all(x in text for x in ("Welcome, ", "You are now v%d.\r\n" % number,
                                   "v%d sets the topic: t%d\r\n" % (number, number), "*** Goodbye, v%d.\r\n" % number))
    # Each visitor leaves a topic behind, and each newcomer is told the one there is.
    return good, "Topic: " not in text, text


def pause(seconds):
    """sleep() is too coarse."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass


def races(name, connect, visits):
    """One visitor after the other; how long after the last one left is chosen so that the server has just ended, or just not."""
    lost, fresh, delay = [], 0, 0.001
    for number in range(visits):
        good, new, text = visit(connect, number)
        if not good:
            lost.append((number, text))
        fresh += new
        delay = max(delay / 1.1, 1e-6) if new else min(delay * 1.1, 0.2)
        pause(delay * random.uniform(0.5, 1.5))
    equal("%s: %d visitors in the moment when the server ends, and no line is lost" % (name, visits), lost[:3], [])
    print("    %s: %d servers, last pause %.1f ms" % (name, fresh, delay * 1000))
    check("%s: it was that moment" % name, visits * 0.1 < fresh < visits * 0.95, fresh)
    return fresh


def starts(name):
    return read(LOG).count("START: %s " % name)


def all_ended(name):
    return read(LOG).count("EXIT: %s status=0 " % name) == starts(name)


count = races("tcp", connect_tcp, VISITS)
check("tcp: every server has ended well", wait_for(lambda: starts("tcp") == count and all_ended("tcp")), read(LOG)[-2000:])
count = races("unix", connect_unix, VISITS // 5)
check("unix: every server has ended well", wait_for(lambda: starts("unix") == count and all_ended("unix")), read(LOG)[-2000:])

# --- many at once -----------------------------------------------------------------------------
lost = []


def visitor(seed):
    rng = random.Random(seed)
    for i in range(VISITS // 40):
        good, _, text = visit(connect_tcp, seed * 1000 + i)
        if not good:
            lost.append(text)
        time.sleep(rng.random() * 0.01)


threads = [threading.Thread(target=visitor, args=(seed,)) for seed in range(1, 9)]
for t in threads:
    t.start()
for t in threads:
    t.join()
equal("the same with 8 visitors at a time", lost[:3], [])
check("every server has ended well", wait_for(lambda: all_ended("tcp")))

# --- a server that waits for a while -----------------------------------------------------------
for turn in (1, 2):
    with tcp(21001) as s:
        s.sendall(b"/quit\n")
        check("a room opens", b"Welcome, guest1." in receive_all(s))
    left = time.monotonic()
    with tcp(21001) as s:
        s.sendall(b"/quit\n")
        check("and stays open for who comes soon", b"Welcome, guest2." in receive_all(s) or time.monotonic() - left > 0.8)
    check("and closes when nobody comes", wait_for(lambda: read(LOG).count("EXIT: rested status=0") >= turn))
finish()
