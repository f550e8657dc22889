#!/usr/bin/env python3
# Proves that names of redirect targets are looked up when needed, in both families, in turn, and that a name server that is silent holds up nobody else.
# SPDX-License-Identifier: ISC
import os
import select
import socket
import sys
import threading

sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "tests/lib"))
from harness import *  # noqa: E402,F403

LOG = path("services.log")


def replace(name, text):
    """Another file in place of this one, for this test only."""
    if not os.path.exists(name):
        skip("needs " + name)
    copy = write(path(os.path.basename(name)), text)
    subprocess.run(["mount", "--bind", copy, name], check=True)
    return copy


hosts = replace("/etc/hosts", "127.0.0.1 localhost\n::1 both.test\n127.0.0.1 both.test\n127.0.0.1 moving.test\n")
replace("/etc/nsswitch.conf", "hosts: files dns\n")
replace("/etc/resolv.conf", "nameserver 127.0.0.1\noptions timeout:10 attempts:1\n")
# A name server that knows two names, tells the truth when it is told to, and says nothing about others.
dns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
dns.bind(("127.0.0.1", 53))
asked = []
answering = threading.Event()


def serve():
    held = []
    dns.settimeout(0.02)
    while True:
        try:
            query, peer = dns.recvfrom(512)
            asked.append(query)
            held.append((query, peer))
        except socket.timeout:
            pass
        if answering.is_set():
            for query, peer in held:
                name_end = query.index(b"\0", 12) + 1
                question, kind = query[12:name_end + 4], query[name_end:name_end + 2]
                if b"\x06absent" in question:
                    dns.sendto(query[:2] + b"\x81\x83" + b"\0\1\0\0\0\0\0\0" + question, peer)
                elif b"\x04slow" in question:
                    a = b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x7f\0\0\1" if kind == b"\0\1" else b""
                    dns.sendto(query[:2] + b"\x81\x80" + b"\0\1" + (b"\0\1" if a else b"\0\0") + b"\0\0\0\0"
                               + question + a, peer)
            held = []


threading.Thread(target=serve, daemon=True).start()


def greeter(host, text):
    """Greets everybody; returns its port."""
    listener = socket.create_server((host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET)

    def run():
        while True:
            connection, _ = listener.accept()
            connection.sendall(text)
            connection.close()

    threading.Thread(target=run, daemon=True).start()
    return listener.getsockname()[1]


def stanza(name, port, host, to):
    return service(name, id=name, port=port, redirect="%s %d" % (host, to), cps="0 1", log_type="FILE " + LOG,
                   log_on_success="HOST EXIT TRAFFIC", log_on_failure="HOST")


four, six = greeter("127.0.0.1", b"four"), greeter("::1", b"six")
none = socket.create_server(("127.0.0.1", 0))
refusing = none.getsockname()[1]
none.close()
daemon = Daemon(stanza("both4", 21001, "both.test", four) + stanza("both6", 21002, "both.test", six)
                + stanza("neither", 21003, "both.test", refusing) + stanza("slow", 21004, "slow.test", four)
                + stanza("absent", 21005, "absent.test", four) + stanza("number", 21006, "127.0.0.1", four)
                + stanza("silent", 21007, "silent.test", four) + stanza("moving", 21008, "moving.test", four)
                + service("echo", id="echo", type="INTERNAL UNLISTED", port=21009, cps="0 1"))
wait_for(daemon.worker)

equal("a name is looked up", ask(21002), b"six")
equal("where one address refuses the next is tried", ask(21001), b"four")
equal("where all refuse the client is let go", ask(21003), b"")
check("and the log has the last", daemon.wait_log("can't connect to remote host 127.0.0.1: Connection refused"))

# --- while nobody answers --------------------------------------------------------------------
waiting = [tcp(21004) for n in range(20)] + [tcp(21007) for n in range(20)]
wait_for(lambda: asked)
began = time.monotonic()
for n in range(5):
    equal("meanwhile an internal service answers", ask(21009, b"x"), b"x")
    equal("and a redirected one", ask(21006), b"four")
check("before the name server's time is over", time.monotonic() - began < 8, time.monotonic() - began)
equal("those who wait for a name wait", select.select(waiting, [], [], 0)[0], [])
equal("and one look-up does for all of them", len([x for x in asked if b"\x04slow" in x and b"\0\0\x01\0\x01" in x]), 1)
answering.set()
equal("they go on when the answer comes", [receive_all(x) for x in waiting[:20]], [b"four"] * 20)
equal("and are let go when none comes", [receive_all(x) for x in waiting[20:]], [b""] * 20)
check("a silent name server is told of",
      daemon.wait_log("can't connect to remote host silent.test: Temporary failure in name resolution"))
equal("a name that does not exist is told of", ask(21005), b"")
check("with its name", daemon.wait_log("can't connect to remote host absent.test: Name or service not known"))
slow = [x for x in asked if b"\x04slow" in x]
equal("an answer is kept for a moment", [ask(21004) for n in range(3)], [b"four"] * 3)
equal("and nobody is asked meanwhile", [x for x in asked if b"\x04slow" in x], slow)

# --- the end with a look-up under way ------------------------------------------------------------
equal("a name of the hosts file needs no name server", ask(21008), b"four")
# Once it has been forgotten that there is no answer.
count = len(asked)
late = []
wait_for(lambda: late.append(tcp(21007)) or len(asked) > count)
daemon.stop()
starts = [x for x in log_lines(LOG) if x.startswith("START")]
exits = [x for x in log_lines(LOG) if x.startswith("EXIT")]
equal("every START has its EXIT", len(starts), len(exits))
finish()
