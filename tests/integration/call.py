#!/usr/bin/env python3
# Proves that usherctl call reaches every kind of service by every kind of name, and that all bytes go there and come back.
# SPDX-License-Identifier: ISC
import json
import os
import random
import socket
import sys

sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "tests/lib"))
from harness import *  # noqa: E402,F403
from client import *  # noqa: E402,F403

replace_file("/etc/hosts", "127.0.0.1 localhost\n::1 localhost\n::1 both.test\n127.0.0.1 both.test\n")
replace_file("/etc/services", "echo 20007/tcp\necho 20007/udp\ndaytime 20013/tcp\nonly-udp 20007/udp\nlisted 20007/tcp alias\n")


def internal(name, ident, port, **attributes):
    return service(name, id=ident, type="INTERNAL UNLISTED", port=port, cps="0 1", **attributes)


conf = internal("echo", "echo-stream", 20007) \
    + internal("echo", "echo-dgram", 20007, socket_type="dgram", wait="yes") \
    + internal("daytime", "daytime-stream", 20013) \
    + internal("daytime", "daytime-dgram", 20013, socket_type="dgram", wait="yes") \
    + internal("chargen", "chargen-stream", 20019) \
    + internal("discard", "discard-stream", 20009) \
    + internal("discard", "discard-dgram", 20009, socket_type="dgram", wait="yes") \
    + internal("twice", "twice-a", 20020).replace("service twice", "service echo") \
    + internal("time", "time-six", 20037, bind="::1", flags="IPv6") \
    + internal("echo", "echo-unix", None, bind=path("echo")) \
    + internal("echo", "echo-abstract", None, bind="@usherd-test-echo") \
    + internal("echo", "echo-unix-dgram", None, bind=path("echod"), socket_type="dgram", wait="yes") \
    + service("cat-seqpacket", port=None, bind=path("seq"), socket_type="seqpacket", wait="no",
              server=probe(), server_args="echo") \
    + service("world", port=20030, server=probe(), server_args="report")
daemon = Daemon(conf)
C = ("--config", daemon.conf)
DAY = rb"\d\d [A-Z]{3} \d{4} \d\d:\d\d:\d\d [^\r\n]*\r\n$"

# --- names, and both ends' addresses --------------------------------------------------------

r = call("-v", *C, "daytime-stream")
ends("a service of the configuration by its id", r, CLEAN, "daytime-stream is the service at %s:" % daemon.conf)
check("it says its time", re.match(DAY, r.out), r)
check("both ends are told, and times", re.search(r"connected: tcp \[::1\]:\d+ to tcp \[::1\]:20013 in 0\.\d+ s\n"
                                                 r".*sent 0 bytes, received %d bytes in \d+\.\d+ s\n$" % len(r.out),
                                                 r.err), r)
ends("by its name", call("-v", *C, "daytime"), CLEAN, "daytime-stream is the service")
ends("its name means stream, unless something else is asked for", call("-v", *C, "udp:daytime"), CLEAN,
     "daytime-dgram is the service", "udp 127.0.0.1:20013")
ends("a Unix socket's ends are told, too", call("-v", *C, "echo-unix"), CLEAN, "connected: unix, without a name, to unix "
     + path("echo"))
ends("several of a name are told by id", call(*C, "echo"), NAME, 'several services "echo"', "echo-stream",
     "twice-a")
r = call("-v", *C, "time-six")
ends("one that is bound to an address is called there", r, CLEAN, "to tcp [::1]:20037")
equal("and answers with four bytes", len(r.out), 4)
ends("what the configuration does not have, the services database may", call("-v", *C, "listed"), CLEAN,
     "listed is port 20007 of tcp in the services database")
ends("by alias, too", call(*C, "alias"), CLEAN)
ends("and for UDP alone", call("-v", "only-udp"), CLEAN, "of udp in the services database", "udp")
ends("a port is enough", call("-v", "20013"), CLEAN, "to tcp [::1]:20013")
for target in ("localhost:20013", "localhost:daytime", "127.0.0.1:20013", "[::1]:20013", "tcp:localhost:daytime",
               "both.test:20013"):
    r = call(target)
    check("by " + target, r.status == 0 and re.match(DAY, r.out) and not r.err, r)
r = call("-v", *C, "world", stdin=subprocess.DEVNULL)
own = re.search(r"connected: tcp \[::1\]:(\d+) to", r.err)
equal("our address is the one that the server sees", report(r.out)["env"].get("REMOTE_PORT"), own and own.group(1))
for target, words in (("", "service missing"), ("::1:7", "brackets"), ("host:", "host:port"), (":7", "host:port"),
                      ("[::1]", "[address]:port"), ("unix:x", "unix:/path"), ("unix:", "unix:/path"),
                      ("@" + 108 * "x", "107 bytes")):
    ends("%r is a mistake of the caller" % target[:20], call(*([target] if target else [])), USAGE, words)
for words in (["--timeout", "0", "echo"], ["--timeout", "1e3", "echo"], ["--timeout", "-1", "echo"], ["--timeout"],
              ["--expect", "", "echo"], ["--all", "--expect", "x"], ["--json", "echo"], ["a", "b"], ["--nope", "x"]):
    ends(" ".join(words) + " is a mistake, too", call(*words), USAGE, "usherctl --help")

# --- every kind of socket, byte for byte ------------------------------------------------------------

some = random.Random(1).randbytes(200000)
lines = b"".join(b"line %d of the input\n" % i for i in range(2000))
for target, what, data in (("echo-stream", "TCP", some), ("unix:" + path("echo"), "a Unix stream", some),
                           (path("echo"), "a path", some), ("echo-unix", "a Unix stream by its id", some),
                           ("@usherd-test-echo", "an abstract name", some),
                           ("unix-seqpacket:" + path("seq"), "a Unix seqpacket", lines),
                           ("cat-seqpacket", "a Unix seqpacket by its id", lines),
                           ("echo-dgram", "UDP", lines), ("udp:127.0.0.1:20007", "UDP by address", lines),
                           ("unix-dgram:" + path("echod"), "a Unix datagram socket", lines),
                           ("echo-unix-dgram", "a Unix datagram socket by its id", lines)):
    r = call(*C, target, data=data)
    check("what is sent to %s comes back" % what, r.status == 0 and r.out == data and not r.err, r)
equal("no input, nothing back", call(*C, "echo-stream").out, b"")
equal("discard gives nothing", call(*C, "discard-stream", data=some).out, b"")
equal("a last line without an end is a message, too", call(*C, "echo-dgram", data=b"a\n\nb").out, b"a\n\nb")
long = b"x" * 20000 + b"\n"
r = call("-v", *C, "echo-dgram", data=long)
check("a line that is too long for a message is cut", r.out == long and "(messages: 3)" in r.err, r)
r = call("-v", "--whole", *C, "echo-dgram", data=b"a\nb\n" * 1000)
check("--whole sends one message", r.out == b"a\nb\n" * 1000 and "(messages: 1)" in r.err, r)
ends("which must not be too large", call("--whole", *C, "echo-dgram", data=b"x" * 70000), LOCAL,
     "more than a message can hold")
r = call(*C, "daytime-dgram")
check("no input is an empty message", r.status == 0 and re.match(DAY, r.out), r)

big = path("big")
subprocess.run(["dd", "if=/dev/urandom", "of=" + big, "bs=1M", "count=100", "status=none"], check=True)
for way in ("a file", "a pipe"):
    with open(path("back"), "wb") as out:
        if way == "a file":
            with open(big, "rb") as file:
                r = call(*C, "echo-stream", stdin=file, stdout=out)
        else:
            with subprocess.Popen(["cat", big], stdout=subprocess.PIPE) as cat:
                r = call(*C, "echo-stream", stdin=cat.stdout, stdout=out)
    ends("100 MiB from " + way, Result(subprocess.CompletedProcess([], r.status, b"", r.err.encode())), CLEAN)
    check("are the same bytes when they come back", same_files(big, path("back")))
with open(big, "rb") as file, subprocess.Popen([USHERCTL, "call", *C, "echo-stream"], stdin=file,
                                               stdout=subprocess.PIPE) as client, open(path("back"), "wb") as out:
    subprocess.run(["cat"], stdin=client.stdout, stdout=out, check=True)
    equal("and through a pipe", client.wait(), 0)
check("as well", same_files(big, path("back")))
os.remove(big)
os.remove(path("back"))

# --- servers that nobody here wrote ----------------------------------------------------------------------

write(path("page"), "a page\n")
with subprocess.Popen([sys.executable, "-m", "http.server", "--bind", "127.0.0.1", "--directory", TMP, "20080"],
                      stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
    wait_for(lambda: tcp_listens(20080))
    r = call("127.0.0.1:20080", data=b"GET /page HTTP/1.0\r\n\r\n")
    check("HTTP by hand", r.status == 0 and r.out.startswith(b"HTTP/1.0 200 OK\r\n") and
          r.out.endswith(b"\r\n\r\na page\n"), r)
    server.terminate()
if shutil.which("nc"):
    with subprocess.Popen(["nc", "-l", "-N", "127.0.0.1", "20081"], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as server:
        wait_for(lambda: tcp_listens(20081))
        server.stdin.write(b"from the server\n")
        server.stdin.close()
        r = call("127.0.0.1:20081", data=b"from the client\n")
        check("nc as a server: its words", r.status == 0 and r.out == b"from the server\n", r)
        equal("and ours", server.stdout.read(), b"from the client\n")

# --- standard input and output of all kinds --------------------------------------------------------------

with subprocess.Popen([USHERCTL, "call", *C, "echo-stream"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                      bufsize=0) as client:
    for i in range(20):
        client.stdin.write(b"%d\n" % i)
        if not equal("line %d comes back while the input is open" % i, client.stdout.read(100), b"%d\n" % i):
            break
    client.stdin.close()
    equal("then it ends", client.wait(PATIENCE), 0)
with subprocess.Popen([USHERCTL, "call", *C, "echo-dgram"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                      bufsize=0) as client:
    for i in range(20):
        client.stdin.write(b"%d\n" % i)
        if not equal("message %d comes back while the input is open" % i, client.stdout.read(100), b"%d\n" % i):
            break
    client.stdin.close()
    equal("then it ends, too", client.wait(PATIENCE), 0)
closed = call(*C, "daytime-stream", stdin=None, preexec_fn=lambda: os.close(0))
check("a closed input is an empty one", closed.status == 0 and re.match(DAY, closed.out), closed)
closed = call(*C, "udp:daytime", stdin=None, preexec_fn=lambda: (os.close(0), os.close(1)))
ends("a closed output is an error", closed, LOCAL, "standard output: Bad file descriptor")
with open("/dev/full", "wb") as full:
    ends("so is a full one", call(*C, "daytime-stream", stdout=full), LOCAL, "standard output: No space left")
ends("the null device is empty", call(*C, "echo-stream", stdin=subprocess.DEVNULL), CLEAN)
directory = os.open("/", os.O_RDONLY)
ends("a directory cannot be read", call(*C, "echo-stream", stdin=directory), LOCAL, "standard input: Is a directory")
os.close(directory)
master, slave = os.openpty()
with subprocess.Popen([USHERCTL, "call", *C, "echo-stream"], stdin=slave, stdout=subprocess.PIPE) as client:
    os.write(master, b"typed\n")
    equal("a terminal's line", client.stdout.read(6), b"typed\n")
    os.write(master, b"\x04")
    equal("and its end", client.wait(PATIENCE), 0)
with subprocess.Popen([USHERCTL, "call", *C, "daytime-stream"], stdin=slave, stdout=subprocess.PIPE) as client:
    check("a service that ends is the end, whatever the terminal may say later", client.wait(PATIENCE) == 0 and
          re.match(DAY, client.stdout.read()))
os.close(master)
os.close(slave)
with subprocess.Popen(["sh", "-c", '"$0" call --config "$1" chargen; echo "status $?" >&2', USHERCTL, daemon.conf],
                      stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as shell:
    shell.stdout.read(1000)
    shell.stdout.close()
    equal("when the reader has seen enough it ends without a word", shell.stderr.read(), b"status 2\n")
with subprocess.Popen([USHERCTL, "call", *C, "echo-stream"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                      stderr=subprocess.PIPE) as client:
    client.stdout.close()
    equal("also while the service says nothing", client.wait(PATIENCE), LOCAL)
    equal("and then, too", client.stderr.read(), b"")

# --- as a health check -------------------------------------------------------------------------------------

r = call("--timeout", "20", "--expect", "XYZ[", *C, "chargen")
check("an expected text is enough", r.status == 0 and b"XYZ[" in r.out, r)
ends("one that does not come is told", call("--expect", "no such text", *C, "daytime-stream"), ERRORS,
     'the answer does not hold "no such text"')
r = call("--timeout", "1", "--expect", "\t", *C, "chargen", stdout=subprocess.DEVNULL, timeout=60)
equal("one that does not come in time ends an endless service", r.status, TIME)
ends("of a datagram service as well", call("--timeout", "20", "--expect", "needle", *C, "echo-dgram",
                                           data=b"hay\nneedle\n"), CLEAN)

r = call("--all", "--timeout", "5", daemon.conf, timeout=200)
check("--all calls every service", r.status == 0 and all(
    re.search(rb"^%s +%s +%s +\d+\.\d+" % x, r.out, re.M) for x in (
        (b"echo-stream", rb"tcp \[::\]:20007", b"ends"), (b"daytime-stream", rb"tcp \[::\]:20013", b"answers"),
        (b"daytime-dgram", rb"udp 127\.0\.0\.1:20013", b"answers"), (b"discard-dgram", rb"udp \[::1\]:20009", b"silent"),
        (b"echo-unix", rb"unix %s" % path("echo").encode(), b"ends"), (b"chargen-stream", rb"tcp \[::\]:20019", b"answers"),
        (b"time-six", rb"tcp \[::1\]:20037", b"answers"))), r.out.decode())
write(path("wide"), service("wide", bind=path("a" * 60), server=probe(), server_args="echo") + internal("echo", "narrow", 20098, bind="127.0.0.1"))
table = call("--all", "--timeout", "1", path("wide"), timeout=60).out.decode().splitlines()
column = table[0].index("RESULT")
check("its columns stand below each other", all(re.match(r"\S.*  $", x[:column]) and x[column] != " " for x in table), table)
with open(path("more"), "w") as more:
    more.write(read(daemon.conf) + service("muxed", type="TCPMUX UNLISTED", server=probe(), server_args="echo") +
               service("anywhere", port="0", server=probe(), server_args="echo") + internal("echo", "nobody-there", 20099) + internal("echo", "nor-there", 20099,
                                                                                 socket_type="dgram", wait="yes"))
r = call("--all", "--json", path("more"), timeout=200)
equal("a service that is not there makes it fail", r.status, ERRORS)
rows = json.loads(r.out)
equal("and is named", sorted({x["service"] for x in rows if x["result"] == "fails"}), ["nobody-there", "nor-there"])
check("with why", all("refused" in x["failure"] for x in rows if x["result"] == "fails"), rows)
check("the others answer as before", all(
    x["failure"] is None for x in rows if x["result"] not in ("fails", "not called")) and
      len(rows) == len([1 for x in conf.split("service ") if x]) + 8, rows)
equal("some cannot be called", {x["service"]: x["failure"] for x in rows if x["result"] == "not called"},
      {"muxed": "is behind tcpmux: call that, and send the name", "anywhere": "has no port of its own"})
ends("one of them alone is an error", call("--config", path("more"), "muxed"), ADDRESS,
     'service "muxed" (%s:' % path("more"), "is behind tcpmux")
ends("and the other", call("--config", path("more"), "anywhere"), ADDRESS, "has no port of its own")
finish()
