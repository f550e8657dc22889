#!/usr/bin/env python3
# Proves that usherctl call tells errors of name, address, connection and time apart, tries addresses in turn, and gets along with services that misbehave.
# SPDX-License-Identifier: ISC
import os
import random
import socket
import sys
import threading

sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "tests/lib"))
from harness import *  # noqa: E402,F403
from client import *  # noqa: E402,F403

replace_file("/etc/hosts", "127.0.0.1 localhost\n::1 both.test\n127.0.0.1 both.test\n"
             "2001:db8::1 mixed.test\n127.0.0.1 mixed.test\n192.0.2.7 far.test\n2001:db8::7 far.test\n")
replace_file("/etc/nsswitch.conf", "hosts: files dns\nservices: files\n")
replace_file("/etc/resolv.conf", "nameserver 127.0.0.1\noptions timeout:5 attempts:2\n")
free = listener()
PORT = port_of(free)
free.close()
Q = {"stdin": subprocess.DEVNULL}

# --- names -------------------------------------------------------------------------------------

ends("a host that the files do not have, and no name server", call("nope.test:7", **Q), NAME, "the name nope.test cannot be resolved")
ends("a service that nobody knows", call("no-such-service", **Q), NAME, 'there is no service "no-such-service"')
ends("nor for UDP", call("udp:localhost:no-such-service", **Q), NAME, "for UDP")
ends("a hostile name is escaped", call("a\x1b[31m\xff:7", **Q), NAME, "\\x1b[31m")
ends("a name of any length is a name", call("x" * 5000 + ":7", **Q), NAME, "cannot be resolved")
silent = listener(socket.SOCK_DGRAM, ("127.0.0.1", 53))
ends("a name server that is silent is a matter of time", call("--timeout", "1", "slow.test:7", **Q), TIME,
     "slow.test was not resolved within the time")
silent.close()
ends("a configuration that is not there", call("--config", path("none"), "echo", **Q), LOCAL, "cannot be read")
write(path("bad"), "defaults\n{\n\tinstances = x\n}\n")
ends("one that cannot be used", call("--config", path("bad"), "echo", **Q), ERRORS, "instances")
write(path("bad"), service("wrong", port="7", server=probe(), instances="x"))
ends("a service with errors", call("--config", path("bad"), "wrong", **Q), ERRORS, "has errors", path("bad"))

# --- addresses ------------------------------------------------------------------------------------

ends("what is no address", call("[::zz]:7", **Q), ADDRESS, "::zz is no address")
ends("what is no port", call("localhost:70000", **Q), ADDRESS, "70000 is no port")
ends("what is no port, 0", call("0", **Q), ADDRESS, "0 is no port")
ends("a network without a way to it", call("192.0.2.1:7", **Q), ADDRESS, "tcp 192.0.2.1:7: Network is unreachable")
ends("none of several has one", call("far.test:7", **Q), ADDRESS, "192.0.2.7:7: Network", "[2001:db8::7]:7: ")
ends("a path that is not there", call("unix:" + path("none"), **Q), ADDRESS, "No such file")
ends("an abstract name that nobody has", call("@usherd-test-none", **Q), CONNECTION, "refused")
stale = listener(address=path("stale"))
ends("a Unix socket of another type", call("unix-dgram:" + path("stale"), **Q), ADDRESS, "wrong type")
stale.close()
ends("a Unix socket that nobody listens on", call(path("stale"), **Q), CONNECTION, "Connection refused")

# --- connections: refused, in turn, in time ----------------------------------------------------------

ends("nobody listens", call("localhost:%d" % PORT, **Q), CONNECTION, "tcp 127.0.0.1:%d: Connection refused" % PORT)
ends("at none of the addresses", call("both.test:%d" % PORT, **Q), CONNECTION, "[::1]:%d: Connection refused" % PORT,
     "; tcp 127.0.0.1:%d: Connection refused" % PORT)
ends("a refusal tells more than a way that is missing", call("mixed.test:%d" % PORT, **Q), CONNECTION, "refused",
     "unreachable")
ends("nobody has the UDP port", call("udp:127.0.0.1:%d" % PORT, **Q), CONNECTION, "udp 127.0.0.1:%d: Connection refused" % PORT)
ends("at none of the addresses", call("udp:both.test:%d" % PORT, data=b"a\nb\n"), CONNECTION, "refused")


def echo(connection):
    while data := connection.recv(65536):
        connection.sendall(data)


def echo_datagrams(s):
    data, peer = s.recvfrom(65536)
    s.sendto(data, peer)


with serving(listener(), echo) as s:
    r = call("-v", "both.test:%d" % port_of(s), data=b"hello")
    check("what it tried is told", re.match(r"usherctl: tcp \[::1\]:%d: Connection refused\n"
                                            r"usherctl: connected: tcp 127\.0\.0\.1:\d+ to tcp 127\.0\.0\.1:%d "
                                            % (2 * (port_of(s),)), r.err), r)
for host in ("both.test", "mixed.test"):
    with serving(listener(), echo) as s:
        r = call("%s:%d" % (host, port_of(s)), data=b"hello")
        check("TCP goes on from IPv6 to IPv4: " + host, r.status == 0 and r.out == b"hello", r)
    with serving(listener(socket.SOCK_DGRAM), echo_datagrams) as s:
        r = call("-v", "udp:%s:%d" % (host, port_of(s)), data=b"one\ntwo\nthree\n")
        check("UDP as well, with nothing lost: " + host, r.status == 0 and
              sorted(r.out.split()) == [b"one", b"three", b"two"] and "to udp 127.0.0.1:" in r.err, r)
with serving(listener(address=("::1", 0)), echo) as s:
    ends("IPv6 is tried first", call("-v", "both.test:%d" % port_of(s), data=b""), CLEAN, "to tcp [::1]:")

full = listener(backlog=0)
held = []
for _ in range(4):
    c = socket.socket()
    c.setblocking(False)
    c.connect_ex(full.getsockname())
    held.append(c)
started = time.monotonic()
ends("a server that does not accept is a matter of time", call("--timeout", "1", "127.0.0.1:%d" % port_of(full), **Q),
     TIME, "Connection timed out")
check("of that time", time.monotonic() - started >= 1)
for c in held:
    c.close()
full.close()
dead = listener(address=("::1", 0), backlog=0)
held = []
for _ in range(4):
    c = socket.socket(socket.AF_INET6)
    c.setblocking(False)
    c.connect_ex(dead.getsockname())
    held.append(c)
with serving(listener(address=("127.0.0.1", port_of(dead))), echo) as s:
    r = call("-v", "--timeout", "4", "both.test:%d" % port_of(s), data=b"hello")
    check("an address that says nothing has its share of the time, then comes the next", r.status == 0 and
          r.out == b"hello" and "tcp [::1]:%d: Connection timed out" % port_of(s) in r.err, r)
for c in held:
    c.close()
dead.close()
full = listener(address=path("full"), backlog=0)
held = []
for _ in range(8):
    c = socket.socket(socket.AF_UNIX)
    c.setblocking(False)
    if c.connect_ex(path("full")) == 0:
        held.append(c)
ends("the same on a Unix socket", call("--timeout", "1", path("full"), **Q), TIME, "timed out")
full.close()

# --- services that do not do what they should ------------------------------------------------------------

BLOCK = random.Random(5).randbytes(3000000)


def target(s):
    return "127.0.0.1:%d" % port_of(s)


with serving(listener(), receive_all) as s:
    started = time.monotonic()
    with subprocess.Popen([USHERCTL, "call", "--timeout", "1", target(s)], stdin=subprocess.PIPE,
                          stderr=subprocess.PIPE) as client:
        client.stdin.write(b"question\n")
        client.stdin.flush()
        equal("one that never answers", client.wait(PATIENCE), TIME)
        check("is told", b"nothing was sent or received for 1 s" in client.stderr.read())
        client.stdin.close()
    check("and given its time", time.monotonic() - started >= 1)
told = threading.Event()
with serving(listener(), lambda c: (c.sendall(b"half an ans"), told.wait(PATIENCE))) as s:
    r = call("--timeout", "1", target(s), data=b"question\n")
    check("one that stops in the middle", r.status == TIME and r.out == b"half an ans", r)
    told.set()
with serving(listener(), lambda c: [(c.sendall(b"%d" % i), time.sleep(0.4)) for i in range(9)]) as s:
    r = call("--timeout", "3", target(s), **Q)
    check("one that is slow, but says something now and then", r.status == 0 and r.out == b"012345678", r)
with serving(listener(), lambda c: (c.sendall(b"nothing for you\n"), c.shutdown(socket.SHUT_RDWR))) as s:
    r = call(target(s), **Q)
    check("one that ends early", r.status == 0 and r.out == b"nothing for you\n", r)
    ends("and has not taken all", call(target(s), data=BLOCK), CONNECTION, target(s))
with serving(listener(), lambda c: None) as s:
    ends("one that ends at once", call(target(s), **Q), CLEAN)
    equal("with an expectation", call("--expect", "hello", target(s), **Q).status, ERRORS)


def reset_after(connection):
    connection.sendall(BLOCK[:100000])
    connection.recv(1)
    reset(connection)


with serving(listener(), reset_after) as s:
    with subprocess.Popen([USHERCTL, "call", target(s)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE) as client:
        got = b""
        while len(got) < 100000:
            got += client.stdout.read(100000 - len(got))
        client.stdin.write(b"x")
        client.stdin.flush()
        equal("one that resets: what it said is there", got == BLOCK[:100000], True)
        equal("and it is an error", client.wait(PATIENCE), CONNECTION)
        check("that says so", b"Connection reset by peer" in client.stderr.read())
        client.stdin.close()


taken = []


def end_first(connection):
    connection.sendall(b"that is all from me\n")
    connection.shutdown(socket.SHUT_WR)
    time.sleep(0.5)
    taken.append(receive_all(connection))


with serving(listener(), end_first) as s:
    write(path("input"), "")
    with open(path("input"), "wb") as file:
        file.write(BLOCK)
    with open(path("input"), "rb") as file:
        r = call(target(s), stdin=file)
check("one that ends its side first still gets all", r.status == 0 and r.out == b"that is all from me\n" and
      taken == [BLOCK], (r, [len(x) for x in taken]))
with serving(listener(), lambda c: c.sendall(b"bye\n")) as s:
    for what, pipe in (("a pipe", os.pipe()), ("a socket", [x.detach() for x in socket.socketpair()])):
        r = call(target(s), stdin=pipe[0])
        check("an input that stays open does not hold up the end: " + what, r.status == 0 and r.out == b"bye\n", r)
        os.close(pipe[0])
        os.close(pipe[1])
with serving(listener(), lambda c: (c.sendall(BLOCK), echo(c))) as s:
    r = call(target(s), data=BLOCK)
    check("one that talks before it listens", r.status == 0 and r.out == BLOCK + BLOCK, (r.status, len(r.out)))
with serving(listener(), echo) as s:
    with subprocess.Popen([USHERCTL, "call", "--timeout", "2", target(s)], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE) as client:
        feeder = threading.Thread(target=lambda: (client.stdin.write(BLOCK), client.stdin.close()), daemon=True)
        feeder.start()
        time.sleep(3)
        got = client.stdout.read()
        equal("a slow reader of ours is not the service's silence", (client.wait(PATIENCE), got == BLOCK), (0, True))
        feeder.join()

# --- datagrams that are not answered ----------------------------------------------------------------------

lossy_count = [0]


def lossy(s):
    data, peer = s.recvfrom(65536)
    lossy_count[0] += 1
    if lossy_count[0] % 3:
        s.sendto(data, peer)


with serving(listener(socket.SOCK_DGRAM), lossy) as s:
    r = call("--timeout", "2", "udp:" + target(s), data=b"x\n" * 60)
    ends("lost answers are told", r, TIME, "40 of 60 messages were answered")
    equal("the others are there", r.out, b"x\n" * 40)
    equal("and all was sent", lossy_count[0], 60)
heard = []
with serving(listener(socket.SOCK_DGRAM), lambda s: heard.append(s.recv(65536))) as s:
    ends("a service that answers nothing gets all, too", call("--timeout", "1", "udp:" + target(s),
                                                               data=b"".join(b"%d\n" % i for i in range(100))),
         TIME, "0 of 100 messages were answered")
    check("in order", wait_for(lambda: len(heard) >= 100) and heard == [b"%d\n" % i for i in range(100)], heard[:20])
with serving(listener(socket.SOCK_DGRAM, path("dgram")), echo_datagrams) as s:
    data = b"".join(b"%d\n" % i for i in range(3000))
    r = call("unix-dgram:" + path("dgram"), data=data)
    check("3,000 datagrams in order, over a Unix socket", r.status == 0 and r.out == data, r)
with serving(listener(socket.SOCK_DGRAM), lambda s: s.sendto(b"", s.recvfrom(99)[1])) as s:
    ends("an empty answer is an answer", call("udp:" + target(s), data=b"a\nb\n"), CLEAN)


def once(s):
    s.sendto(b"yes\n", s.recvfrom(99)[1])
    time.sleep(0.3)
    s.close()


s = listener(socket.SOCK_DGRAM)
with serving(s, once):
    with subprocess.Popen([USHERCTL, "call", "udp:" + target(s)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE) as client:
        client.stdin.write(b"one\n")
        client.stdin.flush()
        equal("a datagram service answers", client.stdout.read(4), b"yes\n")
        wait_for(lambda: s.fileno() < 0)
        client.stdin.write(b"two\n")
        client.stdin.close()
        equal("and has gone", client.wait(PATIENCE), CONNECTION)
        check("which is told", b"refused" in client.stderr.read())
finish()
