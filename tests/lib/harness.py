# SPDX-License-Identifier: ISC
"""What the Python tests share: namespaces of their own, the daemon, clients, waiting, telling.

A test that imports this finds itself in an empty network namespace (loopback
only) and a mount namespace that the machine does not see, with a temporary
directory TMP that goes away at the end. It is skipped where it cannot have
these. The binaries are those of $USHERD_BUILD (default: where make runs the
test). Nothing here sleeps to synchronise: wait_for() polls.
"""
import atexit
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import traceback

sys.dont_write_bytecode = True

BUILD = os.path.abspath(os.environ.get("USHERD_BUILD", "."))
# Longer than anything takes on a slow machine under sanitizers; only failures wait so long.
PATIENCE = 30

_failures = 0
_daemons = []


def skip(why):
    print("SKIP:", why)
    sys.exit(77)


def _enter():
    if os.geteuid() != 0:
        skip("needs root for namespaces of its own")
    for tool in ("unshare", "ip", "mount"):
        if not shutil.which(tool):
            skip("needs " + tool)
    if not os.environ.get("USHERD_TEST_NAMESPACES"):
        if subprocess.run(["unshare", "-n", "-m", "true"], stderr=subprocess.DEVNULL).returncode:
            skip("namespaces are not allowed here")
        if subprocess.run(["unshare", "-n", "-m", "sh", "-c", "mount -t tmpfs none /tmp && ip link set lo up"],
                          stderr=subprocess.DEVNULL).returncode:
            skip("mounts, or settings of a network namespace, are not allowed here")
        os.environ["USHERD_TEST_NAMESPACES"] = "1"
        os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
        os.execvp("unshare", ["unshare", "-n", "-m", sys.executable, *sys.argv])
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


_enter()
os.umask(0o022)
TMP = tempfile.mkdtemp(prefix="usherd-test-")
os.chmod(TMP, 0o755)


def _clean_up():
    for daemon in _daemons:
        if daemon.process.poll() is None:
            daemon.process.kill()
            daemon.process.wait()
    # Mounts in TMP vanish with the namespace, but not before the removal.
    with open("/proc/self/mounts") as mounts:
        mine = [line.split()[1] for line in mounts]
    for place in reversed([m for m in mine if m.startswith(TMP)]):
        subprocess.run(["umount", "-l", place], stderr=subprocess.DEVNULL)
    shutil.rmtree(TMP, ignore_errors=True)


atexit.register(_clean_up)
for _signo in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(_signo, lambda *_: sys.exit(1))


def path(*parts):
    return os.path.join(TMP, *parts)


def own_uid():
    """A number for a user who is nobody else, here or in a copy of the test; a small one, as containers map few."""
    return 20000 + os.getpid() % 40000


def sanitized(program):
    """Whether the program was built with the address sanitizer, and does some things otherwise, or slower."""
    with open(program, "rb") as file:
        return b"__asan_init" in file.read()


def probe():
    """The server of the tests, where every user can run it."""
    place = path("probe")
    if not os.path.exists(place):
        built = os.path.join(BUILD, "tests/integration/probe")
        if not os.path.exists(built):
            print("FAIL: %s is missing; make check builds it" % built)
            sys.exit(1)
        shutil.copy(built, place)
        os.chmod(place, 0o755)
    return place


def private_dev():
    """A /dev of this test's own, with the usual devices and no log; returns where the log's socket goes."""
    place = path("dev")
    os.mkdir(place)
    os.chmod(place, 0o755)
    for name in ("null", "zero", "full", "random", "urandom", "tty"):
        write(path("dev", name), "")
        subprocess.run(["mount", "--bind", "/dev/" + name, path("dev", name)], check=True)
    for name, target in (("fd", "/proc/self/fd"), ("stdin", "/proc/self/fd/0"),
                         ("stdout", "/proc/self/fd/1"), ("stderr", "/proc/self/fd/2")):
        os.symlink(target, path("dev", name))
    subprocess.run(["mount", "--rbind", place, "/dev"], check=True)
    return "/dev/log"


def private_etc(**files):
    """An /etc of this test's own, a copy with these files ("_" stands for a dot), each of which may be written to."""
    place = path("etc")
    if not os.path.exists(place):
        subprocess.run(["cp", "-a", "/etc", place], check=True)
        subprocess.run(["mount", "--bind", place, "/etc"], check=True)
    for name, text in files.items():
        name = os.path.join("/etc", name.replace("_", "."))
        if os.path.islink(name):
            os.unlink(name)
        write(name, text)
        os.chmod(name, 0o644)


# --- telling ---------------------------------------------------------------


def check(sentence, good, detail=""):
    """The test goes on either way and fails at its end."""
    global _failures
    if good:
        print("ok -", sentence)
    else:
        _failures += 1
        print("not ok -", sentence)
        if detail != "":
            print("    " + str(detail).replace("\n", "\n    "))
        print("    at " + ", ".join("%s:%d" % (os.path.basename(frame.filename), frame.lineno)
                                    for frame in traceback.extract_stack()[:-1]))
        if _failures <= 5:
            _show_daemons(_daemons, 15)
    sys.stdout.flush()
    return bool(good)


def _show_daemons(daemons, n):
    """The last lines of what they said."""
    for daemon in daemons:
        for name in (daemon.filelog, daemon.errors):
            for line in read(name).splitlines()[-n:]:
                print("    %s: %s" % (os.path.basename(name), line))
    sys.stdout.flush()


def _on_exception(*what):
    sys.stdout.flush()
    traceback.print_exception(*what)
    sys.stderr.flush()
    _show_daemons(_ended[-1:] + _daemons, 40)


sys.excepthook = _on_exception


def equal(sentence, actual, expected):
    return check(sentence, actual == expected, "expected: %r\nactual:   %r" % (expected, actual))


def finish():
    for daemon in list(_daemons):
        daemon.stop()
    if _failures:
        _show_daemons(_ended[-2:], 40)
        print("%d checks failed" % _failures)
    sys.exit(1 if _failures else 0)


def wait_for(condition, seconds=PATIENCE):
    """Polls every 20 ms until it is true; returns what it was in the end."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value or time.monotonic() > deadline:
            return value
        time.sleep(0.02)


def read(name):
    try:
        with open(name, encoding="utf-8", errors="backslashreplace") as file:
            return file.read()
    # The latter is what /proc says of a process that ends meanwhile.
    except (FileNotFoundError, ProcessLookupError):
        return ""


def write(name, text):
    with open(name, "w", encoding="utf-8") as file:
        file.write(text)
    return name


# --- the daemon --------------------------------------------------------------


def service(_name, **attributes):
    """A stanza; values None are left out, += is written as a key that ends in _plus."""
    base = {"type": "UNLISTED", "socket_type": "stream", "wait": "no", "user": "root"}
    if attributes.get("type") and "INTERNAL" in attributes["type"]:
        del base["user"]
    base.update(attributes)
    lines = ["\t%s = %s" % (k, v) for k, v in base.items() if v is not None]
    return "service %s\n{\n%s\n}\n" % (_name, "\n".join(lines))


_ended = []


class Daemon:
    """usherd in the foreground, its messages in a file."""

    count = 0

    def __init__(self, conf, *options, env=None, preexec=None, prefix=(), ready=True, filelog=True,
                 close_fds=True):
        Daemon.count += 1
        self.conf = path("conf%d" % Daemon.count)
        self.filelog = path("daemon%d.log" % Daemon.count)
        self.errors = path("daemon%d.err" % Daemon.count)
        write(self.conf, conf)
        command = [*prefix, os.path.join(BUILD, "usherd"), "-dontfork", "-f", self.conf]
        if filelog:
            command += ["-filelog", self.filelog]
        command += options
        with open(self.errors, "w") as err:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=err, env=env,
                                            preexec_fn=preexec, restore_signals=False,
                                            close_fds=close_fds)
        self.pid = self.process.pid
        _daemons.append(self)
        if ready and filelog and not self.wait_log("Started working"):
            print("FAIL: the daemon did not start:", self.process.poll(), read(self.errors), self.log())
            sys.exit(1)

    def log(self):
        return read(self.filelog)

    def wait_log(self, text, seconds=PATIENCE):
        return wait_for(lambda: text in self.log() or self.process.poll() is not None,
                        seconds) and text in self.log()

    def reload(self, conf=None):
        before = self.log().count("Reconfigured:")
        if conf is not None:
            write(self.conf, conf)
        self.process.send_signal(signal.SIGHUP)
        return wait_for(lambda: self.log().count("Reconfigured:") > before)

    def stop(self):
        if self not in _daemons:
            return
        _daemons.remove(self)
        _ended.append(self)
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            status = "it did not end"
        equal("the daemon ends with status 0", status, 0)
        # Sanitizers speak there.
        equal("the daemon wrote nothing to standard error", read(self.errors), "")

    def cpu_seconds(self):
        with open("/proc/%d/stat" % self.pid) as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def descriptors(self):
        return len(os.listdir("/proc/%d/fd" % self.pid))

    def children(self):
        with open("/proc/%d/task/%d/children" % (self.pid, self.pid)) as file:
            return [int(x) for x in file.read().split()]

    def worker(self):
        """The pid of the worker, or None."""
        for pid in self.children():
            try:
                with open("/proc/%d/comm" % pid) as file:
                    if file.read().startswith("usherd-worker"):
                        return pid
            except OSError:
                pass
        return None


# --- clients -------------------------------------------------------------------


def tcp(port, host="127.0.0.1", timeout=PATIENCE):
    return socket.create_connection((host, port), timeout)


def receive_all(connection):
    """Everything until the end; a reset counts as the end."""
    data = b""
    while True:
        try:
            more = connection.recv(65536)
        except ConnectionResetError:
            return data
        if not more:
            return data
        data += more


def ask(port, data=b"", host="127.0.0.1"):
    """Sends, ends its side, and returns all that comes back; None where nobody listens."""
    try:
        with tcp(port, host) as connection:
            try:
                if data:
                    connection.sendall(data)
                connection.shutdown(socket.SHUT_WR)
            except OSError:
                pass
            return receive_all(connection)
    except ConnectionRefusedError:
        return None


def ask_unix(kind, name, data=b"", own=None):
    with socket.socket(socket.AF_UNIX, kind) as s:
        s.settimeout(PATIENCE)
        if own:
            s.bind(own)
        s.connect(name)
        if data:
            s.send(data)
        if kind == socket.SOCK_DGRAM:
            return s.recv(65536)
        s.shutdown(socket.SHUT_WR)
        if kind == socket.SOCK_SEQPACKET:
            return s.recv(65536)
        return receive_all(s)


def ask_udp(port, data, host="127.0.0.1", timeout=PATIENCE):
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as s:
        s.settimeout(timeout)
        s.sendto(data, (host, port))
        try:
            return s.recvfrom(65536)[0]
        except (socket.timeout, ConnectionRefusedError):
            return None


def reset(connection):
    """Closes with RST."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def udp_bound(port, v6=False):
    """Whether a UDP socket has this port."""
    name = "/proc/net/udp6" if v6 else "/proc/net/udp"
    return any(re.match(r"\s*\d+: [0-9A-F]+:%04X " % port, line) for line in read(name).splitlines())


def tcp_listens(port, v6=False):
    name = "/proc/net/tcp6" if v6 else "/proc/net/tcp"
    return any(re.match(r"\s*\d+: [0-9A-F]+:%04X \S+ 0A " % port, line)
               for line in read(name).splitlines())


def report(text):
    """What probe told: a dict of the last values, with lists for fd, argv and env."""
    result = {"fd": [], "argv": [], "env": {}}
    for line in (text or b"").decode("utf-8", "replace").splitlines():
        match = re.match(r"(\w+)[=:]\s*(.*)$", line)
        if not match:
            continue
        key, value = match.groups()
        if key == "env":
            name, _, content = value.partition("=")
            result["env"][name] = content
        elif key in ("fd", "argv"):
            result[key].append(value)
        else:
            result[key] = value
    if "end" not in result:
        result["incomplete"] = text
    return result


def log_lines(name):
    """The lines of a service log without their time, which must have xinetd's form."""
    lines = []
    for line in read(name).splitlines():
        match = re.match(r"\d\d/[1-9]\d?/[1-9]\d?@\d\d:\d\d:\d\d: (.*)$", line)
        lines.append(match.group(1) if match else "BAD: " + line)
    return lines
