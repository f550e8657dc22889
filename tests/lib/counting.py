# SPDX-License-Identifier: ISC
"""Costs that are counted, not timed, and so are the same on a slow machine: system calls by strace, instructions by valgrind."""
import glob

from harness import *  # noqa: F401,F403


def needs_counting():
    """Skips the test where nothing can be counted."""
    for tool in ("strace", "valgrind"):
        if not shutil.which(tool):
            skip("needs " + tool)
    with open(os.path.join(BUILD, "usherd"), "rb") as binary:
        if b"__asan_init" in binary.read():
            skip("sanitizers have costs of their own")


def attached(pid):
    return re.search(r"^TracerPid:\s*(\d+)", read("/proc/%d/status" % pid), re.M).group(1) != "0"


def calls_of(table):
    """Calls by name, from what strace -c writes."""
    calls = {}
    for line in table.splitlines():
        found = re.match(r"\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?(\w+)$", line)
        if found:
            calls[found.group(2)] = int(found.group(1))
    calls.pop("total", None)
    return calls


def count_calls(pids, work):
    """System calls by name of the main thread of each process while work() runs."""
    tracers = []
    for pid in pids:
        out = path("strace.%d" % pid)
        tracers.append((subprocess.Popen(["strace", "-c", "-o", out, "-p", str(pid)], stderr=subprocess.DEVNULL), out))
    for pid in pids:
        if not wait_for(lambda: attached(pid)):
            for tracer, _ in tracers:
                tracer.kill()
            skip("tracing is not allowed here")
    work()
    for tracer, _ in tracers:
        tracer.send_signal(signal.SIGINT)
        tracer.wait()
    return [calls_of(read(out)) for _, out in tracers]


def instructions(conf, work):
    """Of the daemon's main process, all its threads, from start to end, with work() between."""
    for old in glob.glob(path("callgrind.*")):
        os.unlink(old)
    out = path("callgrind")
    under = Daemon(conf, prefix=["valgrind", "-q", "--tool=callgrind", "--callgrind-out-file=" + out + ".%p"],
                   env=dict(os.environ, USHERD_SPAWN="fork"))
    work()
    under.stop()
    return int(re.search(r"^(?:summary|totals): (\d+)", read("%s.%d" % (out, under.pid)), re.M).group(1))
