#!/usr/bin/env python3
# Proves that the differences on the migration page are those that the comparison with xinetd checks, and that the page's links and commands exist.
# SPDX-License-Identifier: ISC
import os
import re
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, HERE)

import scenarios  # noqa: E402

failures = 0


def check(sentence, good):
    global failures
    failures += not good
    print("%sok - %s" % ("" if good else "not ", sentence))


with open(TOP + "/doc/migration.md", encoding="utf-8") as file:
    page = file.read()
check("the table on the page is up to date (tests/compat/run.py --table doc/migration.md)",
      scenarios.with_table(page) == page)
rows = re.findall(r"^\| .* \|$", page[page.index(scenarios.BEGIN):page.index(scenarios.END)], re.M)
check("there are rows for defects and for decisions", len(rows) > 50)
check("every row is short enough to read", all(len(row) < 400 for row in rows))
names = [s.name for s in scenarios.ALL]
check("no two scenarios have the same name", len(names) == len(set(names)))
check("there are at least 150 scenarios", len(names) >= 150)
check("each has a section of xinetd's description", all(re.fullmatch(r"\d+(\.\d+)?", s.section) for s in scenarios.ALL))
check("all of them are covered", {s.section.split(".")[0] for s in scenarios.ALL} >= set("12345678"))
for target in re.findall(r"\]\(([^)#]+)", page):
    if "://" not in target:
        check("the link to %s leads somewhere" % target, os.path.exists(os.path.join(TOP, "doc", target)))
with open(TOP + "/doc/usherctl.1", encoding="utf-8") as file:
    manual = file.read()
for command in sorted(set(re.findall(r"usherctl (\w+)", page))):
    check("usherctl has a command %s" % command, re.search(r"^\.(It )?Cm %s\b" % command, manual, re.M))
sys.exit(1 if failures else 0)
