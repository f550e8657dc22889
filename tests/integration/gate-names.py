#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Proves: host names in access lists decide only where they lead back to the client, and nobody waits for name servers."""
import os
import socket
import struct
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from harness import (Daemon, check, equal, finish, log_lines, path, private_etc, probe, read, receive_all,  # noqa: E402
                     report, service, wait_for)

LOG = path("log")

# --- a name server that says what it is told -------------------------------------------------------------------------
PTR, A, AAAA = 12, 1, 28
answers = {}     # (name, type) -> list of values; a name that is not here does not exist
black_hole = []  # while it holds something, nobody answers
questions = []


def encoded(name):
    """In labels; bytes stay as they are."""
    data = name if isinstance(name, bytes) else name.encode("latin-1")
    return b"".join(bytes([len(label)]) + label for label in data.split(b".") if label) + b"\0"


def asked(query):
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1:at + 1 + query[at]].decode("latin-1").lower())
        at += query[at] + 1
    return ".".join(labels), struct.unpack(">H", query[at + 1:at + 3])[0], query[12:at + 5]


def value(kind, text):
    if kind == A:
        return socket.inet_pton(socket.AF_INET, text)
    return socket.inet_pton(socket.AF_INET6, text) if kind == AAAA else encoded(text)


def serve_names(server):
    while True:
        query, client = server.recvfrom(4096)
        if black_hole:
            continue
        name, kind, section = asked(query)
        questions.append((name, kind))
        found = answers.get((name, kind), [])
        known = found or any(key[0] == name for key in answers)
        records = b"".join(b"\xc0\x0c" + struct.pack(">HHIH", kind, 1, 0, len(value(kind, v))) + value(kind, v)
                           for v in found)
        server.sendto(query[:2] + struct.pack(">HHHHH", 0x8580 if known else 0x8583, 1, len(found), 0, 0) + section +
                      records, client)


def called(address, *names, back=True):
    """Gives the address these names, and unless told otherwise the names the address."""
    reverse = ".".join(reversed(address.split("."))) + ".in-addr.arpa"
    answers[reverse, PTR] = list(names)
    for name in names:
        if back:
            answers[name if isinstance(name, str) else name.decode("latin-1"), A] = [address]


names = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
names.bind(("127.0.0.1", 53))
threading.Thread(target=serve_names, args=(names,), daemon=True).start()
private_etc(hosts="127.0.0.1 localhost\n::1 six.example.org\n127.0.0.60 filed.example.org\n", hosts_allow="", hosts_deny="",
            resolv_conf="nameserver 127.0.0.1\noptions timeout:1 attempts:1\n", nsswitch_conf="hosts: files dns\npasswd: files\n",
            host_conf="multi on\n")


# --- the services ----------------------------------------------------------------------------------------------------
def stanza(name, port, **more):
    more.setdefault("server", None if "type" in more else probe())
    return service(name, port=port, log_type="FILE " + LOG, log_on_success="HOST", log_on_failure="HOST", cps="0 1", **more)


def talk(port, src="127.0.0.1", host="127.0.0.1", data=b""):
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as s:
        s.settimeout(60)
        s.bind((src, 0))
        s.connect((host, port))
        try:
            s.sendall(data)
            s.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        return receive_all(s)


def served(port, src, host="127.0.0.1"):
    return bool(talk(port, src, host))


def outcomes(name):
    return [line.split(": ")[0] + " " + " ".join(line.split()[2:]) for line in log_lines(LOG)
            if line.split()[1] == name and not line.startswith("EXIT")]


daemon = Daemon(
    stanza("only", 24001, only_from="friend.example.org .example.com 127.0.0.7")
    + stanza("but", 24002, no_access=".example.org 127.0.0.8")
    + stanza("both", 24003, only_from=".example.org", no_access="friend.example.org")
    + stanza("numbers", 24004, only_from="127.0.0.10", no_access="friend.example.org", server=probe())
    + stanza("echo", 24005, type="INTERNAL UNLISTED", id="inner", only_from="friend.example.org")
    + stanza("echo", 24006, type="INTERNAL UNLISTED", id="innerdgram", socket_type="dgram", wait="yes",
             only_from="friend.example.org 127.0.0.7")
    + stanza("waits", 24007, socket_type="dgram", wait="yes", server=probe(), server_args="dgram 1 1",
             only_from="friend.example.org", flags="IPv4")
    + stanza("six", 24008, only_from="six.example.org filed.example.org", flags="IPv6")
    + stanza("open", 24009))

# --- who has which name ------------------------------------------------------------------------------------------------
called("127.0.0.10", "friend.example.org")
called("127.0.0.11", "host.sub.EXAMPLE.com")
answers["host.sub.example.com", A] = ["192.0.2.1", "127.0.0.11"]
called("127.0.0.12", "other.example.net")
called("127.0.0.13", "friend.example.org", back=False)
called("127.0.0.14", "example.com")
called("127.0.0.15", "evilexample.com")
called("127.0.0.16", "friend.example.org.evil.net")
called("127.0.0.17", "nothing.example.com", back=False)
for src, what, good in (
        ("127.0.0.10", "a client of that name is served", True),
        ("127.0.0.11", "one of that domain, whatever the case, with several addresses", True),
        ("127.0.0.7", "one whose number is listed", True),
        ("127.0.0.12", "another name is refused", False),
        ("127.0.0.13", "a name that leads elsewhere is refused", False),
        ("127.0.0.14", "the domain itself is not in it", False),
        ("127.0.0.15", "nor a name that only ends alike", False),
        ("127.0.0.16", "nor one that begins alike", False),
        ("127.0.0.17", "nor one that leads nowhere", False),
        ("127.0.0.18", "D61: no name is no match", False)):
    questions.clear()
    equal(what, served(24001, src), good)
    if src == "127.0.0.7":
        equal("without a look-up", questions, [])
equal("FAIL is recorded for them, or START", wait_for(lambda: len(outcomes("only")) == 10) and outcomes("only"),
      ["START from=127.0.0.1%s" % n for n in (0, 1)] + ["START from=127.0.0.7"]
      + ["FAIL address from=127.0.0.1%d" % n for n in range(2, 9)])
equal("no_access refuses a name", served(24002, "127.0.0.10"), False)
equal("but nobody without one", served(24002, "127.0.0.18"), True)
equal("nor one that is not confirmed", served(24002, "127.0.0.13"), True)
equal("and numbers first", served(24002, "127.0.0.8"), False)
equal("no_access wins over only_from", served(24003, "127.0.0.10"), False)
check("and it is said that both match", daemon.wait_log(
    "ERROR: Service=both: only_from list and no_access list match equally the address 127.0.0.10"), daemon.log())
equal("also where a number is listed", served(24004, "127.0.0.10"), False)
check("and said", daemon.wait_log("Service=numbers: only_from list and no_access list match equally"), daemon.log())
questions.clear()
equal("a number that is not listed is refused", served(24004, "127.0.0.12"), False)
equal("without a look-up", questions, [])
equal("an internal service serves by name", talk(24005, "127.0.0.10", data=b"hello"), b"hello")
equal("and refuses", talk(24005, "127.0.0.12", data=b"hello"), b"")
equal("a client named by hosts(5), on a socket for both families", served(24008, "127.0.0.60"), True)
equal("an IPv6 client", served(24008, "::1", "::1"), True)
equal("an IPv4 client of that socket without a name", served(24008, "127.0.0.18"), False)


def dgram(port, src, data=b"x"):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.settimeout(30)
    s.bind((src, 0))
    s.sendto(data, ("127.0.0.1", port))
    return s


for name, port in (("innerdgram", 24006), ("waits", 24007)):
    with dgram(port, "127.0.0.12"), dgram(port, "127.0.0.10") as good:
        check("datagrams are thrown away or served by name", good.recv(1000))
        equal("and recorded", wait_for(lambda: len(outcomes(name)) == 2) and sorted(outcomes(name)),
              ["FAIL address from=127.0.0.12", "START from=127.0.0.10"])

# --- hostile names -------------------------------------------------------------------------------------------------------
for number, (what, name) in enumerate((
        ("an address as name", "127.0.0.30"), ("a short address", "127.31"), ("control characters", b"a\x1b[2J\x07.example.com"),
        ("blanks", b"a b.example.com"), ("a backslash", b"a\\032b.example.com"), ("eight bits", b"\xff\xfe.example.com"),
        ("a quote and a newline", b"a'\n\".example.com"), ("a dash in front", "-w.example.com"),
        ("the longest labels", ".".join(["a" * 63] * 3 + ["b" * 47, "example.com"])), ("the root", "."), ("one label", "com"),
        ("a wildcard", "*.example.com"))):
    called("127.0.0.%d" % (30 + number), name)
    good = what in ("a dash in front", "the longest labels")
    text = served(24001, "127.0.0.%d" % (30 + number))
    check("%s: the client is %s" % (what, "served or refused" if good else "refused"), good or not text)
reverse = "70.0.0.127.in-addr.arpa"
answers[reverse, PTR] = ["a%d.example.com" % n for n in range(20)]
check("many names: one of them may do, or none", served(24001, "127.0.0.70") in (True, False))
equal("no gate is left", wait_for(lambda: not [p for p in daemon.children() if "usherd-gate" in read("/proc/%d/comm" % p)]), True)
equal("each of them is recorded once", wait_for(lambda: len(outcomes("only")) == 23) and len(outcomes("only")), 23)

# --- a name server that does not answer -------------------------------------------------------------------------------------
black_hole.append(True)
waiting = []
for n in range(40):
    s = socket.socket()
    s.settimeout(60)
    s.bind(("127.0.1.%d" % (n + 1), 0))
    s.connect(("127.0.0.1", 24001))
    waiting.append(s)
begin = time.monotonic()
for n in range(20):
    check("an open service serves meanwhile", report(talk(24009)).get("uid"))
check("and those that numbers admit are served, too", served(24001, "127.0.0.7"))
check("also datagrams", dgram(24006, "127.0.0.7").recv(1000))
took = time.monotonic() - begin
check("all this without waiting for the name server (%.1f s)" % took, took < 25)
equal("whose clients are refused in the end", [receive_all(s) for s in waiting], [b""] * 40)
equal("with a record each", wait_for(lambda: len(outcomes("only")) == 64) and
      sum(line.startswith("FAIL address from=127.0.1.") for line in outcomes("only")), 40)
black_hole.clear()
equal("and when it answers again, so do we", served(24001, "127.0.0.10"), True)
daemon.stop()
finish()
