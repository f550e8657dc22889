# SPDX-License-Identifier: ISC
"""Runs scenarios on one of the two daemons, and says what it saw."""

import ctypes
import os
import platform
import re
import resource
import select
import signal
import socket
import subprocess
import threading
import time

import table
from namespaces import DIRECTORY, SERVICES, enter, kill_children, read, write  # noqa: F401

PATIENCE = 20  # seconds that only a failure waits
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", "TZ": "UTC", "KEPT": "yes",
               "OTHER": "two words"}


# --- the daemon -----------------------------------------------------------------------------------


def all_signals(ignored):
    """All of them at their defaults, or ignored as by a careless parent; also those that the library hides."""
    call = {"x86_64": 13, "aarch64": 134}.get(platform.machine())
    action = (ctypes.c_ulong * 8)(1 if ignored else 0)
    for signo in range(1, 65):
        if call and signo not in (signal.SIGKILL, signal.SIGSTOP):
            ctypes.CDLL(None).syscall(call, signo, action, None, ctypes.c_size_t(8))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, signal.valid_signals())


class Daemon:
    def __init__(self, side, main, options=(), limits=(1024, 1024), careless=False):
        self.side = side
        self.messages_file = DIRECTORY + "/messages"
        self.main = main
        self.errors = DIRECTORY + "/errors"
        command = [DIRECTORY + "/" + side]
        given = " ".join(options)
        if "-background" not in given:
            command.append("-dontfork")
        if "-syslog" not in given:
            command += ["-filelog", self.messages_file]
        if "-nofile" not in given:
            command += ["-f", main]
        command += [o for o in options if o not in ("-background", "-nofile")]
        environment = dict(ENVIRONMENT)
        for name, value in os.environ.items():
            if name.endswith("SAN_OPTIONS") and side == "usherd":
                environment[name] = value

        def prepare():
            all_signals(careless)
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

        with open(self.errors, "w") as errors:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=errors, stderr=errors,
                                            env=environment, preexec_fn=prepare, cwd=DIRECTORY,
                                            restore_signals=False)
        self.pid = self.process.pid

    def messages(self):
        return read(self.messages_file)

    def running(self):
        return self.process.poll() is None

    def servers(self):
        """How many processes it has that are not its own, dead ones included."""
        count = 0
        for pid in read("/proc/%d/task/%d/children" % (self.pid, self.pid)).split():
            name = read("/proc/%s/comm" % pid).strip()
            count += name not in ("", "usherd-worker", "usherd-gate")
        return count

    def wait_message(self, pattern, seconds=PATIENCE):
        return wait_for(lambda: re.search(pattern, self.messages()) or not self.running(), seconds) and (
            re.search(pattern, self.messages()))

    def wait_message_any(self, text, seconds=PATIENCE):
        """Also of a daemon that this process has not started itself."""
        return wait_for(lambda: text in self.messages(), seconds)

    def stop(self):
        """As gently as xinetd can quickly."""
        if self.running():
            self.process.send_signal(signal.SIGQUIT)
        try:
            return self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return "it did not end"


def wait_for(condition, seconds=PATIENCE):
    deadline = time.monotonic() + seconds
    delay = 0.001
    while True:
        value = condition()
        if value or time.monotonic() > deadline:
            return value
        time.sleep(delay)
        delay = min(delay * 1.5, 0.02)


# --- what a client does ------------------------------------------------------------------------------


def shown(data):
    return data.decode("ascii", "backslashreplace").replace("\r", "\\r").replace("\0", "\\0")


def bound(family, kind, src):
    s = socket.socket(family, kind)
    s.settimeout(PATIENCE)
    if src:
        s.bind((src, 0))
    return s


class Run:
    """One scenario on one daemon."""

    def __init__(self, scenario, daemon, port):
        self.scenario = scenario
        self.daemon = daemon
        self.port = port
        self.connections = []
        self.connections_of_others = []
        self.syslog = None

    def address(self, src, dst):
        dst = dst or ("127.0.0.1" if not src or src.startswith("127.") else "::1" if src == "::1" else
                      "fd00::1" if ":" in src else "10.0.0.1")
        return dst, socket.AF_INET6 if ":" in dst else socket.AF_INET

    def number(self, port):
        return self.port + port - 1 if port < 10 else port

    def connect(self, src, dst, port):
        dst, family = self.address(src, dst)
        s = bound(family, socket.SOCK_STREAM, src)
        try:
            s.connect((dst, self.number(port)))
        except OSError as error:
            s.close()
            return str(error.strerror).lower()
        return s

    def ask(self, data=b"", src=None, dst=None, port=1, first=True):
        s = self.connect(src, dst, port)
        if isinstance(s, str):
            return s
        with s:
            try:
                if data:
                    s.sendall(data)
                if first:
                    s.shutdown(socket.SHUT_WR)
            except OSError:
                pass
            return self.receive(s)

    def receive(self, s, until=None):
        got = b""
        while until is None or until not in got:
            try:
                more = s.recv(65536)
            except ConnectionResetError:
                # Whether the end comes as FIN or RST depends on who was first.
                return shown(got) if got else "closed"
            except socket.timeout:
                return shown(got) + " and nothing more"
            if not more:
                return shown(got) if got else "closed"
            got += more
            if len(got) > 1 << 20:
                break
        return shown(got)

    def udp(self, data, src, dst, port, sport, seconds, size):
        dst, family = self.address(src, dst)
        with socket.socket(family, socket.SOCK_DGRAM) as s:
            s.settimeout(seconds)
            if src or sport:
                s.bind((src or ("::" if family == socket.AF_INET6 else "0.0.0.0"), sport))
            s.sendto(data, (dst, self.number(port)))
            try:
                got, sender = s.recvfrom(65536)
            except socket.timeout:
                return "no answer"
            text = "%d bytes" % len(got) if size else shown(got)
            return text if sender[0] == dst else text.rstrip("\n") + " (from another address)"

    def crowd(self, n, port):
        crowd = [self.connect(None, None, port) for _ in range(n)]
        answers = [s if isinstance(s, str) else self.receive(s) for s in crowd]
        for s in crowd:
            if not isinstance(s, str):
                s.close()
        return "%d of %d are served" % (sum("served" in answer for answer in answers), n)

    def hold(self, src=None, dst=None, port=1):
        s = self.connect(src, dst, port)
        if isinstance(s, str):
            return s
        got = self.receive(s, b"\n")
        if got == "closed":
            s.close()
            return got
        self.connections.append(s)
        return got.rstrip("\n")

    def release(self, n=None):
        released, self.connections = (self.connections, []) if n is None else (
            self.connections[:n], self.connections[n:])
        for s in released:
            try:
                s.shutdown(socket.SHUT_WR)
                self.receive(s)
            except OSError:
                pass
            s.close()
        self.settle()

    def held_state(self):
        states = []
        for s in self.connections:
            readable = select.select([s], [], [], 0.3)[0]
            states.append("stays" if not readable else self.receive(s))
        return "held: " + ", ".join(states)

    def identd(self, answer):
        listener = socket.create_server(("::", 113), family=socket.AF_INET6, dualstack_ipv6=True)
        self.connections_of_others.append(listener)

        def serve():
            while True:
                try:
                    s = listener.accept()[0]
                    with s:
                        s.settimeout(PATIENCE)
                        client, server = (word.strip() for word in s.recv(1024).decode().split(","))
                        s.sendall(answer.replace("$L", client).replace("$R", server).encode())
                except (OSError, ValueError):
                    if listener.fileno() < 0:
                        return

        threading.Thread(target=serve, daemon=True).start()

    # --- the daemon of the scenario -----------------------------------------------------------------

    def reload(self, conf, done):
        if conf is not None:
            write(self.daemon.main, table.expand(self.scenario, conf, self.port, DIRECTORY))
        before = len(re.findall(done, self.daemon.messages()))
        self.daemon.process.send_signal(signal.SIGHUP)
        if not wait_for(lambda: len(re.findall(done, self.daemon.messages())) > before or not self.daemon.running()):
            return "the reload did not end"
        return None

    def send_signal(self, name):
        os.kill(self.daemon.pid, getattr(signal, "SIG" + name))

    def wait_message(self, pattern, seconds):
        pattern = pattern.replace("$NAME", self.scenario.name)
        if not self.daemon.wait_message(pattern, seconds):
            return "no message %s" % pattern

    def wait_log(self, pattern, seconds):
        pattern = pattern.replace("$NAME", self.scenario.name)
        if not wait_for(lambda: re.search(pattern, read(DIRECTORY + "/log")), seconds):
            return "no log line %s" % pattern

    def wait_end(self, seconds):
        wait_for(lambda: not self.daemon.running(), seconds)
        status = self.daemon.process.poll()
        return "the daemon goes on" if status is None else "the daemon ended with status %d" % status

    def settle(self, seconds=3):
        """Waits until no server runs but those of held connections, and for the log to say so."""
        name = re.escape(self.scenario.name)
        wait_for(lambda: self.daemon.servers() <= len(self.connections), seconds)

        def logged():
            lines = read(DIRECTORY + "/log")
            return len(re.findall(r": EXIT: %s" % name, lines)) >= len(
                re.findall(r": START: %s\S* pid=[1-9]" % name, lines)) - len(self.connections)

        # The log may be written by another thread; not every configuration logs both.
        wait_for(logged, 0.05)

    def listens(self):
        """Who listens on the ports of the scenario."""
        found = []
        for kind in ("tcp", "tcp6", "udp", "udp6"):
            for line in read("/proc/self/net/" + kind).splitlines()[1:]:
                fields = line.split()
                address, port = fields[1].split(":")
                port = int(port, 16)
                if not self.port <= port < self.port + 5 or fields[3] not in ("0A", "07"):
                    continue
                if fields[2].split(":")[1] != "0000":
                    continue
                raw = b"".join(bytes.fromhex(address[i:i + 8])[::-1] for i in range(0, len(address), 8))
                family = socket.AF_INET6 if len(raw) == 16 else socket.AF_INET
                n = port - self.port + 1
                found.append("%s %s $PORT%s" % (kind.rstrip("6"), socket.inet_ntop(family, raw), n if n > 1 else ""))
        return sorted(found)

    # --- RPC ---------------------------------------------------------------------------------------

    def registered(self):
        """What rpcbind has besides itself: (program, version, netid, port, owner)."""
        rows = []
        done = subprocess.run([DIRECTORY + "/rpcinfo"], capture_output=True, text=True, stdin=subprocess.DEVNULL)
        for line in done.stdout.splitlines():
            words = line.split()
            if len(words) > 4 and words[0].isdigit() and words[0] != "100000":
                high, low = words[3].split(".")[-2:]
                rows.append((int(words[0]), int(words[1]), words[2], int(high) * 256 + int(low), words[-1]))
        return sorted(rows)

    def perform(self):
        wire = []
        for step in self.scenario.do:
            try:
                said = step(self)
            except Exception as error:  # what a client meets is an observation, and the next scenario waits
                said = "the step failed: %r" % error
            if said is not None:
                wire += said.rstrip("\n").split("\n")
            # What is over for the client is to be over for the daemon, before the next one comes.
            wait_for(lambda: self.daemon.servers() <= len(self.connections), 1)
        return wire


# --- whole runs ------------------------------------------------------------------------------------------


def services_file(scenarios, ports):
    write("/etc/services", SERVICES + "".join(
        "%s %d/tcp\n%s %d/udp\n" % (s.name, ports[s.name], s.name, ports[s.name]) for s in scenarios))


def lacking(main, options):
    """What usherctl check says that this build does not do: file -> the words."""
    command = [DIRECTORY + "/usherctl", "check"] + (["-inetd"] if "-inetd_compat" in options else []) + [main]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", env=dict(
        ENVIRONMENT, **{k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")}))
    found = {}
    for line in (done.stdout + done.stderr).splitlines():
        match = re.match(r"([^:\s]+)(?::\d+)?: \w+: (.*)", line)
        if match and "built without" in match[2]:
            found.setdefault(match[1], match[2])
    return found


def dump_of(daemon):
    """The state dump, or nothing where none comes."""
    path = "/run/xinetd.dump" if daemon.side == "xinetd" else "/run/usherd/state.dump"
    if os.path.exists(path):
        os.unlink(path)
    if not daemon.running():
        return ""
    daemon.process.send_signal(signal.SIGUSR1)
    wait_for(lambda: "END OF DUMP" in read(path) or not daemon.running())
    return read(path)


def run_shared(side, scenarios, ports):
    """All in one daemon. Returns name -> what was seen, before it is put in order."""
    services_file(scenarios, ports)
    main = write(DIRECTORY + "/main", "".join("include %s/d/%s\n" % (DIRECTORY, s.name) for s in scenarios))
    for scenario in scenarios:
        write("%s/d/%s" % (DIRECTORY, scenario.name), table.expand(scenario, scenario.conf, ports[scenario.name], DIRECTORY))
        prepare_files(scenario, ports[scenario.name])
    seen = {s.name: {} for s in scenarios}
    if side == "usherd":
        for path, text in lacking(main, ()).items():
            if os.path.basename(path) in seen:
                seen[os.path.basename(path)]["pending"] = text
    daemon = Daemon(side, main)
    if not daemon.wait_message("Started working"):
        raise RuntimeError("%s did not start: %s %s" % (side, read(daemon.errors), daemon.messages()))
    runs = []
    for scenario in scenarios:
        run = Run(scenario, daemon, ports[scenario.name])
        runs.append(run)
        begin = time.monotonic()
        seen[scenario.name]["listens"] = run.listens()
        seen[scenario.name]["wire"] = run.perform()
        run.settle()
        seen[scenario.name]["seconds"] = time.monotonic() - begin
        seen[scenario.name]["pid"] = daemon.pid
    dump = dump_of(daemon)
    status = daemon.stop()
    for name in seen:
        seen[name].update(log_text=read(DIRECTORY + "/log"), messages_text=daemon.messages(), dump_text=dump,
                          errors_text=read(daemon.errors), status=["0" if status == 0 else str(status)])
    kill_children()
    return seen


def prepare_files(scenario, port):
    for path, text in scenario.files.items():
        path = table.expand_path(path, DIRECTORY, scenario.name)
        if isinstance(text, bytes):
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as file:
                file.write(text)
        else:
            write(path, table.expand_text(scenario, text, port, DIRECTORY), 0o755 if text.startswith("#!") else 0o644)


def start_rpcbind():
    for name in ("sock", "lock"):
        if os.path.exists("/run/rpcbind." + name):
            os.unlink("/run/rpcbind." + name)
    subprocess.Popen([DIRECTORY + "/rpcbind", "-f"], stdin=subprocess.DEVNULL, env=ENVIRONMENT)

    def answers():
        with socket.socket(socket.AF_UNIX) as s:
            return s.connect_ex("/run/rpcbind.sock") == 0

    if not wait_for(answers):
        raise RuntimeError("rpcbind does not answer")


def run_alone(side, scenario, port):
    """One in a daemon of its own."""
    for name in ("log", "messages", "errors"):
        if os.path.exists("%s/%s" % (DIRECTORY, name)):
            os.unlink("%s/%s" % (DIRECTORY, name))
    for path in ("/etc/hosts.deny", "/etc/hosts.allow", "/etc/inetd.conf"):
        if os.path.exists(path):
            os.unlink(path)
    services_file([scenario], {scenario.name: port})
    prepare_files(scenario, port)
    main = write("%s/%s.conf" % (DIRECTORY, scenario.name), table.expand(scenario, scenario.conf, port, DIRECTORY))
    seen = {}
    if side == "usherd":
        later = lacking(main, scenario.options)
        if later:
            seen["pending"] = next(iter(later.values()))
    begin = time.monotonic()
    syslog = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    if os.path.exists("/dev/log"):
        os.unlink("/dev/log")
    syslog.bind("/dev/log")
    syslog.setblocking(False)
    options = [table.expand_path(o, DIRECTORY, scenario.name) for o in scenario.options]
    if scenario.rpcbind:
        start_rpcbind()
    daemon = Daemon(side, main, options, scenario.limits, scenario.careless)
    run = Run(scenario, daemon, port)
    run.syslog = syslog
    if scenario.starts:
        if not daemon.wait_message("Started working") and scenario.starts != table.EITHER:
            seen["wire"] = ["it did not start"]
    seen["listens"] = run.listens()
    if "wire" not in seen:
        seen["wire"] = run.perform()
        run.settle()
    dump = dump_of(daemon) if scenario.starts and "dump" not in scenario.skip else ""
    status = daemon.stop()
    seen.update(log_text=read(DIRECTORY + "/log"), messages_text=daemon.messages(), dump_text=dump, pid=daemon.pid,
                errors_text=read(daemon.errors), status=["0" if status == 0 else str(status)],
                seconds=time.monotonic() - begin)
    for s in run.connections:
        s.close()
    for s in run.connections_of_others:
        s.shutdown(socket.SHUT_RDWR)
        s.close()
    syslog.close()
    kill_children()
    return seen
