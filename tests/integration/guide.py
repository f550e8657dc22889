#!/usr/bin/env python3
# Proves doc/guide.md: its stanzas are those of the demo set and are hosted, each command prints what it says, and the records are there.
# SPDX-License-Identifier: ISC
import os
import re
import sys
import threading

sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "tests/lib"))
from harness import *  # noqa: E402,F403

SOURCE = os.path.abspath(os.environ.get("srcdir", "."))
TREE = path("tree")
os.makedirs(os.path.join(TREE, "build"))
for name in ("usherctl", "usherd", "usherd-worker", "services"):
    if os.path.exists(os.path.join(BUILD, name)):
        os.symlink(os.path.join(BUILD, name), os.path.join(TREE, name))
RECORDS = path("records")


def as_here(text):
    """What the guide says of joe and his tree, for this test."""
    text = text.replace("/home/joe/usherd", TREE).replace("/dev/stderr", RECORDS)
    return re.sub(r"\bjoe\b", "root", text)


def blocks(text):
    """(kind, name of the file or None, line, content) of each fenced block."""
    for match in re.finditer(r"(?:^<!-- file: (\S+) -->\n)?^```(\w+)\n(.*?)^```$", text, re.M | re.S):
        yield match.group(2), match.group(1), text[:match.start(3)].count("\n") + 1, match.group(3)


def stanzas(text):
    """Each section of a configuration as its words, without comments."""
    text = re.sub(r"^\s*#.*\n", "", text, flags=re.M)
    return [" ".join(x.split()) for x in re.findall(r"^\w[^{}]*\{[^}]*\}", text, re.M)]


def pattern(lines):
    """A regular expression for these lines; "…" is any text, and alone on a line any lines."""
    return "".join("(?:.*\n)*?" if line == "…" else "(?:%s)\n" % ".*".join(map(re.escape, line.split("…"))) for line in lines)


class Shell:
    """One shell for all commands, as the reader has it."""

    MARK = "=-=-= status"

    def __init__(self):
        env = {**os.environ, "LC_ALL": "C", "PYTHONUNBUFFERED": "1"}
        self.process = subprocess.Popen(["bash"], cwd=TREE, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True)

    def run(self, command):
        self.process.stdin.write("{ %s\n} </dev/null; printf '%s %%d\\n' $?\n" % (command, self.MARK))
        self.process.stdin.flush()
        shown = ""
        # A client that waits for ever is a failure.
        timer = threading.Timer(4 * PATIENCE, self.process.kill)
        timer.start()
        try:
            for line in self.process.stdout:
                if line.startswith(self.MARK):
                    return shown
                shown += line
        finally:
            timer.cancel()
        return shown + "(the shell has ended)\n"

    def end(self):
        self.process.stdin.close()
        return self.process.wait(PATIENCE)


guide = as_here(read(os.path.join(SOURCE, "doc/guide.md")))
parts = list(blocks(guide))
kinds = [kind for kind, *_ in parts]
equal("every block is read", len(parts) * 2, len(re.findall("^```", guide, re.M)))
equal("every block is of a kind that is looked at",
      [(kind, line) for kind, name, line, _ in parts if not name and kind not in ("conf", "sh", "log")], [])
check("there is something to run", kinds.count("sh") > 10 and kinds.count("conf") > 10 and kinds.count("log") > 1, kinds)

demo = read(os.path.join(SOURCE, "conf.d/demo.conf.in"))
for placeholder, text in (("@user@", "joe"), ("@services@", "/home/joe/usherd/services"), ("@run@", "/home/joe/usherd/build")):
    demo = demo.replace(placeholder, text)
demo = as_here(demo)
for kind, name, line, text in parts:
    if kind == "conf" and not name:
        found = stanzas(text)
        check("line %d: it is in the demo set" % line, found and set(found) <= set(stanzas(demo)), text)
write(os.path.join(TREE, "build/demo.conf"), demo)
daemon = Daemon(demo)
shell = Shell()
for kind, name, line, text in parts:
    if name:
        write(os.path.join(TREE, name), text)
    elif kind == "log":
        for expected in text.splitlines():
            check("line %d: it is recorded: %s" % (line, expected),
                  wait_for(lambda: re.search(pattern([expected]), read(RECORDS))), read(RECORDS)[-2000:])
    elif kind == "sh":
        check("line %d: there is a command" % line, text.startswith("$ "), text)
        for part in re.split(r"^\$ ", text, flags=re.M)[1:]:
            command, *lines = part.splitlines()
            # A datagram may be lost on a busy machine.
            for attempt in range(3 if "dgram" in command else 1):
                shown = shell.run(command)
                good = re.fullmatch(pattern(lines), shown)
                if good:
                    break
            check("line %d: it prints what it should: %s" % (line, command), good, "expected:\n%s\nshown:\n%s" % ("\n".join(lines), shown))
equal("the shell ends", shell.end(), 0)
for picture in re.findall(r"!\[.*\]\((.*)\)", guide):
    check("there is the picture " + picture, os.path.exists(os.path.join(SOURCE, "doc", picture)))
finish()
