#!/usr/bin/env python3
# Proves the banners: before any check, on success, on refusal; no client that does not read holds anybody up (D14).
# SPDX-License-Identifier: ISC
import os
import sys

sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "tests/lib"))
from harness import *  # noqa: E402,F403

PROBE = probe()
LOG = path("services.log")
BIG = "0123456789abcdef" * 4096
HELLO, YES, NO = (write(path(name), name + "\n") for name in ("hello", "yes", "no"))
write(path("big"), BIG)


def stanza(name, port, **attributes):
    base = {"id": name, "server": PROBE, "server_args": "echo", "cps": "0 1", "log_type": "FILE " + LOG,
            "log_on_failure": "HOST", "banner": HELLO, "banner_success": YES, "banner_fail": NO}
    base.update(attributes)
    return service(name, port=port, **base)


def inner(name, port, **attributes):
    return stanza(name, port, type="INTERNAL UNLISTED", user=None, server=None, server_args=None,
                  **attributes).replace("service " + name, "service echo", 1)


conf = "".join([
    stanza("open", 20001), inner("iopen", 20002),
    stanza("address", 20003, only_from="127.0.0.9"), inner("iaddress", 20004, only_from="127.0.0.9"),
    stanza("full", 20005, instances="0"), stanza("load", 20006, max_load="-1"),
    stanza("time", 20007, access_times="%02d:00-%02d:00" % (
        (time.localtime().tm_hour + 10) % 24, (time.localtime().tm_hour + 12) % 24)),
    stanza("missing", 20008, banner=path("nowhere")),
    stanza("big", 20009, banner=None, banner_success=None, banner_fail=path("big"), instances="0"),
    stanza("flood", 20010, banner=path("big"), banner_success=path("big")),
    stanza("cps", 20011, cps="1 1"),
    stanza("unix", None, bind=path("socket"), instances="0"),
])
daemon = Daemon(conf)

equal("served: banner, banner_success, then the server", ask(20001, b"data"), b"hello\nyes\ndata")
equal("served internally: the same", ask(20002, b"data"), b"hello\nyes\ndata")
for name, port, reason in (("address", 20003, "address"), ("iaddress", 20004, "address"),
                           ("full", 20005, "service_limit"), ("load", 20006, "load"), ("time", 20007, "time")):
    equal(name + ": refused: banner, banner_fail, end", ask(port), b"hello\nno\n")
    equal(name + ": also to a client that speaks first", ask(port, b"x" * 100), b"hello\nno\n")
    check(name + ": FAIL is recorded", wait_for(lambda: log_lines(LOG).count(
        "FAIL: %s %s from=127.0.0.1" % (name, reason)) == 2), read(LOG))
with socket.socket(socket.AF_UNIX) as s:
    s.connect(path("socket"))
    equal("a Unix client is told, too", receive_all(s), b"hello\nno\n")


def two_at_once():
    """What two get who come within a second, unless this machine takes longer for that, or the service rests."""
    try:
        with tcp(20011) as first, tcp(20011) as second:
            return first.recv(6), receive_all(second)
    except ConnectionRefusedError:
        return None


check("cps: the first is served, one too many is told",
      wait_for(lambda: two_at_once() == (b"hello\n", b"hello\nno\n")))

equal("a missing file costs its text only", ask(20008, b"data"), b"yes\ndata")
check("and is an error in the log, as xinetd says it", daemon.wait_log(
    "ERROR: service = missing, open of banner %s failed" % path("nowhere")), daemon.log())

with tcp(20009) as s:
    text = receive_all(s)
    check("a banner that is as long as may be is cut, if at all, at its end", BIG.encode().startswith(text), len(text))
    check("and most of it arrives", len(text) >= 16384, len(text))

# Clients that do not read: small windows, so that nothing of the banners fits.
idle = []
for _ in range(20):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
    s.connect(("127.0.0.1", 20010))
    idle.append(s)
before = time.monotonic()
equal("clients that do not read hold nobody up", ask(20001, b"x"), b"hello\nyes\nx")
check("not for a moment", time.monotonic() - before < 15, time.monotonic() - before)
for s in idle:
    s.close()

write(path("hello"), "hallo\n")
equal("a changed file", ask(20002, b"x"), b"hello\nyes\nx")
daemon.reload()
equal("is read with the configuration", ask(20002, b"x"), b"hallo\nyes\nx")
daemon.stop()
finish()
