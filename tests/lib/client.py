"""What the tests of usherctl call and lookup share; imported after harness."""
# SPDX-License-Identifier: ISC
import contextlib
import os
import shutil
import socket
import subprocess
import threading

from harness import BUILD, PATIENCE, check, path, skip, write

USHERCTL = os.path.join(BUILD, "usherctl")
CLEAN, ERRORS, LOCAL, NAME, ADDRESS, CONNECTION, TIME, USAGE = 0, 1, 2, 3, 4, 5, 6, 64


def replace_file(name, text):
    """Another file in place of this one, for this test only."""
    if not os.path.exists(name):
        skip("needs " + name)
    copy = write(path(os.path.basename(name)), text)
    subprocess.run(["mount", "--bind", copy, name], check=True)
    return copy


class Result:
    def __init__(self, done):
        self.status, self.out, self.err = done.returncode, done.stdout or b"", done.stderr.decode("utf-8", "replace")

    def __repr__(self):
        return "status %r, out %r, err %r" % (self.status, self.out[:500], self.err[:2000])


def usherctl(*words, data=b"", env=None, prefix=(), **more):
    """Runs it with @data, or stdin=, as its input."""
    if "stdin" not in more:
        more["input"] = data
    return Result(subprocess.run([*prefix, USHERCTL, *words], stdout=more.pop("stdout", subprocess.PIPE),
                                 stderr=subprocess.PIPE, timeout=more.pop("timeout", 4 * PATIENCE), env=env,
                                 **more))


def call(*words, **more):
    return usherctl("call", *words, **more)


def ends(sentence, result, status, *said):
    """It ended with this status and said these words; with no words, nothing."""
    good = result.status == status and all(x in result.err for x in said) and (said or not result.err)
    return check(sentence, good, "expected: status %d, %r\nactual:   %r" % (status, said, result))


def listener(kind=socket.SOCK_STREAM, address=("127.0.0.1", 0), family=None, backlog=50):
    """A socket that is bound, and listens if its kind can."""
    if family is None:
        family = (socket.AF_UNIX if isinstance(address, (str, bytes)) else
                  socket.AF_INET6 if ":" in address[0] else socket.AF_INET)
    s = socket.socket(family, kind)
    s.bind(address)
    if kind != socket.SOCK_DGRAM:
        s.listen(backlog)
    return s


def port_of(s):
    return s.getsockname()[1]


@contextlib.contextmanager
def serving(s, behave):
    """Hands each connection of the listener, or the datagram socket itself, to @behave in a thread."""
    ended = threading.Event()
    s.settimeout(0.05)

    def run():
        while not ended.is_set():
            try:
                if s.type == socket.SOCK_DGRAM:
                    behave(s)
                    continue
                connection, _ = s.accept()
            except socket.timeout:
                continue
            except OSError:
                return
            connection.settimeout(PATIENCE)
            try:
                behave(connection)
            except OSError:
                pass
            finally:
                connection.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield s
    finally:
        ended.set()
        thread.join(2 * PATIENCE)
        s.close()


def same_files(a, b):
    return shutil.which("cmp") is not None and subprocess.run(["cmp", a, b]).returncode == 0
