#!/usr/bin/env python3
# Proves that the internal services "services" and "servers" list what there is, to this machine only, however slowly a client reads.
# SPDX-License-Identifier: ISC
import os
import sys

sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "tests/lib"))
from harness import *  # noqa: E402,F403

PROBE = probe()
LOG = path("services.log")


def listing(name, port, ident=None, **attributes):
    return service(name, id=ident or name, type="INTERNAL UNLISTED", port=port, cps="0 1",
                   log_type="FILE " + LOG, log_on_success="HOST EXIT", log_on_failure="HOST", **attributes)


def outer(name, port, **attributes):
    return service(name, port=port, server=PROBE, server_args="echo", cps="0 1", **attributes)


def addresses(port):
    """Where TCP listens on a port, as /proc/net writes it."""
    found = re.findall(r"^\s*\d+: ([0-9A-F]+):%04X \S+ 0A " % port, read("/proc/net/tcp") + read("/proc/net/tcp6"), re.M)
    return sorted(found)


conf = (listing("services", 20001) + listing("servers", 20002) + listing("services", 20003, "open", bind="*")
        + outer("alpha", 20004) + outer("beta", 20005, socket_type="dgram", wait="yes", protocol="udp")
        + outer("gamma", None, bind=path("gamma")) + outer("away", 20006, disable="yes")
        + service("echo", type="INTERNAL UNLISTED", port=20007))
daemon = Daemon(conf)
expected = ("services tcp 20001\nservers tcp 20002\nservices tcp 20003\nalpha tcp 20004\nbeta udp 20005\n"
            "gamma unix %s\necho tcp 20007\n" % path("gamma")).encode()
equal("services: name, protocol and port of each", ask(20001), expected)
equal("what the client says is not heard", ask(20001, b"x" * 1000), expected)
equal("over IPv6", ask(20001, host="::1"), expected)
loopback = ["00000000000000000000000001000000", "0100007F"]
equal("without bind it is for this machine only", addresses(20001) + addresses(20002), loopback * 2)
check("the log says so", re.search(r"services.*listens on loopback only.*bind = \*", daemon.log()), daemon.log())
check("bind opens it", addresses(20003) not in (loopback, []), addresses(20003))

held = [tcp(20004), tcp(20004), tcp(20007)]
for s in held:
    s.sendall(b"x")
    s.recv(1)
pids = [pid for pid in daemon.children() if pid != daemon.worker()]
equal("two servers run", len(pids), 2)


def blocks():
    """The blocks of "servers" but for those of the listing itself: name, pid, client."""
    text = ask(20002).decode()
    found = re.findall(r"(\S+) server\npid = (\d+)\nstart_time = \S.*\nConnection info:\n\tservice = (\S+)\n"
                       r"\tremote_address = (\S+)\n\n", text)
    if sum(len(re.findall(r" server$", x)) for x in text.splitlines()) != len(found):
        return text
    return sorted((a, int(pid), where) for a, pid, b, where in found if a == b and a != "servers")


def here(s):
    return "127.0.0.1,%d" % s.getsockname()[1]


expected_blocks = sorted([("alpha", a, b) for a, b in zip(sorted(pids), (here(held[0]), here(held[1])))]
                         + [("echo", 0, here(held[2]))])
equal("servers: a block for each session", wait_for(lambda: blocks() == expected_blocks) and blocks(), expected_blocks)
for s in held[:2]:
    s.close()
check("who has ended is not there any more", wait_for(lambda: [x[0] for x in blocks()] == ["echo"]), blocks())
held[2].close()
check("START and EXIT are recorded", wait_for(lambda: {"START: services from=127.0.0.1", "EXIT: services status=0"}
                                              <= set(log_lines(LOG))), read(LOG))
daemon.reload(conf + outer("delta", 20008))
equal("a new service is listed", wait_for(lambda: b"delta tcp 20008\n" in ask(20001)), True)
worker = daemon.worker()
os.kill(worker, 9)
check("the worker is started again", wait_for(lambda: daemon.worker() not in (None, worker)))
check("and lists", b"delta" in ask(20001))
daemon.stop()

# --- much to tell, and clients that do not listen --------------------------------------------------------------
COUNT = 700
many = {"%s%d" % ("n" * 240, i): 21000 + i for i in range(COUNT)}
daemon = Daemon(listing("services", 20001) + outer("alpha", 20004)
                + "".join(outer(name, port, bind="127.0.0.1") for name, port in many.items()))
whole = ("services tcp 20001\nalpha tcp 20004\n"
         + "".join("%s tcp %d\n" % (name, port) for name, port in many.items())).encode()
slow = []
for _ in range(100):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    s.settimeout(PATIENCE)
    s.connect(("127.0.0.1", 20001))
    slow.append(s)
check("a long list is whole", ask(20001) == whole)
equal("others are served while a hundred clients do not read", ask(20004, b"x"), b"x")
check("none of them costs a descriptor of the daemon's", wait_for(lambda: daemon.descriptors() < COUNT + 50),
      daemon.descriptors())
for s in slow[:50]:
    reset(s)
got = [receive_all(s) for s in slow[50:]]
check("each gets all of it in the end", all(x == whole for x in got), [len(x) for x in got])
check("all sessions end", wait_for(lambda: len([x for x in log_lines(LOG) if x.startswith("EXIT")])
                                   == len([x for x in log_lines(LOG) if x.startswith("START")])))
finish()
