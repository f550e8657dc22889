# SPDX-License-Identifier: ISC
"""The namespaces of a run: an /etc, a /dev and a network that are the same everywhere."""

import ctypes
import os
import signal
import subprocess

DIRECTORY = "/run/compat"  # the same in every namespace, so that both daemons read the same text
CLONE_NEWNS, CLONE_NEWNET = 0x00020000, 0x40000000
MS_BIND, MS_REC, MS_PRIVATE = 4096, 16384, 1 << 18
PR_SET_CHILD_SUBREAPER = 36

libc = ctypes.CDLL(None, use_errno=True)

ADDRESSES = ("10.0.0.1", "10.1.2.3", "10.1.2.4", "10.1.3.3", "10.2.0.1", "172.16.5.5", "192.168.7.7", "127.0.0.0",
             "127.0.0.2", "10.9.9.9", "10.9.9.0", "fd00::1", "fd00::2", "fd00:0:0:1::1", "fd00:1::1")
HOSTS = """\
127.0.0.1 localhost
::1 localhost
10.1.2.3 alpha.example.org
10.1.2.4 beta.example.org
10.2.0.1 gamma.example.net
192.168.7.7 notexample.org
fd00::2 six.example.org
10.1.3.3 double.example.org
10.9.9.9 double.example.org
"""
PASSWD = """\
root:x:0:0:root:/root:/bin/sh
daemon:x:1:1:daemon:/:/bin/sh
nobody:x:65534:65534:nobody:/:/bin/sh
usherd:x:950:950::/:/bin/sh
compat:x:54321:54321::/:/bin/sh
_rpc:x:951:65534::/:/bin/sh
"""
GROUP = """\
root:x:0:
daemon:x:1:
nogroup:x:65534:
usherd:x:950:
compat:x:54321:
compatone:x:54322:compat
compattwo:x:54323:compat
"""
SERVICES = """\
tcpmux 1/tcp
echo 7/tcp
echo 7/udp
discard 9/tcp
discard 9/udp
daytime 13/tcp
daytime 13/udp
chargen 19/tcp
chargen 19/udp
ftp 21/tcp
ssh 22/tcp
telnet 23/tcp
time 37/tcp
time 37/udp
tftp 69/udp
finger 79/tcp
auth 113/tcp
"""

# --- the namespaces -----------------------------------------------------------------------------


def mount(source, target, kind, flags=0, data=None):
    if libc.mount(source.encode(), target.encode(), kind.encode(), flags, data):
        error = ctypes.get_errno()
        raise OSError(error, "mount %s: %s" % (target, os.strerror(error)))


def write(path, text, mode=0o644):
    if "/" in path:
        os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write(text)
    os.chmod(path, mode)
    return path


def read(path):
    try:
        with open(path, encoding="utf-8", errors="backslashreplace", newline="") as file:
            return file.read()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def private_etc():
    """An /etc that answers the same everywhere, and asks no network."""
    keep = {}
    for name in ("protocols", "rpc", "netconfig", "ld.so.cache", "networks"):
        if os.path.exists("/etc/" + name):
            with open("/etc/" + name, "rb") as file:
                keep[name] = file.read()
    mount("none", "/etc", "tmpfs")
    for name, data in keep.items():
        with open("/etc/" + name, "wb") as file:
            file.write(data)
    write("/etc/networks", "loopback 127.0.0.0\ncompatnet 10.1.0.0\n")
    write("/etc/passwd", PASSWD)
    write("/etc/group", GROUP)
    write("/etc/hosts", HOSTS)
    write("/etc/services", SERVICES)
    databases = ("passwd", "group", "hosts", "services", "protocols", "rpc", "networks")
    write("/etc/nsswitch.conf", "".join("%s: files\n" % name for name in databases))


def private_dev():
    """The usual devices, and a log of our own."""
    place = DIRECTORY + "/dev"
    os.mkdir(place)
    for name in ("null", "zero", "full", "random", "urandom", "tty"):
        write(place + "/" + name, "")
        mount("/dev/" + name, place + "/" + name, "none", MS_BIND)
    for name, target in (("fd", "/proc/self/fd"), ("stdin", "/proc/self/fd/0"),
                         ("stdout", "/proc/self/fd/1"), ("stderr", "/proc/self/fd/2")):
        os.symlink(target, place + "/" + name)
    mount(place, "/dev", "none", MS_BIND | MS_REC)


def enter(build, others):
    """Makes the namespaces of this process; others are programs from elsewhere, by name. Nothing outside sees what happens in them."""
    files = {"usherd": build + "/usherd", "usherctl": build + "/usherctl", "witness": build + "/tests/compat/witness",
             "usherd-worker": build + "/usherd-worker", "usherd-gate": build + "/usherd-gate", "usherd-rpc": build + "/usherd-rpc", **others}
    programs = {}
    for name, path in files.items():
        if os.path.exists(path):
            with open(path, "rb") as file:
                programs[name] = file.read()
    if libc.unshare(CLONE_NEWNS | CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "unshare")
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    mount("none", "/", "none", MS_REC | MS_PRIVATE)
    os.umask(0o022)
    mount("none", "/run", "tmpfs", 0, b"mode=755")
    if not os.path.islink("/var/run"):
        mount("/run", "/var/run", "none", MS_BIND)
    os.mkdir(DIRECTORY)
    for name, data in programs.items():
        with open("%s/%s" % (DIRECTORY, name), "wb") as file:
            file.write(data)
        os.chmod("%s/%s" % (DIRECTORY, name), 0o755)
    private_etc()
    private_dev()
    batch = "link set lo up\n" + "".join(
        "addr add %s dev lo%s\n" % (a + ("/128" if ":" in a else "/32"), " nodad" if ":" in a else "")
        for a in ADDRESSES)
    subprocess.run(["ip", "-batch", "-"], input=batch, text=True, check=True)


def kill_children():
    """Ends whatever a daemon left behind; they are all children of this process then."""
    while True:
        with open("/proc/self/task/%d/children" % os.getpid()) as file:
            children = [int(word) for word in file.read().split()]
        if not children:
            return
        for pid in children:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        for pid in children:
            try:
                os.waitpid(pid, 0)
            except ChildProcessError:
                pass


