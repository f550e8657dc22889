#!/usr/bin/env python3
# Proves the stub services with clients that nobody here wrote: nc of two packages and of busybox, socat, telnet, and Python's libraries.
# SPDX-License-Identifier: ISC
import os
import pty
import select
import sys

sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "tests/lib"))
from harness import *  # noqa: E402,F403

SERVICES = os.path.join(BUILD, "services")
if not os.access(os.path.join(SERVICES, "chat"), os.X_OK):
    skip("needs " + SERVICES)


def stanza(name, program, port=None, place=None, **attributes):
    return service(name, port=port, bind=place, server=os.path.join(SERVICES, program), cps="0 1", **attributes)


def dgram(name, program, port=None, place=None):
    return stanza(name, program, port, place, socket_type="dgram", wait="yes")


daemon = Daemon("".join([
    stanza("echo", "echo", 21001), stanza("threads", "echo", 21002, wait="yes", server_args="--threads"),
    stanza("events", "echo", 21003, wait="yes", server_args="--events"), stanza("stamp", "stamp", 21004),
    stanza("greet", "greet", 21005), stanza("lookup", "lookup", 21006),
    stanza("chat", "chat", 21007, wait="yes"),
    dgram("echo-dgram", "echo", 21001), dgram("stamp-dgram", "stamp", 21004), dgram("greet-dgram", "greet", 21005),
    stanza("unix-echo", "echo", None, path("echo")), stanza("unix-greet", "greet", None, path("greet")),
    stanza("unix-chat", "chat", None, path("chat"), wait="yes"),
    dgram("unix-stamp", "stamp", None, path("stamp.dgram")),
]))
TCP = {
    "nc of OpenBSD": ["nc.openbsd", "127.0.0.1", "{}"],
    "nc, the traditional one": ["nc.traditional", "127.0.0.1", "{}"],
    "nc of busybox": ["busybox", "nc", "127.0.0.1", "{}"],
    "socat": ["socat", "-", "TCP:127.0.0.1:{}"],
    "telnet": ["telnet", "127.0.0.1", "{}"],
    "telnet of busybox": ["busybox", "telnet", "127.0.0.1", "{}"],
}
READY = {"telnet": r"Escape character is .*\n", "telnet of busybox": r"Connected to .*\n"}
UDP = {
    "nc of OpenBSD": ["nc.openbsd", "-u", "127.0.0.1", "{}"],
    "nc, the traditional one": ["nc.traditional", "-u", "127.0.0.1", "{}"],
    "socat": ["socat", "-", "UDP:127.0.0.1:{}"],
}
UNIX = {
    "nc of OpenBSD": ["nc.openbsd", "-U", path("{}")],
    "socat": ["socat", "-", "UNIX-CONNECT:" + path("{}")],
}
UNIX_DGRAM = {
    "nc of OpenBSD": ["nc.openbsd", "-u", "-U", path("{}.dgram")],
    "socat": ["socat", "-", "UNIX-SENDTO:" + path("{}.dgram") + ",bind=" + path("socat.own")],
}


class Terminal:
    """A client with a terminal of its own, as somebody would use it who types there."""

    def __init__(self, command, place):
        self.shown = ""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            try:
                os.execvp(command[0], [x.format(place) for x in command])
            finally:
                os._exit(127)

    def type(self, text):
        os.write(self.fd, text.encode())

    def sees(self, pattern):
        """Whether this appears; what was shown before it is forgotten."""
        deadline = time.monotonic() + PATIENCE
        while True:
            match = re.search(pattern, self.shown)
            if match:
                self.shown = self.shown[match.end():]
                return match
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.fd], [], [], left)[0]:
                return None
            try:
                self.shown += os.read(self.fd, 65536).decode("utf-8", "replace")
            except OSError:
                return None

    def end(self):
        try:
            os.kill(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        os.waitpid(self.pid, 0)
        os.close(self.fd)


tried = set()


def try_out(kind, clients, place, sentence, typed, pattern):
    for client, command in clients.items():
        if not shutil.which(command[0]):
            print("note: no", command[0], "here")
            continue
        # A datagram may be lost on a busy machine.
        for attempt in range(3 if "datagram" in kind else 1):
            terminal = Terminal(command, place)
            if typed:
                # What it says itself must not come in between.
                if client in READY:
                    terminal.sees(READY[client])
                terminal.type(typed)
            seen = terminal.sees(pattern)
            terminal.end()
            if seen:
                break
        check("%s over %s by %s" % (sentence, kind, client), seen, terminal.shown)
        tried.add(client)


STAMP = r"\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d 20\d\d: hello\r*\n"
# What is typed is shown by the terminal, and again when it comes back.
TWICE = r"hello\b[\s\S]*\bhello\b"
for place, name in ((21001, "a process"), (21002, "threads"), (21003, "events")):
    try_out("TCP", TCP, place, "echo by " + name, "hello\n", TWICE)
try_out("TCP", TCP, 21004, "stamp", "hello\n", STAMP)
try_out("TCP", TCP, 21005, "greet", "", r"You come from 127\.0\.0\.1 port \d+\.")
try_out("TCP", TCP, 21006, "lookup", "service ssh\n", "ssh 22/tcp")
try_out("UDP datagrams", UDP, 21001, "echo", "hello\n", TWICE)
try_out("UDP datagrams", UDP, 21004, "stamp", "hello\n", STAMP)
try_out("UDP datagrams", UDP, 21005, "greet", "hello\n", r"You come from 127\.0\.0\.1 port \d+\.")
try_out("a Unix socket", UNIX, "echo", "echo", "hello\n", TWICE)
try_out("a Unix socket", UNIX, "greet", "greet", "", "user root")
try_out("Unix datagrams", UNIX_DGRAM, "stamp", "stamp", "hello\n", STAMP)

# --- programs of Python's, each in one of the ways that its library offers ------------------------------
PROGRAMS = {
    "all addresses in turn": (["127.0.0.1", "21001"], "hello", """
import socket, sys
for family, kind, protocol, _, address in socket.getaddrinfo(sys.argv[1], sys.argv[2], type=socket.SOCK_STREAM):
    s = socket.socket(family, kind, protocol)
    try:
        s.connect(address)
    except OSError:
        s.close()
        continue
    with s:
        s.sendall(b"hello")
        print(s.recv(1024).decode())
    break
else:
    sys.exit("nobody there")
"""),
    "a file of lines": (["127.0.0.1", "21004"], STAMP + STAMP.replace("hello", "again"), """
import socket, sys
with socket.create_connection((sys.argv[1], int(sys.argv[2]))) as s, s.makefile("rw", encoding="utf-8") as lines:
    for text in ("hello", "again"):
        print(text, file=lines, flush=True)
        print(lines.readline(), end="")
"""),
    "asyncio's streams": (["127.0.0.1", "21003"], "200000 came back", """
import asyncio, sys
async def main():
    reader, writer = await asyncio.open_connection(sys.argv[1], int(sys.argv[2]))
    reading = asyncio.ensure_future(reader.read(-1))
    writer.write(b"x" * 200000)
    await writer.drain()
    writer.write_eof()
    print(len(await reading), "came back")
    writer.close()
asyncio.run(main())
"""),
    "a selector": (["127.0.0.1", "21002"], "ten came back", """
import selectors, socket, sys
selector = selectors.DefaultSelector()
for number in range(10):
    s = socket.socket()
    s.setblocking(False)
    s.connect_ex((sys.argv[1], int(sys.argv[2])))
    selector.register(s, selectors.EVENT_WRITE, b"client %d" % number)
while selector.get_map():
    for key, what in selector.select():
        if what & selectors.EVENT_WRITE:
            key.fileobj.sendall(key.data)
            selector.modify(key.fileobj, selectors.EVENT_READ, key.data)
        else:
            assert key.fileobj.recv(1024) == key.data
            selector.unregister(key.fileobj)
            key.fileobj.close()
print("ten came back")
"""),
    "datagrams": (["127.0.0.1", "21005"], r"You come from 127\.0\.0\.1 port \d+\.", """
import socket, sys
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
    s.settimeout(20)
    s.sendto(b"hello", (sys.argv[1], int(sys.argv[2])))
    print(s.recv(1024).decode())
"""),
    "a Unix socket": ([path("greet")], "user root", """
import socket, sys
with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as s:
    s.connect(sys.argv[1])
    print(s.makefile().read())
"""),
}
for way, (arguments, pattern, program) in PROGRAMS.items():
    # A datagram may be lost on a busy machine.
    for attempt in range(3 if way == "datagrams" else 1):
        result = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, timeout=4 * PATIENCE)
        if result.returncode == 0:
            break
    check("Python with " + way, result.returncode == 0 and re.search(pattern, result.stdout), result)
    tried.add(way)

# --- they talk to each other ------------------------------------------------------------------------
for clients, place in ((TCP, 21007), (UNIX, "chat")):
    people = {}
    for number, (client, command) in enumerate(clients.items()):
        if shutil.which(command[0]):
            people[client] = Terminal(command, place)
            check("%s comes in" % client, people[client].sees("Welcome, [a-z0-9]+"), people[client].shown)
            people[client].type("/nick n%d\n" % number)
            check("%s has a name" % client, people[client].sees(r"\*\*\* You are now n%d\." % number), people[client].shown)
            people[client].number = number
    for client, person in people.items():
        person.type("Grüße von n%d\n" % person.number)
        deaf = [other for other, listener in people.items()
                if listener is not person and not listener.sees("<n%d> Grüße von n%d\r*\n" % (person.number, person.number))]
        equal("all others hear %s" % client, deaf, [])
    if "telnet" in people and len(people) > 1:
        # Its Ctrl-C is a command of Telnet's.
        person = people.pop("telnet")
        person.type("\x03")
        other = next(iter(people.values()))
        check("Ctrl-C in telnet leaves", other.sees(r"\*\*\* n%d has left" % person.number), other.shown)
        person.end()
    for client, person in people.items():
        person.type("/quit\n")
        check("%s is taken leave of" % client, person.sees(r"\*\*\* Goodbye, n%d\." % person.number), person.shown)
        person.end()
if not tried:
    skip("none of these clients is here")
finish()
