#!/usr/bin/env python3
# Proves: doc/inside.md shows every module of src, each below those that use it; its links lead somewhere, and its order of floors is that of the includes.
# SPDX-License-Identifier: ISC
"""Without arguments checks the page; "--table" writes its table anew."""
import os
import re
import sys

TOP = os.path.join(os.environ.get("srcdir") or ".", "")
PAGE = TOP + "doc/inside.md"
BEGIN = "<!-- modules: tests/modules.py --table -->\n"
END = "<!-- end of modules -->\n"
LAYERS = [
    ("base", "What every program has: values, tables, messages, the log"),
    ("config", "Text to typed services; knows no socket"),
    ("policy", "Decisions: pure, or counters; knows no descriptor"),
    ("record", "Sessions and the lines that tell of them"),
    ("serve", "The daemon: doors, admission, servers, reload"),
    ("worker", "The process that reads what clients send"),
    ("gate", "The process that asks others about one client"),
    ("rpc", "The process that talks to rpcbind"),
    ("ctl", "usherctl"),
]
failures = 0


def check(sentence, good):
    global failures
    failures += not good
    print("%sok - %s" % ("" if good else "not ", sentence))


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def module_of(stem, headers):
    """The module of a file: a private header, or a second source, belongs to that whose name it extends."""
    name = re.sub("_private$", "", stem)
    while name not in headers and "_" in name:
        name = name.rpartition("_")[0]
    return name if name in headers else stem


def modules_of(layer):
    """Each module of the layer, with what it is and those of the layer that it includes."""
    modules = {}
    folder = TOP + "src/" + layer
    files = sorted(x for x in os.listdir(folder) if x.endswith((".c", ".h")))
    headers = {x[:-2] for x in files if x.endswith(".h") and not x.endswith("_private.h")}
    for name in files:
        stem = name[:-2]
        text = read(folder + "/" + name)
        module = modules.setdefault(module_of(stem, headers), {"uses": set(), "what": None, "file": None})
        module["uses"] |= {module_of(x, headers) for x in re.findall(r'^#include "%s/(\w+)\.h"' % layer, text, re.M)}
        if stem in headers and name.endswith(".h") or stem in modules and stem not in headers:
            module["what"] = text.split("\n")[1].removeprefix("/* ").removesuffix(" */")
            module["file"] = "src/%s/%s" % (layer, name)
    return modules


def floors_of(modules):
    """On which floor each stands: above all that it uses (tests/layers.sh refuses circles)."""
    floors = {}

    def floor(name):
        if name not in floors:
            floors[name] = 0
            below = [floor(used) for used in modules[name]["uses"] if used != name and used in modules]
            floors[name] = 1 + max(below, default=-1)
        return floors[name]

    for name in modules:
        floor(name)
    return floors


def table():
    lines = []
    for layer, title in LAYERS:
        modules = modules_of(layer)
        floors = floors_of(modules)
        lines += ["### src/%s" % layer, "", title + ".", "", "| floor | module | |", "|---:|---|---|"]
        for name in sorted(modules, key=lambda name: (-floors[name], name)):
            module = modules[name]
            lines.append("| %d | [%s](../%s) | %s |" % (floors[name], name, module["file"], module["what"].replace("|", "\\|")))
        lines.append("")
    return "\n".join(lines)


def with_table(page):
    before, rest = page.split(BEGIN)
    return before + BEGIN + "\n" + table() + "\n" + END + rest.split(END)[1]


page = read(PAGE)
if sys.argv[1:] == ["--table"]:
    with open(PAGE, "w", encoding="utf-8") as file:
        file.write(with_table(page))
    sys.exit(0)
check("the modules on the page are those of the tree (tests/modules.py --table)", with_table(page) == page)
check("there are more than a hundred of them", page.count("](../src/") > 100)
check("every folder of src is a layer", {layer for layer, _ in LAYERS} ==
      {name for name in os.listdir(TOP + "src") if os.path.isdir(TOP + "src/" + name) and not name.startswith(".")})
check("every module says what it is", all(m["what"] and m["file"] for layer, _ in LAYERS for m in modules_of(layer).values()))
for target in sorted(set(re.findall(r"\]\(([^)#]+)", page))):
    if "://" not in target and not os.path.exists(os.path.join(TOP, "doc", target)):
        check("the link to %s leads somewhere" % target, False)
prose = page[:page.index(BEGIN)]
for name in sorted(set(re.findall(r"`(\w+)\(\)`", prose))):
    check("the function %s() exists" % name, any(
        re.search(r"\b%s\(" % name, read(os.path.join(folder, header)))
        for folder, _, files in os.walk(TOP + "src") for header in files if header.endswith(".h")))
sys.exit(failures != 0)
