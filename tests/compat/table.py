# SPDX-License-Identifier: ISC
"""What a scenario is, and the words that scenarios are written in. Knows no daemon.

A scenario is a piece of configuration, what a client does with it, and, where
usherd stays different from xinetd, one Diff a difference. In the text of a
scenario stand for themselves: $NAME (its name, which its services' names begin
with), $PORT and $PORT2 to $PORT5, $W (the server that tells how the world looks
to it), $LOG (the log), $DIR (a directory of the run), $BASE (the usual lines of
a stanza, see BASE).
"""

import collections
import re
import time

# The usual stanza; a line of a scenario replaces the one of the same attribute, "-attribute" takes it away.
BASE = """\
type = UNLISTED
socket_type = stream
wait = no
user = root
server = $W
server_args = who
port = $PORT
log_type = FILE $LOG
log_on_success = PID HOST EXIT DURATION
log_on_failure = HOST
"""

ASPECTS = ("wire", "log", "messages", "listens", "dump", "status")

# ref: a defect of xinetd (D1 to D65 of compat.md), "new" for what usherd takes besides, "own" for what it decides
# otherwise; why: one line for the migration page; aspects: aspect -> (what xinetd's must match, what usherd's must).
Diff = collections.namedtuple("Diff", "ref why aspects")


class Scenario:
    # starts: whether the daemon is to work before the first step; EITHER: or to have ended.
    def __init__(self, name, section, conf, do, skip=(), shared=True, options=(), files=None,
                 starts=True, limits=(1024, 1024), raw=False,
                 careless=False, rpcbind=False):
        assert re.fullmatch(r"[a-z][a-z0-9-]*", name), name
        self.name = name
        self.section = section
        self.conf = conf
        self.do = do
        self.differs = []
        self.skip = (skip,) if isinstance(skip, str) else tuple(skip)
        self.shared = shared
        self.options = tuple(options)
        self.files = files or {}
        self.starts = starts
        self.limits = limits
        self.raw = raw
        self.careless = careless
        self.rpcbind = rpcbind

    def aspects(self):
        return [a for a in ASPECTS if a not in self.skip]


ALL = []
EITHER = "either"


def add(*args, **kwargs):
    """A scenario beside others in one daemon, its configuration in a file of its own."""
    ALL.append(Scenario(*args, **kwargs))


def alone(*args, **kwargs):
    """A scenario with a daemon of its own, whose main file is the scenario's configuration."""
    ALL.append(Scenario(*args, shared=False, **kwargs))


def stays(ref, why, names, **aspects):
    """A difference that stays: all these aspects of all these scenarios differ, in this way."""
    assert aspects and all(a in ASPECTS for a in aspects), aspects
    for name in names.split():
        found = [s for s in ALL if s.name == name]
        assert found, "no scenario " + name
        found[0].differs.append(Diff(ref, why, aspects))


def refuses(ref, why, names, **aspects):
    """xinetd runs the service, usherd does not."""
    usual = {"wire": ("served|closed", "connection refused"), "log": ("START|FAIL", ""), "listens": ("^(tcp|udp) ", ""),
             "dump": ("is there", "")}
    stays(ref, why, names, **{a: p for a, p in {**usual, **aspects}.items() if p})


def hosts(ref, why, names, **aspects):
    """usherd runs the service, xinetd does not."""
    usual = {"wire": ("connection refused", "served"), "log": ("", "START"), "listens": ("", "^(tcp|udp) "),
             "dump": ("", "is there")}
    stays(ref, why, names, **{a: p for a, p in {**usual, **aspects}.items() if p})


def stanza(lines="", name="$NAME"):
    """The usual stanza with these lines."""
    own = [line.strip() for line in lines.splitlines() if line.strip()]
    gone = {line[1:].lower() for line in own if re.fullmatch(r"-\w+", line)}
    gone.update(line.split()[0].lower() for line in own if line.split()[1:2] == ["="])
    usual = [line for line in BASE.splitlines() if line.split()[0] not in gone]
    own = [line for line in own if not re.fullmatch(r"-\w+", line)]
    return "service %s\n{\n%s}\n" % (name, "".join("\t%s\n" % line for line in usual + own))


def expand_path(text, directory, name):
    for word, value in (("NAME", name), ("W", directory + "/witness"), ("LOG", directory + "/log"), ("DIR", directory)):
        text = re.sub(r"\$%s\b" % word, value, text)
    return text


def expand_text(scenario, text, port, directory):
    """The text with its placeholders replaced."""
    text = text.replace("$BASE", BASE)
    for i in range(5, 1, -1):
        text = text.replace("$PORT%d" % i, str(port + i - 1))
    return expand_path(re.sub(r"\$PORT\b", str(port), text), directory, scenario.name)


def expand(scenario, text, port, directory):
    """The configuration of a scenario; lines that are no section are put into the usual stanza."""
    if not text.startswith("#") and not re.search(r"(?mi)^\s*(service|defaults|include|includedir)\b", text):
        text = stanza(text)
    return expand_text(scenario, text, port, directory)


# --- what to do as a client -------------------------------------------------------------------
#
# Each of these gives a step: a function of the run, that returns what is to be compared, as text, or None.


def ask(data=b"", src=None, dst=None, port=1):
    """Connects, sends and ends its side where there is data, and reads to the end."""

    def step(run):
        return "%s: %s" % (src or dst or "client", run.ask(data, src, dst, port, bool(data)))

    return step


def close(src=None, dst=None, port=1):
    """Connects, ends its side at once, and reads to the end."""
    return lambda run: "%s: %s" % (src or dst or "client", run.ask(b"", src, dst, port))


def udp(data=b"x", src=None, dst=None, port=1, sport=0, seconds=5.0, size=False, from_port=False):
    """Sends a datagram and waits for the answer."""

    def step(run):
        return "%s: %s" % (src or dst or "client", run.udp(data, src, dst, port, sport, seconds, size))

    return step


def crowd(n, port=1):
    """Connects n times at once; says how many are served."""
    return lambda run: run.crowd(n, port)


def hold(src=None, dst=None, port=1):
    """Connects and stays; says what it got at first."""

    def step(run):
        return "%s stays: %s" % (src or dst or "client", run.hold(src, dst, port))

    return step


def release(n=None):
    """Closes the first n held connections, or all, and waits until their servers are gone."""
    return lambda run: run.release(n)


def held():
    """What has become of the connections that are held."""
    return lambda run: run.held_state()


def hup(conf=None, done=r"Reconfigured:|reconfiguration failed|\[exit\]"):
    """Writes another configuration where one is given, and has it read."""
    return lambda run: run.reload(conf, done)


def send(name):
    return lambda run: run.send_signal(name)


def until(pattern, seconds=10):
    """Waits for a message of the daemon."""
    return lambda run: run.wait_message(pattern, seconds)


def until_log(pattern, seconds=10):
    return lambda run: run.wait_log(pattern, seconds)


def ended(seconds=10):
    """Waits for the end of the daemon."""
    return lambda run: run.wait_end(seconds)


def pause(seconds):
    def step(run):
        time.sleep(seconds)

    return step


def identd(answer):
    """An ident server on every address of the client; the answer's $L and $R are the ports that were asked for."""
    return lambda run: run.identd(answer)


def whole_second():
    """Waits for the beginning of a second of the clock, since xinetd counts in these."""
    return lambda run: time.sleep(1.03 - time.time() % 1)


def sees(what, function):
    """Any other observation: a sentence and a function of the run."""
    return lambda run: "%s: %s" % (what, function(run))
