#!/usr/bin/env python3
# Proves that every kind of endpoint is opened as its stanza says: families, addresses, Unix sockets with mode and owner, raw, ports by name, ports that are taken.
# SPDX-License-Identifier: ISC
import ctypes
import errno
import grp
import os
import platform
import pwd
import socket
import stat
import sys

sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "tests/lib"))
from harness import *  # noqa: E402,F403

PROBE = probe()
write(path("services"), "usherdnamed 20030/tcp\nusherdlisted 20031/tcp\nusherdlisted 20032/udp\n")
os.chmod(path("services"), 0o644)
if not os.path.exists("/etc/services"):
    skip("needs /etc/services to hide")
subprocess.run(["mount", "--bind", path("services"), "/etc/services"], check=True)


def echo(name, port, **attributes):
    attributes.setdefault("server", PROBE)
    attributes.setdefault("server_args", "echo")
    attributes.setdefault("cps", "0 1")
    return service(name, id=name, port=port, **attributes)


def dgram(name, port, **attributes):
    return echo(name, port, socket_type="dgram", wait="yes", server_args="dgram 1 1000", **attributes)


def answers(port, host="127.0.0.1"):
    return ask(port, b"hello", host) == b"hello"


def answers_udp(port, host="127.0.0.1", timeout=PATIENCE):
    got = ask_udp(port, b"hello", host, timeout)
    return bool(got and got.endswith(b":hello"))


def refuses_udp(port, host):
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as s:
        s.settimeout(PATIENCE)
        s.connect((host, port))
        s.send(b"x")
        try:
            s.recv(10)
        except ConnectionRefusedError:
            return True
    return False


def refused(port, host="127.0.0.1"):
    return ask(port, b"", host) is None


for n in range(2, 5):
    subprocess.run(["ip", "addr", "add", "fd00::%d/128" % n, "dev", "lo", "nodad"], check=True)

subprocess.run(["ip", "link", "set", "lo", "multicast", "on"], check=True)
subprocess.run(["ip", "route", "add", "224.0.0.0/4", "dev", "lo"], check=True)

# A stale socket file, one that is alive, and a file that is no socket at all.
stale = socket.socket(socket.AF_UNIX)
stale.bind(path("stale"))
stale.close()
live = socket.socket(socket.AF_UNIX)
live.bind(path("live"))
live.listen(8)
write(path("file"), "precious\n")
taken = socket.socket(socket.AF_INET)
taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
taken.bind(("0.0.0.0", 20040))
taken.listen(8)
long_name = path("s" * (107 - len(path("")))) # the longest that there is

conf = "".join([
    echo("both", 20001), echo("four", 20002, flags="IPv4"), echo("six", 20003, flags="IPv6 "),
    echo("sixonly", 20004, flags="IPv6", v6only="yes"), echo("bothflags", 20005, flags="IPv4 IPv6"),
    echo("v6onlyno", 20006, v6only="no"),
    dgram("dboth", 20001), dgram("dfour", 20002, flags="IPv4"),
    dgram("dsixonly", 20004, flags="IPv6", v6only="yes"),
    echo("several", 20010, bind="127.0.0.2 127.0.0.3 fd00::2"),
    dgram("dseveral", 20010, bind="127.0.0.2 127.0.0.3 fd00::2"),
    echo("interface", 20011, interface="127.0.0.4"),
    # One port, several services by their addresses.
    echo("split1", 20012, bind="127.0.0.5", server_args="exit 1"),
    echo("split2", 20012, bind="fd00::3"),
    echo("unix", None, bind=path("unix"), socket_mode="0640", socket_user="nobody",
         socket_group=grp.getgrgid(pwd.getpwnam("nobody").pw_gid).gr_name),
    echo("plainunix", None, bind=path("plainunix")),
    echo("abstract", None, bind="@usherd-test"),
    echo("long", None, bind=long_name),
    echo("mixed", 20013, bind="127.0.0.6 %s @usherd-mixed" % path("mixed")),
    dgram("udgram", None, bind=path("udgram"), socket_mode="0666"),
    dgram("adgram", None, bind="@usherd-dgram"),
    echo("seq", None, socket_type="seqpacket", bind=path("seq")),
    echo("aseq", None, socket_type="seqpacket", bind="@usherd-seq"),
    echo("stale", None, bind=path("stale")), echo("live", None, bind=path("live")),
    echo("file", None, bind=path("file")),
    echo("named", "usherdnamed"), echo("usherdlisted", None, type=None),
    echo("listedudp", None).replace("service listedudp", "service usherdlisted")
    .replace("type = UNLISTED", "socket_type = dgram").replace("\tsocket_type = stream\n", "")
    .replace("wait = no", "wait = yes").replace("server_args = echo", "server_args = dgram 1 1000"),
    echo("taken", 20040), echo("last", 20041), echo("queues", 20042, backlog="7"),
    dgram("multi", 20050, bind="224.0.0.77"), dgram("multi6", 20050, bind="ff02::77%lo"),
    service("ping", id="ping", socket_type="raw", protocol="icmp", wait="yes", bind="127.0.0.9",
            server=PROBE, server_args="dgram 1 1000", port="0", cps="5 1", env="COUNT=" + path("pings")),
])
daemon = Daemon(conf)
six = bool(read("/proc/net/if_inet6"))



def backlog(port):
    """How many connections the kernel lets wait."""
    found = subprocess.run(["ss", "-Hltn", "sport = :%d" % port], capture_output=True, text=True).stdout.split()
    return int(found[2]) if len(found) > 2 else found


equal("as many clients may wait as backlog says", backlog(20042), 7)
equal("without it, as many as the kernel has room for", backlog(20041), int(read("/proc/sys/net/core/somaxconn")))

# --- families ---------------------------------------------------------------------------
check("TCP: IPv4 on the wildcard", answers(20001))
check("IPv4: IPv4", answers(20002))
check("IPv4: not IPv6", refused(20002, "::1"))
check("IPv4 IPv6: IPv4", answers(20005))
check("v6only = no: IPv4", answers(20006))
check("UDP: IPv4 on the wildcard", answers_udp(20001))
check("UDP, IPv4: IPv4", answers_udp(20002))
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as thief:
    thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        thief.bind(("127.0.0.1", 20002))
        error = None
    except OSError as e:
        error = e.errno
    equal("UDP: nobody else can have the port, too", error, errno.EADDRINUSE)
if six:
    check("TCP: IPv6 on the same", answers(20001, "::1"))
    check("IPv6: IPv6", answers(20003, "::1"))
    check("v6only: IPv6", answers(20004, "::1"))
    check("v6only: not IPv4", refused(20004))
    check("IPv4 IPv6: IPv6", answers(20005, "::1"))
    check("v6only = no: IPv6", answers(20006, "::1"))
    check("UDP: IPv6 on the same", answers_udp(20001, "::1"))
    check("UDP, IPv4: not IPv6", refuses_udp(20002, "::1"))
    check("UDP, v6only: IPv6", answers_udp(20004, "::1"))
    check("UDP, v6only: not IPv4", refuses_udp(20004, "127.0.0.1"))

# --- addresses --------------------------------------------------------------------------
for host in ("127.0.0.2", "127.0.0.3", "fd00::2"):
    check("bind: TCP on " + host, answers(20010, host))
    check("bind: UDP on " + host, answers_udp(20010, host))
check("bind: nowhere else", refused(20010) and refused(20010, "fd00::3"))
check("bind: UDP nowhere else", refuses_udp(20010, "127.0.0.1"))
check("interface is bind", answers(20011, "127.0.0.4") and refused(20011))
equal("two services on one port: the first", ask(20012, b"", "127.0.0.5"), b"")
check("two services on one port: the second", answers(20012, "fd00::3"))

# --- Unix sockets -----------------------------------------------------------------------
for kind, names in ((socket.SOCK_STREAM, (path("unix"), path("plainunix"), "\0usherd-test", long_name,
                                          path("mixed"), "\0usherd-mixed")),
                    (socket.SOCK_SEQPACKET, (path("seq"), "\0usherd-seq"))):
    for name in names:
        equal("Unix, %s, %s" % (kind.name, name.replace("\0", "@")[-20:]),
              ask_unix(kind, name, b"hello"), b"hello")
check("Unix and TCP together", answers(20013, "127.0.0.6"))
for name in (path("udgram"), "\0usherd-dgram"):
    got = ask_unix(socket.SOCK_DGRAM, name, b"hello", path("client" + str(len(name))))
    check("Unix datagrams, " + name.replace("\0", "@")[-20:], got.endswith(b":hello"), got)
status = os.stat(path("unix"))
nobody = pwd.getpwnam("nobody")
equal("socket_mode, socket_user, socket_group",
      (oct(stat.S_IMODE(status.st_mode)), status.st_uid, status.st_gid),
      ("0o640", nobody.pw_uid, nobody.pw_gid))
equal("socket_mode of a datagram socket", oct(stat.S_IMODE(os.stat(path("udgram")).st_mode)), "0o666")
check("without socket_mode nobody else may write",
      not stat.S_IMODE(os.stat(path("plainunix")).st_mode) & 0o022)
equal("a stale socket file is replaced", ask_unix(socket.SOCK_STREAM, path("stale"), b"hello"),
      b"hello")
with socket.socket(socket.AF_UNIX) as client:
    client.connect(path("live"))
    live.settimeout(PATIENCE)
    check("a living one is not stolen", live.accept()[0].close() is None)
equal("a file that is no socket is left alone", read(path("file")), "precious\n")
live.close()


def unix_echo(name):
    try:
        return ask_unix(socket.SOCK_STREAM, name, b"hello") == b"hello"
    except OSError:
        return False


check("when its owner is gone, it is taken over by timer", wait_for(lambda: unix_echo(path("live"))))

# --- ports ------------------------------------------------------------------------------
check("a port by its name", answers(20030))
check("the service's own name is its port", answers(20031))
check("and for UDP", answers_udp(20032))
check("a port that is taken does not hold up the rest", answers(20041))
check("that it is taken is said",
      len(re.findall(r"ERROR: bind failed \(Address already in use.*service = taken", daemon.log())) == 1,
      daemon.log())
taken.close()
check("a port that was taken is tried again", wait_for(lambda: answers(20040)))
check("and that is said", daemon.wait_log("service taken: listening on"), daemon.log())

# --- multicast, raw ------------------------------------------------------------------------
groups = subprocess.run(["ip", "maddr", "show"], capture_output=True, text=True).stdout
check("D45: multicast: the IPv4 group is joined", "224.0.0.77" in groups, groups)
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
    s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
    s.settimeout(PATIENCE)
    s.sendto(b"hello", ("224.0.0.77", 20050))
    check("multicast: its datagrams are served", s.recv(100).endswith(b":hello"))
if six:
    check("multicast: the IPv6 group is joined", "ff02::77" in groups, groups)
ping = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
ping.settimeout(PATIENCE)
packet = bytes([8, 0, 0, 0, 0x12, 0x34, 0, 1]) + b"usherd"
total = sum((packet[i] << 8) + packet[i + 1] for i in range(0, len(packet), 2))
total = (total & 0xffff) + (total >> 16)
packet = packet[:2] + ((~total) & 0xffff).to_bytes(2, "big") + packet[4:]
ping.sendto(packet, ("127.0.0.9", 0))
check("raw: a server is started for a packet, which gets it", wait_for(lambda: read(path("pings"))))

# --- clients that vanish before they are accepted ------------------------------------------
daemon.process.send_signal(signal.SIGSTOP)
for host in ("127.0.0.1", "::1"):
    for _ in range(40):
        s = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        s.setblocking(False)
        try:
            s.connect((host, 20001))
        except BlockingIOError:
            pass
        reset(s)
for _ in range(20):
    s = socket.socket(socket.AF_UNIX)
    s.setblocking(False)
    s.connect(path("unix"))
    s.close()
daemon.process.send_signal(signal.SIGCONT)
check("clients that vanish between poll and accept do no harm", answers(20001) and unix_echo(path("unix")))
daemon.stop()
check("socket files are removed at the end", not any(
    os.path.exists(path(x)) for x in ("unix", "plainunix", "udgram", "seq", "mixed", "stale", "live")))
equal("other files are not", read(path("file")), "precious\n")

# --- no IPv6 ------------------------------------------------------------------------------------
conf = echo("both", 20061) + dgram("dboth", 20061) + echo("flags", 20062, flags="IPv4 IPv6") + \
    echo("four", 20063, flags="IPv4")
for place in ("all", "default", "lo"):
    write("/proc/sys/net/ipv6/conf/%s/disable_ipv6" % place, "1")
daemon = Daemon(conf)
check("IPv6 switched off: IPv4 is served", answers(20061) and answers(20062) and answers(20063))
check("IPv6 switched off: UDP over IPv4", answers_udp(20061))
daemon.stop()


def without_ipv6():
    """A kernel that has no IPv6: socket(AF_INET6) fails with EAFNOSUPPORT."""
    libc = ctypes.CDLL(None, use_errno=True)
    number = {"x86_64": 41, "aarch64": 198}[platform.machine()]

    def step(code, jt, jf, k):
        return struct.pack("HBBI", code, jt, jf, k)
    program = b"".join([
        step(0x20, 0, 0, 0), step(0x15, 0, 3, number),  # the number of the call
        step(0x20, 0, 0, 16), step(0x15, 0, 1, socket.AF_INET6),  # its first argument
        step(0x06, 0, 0, 0x00050000 | 97), step(0x06, 0, 0, 0x7fff0000)])
    buffer = ctypes.create_string_buffer(program, len(program))
    filter_ = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", len(program) // 8,
                                                      ctypes.addressof(buffer)))
    libc.prctl(38, 1, 0, 0, 0)
    if libc.prctl(22, 2, filter_, 0, 0) != 0:
        os._exit(99)


if platform.machine() in ("x86_64", "aarch64"):
    conf += echo("only6", 20064, flags="IPv6") + echo("bound", 20065, bind="::1") + \
        service("echo", id="inner", type="INTERNAL UNLISTED", port=20066)
    daemon = Daemon(conf, preexec=without_ipv6)
    check("no IPv6: IPv4 is served", answers(20061) and answers(20062) and answers(20063))
    check("no IPv6: UDP over IPv4", answers_udp(20061))
    check("no IPv6: internal services", wait_for(lambda: answers(20066)))
    check("no IPv6: the fall-back is said", "IPv6 socket creation failed for service both, trying IPv4"
          in daemon.log(), daemon.log())
    check("no IPv6: what needs it is said", re.search("ERROR.*service = bound", daemon.log()),
          daemon.log())
finish()
