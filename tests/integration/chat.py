#!/usr/bin/env python3
# Proves the chat room through the daemon: names, commands, who hears what, text made harmless, and nobody held up by who floods, does not read, hangs up, or sends anything at all.
# SPDX-License-Identifier: ISC
import os
import pwd
import random
import sys
import threading

sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "tests/lib"))
from harness import *  # noqa: E402,F403

LOG = path("services.log")
CHAT = os.path.join(BUILD, "services/chat")
if not os.access(CHAT, os.X_OK):
    skip("needs " + CHAT)


def room(name, port, arguments, **attributes):
    return service(name, port=port, wait="yes", server=CHAT, server_args="--idle 600 " + arguments, cps="0 1",
                   log_type="FILE " + LOG, log_on_success="PID EXIT", **attributes)


class Person:
    """Somebody in a room, by a connection; heard is what came since it was last asked for."""

    def __init__(self, connection, name=None):
        self.connection = connection
        self.heard = ""
        self.raw = b""
        self.ended = False
        self.welcome = self.until("can do.\r\n")
        match = re.match(r"\*\*\* Welcome, (.*)\. You are", self.welcome)
        self.name = match.group(1) if match else None
        if name:
            self.type("/nick " + name)
            self.until("You are now %s.\r\n" % name)
            self.name = name

    def type(self, text, end="\n"):
        self.send((text + end).encode())

    def send(self, data):
        self.connection.sendall(data)

    def until(self, text, seconds=PATIENCE):
        """Reads until this has been heard, or the end; returns all up to it."""
        deadline = time.monotonic() + seconds
        while text not in self.heard and not self.ended and time.monotonic() < deadline:
            self.connection.settimeout(max(0.01, deadline - time.monotonic()))
            try:
                data = self.connection.recv(65536)
            except socket.timeout:
                break
            except ConnectionResetError:
                data = b""
            self.ended = not data
            self.raw += data
            # A character may come in two parts.
            for cut in range(4):
                try:
                    more = self.raw[:len(self.raw) - cut].decode()
                    break
                except UnicodeDecodeError:
                    more = "INVALID %r" % self.raw
            self.raw = self.raw[len(self.raw) - cut:] if cut else b""
            self.heard += more
        at = self.heard.find(text)
        if at < 0:
            result, self.heard = self.heard, ""
        else:
            at += len(text)
            result, self.heard = self.heard[:at], self.heard[at:]
        return result

    def sync(self):
        """All that was heard by now: the room answers in order."""
        mark = "/mark%d" % random.randrange(1 << 30)
        # To oneself a message comes like anybody's.
        self.type("/msg %s %s" % (self.name, mark))
        text = self.until("*** To %s alone: %s\r\n" % (self.name, mark))
        for own in ("-%s- %s\r\n" % (self.name, mark), "*** To %s alone: %s\r\n" % (self.name, mark)):
            text = text.replace(own, "")
        return text

    def leave(self):
        self.connection.close()


def come(port, name=None):
    return Person(tcp(port), name)


def come_unix(place, name=None):
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(PATIENCE)
    s.connect(place)
    return Person(s, name)


UNIX = path("chat.sock")
conf = "".join([
    room("room", 21000, "--rate 0"),
    room("unix", None, "", bind=UNIX, socket_mode="666"),
    room("small", 21001, "--people 3"),
    room("slowly", 21002, "--rate 20"),
    room("narrow", 21003, "--rate 0 --backlog 64"),
    room("hostile", 21004, "--rate 1000"),
])
daemon = Daemon(conf)

# --- talking -----------------------------------------------------------------------------
anna = come(21000, "anna")
bea = come(21000)
equal("the second is told of two", bea.welcome, "*** Welcome, %s. You are one of 2 here; /help tells what you can do.\r\n"
      % bea.name)
equal("and announced", anna.until("come in\r\n"), "*** %s has come in\r\n" % bea.name)
bea.type("/nick bea")
equal("a name changes", (bea.until("bea.\r\n"), anna.until("now bea\r\n")),
      ("*** You are now bea.\r\n", "*** guest2 is now bea\r\n"))
bea.name = "bea"
anna.type("hello")
anna.type("with CR", "\r\n")
anna.send(b"Telnet's\r\0")
anna.send("Grüße, 你好 👋\n".encode())
equal("the others hear it", bea.until("👋\r\n"),
      "<anna> hello\r\n<anna> with CR\r\n<anna> Telnet's\r\n<anna> Grüße, 你好 👋\r\n")
equal("who says it does not", anna.sync(), "")
for piece in (b"\xff\xfb\x01\xff\xfd", b"\x03\xff\xfa\x18\x00x", b"term\xff\xf0te", b"a?\xc3", b"\xa9 \xc3", b"(\n"):
    anna.send(piece)
    time.sleep(0.02)
equal("negotiation is ignored, in whatever pieces, and what is not UTF-8 is replaced", bea.until("\r\n"), "<anna> tea?é \ufffd(\r\n")
anna.send(b"\x1b[2J\x1b]0;x\x07a\x08\x7fb\xc2\x9b1m\tc\x00\n")
equal("nobody paints another's terminal", bea.until("\r\n"), "<anna> [2J]0;xab1m c\r\n")
anna.send(b"x" * 1000 + b"\r\n")
equal("a line of 1000 bytes is a line", len(bea.until("\r\n")), len("<anna> \r\n") + 1000)
anna.send(b"y" * 1001 + b"\n" + b"z" * 300000 + b"\nshort\n")
equal("longer ones nobody gets", bea.until("\r\n"), "<anna> short\r\n")
equal("and who typed them is told", anna.sync(), "*** That line is longer than 1000 bytes; nobody was shown it.\r\n" * 2)
for line, heard in (("/me nods", "* anna nods\r\n"), ("/msg bea psst", "-anna- psst\r\n"), ("//slash", "<anna> /slash\r\n"),
                    ("/topic tea", "*** anna sets the topic: tea\r\n"), ("/NICK Anna", "*** anna is now Anna\r\n")):
    anna.type(line)
    equal(line, bea.until("\r\n"), heard)
anna.name = "Anna"
anna.sync()
bea.type("/stamps on")
check("time stamps on request", re.fullmatch(r"\[\d\d:\d\d\] \*\*\* Time stamps are on; .*\r\n", bea.until("\r\n")))
anna.type("when?")
check("before each line", re.fullmatch(r"\[\d\d:\d\d\] <Anna> when\?\r\n", bea.until("\r\n")))
bea.type("/who")
check("/who", re.fullmatch(r"\[.....\] \*\*\* 2 here, you are bea:\r\n\[.....\] \*\*\* Anna, bea\r\n", bea.until("Anna, bea\r\n")))
bea.type("/help")
check("/help", "/nick NAME" in bea.until("//TEXT says /TEXT to all\r\n"))
cem = come(21000)
check("who comes later is told the topic", "*** Topic: tea\r\n" in cem.sync())
cem.send(b"/quit\nnot heard any more\n" * 1000)
check("/quit ends it, with a goodbye", cem.until("\0").endswith("*** Goodbye, guest3.\r\n") and cem.ended)
cem.leave()
equal("the others see one leave", anna.until("left\r\n"), "*** guest3 has come in\r\n*** guest3 has left\r\n")
cem = come(21000, "cem")
cem.send(b"last words")
cem.connection.shutdown(socket.SHUT_WR)
anna.until("now cem\r\n")
equal("an unfinished line at the end is heard", anna.until("left\r\n"), "<cem> last words\r\n*** cem has left\r\n")
equal("and who ends only their side is let go", cem.until("\0"), "")
check("at once", cem.ended)
cem.leave()
cem = come(21000, "cem")
cem.send(b"\xff\xf4\xff\xfd\x06")
cem.until("\0", 10)
check("Ctrl-C in telnet leaves", cem.ended)
cem.leave()
for person in (anna, bea):
    person.leave()

# --- a Unix socket ---------------------------------------------------------------------------
nobody = pwd.getpwnam("nobody")
root = come_unix(UNIX)
equal("who comes by a Unix socket has a user's name", root.name, "root")
second = come_unix(UNIX)
equal("a second time with a number", second.name, "root2")
# The kernel notes who connects, and that is the effective user.
os.seteuid(nobody.pw_uid)
try:
    third = come_unix(UNIX)
finally:
    os.seteuid(0)
equal("another user", third.name, "nobody")
third.type("/who")
text = third.until("nobody (user nobody)\r\n")
third.leave()
check("/who tells users", "*** root (user root), root2 (user root), nobody (user nobody)\r\n" in text, text)
second.until("nobody has left")
second.type("/nick nobody")
second.until("You are now nobody.\r\n")
second.type("/who")
check("whatever they are called", "nobody (user root)" in second.until("(user root)\r\n"))
root.leave(), second.leave()

# --- a full room --------------------------------------------------------------------------------
people = [come(21001) for _ in range(3)]
for _ in range(3):
    equal("the room is full", receive_all(tcp(21001)), b"*** The room is full: 3 are here.\r\n")
people[1].leave()
people[0].until(" has left")


def try_again():
    s = tcp(21001)
    text = s.recv(1000)
    if b"Welcome" in text:
        return s
    s.close()
    return None


late = wait_for(try_again)
check("who leaves makes room", late)
late.close()
for person in people:
    person.leave()

# --- a flooder -------------------------------------------------------------------------------------
flooder, talker, listener = come(21002, "flooder"), come(21002, "talker"), come(21002, "listener")
listener.sync()
begin = time.monotonic()
flooder.send(b"".join(b"flood %d\n" % i for i in range(120)))
quick = []
for i in range(3):
    talker.type("calm %d" % i)
    text = listener.until("<talker> calm %d\r\n" % i)
    quick.append(text)
check("others are heard meanwhile", "flood 119" not in "".join(quick))
text = "".join(quick) + listener.until("flood 119\r\n")
took = time.monotonic() - begin
equal("all of the flood comes, in order", [x for x in text.split("\r\n") if "flood" in x],
      ["<flooder> flood %d" % i for i in range(120)])
check("but slowly: 20, then 20 a second", took > 4, took)
equal("and the flooder is told, once", flooder.until("flood 119", 0.2).count("Not so fast: of your lines 20 a second"), 1)
flooder.leave()
for how in ("close", "reset"):
    gone = come(21002, "gone")
    listener.sync()
    gone.send(b"".join(b"gone %d\n" % i for i in range(60)))
    if how == "close":
        gone.leave()
    else:
        # What a reset overtakes is lost on the way; what has arrived is heard.
        listener.until("gone 19\r\n")
        reset(gone.connection)
    text = listener.until("*** gone has left")
    listener.until("\r\n")
    equal("who floods and hangs up is heard to the end (%s)" % how, text.split("\r\n")[-2], "<gone> gone 59")
talker.leave(), listener.leave()
# epoll tells of a hang-up for as long as one listens.
with open("/proc/%s/stat" % re.findall(r"START: slowly pid=(\d+)", read(LOG))[0]) as stat:
    ticks = sum(int(x) for x in stat.read().rsplit(")", 1)[1].split()[11:13])
check("and nobody spins meanwhile", ticks / os.sysconf("SC_CLK_TCK") < 0.7, ticks)

# --- a reader who does not read ---------------------------------------------------------------------
stalled = socket.socket()
stalled.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
stalled.connect(("127.0.0.1", 21003))
talker, listener = come(21003, "talker"), come(21003, "listener")
talker.sync()
expected, text, n = [], "", 0
while "too slow a reader" not in text and n < 20000:
    talker.send(b"".join(b"%d %s\n" % (i, b"." * 900) for i in range(n, n + 10)))
    text += listener.until("<talker> %d " % (n + 9)) + listener.until("\r\n")
    n += 10
check("who does not read is dropped", "guest1 has left: too slow a reader\r\n" in text, n)
check("after a backlog", n * 900 > 64 * 1024, n)
equal("the others have lost nothing by it", [x.split()[1] for x in text.split("\r\n") if x.startswith("<")], [str(i) for i in range(n)])
data = receive_all(stalled)
check("and it gets no more than that", len(data) < n * 920, (len(data), n))
stalled.close(), talker.leave(), listener.leave()

# --- anything at all ---------------------------------------------------------------------------------
witness = come(21004, "witness")
witness.type("/stamps on")
WORDS = [b"/nick ", b"/who", b"/me ", b"/msg witness ", b"/topic ", b"/stamps on", b"/help", b"/quit", b"/", b"//", b"\n", b"\r\n",
         b"\r\0", b"\r", b"\0", b"\xff", b"\xff\xfa", b"\xff\xf0", b"\xff\xfb", b"\xff\xff", b"\xc3", b"\xa9", b"\xed\xa0\x80",
         b"\xf0\x9f\x98\x80", b"\x1b[2J", b"\xc2\x9b", b"\xe2\x80\xa8", b"%s%n%d", b" ", b"\t", b"A" * 999, b"\xff" * 1001]
ROUNDS = int(os.environ.get("USHERD_TEST_ROUNDS", "40"))


def hostile(seed):
    rng = random.Random(seed)
    for _ in range(ROUNDS):
        s = tcp(21004)
        try:
            for _ in range(rng.randrange(12)):
                s.sendall(b"".join(rng.choice(WORDS) if rng.random() < 0.8 else os.urandom(rng.randrange(60))
                                   for _ in range(rng.randrange(40))))
            if rng.random() < 0.3:
                s.recv(5000)
            if rng.random() < 0.3:
                reset(s)
        except OSError:
            pass
        s.close()


threads = [threading.Thread(target=hostile, args=(seed,)) for seed in range(8)]
for t in threads:
    t.start()
heard = ""
while any(t.is_alive() for t in threads):
    heard += witness.until("\0", 0.1)
for t in threads:
    t.join()
witness.type("/who")
heard += witness.until("you are witness")
check("the room has survived %d hostile visits" % (8 * ROUNDS), "you are witness" in heard, heard[-300:])
lines = heard.split("\r\n")
bad = [x for x in lines if re.search("[\0-\x1f\x7f-\x9f\u2028\u2029]|^INVALID", x)]
equal("and all that was heard is harmless text", bad[:3], [])
bad = [x for x in lines[:-1] if not re.match(r"(\[\d\d:\d\d\] )?(\*\*\* |<[^<>]+> |-[^<>]+- |\* [^<>])", x)]
equal("in lines of the room", bad[:3], [])
check("of which there were many", len(lines) > 100, len(lines))
witness.leave()

# --- the end --------------------------------------------------------------------------------------------
anna = come(21000)
check("the configuration is read again, without the room", daemon.reload(conf.replace("service room\n{", "service room\n{\n\tdisable = yes")))
check("those in the room are told", anna.until("\0").endswith("*** The room is closed. Goodbye.\r\n") and anna.ended)
anna.leave()
check("every room ends well", wait_for(lambda: "EXIT: room status=0" in read(LOG)), read(LOG))
pids = {name: re.findall(r"START: %s pid=(\d+)" % name, read(LOG)) for name in ("room", "unix", "small", "slowly", "narrow", "hostile")}
equal("and was one process throughout", {name: len(x) for name, x in pids.items()}, dict.fromkeys(pids, 1))
for name in pids:
    if name != "room":
        os.kill(int(pids[name][0]), signal.SIGTERM)
        # A sanitizer that has found something, a leak at last, ends it with another status.
        check(name + " ends well", wait_for(lambda: "EXIT: %s status=0" % name in read(LOG)), read(LOG))
finish()
