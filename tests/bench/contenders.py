# SPDX-License-Identifier: ISC
"""Who is measured, and how each is told to host something. A contender gives a command line for what it can do."""

import glob
import os
import shutil
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
FIRST_PORT = 20001
RECORDS = "records"


class Place:
    """Where a contender is run: a directory of its own, and the programs of the bench."""

    def __init__(self, directory, build, programs):
        self.directory = directory
        self.build = build
        self.programs = programs

    def write(self, name, text):
        path = os.path.join(self.directory, name)
        with open(path, "w", encoding="ascii") as file:
            file.write(text)
        return path

    def bench(self, name):
        return os.path.join(self.build, "tests/bench", name)

    def library(self, name):
        """A file below usr/lib of the unpacked packages, or None."""
        found = glob.glob(os.path.join(self.programs, "root/usr/lib/*", name))
        return found[0] if found else None

    def find(self, name):
        """A program of the machine, or of the packages that were unpacked for this."""
        path = os.environ["PATH"] + ":/usr/sbin:/usr/local/sbin"
        for part in ("usr/sbin", "usr/bin", "bin", "sbin"):
            path += ":" + os.path.join(self.programs, "root", part)
        return shutil.which(name, path=path)


def stanzas(place, services):
    """The same file for usherd and xinetd, with what a careful stanza asks for: each service is
    (name, lines); one hundred addresses may connect, everything is limited and recorded."""
    addresses = " ".join(f"10.{i}.0.0/16" for i in range(99))
    records = os.path.join(place.directory, RECORDS)
    text = f"""defaults
{{
	log_type = FILE {records}
	log_on_success = PID HOST EXIT DURATION
	log_on_failure = HOST
	cps = 10000000 1
	instances = 100000
	per_source = 100000
	only_from = 127.0.0.0/8 {addresses}
}}
"""
    for name, lines in services:
        text += f"service {name}\n{{\n" + "".join(f"\t{line}\n" for line in lines) + "}\n"
    return text


def spawned(place, port, ident):
    return ident, ["type = UNLISTED", f"port = {port}", "socket_type = stream", "protocol = tcp", "wait = no",
                   "user = nobody", "flags = IPv4", "umask = 027", "rlimit_cpu = 60", "env = BENCH=yes",
                   f"server = {place.bench('server')}", "server_args = hello"]


def internal(port, name, kind="stream"):
    protocol = "tcp" if kind == "stream" else "udp"
    return name, ["type = INTERNAL UNLISTED", f"port = {port}", f"socket_type = {kind}", f"protocol = {protocol}",
                  "bind = 127.0.0.1", "user = nobody", "flags = IPv4", f"wait = {'no' if kind == 'stream' else 'yes'}"]


def datagram(place, port):
    return "dgram", ["type = UNLISTED", f"port = {port}", "socket_type = dgram", "protocol = udp", "wait = yes",
                     "user = nobody", "flags = IPv4", f"server = {place.bench('answer')}"]


class Contender:
    name = ""
    program = ""
    one_each = False  # starts a process or a thread for each connection to an echo service

    def __init__(self, place):
        self.place = place
        self.path = place.find(self.program)

    def spawn(self, n):
        """The command that starts the bench's server for each connection to n ports from FIRST_PORT on."""
        return None

    def echo(self):
        return None

    def daytime(self):
        return None

    def udp(self):
        return None

    def dgram(self):
        return None

    def flooded(self, overload):
        """A spawned service at FIRST_PORT that has at most 50 servers of 20 ms, and behind it a spawned and an internal
        one, and one that bars 127.77.0.0/16."""
        return None


class Floor(Contender):
    name = "floor"

    def __init__(self, place):
        super().__init__(place)
        self.path = place.bench("floor_spawn")

    set_up = ["-s"]

    def spawn(self, n):
        return [self.path, *self.set_up, str(FIRST_PORT), str(FIRST_PORT + n - 1), self.place.bench("server"),
                "hello"]

    def serve(self, what):
        return [self.place.bench("floor_serve"), what, str(FIRST_PORT)]

    def echo(self):
        return self.serve("echo")

    def daytime(self):
        return self.serve("daytime")

    def udp(self):
        return self.serve("udp")

    def dgram(self):
        return [self.path, "-d", *self.set_up, str(FIRST_PORT), str(FIRST_PORT), self.place.bench("answer")]


class BareFloor(Floor):
    """A child that gets nothing but the connection."""

    name = "bare floor"
    set_up = []

    def serve(self, what):
        return None


class Stanzas(Contender):
    def command(self, conf):
        raise NotImplementedError

    def host(self, services):
        return self.command(self.place.write("conf", stanzas(self.place, services)))

    def spawn(self, n):
        return self.host([spawned(self.place, FIRST_PORT + i, f"s{i}") for i in range(n)])

    def echo(self):
        return self.host([internal(FIRST_PORT, "echo")])

    def daytime(self):
        return self.host([internal(FIRST_PORT, "daytime")])

    def udp(self):
        return self.host([internal(FIRST_PORT, "echo", "dgram")])

    def dgram(self):
        return self.host([datagram(self.place, FIRST_PORT)])

    def flooded(self, overload):
        crowded, other, barred = (spawned(self.place, FIRST_PORT + i, name)
                                  for i, name in ((0, "crowded"), (1, "other"), (3, "barred")))
        crowded[1][-1:] = ["server_args = -w 20 hello", "instances = 50"] + ([f"overload = {overload}"] if overload else [])
        barred[1].append("no_access = 127.77.0.0/16")
        return self.host([crowded, other, internal(FIRST_PORT + 2, "echo"), barred])


class Usherd(Stanzas):
    name = "usherd"

    def __init__(self, place):
        super().__init__(place)
        self.path = os.path.join(place.build, "usherd")

    def command(self, conf):
        return [self.path, "-dontfork", "-f", conf, "-filelog", os.path.join(self.place.directory, "log")]


class Xinetd(Stanzas):
    name = program = "xinetd"
    one_each = True

    def flooded(self, overload):
        return None if overload else super().flooded(overload)

    def command(self, conf):
        return [self.path, "-dontfork", "-stayalive", "-f", conf, "-filelog",
                os.path.join(self.place.directory, "log")]


class Inetd(Contender):
    """Those that read inetd.conf."""

    rate = ""

    def command(self, conf):
        raise NotImplementedError

    def host(self, lines):
        return self.command(self.place.write("inetd.conf", "".join(line + "\n" for line in lines)))

    def spawn(self, n):
        server = self.place.bench("server")
        return self.host(f"{FIRST_PORT + i} stream tcp nowait{self.rate} nobody {server} server hello"
                         for i in range(n))

    def dgram(self):
        return self.host([f"{FIRST_PORT} dgram udp wait{self.rate} nobody {self.place.bench('answer')} answer"])


class OpenbsdInetd(Inetd):
    name = "openbsd-inetd"
    rate = ".1000000"

    def __init__(self, place):
        super().__init__(place)
        if self.path and os.path.realpath(self.path).endswith("inetutils-inetd"):
            self.path = None

    program = "inetd"

    def command(self, conf):
        return [self.path, "-i", "-R", "1000000", conf]


class InetutilsInetd(Inetd):
    name = program = "inetutils-inetd"
    rate = ".1000000"

    def command(self, conf):
        return [self.path, "--rate=1000000", conf]


class BusyboxInetd(Inetd):
    name = "busybox inetd"
    program = "busybox"

    def command(self, conf):
        return [self.path, "inetd", "-f", "-q", "4096", "-R", "0", conf]


class Rlinetd(Contender):
    name = program = "rlinetd"

    def spawn(self, n):
        text = "".join(f'service "s{i}" {{ port "{FIRST_PORT + i}"; protocol tcp; user "nobody"; '
                       f'backlog 4096; exec "{self.place.bench("server")} hello"; }}\n' for i in range(n))
        parser = self.place.library("rlinetd/libparse.so")
        return [self.path, "-d", *(["-p", parser] if parser else []), "-f", self.place.write("rlinetd.conf", text)]


class OnePort(Contender):
    """Those that host one service."""

    def command(self, port, server):
        raise NotImplementedError

    def spawn(self, n):
        return self.command(str(FIRST_PORT), self.place.bench("server")) if n == 1 else None


class BusyboxTcpsvd(OnePort):
    name = "busybox tcpsvd"
    program = "busybox"

    def command(self, port, server):
        return [self.path, "tcpsvd", "-c", "100000", "-b", "4096", "-u", "nobody", "127.0.0.1", port, server, "hello"]


class Tcpsvd(OnePort):
    name = program = "tcpsvd"

    def command(self, port, server):
        return [self.path, "-c", "10000", "-b", "4096", "-l", "localhost", "127.0.0.1", port, server, "hello"]


class Tcpserver(OnePort):
    name = program = "tcpserver"

    def command(self, port, server):
        return [self.path, "-c", "100000", "-b", "4096", "-H", "-R", "-l0", "-u", "65534", "-g", "65534",
                "127.0.0.1", port, server, "hello"]


class S6Tcpserver(OnePort):
    name = program = "s6-tcpserver"

    def command(self, port, server):
        return [self.path, "-c", "1000", "-b", "4096", "-u", "65534", "-g", "65534", "127.0.0.1", port, server, "hello"]


class SocketActivate(OnePort):
    name = program = "systemd-socket-activate"

    def command(self, port, server):
        return [self.path, "--accept", "--inetd", "-l", f"127.0.0.1:{port}", server, "hello"]


class Socat(OnePort):
    name = program = "socat"

    def command(self, port, server):
        return [self.path, f"TCP4-LISTEN:{port},fork,reuseaddr,backlog=4096", f"EXEC:{server} hello,nofork"]


class Ncat(OnePort):
    name = program = "ncat"

    def command(self, port, server):
        pcap = self.place.library("libpcap.so.0.8")
        with_libraries = ["env", f"LD_LIBRARY_PATH={os.path.dirname(pcap)}"] if pcap else []
        return [*with_libraries, self.path, "-l", "-k", "-m", "100000", "127.0.0.1", port, "-e", f"{server} hello"]


class Python(Contender):
    program = "python3"
    how = ""

    def python(self):
        return [self.path]

    def serve(self, what):
        return [*self.python(), os.path.join(HERE, "python_servers.py"), self.how, what, str(FIRST_PORT)]

    def echo(self):
        return self.serve("echo")

    def daytime(self):
        return self.serve("daytime")


class PythonForking(Python):
    name, how = "python forking", "forking"
    one_each = True


class PythonThreading(Python):
    name, how = "python threading", "threading"
    one_each = True


class PythonAsyncio(Python):
    name, how = "python asyncio", "asyncio"


class Twisted(Python):
    name, how = "twisted", "twisted"

    def __init__(self, place):
        super().__init__(place)
        self.packages = os.path.join(place.programs, "root/usr/lib/python3/dist-packages")
        if subprocess.run([*self.python(), "-c", "import twisted.internet.epollreactor"], capture_output=True,
                          check=False).returncode:
            self.path = None

    def python(self):
        return ["env", f"PYTHONPATH={self.packages}", self.path]


EVERYBODY = [Floor, BareFloor, Usherd, Xinetd, OpenbsdInetd, InetutilsInetd, Rlinetd, BusyboxInetd, BusyboxTcpsvd,
             Tcpsvd, Tcpserver, S6Tcpserver, SocketActivate, Socat, Ncat, PythonForking, PythonThreading, PythonAsyncio,
             Twisted]
