#!/usr/bin/env python3
# Proves the stub services on TCP, UDP, Unix streams and Unix datagrams: echo by processes, threads and events under load, stamp, greet, daytime, lookup, and linelog's lines in the log.
# SPDX-License-Identifier: ISC
import hashlib
import os
import random
import select
import sys
import threading

sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "tests/lib"))
from harness import *  # noqa: E402,F403

LOG = path("services.log")
SERVICES = os.path.join(BUILD, "services")
if not os.access(os.path.join(SERVICES, "echo"), os.X_OK):
    skip("needs " + SERVICES)
syslog = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
syslog.bind(private_dev())
syslog.setblocking(False)
IDS = []


def stanza(name, program, port=None, place=None, **attributes):
    IDS.append(name)
    base = dict(id=name, port=port, bind=place, server=os.path.join(SERVICES, program), cps="0 1", log_type="FILE " + LOG,
                log_on_success="PID EXIT", instances="UNLIMITED")
    base.update(attributes)
    return service(name, **base)


def dgram(name, program, port=None, place=None):
    return stanza(name, program, port, place, socket_type="dgram", wait="yes")


conf = "".join([
    stanza("echo-process", "echo", 21001),
    stanza("echo-threads", "echo", 21002, wait="yes", server_args="--threads"),
    stanza("echo-events", "echo", 21003, wait="yes", server_args="--events"),
    stanza("unix-threads", "echo", None, path("threads"), wait="yes", server_args="--threads"),
    stanza("unix-events", "echo", None, path("events"), wait="yes", server_args="--events"),
    *(form(program + kind, program, port, place)
      for number, program in enumerate(("echo", "stamp", "greet"))
      for form, kind, port, place in ((stanza, "-tcp", 21010 + number, None), (dgram, "-udp", 21010 + number, None),
                                      (stanza, "-unix", None, path(program)),
                                      (dgram, "-unixdgram", None, path(program + ".dgram")))),
    stanza("daytime", "daytime", 21004),
    stanza("lookup", "lookup", 21005),
    stanza("linelog", "linelog", 21006, server_args="--ident told --options pid,ndelay --facility local3 --priority notice"),
    stanza("linelog-plain", "linelog", 21007),
    stanza("linelog-unix", "linelog", None, path("linelog"), server_args="--options perror"),
    stanza("bad-echo", "echo", 21020, wait="yes"),
    stanza("bad-threads", "echo", 21021, server_args="--threads"),
    stanza("bad-option", "chat", 21022, server_args="--idle x"),
])
daemon = Daemon(conf)

# --- echo, three ways, every byte compared ------------------------------------------------------
BYTES = 300000


def talk(open_connection, seed, failures):
    """Sends without waiting, reads what comes back meanwhile, in pieces of all sizes."""
    rng = random.Random(seed)
    data = rng.randbytes(rng.randrange(BYTES))
    digest = hashlib.sha256()
    count = 0
    try:
        with open_connection() as s:
            def send():
                at = 0
                while at < len(data):
                    n = rng.choice((1, 100, 1460, 16384, 65536))
                    s.sendall(data[at:at + n])
                    at += n
                s.shutdown(socket.SHUT_WR)
            sender = threading.Thread(target=send)
            sender.start()
            while True:
                piece = s.recv(50000)
                if not piece:
                    break
                digest.update(piece)
                count += len(piece)
            sender.join()
    except OSError as error:
        failures.append("%s: %s after %d of %d bytes" % (seed, error, count, len(data)))
        return
    if digest.digest() != hashlib.sha256(data).digest():
        failures.append("%s: %d bytes came back of %d" % (seed, count, len(data)))


def unix(place):
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(PATIENCE)
    s.connect(place)
    return s


for name, connection in (("a process each", lambda: tcp(21001)), ("threads", lambda: tcp(21002)), ("events", lambda: tcp(21003)),
                         ("threads, IPv6", lambda: tcp(21002, "::1")), ("threads, Unix", lambda: unix(path("threads"))),
                         ("events, Unix", lambda: unix(path("events")))):
    failures = []
    threads = [threading.Thread(target=lambda start=start: [talk(connection, start + i, failures) for i in range(8)])
               for start in range(0, 1000, 100)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    equal("echo by %s: 80 connections, 10 at a time, every byte comes back" % name, failures, [])
for name, port in (("a process", 21001), ("threads", 21002), ("events", 21003)):
    data = random.Random(port).randbytes(12 << 20)
    late = socket.socket()
    # Small, so that what comes back soon finds no room.
    late.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    late.connect(("127.0.0.1", port))
    late.setblocking(False)
    sent, back, still = 0, bytearray(), 0
    # The sockets' buffers in between fill, until neither side takes any more.
    while still < 10:
        try:
            sent += late.send(data[sent:sent + 65536])
            still = 0
        except BlockingIOError:
            still += 1
            time.sleep(0.02)
    # From here on only the bytes matter; a small window would make the rest a matter of timers.
    late.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    # What is read makes room for as much.
    while sent < len(data):
        readable, writable, _ = select.select([late], [late], [], PATIENCE)
        if not readable and not writable:
            break
        if readable:
            back += late.recv(65536)
        if writable:
            sent += late.send(data[sent:sent + 65536])
    late.settimeout(PATIENCE)
    try:
        while len(back) < len(data):
            back += late.recv(65536)
    except socket.timeout:
        pass
    late.shutdown(socket.SHUT_WR)
    back += receive_all(late)
    late.close()
    check("echo by %s: 12 MiB through full buffers" % name, back == data, (len(back), sent))
for name, port in (("threads", 21002), ("events", 21003)):
    # Those that had nobody for a while have ended.
    before = read(LOG).count("START: echo-%s " % name)
    stalled = tcp(port)
    stalled.setblocking(False)
    try:
        while stalled.send(b"x" * 65536):
            pass
    except BlockingIOError:
        pass
    gone = tcp(port)
    gone.sendall(b"x" * 100000)
    reset(gone)
    many = [tcp(port) for _ in range(300)]
    for i, s in enumerate(many):
        s.sendall(b"%d" % i)
    equal("%s: 300 at a time, beside one that does not read and one that broke off" % name,
          [s.recv(100) for s in many], [b"%d" % i for i in range(300)])
    for s in (*many, stalled):
        s.close()
    pid = int(re.findall(r"START: echo-%s pid=(\d+)" % name, read(LOG))[-1])
    check("%s: one process for all" % name, read(LOG).count("START: echo-%s " % name) <= before + 1)
    check("%s: which ends when nobody has come for a while" % name,
          wait_for(lambda: "EXIT: echo-%s status=0 pid=%d" % (name, pid) in read(LOG)), read(LOG)[-1000:])
    equal("%s: and is started again for the next" % name, ask(port, b"again"), b"again")

# --- one service on four kinds of socket ------------------------------------------------------------
STAMP = rb"(Mon|Tue|Wed|Thu|Fri|Sat|Sun) [A-Z][a-z][a-z] [ 123]\d \d\d:\d\d:\d\d 20\d\d: "
OWN = 0


def ask_dgram(name, data):
    global OWN
    OWN += 1
    return ask_unix(socket.SOCK_DGRAM, path(name + ".dgram"), data, own=path("own%d" % OWN))


for data in (b"hello", b"two\nlines\n", b"\0\xff" * 500):
    for kind, answer in (("TCP", ask(21010, data)), ("UDP", ask_udp(21010, data)),
                         ("Unix stream", ask_unix(socket.SOCK_STREAM, path("echo"), data)),
                         ("Unix datagram", ask_dgram("echo", data))):
        equal("echo, %s, %d bytes" % (kind, len(data)), answer, data)
for kind, answer in (("TCP", ask(21011, b"hello\nyou\r\n\nthere")),
                     ("Unix stream", ask_unix(socket.SOCK_STREAM, path("stamp"), b"hello\nyou\r\n\nthere"))):
    check("stamp, %s: each line" % kind, re.fullmatch(STAMP + b"hello\n" + STAMP + b"you\r\n" + STAMP + b"\n" + STAMP + b"there", answer), answer)
for kind, answer in (("UDP", ask_udp(21011, b"hello")), ("Unix datagram", ask_dgram("stamp", b"hello"))):
    check("stamp, %s" % kind, re.fullmatch(STAMP + b"hello", answer or b""), answer)
with tcp(21011) as s:
    for i in range(50):
        s.sendall(b"message %d\n" % i)
        answer = b""
        while not answer.endswith(b"\n"):
            answer += s.recv(1000)
        if not re.fullmatch(STAMP + b"message %d\n" % i, answer):
            break
    check("stamp: any number of messages on a connection", i == 49, answer)
long = ask(21011, b"x" * 200000 + b"\ny\n")
check("stamp: a line of any length", re.fullmatch(STAMP + b"x{200000}\n" + STAMP + b"y\n", long), long[:100])
with tcp(21012) as s:
    text = receive_all(s).decode()
    equal("greet, TCP: both ends' addresses", text,
          "Thank you for connecting.\r\nYou come from 127.0.0.1 port %d.\r\nYou have reached 127.0.0.1 port 21012.\r\n" % s.getsockname()[1])
with tcp(21012, "::1") as s:
    check("greet, IPv6", "come from ::1 port %d." % s.getsockname()[1] in receive_all(s).decode())
check("greet, TCP: told also who sends much and does not read at once", b"You come from" in ask(21012, b"x" * 100000))
check("greet, UDP", re.search(rb"You come from 127.0.0.1 port \d+\.\r\nYou have reached \S+ port 21012\.\r\n", ask_udp(21012, b"?")))
text = ask_unix(socket.SOCK_STREAM, path("greet")).decode()
check("greet, Unix stream: who it is", "You come from a Unix socket without a name, user root." in text and path("greet") in text, text)
text = ask_dgram("greet", b"?").decode()
check("greet, Unix datagram: a name", "You come from the Unix socket %s." % path("own%d" % OWN) in text, text)
check("daytime", re.fullmatch(rb"\d\d \w+ 20\d\d \d\d:\d\d:\d\d \S+ for (::ffff:)?127.0.0.1\r\n", ask(21004)), ask(21004))

# --- lookup, against what Python is told ---------------------------------------------------------------


def lookup(question):
    return ask(21005, question.encode() + b"\n").decode()


equal("own name", lookup("self").split(";")[0], socket.gethostname())
check("and full name", "; full name: " in lookup("self"), lookup("self"))
name, aliases, addresses = socket.gethostbyname_ex("localhost")
equal("host by name: name, aliases, addresses", lookup("host localhost").split("; ")[:2],
      [name, "aliases: " + (" ".join(aliases) or "none")])
check("all addresses", all(x in lookup("host localhost") for x in addresses), lookup("host localhost"))
equal("host by address", lookup("address 127.0.0.1").split("; ")[0], socket.gethostbyaddr("127.0.0.1")[0])
for proto in ("tcp", "udp"):
    equal("service by name for " + proto, lookup("service domain " + proto).split(";")[0],
          "domain %d/%s" % (socket.getservbyname("domain", proto), proto))
    equal("service by port for " + proto, lookup("port 123 udp").split(";")[0], "%s 123/udp" % socket.getservbyport(123, "udp"))
check("aliases of a service", lookup("service smtp tcp").rstrip().endswith("25/tcp; aliases: mail"), lookup("service smtp tcp"))
check("protocol by name", lookup("protocol udp").startswith("udp %d; aliases:" % socket.getprotobyname("udp")))
for bad in ("service no-such-service", "port 70000", "port 1x", "port -1", "host", "service a b c", "what", "", "protocol nothing",
            "address 1.2.3", "x" * 600, "port 18446744073709551617"):
    check("an error: %s" % bad[:30], re.fullmatch("error: [^\r\n]+\r\n", lookup(bad)), lookup(bad))
equal("a line asks, a line answers", ask(21005, b"port 22\nport 25\r\nport 53 udp").count(b"\r\n"), 3)
equal("also one with a NUL, however long", ask(21005, b"\0" + b"x" * 2000 + b"\nport 22\n").count(b"\r\n"), 2)
hostile = ask(21005, b"host \x1b[2J\xff\n" + os.urandom(20000).replace(b"host", b"") + b"\n")
check("whatever is asked", not re.search(rb"[\0-\x09\x0b\x0c\x0e-\x1f\x7f-\xff]", hostile), hostile[:200])

# --- linelog -------------------------------------------------------------------------------------------
logged = []


def collect(n):
    """Waits until n records have come from linelog's services."""
    def more():
        try:
            while True:
                text = syslog.recv(10000).decode("utf-8", "backslashreplace")
                logged.append(text.rstrip("\n"))
        except BlockingIOError:
            return len(logged) >= n
    return wait_for(more)


with tcp(21006) as s:
    s.sendall("one\r\ntwo: Grüße\n\x1b[31m\\\0\n\x9b31m Â\xa0\n".encode() + b"a" * 1000 + b"\n\nlast")
    port = s.getsockname()[1]
collect(10)
body = [re.fullmatch(r"<(\d+)>\w+ [ \d]\d \d\d:\d\d:\d\d (told)\[(\d+)\]: (.*)", x) for x in logged]
check("each record has the priority, the ident and the process id", all(body), logged)
equal("local3.notice", {x.group(1) for x in body if x}, {str(19 * 8 + 5)})
equal("the process of the START line", {x.group(3) for x in body if x}, set(re.findall(r"START: linelog pid=(\d+)", read(LOG))))
peer = "127.0.0.1 port %d" % port
equal("connect, lines, disconnect", [x.group(4) for x in body if x],
      ["connect from " + peer] + ["line from %s: %s" % (peer, x) for x in ("one", "two: Grüße", "\\033[31m\\134\\000",
                                                                          "\\302\\23331m Â\xa0", "a" * 900, "a" * 100, "", "last")] + ["disconnect from " + peer])
logged.clear()
ask(21007, b"x\n")
check("without arguments: daemon.info, and the program's name", collect(3) and all(
    re.match(r"<30>.* linelog\[\d+\]: ", x) for x in logged), logged)
logged.clear()
text = ask_unix(socket.SOCK_STREAM, path("linelog"), b"x\n").decode()
check("perror tells the client as well, without pid", text == "linelog: connect from user root\nlinelog: line from user root: x\n"
      "linelog: disconnect from user root\n", text)
collect(3)
logged.clear()
with tcp(21006) as s:
    s.sendall(b"x\n")
    collect(2)
    reset(s)
check("a reset is told from an end", collect(3) and logged[-1].endswith(": Connection reset by peer"), logged)

# --- what cannot work is refused, and said in the log ---------------------------------------------------
logged.clear()
for port, program, words in ((21021, "echo", "--threads and --events need wait = yes"), (21022, "chat", "usage: chat ")):
    equal("%s with wrong arguments: the client gets nothing" % program, ask(port), b"")
    check("the log gets why", collect(1) and re.match(r"<27>.* %s\[\d+\]: %s" % (program, words), logged[-1]), logged)
    logged.clear()
with tcp(21020) as s:
    check("nor does it take what it cannot serve", collect(1) and "wait = yes with a stream needs --threads or --events" in logged[0], logged)
result = subprocess.run([os.path.join(SERVICES, "stamp")], stdin=subprocess.DEVNULL, capture_output=True, text=True)
check("started by hand they say what they are for", result.returncode == 2 and "usherd-services(7)" in result.stderr, result)

# --- the end ----------------------------------------------------------------------------------------------
ends = [x for x in log_lines(LOG) if x.startswith("EXIT:") and not x.startswith("EXIT: bad-")]
check("every server has ended with status 0", all(" status=0 " in x for x in ends if "echo-process" not in x),
      [x for x in ends if " status=0 " not in x])
finish()
