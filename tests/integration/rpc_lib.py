# SPDX-License-Identifier: ISC
"""What the tests of RPC services share: a real rpcbind in the test's own namespaces, rpcinfo, a client, the stanzas."""
import atexit
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys

from harness import BUILD, TMP, check, path, skip, wait_for, write  # noqa: F401

HERE = os.path.dirname(os.path.abspath(__file__))
SOCKET = "/run/rpcbind.sock"


def _programs():
    done = subprocess.run(["sh", HERE + "/../lib/programs.sh", "--present"], capture_output=True, text=True)
    found = dict(re.findall(r"^(RPCBIND|RPCINFO)='(.+)'$", done.stdout, re.M))
    if len(found) < 2:
        skip("no rpcbind here (tests/lib/programs.sh fetches it)")
    return found["RPCBIND"], found["RPCINFO"]


RPCBIND, RPCINFO = _programs()
if not os.path.exists(os.path.join(BUILD, "usherd-rpc")):
    skip("usherd was built without libtirpc")
if not os.path.exists("/etc/netconfig"):
    skip("no /etc/netconfig, which rpcbind needs")

subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "none", "/run"], check=True)
with open("/etc/passwd") as _file:
    _passwd = _file.read()
if not re.search(r"^_rpc:", _passwd, re.M):
    write(path("passwd"), _passwd.rstrip("\n") + "\n_rpc:x:949:65534::/run/rpcbind:/usr/sbin/nologin\n")
    subprocess.run(["mount", "--bind", path("passwd"), "/etc/passwd"], check=True)


class Rpcbind:
    """rpcbind, until kill(), or until the test ends however it does."""

    def __init__(self):
        if os.path.exists(SOCKET):
            os.unlink(SOCKET)
        # It would hold the pipe that make reads from, should the test end before it.
        self.process = subprocess.Popen([RPCBIND, "-f"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        atexit.register(self.kill)
        if not wait_for(self.answers):
            print("FAIL: rpcbind does not answer:", self.process.poll())
            sys.exit(1)

    def answers(self):
        with socket.socket(socket.AF_UNIX) as s:
            try:
                s.connect(SOCKET)
                return True
            except OSError:
                return False

    def signal(self, signo):
        self.process.send_signal(signo)

    def kill(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
        self.process.wait()


def table(*programs):
    """What rpcbind has for the programs, in its order: (program, version, netid, port)."""
    done = subprocess.run([RPCINFO], capture_output=True, text=True)
    rows = []
    for line in done.stdout.splitlines():
        words = line.split()
        if not words or not words[0].isdigit() or int(words[0]) not in programs:
            continue
        high, low = words[3].split(".")[-2:] if "/" not in words[3] else (0, 0)
        rows.append((int(words[0]), int(words[1]), words[2], int(high) * 256 + int(low)))
    return rows


def versions(program, netid):
    return sorted(row[1] for row in table(program) if row[2] == netid)


def port_of(program, netid, version=None):
    """The port that the program has there, or None."""
    for row in table(program):
        if row[2] == netid and version in (None, row[1]):
            return row[3]
    return None


def rpcinfo_asks(netid, host, program, version):
    """Whether rpcinfo reaches it: asks rpcbind where it is, then calls its procedure 0."""
    done = subprocess.run([RPCINFO, "-T", netid, host, str(program), str(version)], capture_output=True, text=True)
    return "ready and waiting" in done.stdout


def call(kind, port, program, version, host="127.0.0.1", timeout=20, procedure=1):
    """Calls the program; (version, pid) as its server answers, or None."""
    xid = os.urandom(4)
    message = xid + struct.pack(">IIIII", 0, 2, program, version, procedure) + bytes(16)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM) as s:
        s.settimeout(timeout)
        try:
            s.connect((host, port))
            if kind == "tcp":
                s.sendall(struct.pack(">I", 0x80000000 | len(message)) + message)
                answer = b""
                while len(answer) < 36:
                    more = s.recv(4096)
                    if not more:
                        return None
                    answer += more
                answer = answer[4:]
            else:
                s.send(message)
                answer = s.recv(4096)
        except OSError:
            return None
    if len(answer) != 32 or answer[:4] != xid or answer[4:24] != struct.pack(">IIIII", 1, 0, 0, 0, 0):
        return None
    return struct.unpack(">II", answer[24:])


def server():
    """The server, where every user can run it."""
    place = path("rpc_server")
    if not os.path.exists(place):
        shutil.copy(os.path.join(BUILD, "tests/integration/rpc_server"), place)
        os.chmod(place, 0o755)
    return place


def stanza(name, program, low, high, kind="tcp", stay=False, **more):
    lines = {
        "type": "RPC UNLISTED", "socket_type": "stream" if kind == "tcp" else "dgram", "wait": "no" if kind == "tcp" else "yes",
        "user": "root", "rpc_number": program, "rpc_version": low if low == high else "%d-%d" % (low, high),
        "server": server(), "server_args": "%d %d %d%s" % (program, low, high, " stay" if stay else ""), "cps": "0 0",
    }
    lines.update(more)
    return "service %s\n{\n%s}\n" % (name, "".join("\t%s = %s\n" % item for item in lines.items() if item[1] is not None))
