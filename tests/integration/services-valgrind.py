#!/usr/bin/env python3
# Proves that valgrind has nothing to say about the stub services: no memory error, no leak, no descriptor left open.
# SPDX-License-Identifier: ISC
import os
import sys

sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "tests/lib"))
from harness import *  # noqa: E402,F403

LOG = path("services.log")
SERVICES = os.path.join(BUILD, "services")
VALGRIND = shutil.which("valgrind") or skip("needs valgrind")
if not os.access(os.path.join(SERVICES, "chat"), os.X_OK):
    skip("needs " + SERVICES)
with open(os.path.join(SERVICES, "chat"), "rb") as program:
    if b"__asan_init" in program.read():
        skip("valgrind and the address sanitizer do not go together")
private_dev()
FOUND = path("found")
os.mkdir(FOUND)


def stanza(name, arguments, port=None, place=None, **attributes):
    return service(name, port=port, bind=place, server=VALGRIND, cps="0 1", log_type="FILE " + LOG, log_on_success="PID EXIT",
                   server_args="-q --leak-check=full --track-fds=yes --error-exitcode=99 --log-file=%s/%s.%%p %s/%s" % (
                       FOUND, name, SERVICES, arguments), **attributes)


daemon = Daemon("".join([
    stanza("chat", "chat --idle 0 --people 20 --backlog 64", 21000, wait="yes"),
    stanza("unix-chat", "chat --idle 0", None, path("chat"), wait="yes"),
    stanza("threads", "echo --threads", 21001, wait="yes"), stanza("events", "echo --events", 21002, wait="yes"),
    stanza("echo", "echo", 21003), stanza("stamp", "stamp", 21004), stanza("greet", "greet", 21005),
    stanza("lookup", "lookup", 21006), stanza("linelog", "linelog --options perror", 21007),
    stanza("daytime", "daytime", 21008),
    stanza("stamp-dgram", "stamp", 21009, socket_type="dgram", wait="yes"),
    stanza("greet-dgram", "greet", 21010, socket_type="dgram", wait="yes"),
]))
people = [tcp(21000) for _ in range(21)]
for i, person in enumerate(people):
    person.sendall(b"/nick n%d\nhello\n/who\n/me is\n/msg n0 psst\n/topic t\n/help\n/stamps on\n\xff\xfb\x01\x1b[2J\xc3\n%s\n" % (i, b"x" * 1500))
check("the room is full for one", any(b"The room is full" in person.recv(60) for person in people[-1:]))
for person in people[1:-1]:
    # 20 KiB of text for each other, which is more than is kept: those who do not read are dropped.
    try:
        person.sendall(b"%s\n" % (b"y" * 900) * 15)
    except OSError:
        pass
people[1].sendall(b"/quit\n")
reset(people.pop(2))
for person in people:
    try:
        person.shutdown(socket.SHUT_WR)
    except OSError:
        pass
    receive_all(person)
    person.close()
check("Unix chat", b"Goodbye, root." in ask_unix(socket.SOCK_STREAM, path("chat"), b"/who\n/quit\n"))
for port in (21001, 21002, 21003):
    many = [tcp(port) for _ in range(5)]
    for s in many:
        s.sendall(b"x" * 50000)
    many.pop().close()
    for s in many:
        s.shutdown(socket.SHUT_WR)
        equal("echo", len(receive_all(s)), 50000)
        s.close()
for port, data in ((21004, b"a\nb"), (21005, b"x"), (21006, b"self\nhost localhost\naddress ::1\nservice ssh\nport 22\nprotocol tcp\nhelp\n?\n"),
                   (21007, b"a\n\x1b" + b"x" * 2000), (21008, b"")):
    check("port %d answers" % port, ask(port, data))
for port in (21009, 21010):
    check("UDP port %d answers" % port, ask_udp(port, b"x"))
# 99 is valgrind's; an echo to somebody who is gone ends with 1.
check("all end, and end well", wait_for(lambda: read(LOG).count("START:") == len(re.findall(r"EXIT: \S+ status=[01] ", read(LOG))) >= 12),
      read(LOG))
# What a server was handed is not its to close, and valgrind has its log.
said = {name: re.sub(r"==\d+== *(FILE DESCRIPTORS: \d+ open.*|Open .*file descriptor ([0-2]\b.*|\d+: %s.*)|<inherited from parent>|)\n" % FOUND,
                       "", text)
        for name, text in ((name, read(os.path.join(FOUND, name))) for name in os.listdir(FOUND))}
equal("valgrind has nothing to say", {name: text for name, text in said.items() if text.strip()}, {})
check("of all of them", len({name.split(".")[0] for name in said}) == 12, sorted(said))
finish()
