#!/usr/bin/env python3
# Proves that usherctl call -i serves a person at a terminal, and that nothing a service says can paint or steer that terminal.
# SPDX-License-Identifier: ISC
import fcntl
import os
import shutil
import random
import select
import socket
import sys
import termios
import threading

sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "tests/lib"))
from harness import *  # noqa: E402,F403
from client import *  # noqa: E402,F403

ENV = dict(os.environ, LC_ALL="C.UTF-8", TERM="xterm", HOME=TMP)
if not shutil.which("locale") or "UTF-8" not in subprocess.run(["locale", "charmap"], env=ENV, capture_output=True, text=True).stdout:
    skip("needs the locale C.UTF-8")
EDITS = "#define HAVE_LIBEDIT" in read(os.path.join(BUILD, "config.h"))

# --- what may be shown, as a model -----------------------------------------------------------------

UNFIT = [(0x80, 0x9f), (0x61c, 0x61c), (0x200e, 0x200f), (0x2028, 0x202e), (0x2066, 0x2069), (0xfff9, 0xfffb),
         (0xe0000, 0xe0fff)]


def escaped(data):
    return "".join("\\x%02x" % x for x in data)


def shown(data, utf8=True):
    """What becomes of these bytes on a terminal."""
    out = ""
    i = 0
    while i < len(data):
        if data[i:i + 2] == b"\r\n":
            i += 1
            continue
        for n in (1, 2, 3, 4):
            try:
                c = data[i:i + n].decode("utf-8")
                break
            except UnicodeDecodeError:
                c = None
        if c is None or len(c) != 1:
            out += escaped(data[i:i + 1])
            i += 1
            continue
        code = ord(c)
        fits = code in (9, 10) or 32 <= code < 127 or code >= 128 and utf8 and code & 0xfffe != 0xfffe and not any(
            a <= code <= b for a, b in UNFIT)
        if not fits and code >= 128 and not utf8:
            n = 1
        out += c if fits else escaped(data[i:i + n])
        i += n
    return out.encode()


hostile = [bytes(range(256)), b"\x1b]0;PWNED\x07\x1b[31m\x9b31m\x08\x7f\r\nplain\rover\tx\n\xc2\x9b31m",
           "größe 漢字 🙂 \u202egnp.exe \u2066x\u2069 \ufeff \ufffe \U000e0041".encode(), b"\xc3", b"\xf0\x9f\x99", b"\r",
           b"\xed\xa0\x80\xc0\x80\xe0\x80\x80\xf4\x90\x80\x80\xf5\xff"]
rng = random.Random(7)
for _ in range(20):
    hostile.append(rng.randbytes(3000))
    hostile.append(bytes(rng.choice(b"\x1b\r\n\xc2\x9b\xe2\x80\xae[31maA\\\xf0\x9f\x99\x82\t") for _ in range(3000)))
for utf8 in (True, False):
    env = ENV if utf8 else dict(ENV, LC_ALL="C")
    wrong = []
    for data in hostile:

        def say(connection):
            i = 0
            while i < len(data):
                n = rng.choice((1, 2, 3, 5, 1000))
                connection.sendall(data[i:i + n])
                i += n

        with serving(listener(), say) as s:
            r = call("-i", "127.0.0.1:%d" % port_of(s), stdin=subprocess.DEVNULL, env=env)
        if r.status != 0 or r.out != shown(data, utf8):
            wrong.append((data[:200], r.out[:400], shown(data, utf8)[:400], r.status))
    equal("-i shows what is fit, and escapes the rest, %s UTF-8" % ("with" if utf8 else "without"), wrong, [])
with serving(listener(), lambda c: c.sendall(hostile[1])) as s:
    equal("without -i the bytes are as they come", call("127.0.0.1:%d" % port_of(s), stdin=subprocess.DEVNULL).out,
          hostile[1])
with serving(listener(socket.SOCK_DGRAM), lambda s: s.sendto(b"\x1b[31m\n\xc3", s.recvfrom(100)[1])) as s:
    equal("datagrams are treated alike", call("-i", "udp:127.0.0.1:%d" % port_of(s), data=b"x", env=ENV).out,
          b"\\x1b[31m\n\\xc3")

# --- a person ------------------------------------------------------------------------------------------


class Terminal:
    def __init__(self, *words, env=None, columns=80):
        self.master, slave = os.openpty()
        self.modes = termios.tcgetattr(slave)
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        self.process = subprocess.Popen([USHERCTL, "call", *words], stdin=slave, stdout=slave, stderr=slave,
                                        env=env or ENV, start_new_session=True,
                                        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        self.slave = slave
        self.seen = b""

    def type(self, text):
        os.write(self.master, text)

    def more(self):
        while select.select([self.master], [], [], 0.02)[0]:
            try:
                data = os.read(self.master, 65536)
            except OSError:
                return
            if not data:
                return
            self.seen += data

    def sees(self, text):
        return wait_for(lambda: self.more() or text in self.seen)

    def ends(self):
        status = wait_for(lambda: self.more() or self.process.poll() is not None) and self.process.returncode
        self.more()
        equal("the terminal is as it was", termios.tcgetattr(self.slave), self.modes)
        os.close(self.slave)
        os.close(self.master)
        return status


class Service:
    """One connection, by hand."""

    def __init__(self):
        self.listening = listener()
        self.target = "127.0.0.1:%d" % port_of(self.listening)
        self.heard = b""

    def accept(self):
        self.listening.settimeout(PATIENCE)
        self.connection, _ = self.listening.accept()
        self.listening.close()

    def hears(self, text):
        """Whether this is what comes next."""
        self.connection.settimeout(PATIENCE)
        while len(self.heard) < len(text):
            data = self.connection.recv(65536)
            if not data:
                break
            self.heard += data
        got, self.heard = self.heard[:len(text)], self.heard[len(text):]
        return got == text or print("    heard %r instead of %r" % (got, text))


service = Service()
person = Terminal("-i", service.target)
service.accept()
service.connection.sendall("Grüße\r\nname: ".encode())
check("lines of the service are shown", person.sees("Grüße".encode()))
check("and what has no end yet", person.sees(b"name: "))
person.type(b"joe\n")
check("a line is sent when it ends", service.hears(b"joe\n"))
service.connection.sendall(b"hello joe\n")
check("a prompt that was answered does not come again", person.sees(b"hello joe") and
      (not EDITS or re.search(rb"\x1b\[Jhello joe\r?\n", person.seen)), person.seen)
if EDITS:
    person.type(b"helo\x02l\n")  # Ctrl-B: one to the left
    check("lines can be edited", service.hears(b"hello\n"))
    person.type(b"\x10\n")  # Ctrl-P: the line before
    check("there is a history", service.hears(b"hello\n"))
    person.type("äöü漢\x7f!\n".encode())
    check("of any alphabet", service.hears("äöü!\n".encode()))
    person.type(b"half a thought")
    person.sees(b"half a thought")
    person.seen = b""
    service.connection.sendall(b"somebody: what I say comes above\n")
    check("a line that comes meanwhile is shown", person.sees(b"what I say comes above"))
    check("with what was typed below it again", person.sees(b"above\r\n") and
          wait_for(lambda: person.more() or b"half a thought" in person.seen.split(b"above\r\n", 1)[1]))
    person.type(b" more\n")
    check("and nothing of it is lost", service.hears(b"half a thought more\n"))
else:
    print("note: built without libedit")
person.seen = b""
service.connection.sendall(b"\x1b]0;PWNED\x07\x1b[31m\x9b31m\x08end of it\n")
check("escape sequences of the service are shown as text", person.sees(b"\\x1b]0;PWNED\\x07\\x1b[31m\\x9b31m\\x08end of it"))
check("and none reach the terminal", not re.search(rb"\x1b\]|\x07|\x9b|\x1b\[31m", person.seen), person.seen)
person.type(b"\x04")
equal("Ctrl-D ends our side", service.connection.recv(10), b"")
service.connection.sendall(b"and goodbye\n")
check("what comes then is still shown", person.sees(b"and goodbye"))
service.connection.close()
equal("then it ends", person.ends(), 0)

service = Service()
person = Terminal("-i", service.target, columns=20)
service.accept()
for i in range(200):
    service.connection.sendall(b"%d %s\n" % (i, b"x" * (i % 70)))
service.connection.sendall(b"y" + "漢".encode() * 2000)
check("many lines, longer than the terminal is wide", person.sees(b"199 "))
person.type(b"z" * 100)
service.connection.sendall(b"\nlast\n")
check("and so is what is typed", person.sees(b"last"))
person.type(b"\n")
check("which arrives", service.hears(b"z" * 100 + b"\n"))
service.connection.close()
check("that the service has ended is told", not EDITS or person.sees(b"the service has ended the connection"))
equal("and is the end", person.ends(), 0)

service = Service()
person = Terminal("-i", service.target)
service.accept()
person.type(b"unfinished")
check("what is typed is shown", person.sees(b"unfinished"))
service.connection.sendall(b"no more time")
check("and what the service says", person.sees(b"no more time"))
service.connection.close()
equal("it ends in the middle", person.ends(), 0)
check("and what it said last stays", not EDITS or b"no more time\r\n" in person.seen.split(b"\x1b[J")[-1], person.seen)

service = Service()
person = Terminal("-i", service.target)
service.accept()
reset(service.connection)
equal("a reset is an error", person.ends(), CONNECTION)
check("that is told", b"reset by peer" in person.seen, person.seen)

service = Service()
person = Terminal("-i", service.target)
service.accept()
person.type(b"before")
person.sees(b"before")
person.type(b"\x03")
equal("Ctrl-C ends it", person.ends(), -signal.SIGINT)
service.connection.close()

with serving(listener(socket.SOCK_DGRAM), lambda s: (lambda d, p: s.sendto(b"answer to " + d, p))(*s.recvfrom(100))) as s:
    person = Terminal("-i", "udp:127.0.0.1:%d" % port_of(s))
    person.type(b"one\n")
    check("datagrams are answered", person.sees(b"answer to one"))
    person.type(b"two\n")
    check("one by one", person.sees(b"answer to two"))
    person.type(b"\x04")
    equal("until Ctrl-D", person.ends(), 0)
with serving(listener(), lambda c: (c.sendall(b"what we wait for\n"), receive_all(c))) as s:
    person = Terminal("-i", "--expect", "wait for", "127.0.0.1:%d" % port_of(s))
    equal("an expected text ends it", person.ends(), 0)
finish()
