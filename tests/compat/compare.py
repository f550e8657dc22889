# SPDX-License-Identifier: ISC
"""Puts in order what a run has seen, takes out what differs from run to run, and compares the two daemons."""

import re
import socket

# Messages of xinetd that people and their tools look for (its manual, log watchers, fail2ban rules).
RECOGNISABLE = (
    r"Started working: \d+ available services?$",
    r"Starting reconfiguration$",
    r"Swapping defaults$",
    r"readjusting service ",
    r"service \S+ deactivated$",
    r"Reconfigured: new=",
    r"reconfiguration failed",
    r"IPv6 socket creation failed for service \S+, trying IPv4",
    r"Exiting\.\.\.$",
    r"Sending signal \d+ to ",
    r"bind failed \(",
    r"Service \S+ failed to start and is deactivated\.",
    r"socket creation failed \(",
    r"service \S+, accept: ",
    r"\S+: fork failed: ",
    r"execv\( ",
    r"service \S+: execv\( ",
    r"Deactivating service ",
    r"Activating service ",
    r"Error activating service ",
    r"refused connect from ",
    r"can't connect to remote host ",
    r"setuid failed: ",
    r"setgid failed: ",
    r"Maximum global_no_access count reached",
    r"pmap_set failed",
    r"libwrap refused connection to ",
    r"Consistency check passed",
    r"At least 1 DENY_TIME has expired",
    r"global_no_access list is empty",
    r"no services\. Exiting",
    r"couldn't get configuration\. Exiting",
    r"No available services\. Exiting",
    r"Adding \S+ to the global_no_access list",
    r"Service=\S+: only_from list and no_access list match equally",
)
RECOGNISABLE_RE = re.compile("|".join("(?:%s)" % r for r in RECOGNISABLE))


def owner(word, names):
    """The scenario that a service's id or name belongs to."""
    word = word.lower()
    while word:
        if word in names:
            return word
        if "-" not in word:
            return None
        word = word.rsplit("-", 1)[0]
    return None


def plain(text):
    """IPv4 clients of an IPv6 socket, which xinetd writes as ::ffff:1.2.3.4."""
    return re.sub(r"::ffff:(?=\d+\.\d+\.\d+\.\d+)", "", text)


# --- the log -------------------------------------------------------------------------------------------


def log_lines(text, names, name, refused_starts):
    found = []
    for line in text.splitlines():
        match = re.match(r"\d\d/[1-9]\d?/[1-9]\d?@\d\d:\d\d:\d\d: (\w+: (\S+).*)$", line)
        if not match:
            found.append("not in the form of the log: " + line)
        elif names is None or owner(match[2], names) == name:
            found.append(match[1])
    found = in_pairs(found if refused_starts else without_refused_starts(found))
    found = [re.sub(r"pid=[1-9]\d*", "pid=N", line) for line in found]
    return [re.sub(r"duration=\d+", "duration=N", line) for line in found]


def in_pairs(lines):
    """Puts each EXIT behind its START: which of two events comes first is a matter of chance."""
    result = []
    for line in lines:
        match = re.match(r"EXIT: (\S+) .*pid=(\d+)", line)
        start = match and [i for i, other in enumerate(result) if re.match(
            r"START: %s pid=%s\b" % (re.escape(match[1]), match[2]), other)]
        if start and start[-1] + 1 < len(result):
            result.insert(start[-1] + 1, line)
        else:
            result.append(line)
    return result


def without_refused_starts(lines):
    """Takes out xinetd's START and EXIT around a FAIL of its child (D16), which may come before the START even."""
    lines = list(lines)
    at = 0
    while at < len(lines):
        fail = re.match(r"FAIL: (\S+) (?:address|libwrap)(?: from=(\S+))?", lines[at])
        if fail:
            start = r"START: %s(?= |$)(?: pid=(\d+))?" % re.escape(fail[1]) + (" from=%s$" % re.escape(fail[2]) if fail[2] else "")
            places = [i for i, line in enumerate(lines) if re.match(start, line) and " pid=0" not in line]

            def end_of(i):
                pid = re.match(start, lines[i])[1]
                end = "EXIT: %s status=0%s" % (fail[1], " pid=%s " % pid if pid else "")
                return next((j for j in range(i + 1, len(lines)) if (lines[j] + " ").startswith(end)), None)

            before = [i for i in places if i < at and (end_of(i) is None or end_of(i) > at)]
            after = [i for i in places if i > at]
            its = before[-1] if before else after[0] if after else None
            if its is not None:
                end = end_of(its)
                if end is not None:
                    lines.pop(end)
                lines.pop(its)
                at -= its < at
        at += 1
    return lines


# --- the daemon's messages --------------------------------------------------------------------------------


def messages(text, names, name):
    found = []
    for line in text.splitlines():
        match = re.match(r"\S+@\S+ \w+\[\d+\]: (\w+): (.*)$", line)
        if not match:
            continue
        level, said = match.groups()
        said = re.sub(r"^\d+ \{\w+\} ", "", said)
        if not RECOGNISABLE_RE.match(said):
            continue
        said = re.sub(r" \[file=.*| \((tcp|udp) \S+\)$", "", said)
        if names is not None and name not in {owner(w.strip(".,()=").replace("Service=", ""), names)
                                              for w in re.split(r"[ :]", said)}:
            continue
        said = re.sub(r"((?:server|process|pid) )\d+\b", r"\1N", said)
        found.append("%s: %s" % (level, said))
    return sorted(found)


# --- the state dump -----------------------------------------------------------------------------------------


def prefix(word):
    """A word of an address list as ADDRESS/BITS, whichever of the two wrote it."""
    address, _, mask = word.partition("/")
    quad = re.fullmatch(r"\d+\.\d+\.\d+\.\d+", address)
    if not quad and ":" not in address:
        return word.lower()
    if not quad:
        if ":" in mask:
            mask = str(bin(int.from_bytes(socket.inet_pton(socket.AF_INET6, mask), "big")).count("1"))
        return address + "/" + (mask or "128")
    if not mask:
        significant = re.sub(r"(\.0)*$", "", address)
        mask = str(0 if significant == "0" else 8 * (significant.count(".") + 1))
    elif "." in mask:
        mask = str("".join(f"{int(byte):08b}" for byte in mask.split(".")).rstrip("0").count("1"))
    bits = int(mask)
    value = int.from_bytes(bytes(int(b) for b in address.split(".")), "big") >> (32 - bits) << (32 - bits)
    return ".".join(str(b) for b in value.to_bytes(4, "big")) + "/" + mask


def expanded(words):
    result = set()
    for word in words:
        match = re.fullmatch(r"(.*)\{(.*)\}", word)
        for item in match[2].split(",") if match else ():
            bits = 8 * (match[1].count(".") + 1)
            result.add(prefix(match[1] + item + ".0" * (4 - bits // 8) + "/%d" % bits))
        if not match:
            result.add(prefix(word))
    return " ".join(sorted(result))


def dump_sections(text):
    """What a dump says of the services: attribute as xinetd writes it -> text; and of the defaults."""
    services, defaults, current, environment = [], {}, None, None
    for line in text.splitlines():
        if line == "Service defaults":
            current = defaults
        elif line.startswith("Service = "):
            current = {"env": [], "name": line[10:]}
            services.append(current)
        elif line.startswith("Server table dump"):
            break
        elif current is None or not line.startswith("\t"):
            continue
        elif line.startswith("\t\t\t"):
            if environment == "Environment additions:":
                current["env"].append(line.strip())
        else:
            line = line.strip()
            match = re.match(r"([^=:]+?)\s*[=:]\s*(.*)$", line)
            if line.startswith("Environment "):
                environment = line
            elif line.startswith("Logging to") or line == "No logging":
                current["log"] = line
            elif match:
                current[match[1]] = match[2]
    return services, defaults


def dump_log_type(text, defaults):
    if text == "Logging to common log file" or (text == "No logging" and "common" in defaults.get("log", "")):
        text = defaults.get("log", "")
    match = re.match(r"Logging to file: (\S+) \((?:soft=(\d+) hard=(\d+)|no limits)\)", text)
    if match:
        return " ".join(["FILE", match[1]] + ([match[2], match[3]] if match[2] else []))
    match = re.match(r"Logging to syslog. Facility = (\w+), level = (\w+)", text)
    return "SYSLOG %s %s" % match.groups() if match else ""


def in_order(text):
    return " ".join(sorted(text.split()))


def dump_of(text):
    services, defaults = dump_sections(text)
    result = {}
    for s in services:
        if "id" not in s:
            continue
        s = {**{k: defaults[k] for k in ("Instances", "umask", "CPS", "Groups") if k in defaults}, **s}
        logs = dump_log_type(s.get("log", ""), defaults)
        redirect = s.get("Redirect")
        result.setdefault(s["id"], {
            "flags": in_order(s.get("flags", "")), "type": in_order(s.get("type", "")),
            "socket_type": s.get("socket_type"), "protocol": s.get("Protocol (name,number)", "").strip("()").split(",")[0],
            "port": s.get("port"), "wait": s.get("wait"), "user": s.get("user", ""), "group": s.get("group", ""),
            "groups": s.get("Groups", "no"), "umask": "%03o" % int(s["umask"], 8) if "umask" in s else "",
            "nice": s.get("Nice", ""), "cps": " ".join(re.findall(r"\d+", s["CPS"])) if "CPS" in s else "50 10",
            "instances": s.get("Instances", "UNLIMITED"),
            "per_source": s.get("PER_SOURCE", "").replace("-1", "UNLIMITED"),
            "bind": "" if s.get("Bind", "All").startswith("All") else s["Bind"].replace("localhost", "127.0.0.1"),
            "server": "" if redirect else s.get("Server", ""), "argv": "" if redirect else s.get("Server argv", "").strip(),
            "redirect": redirect.rsplit(":", 1)[1] if redirect else "", "access_times": s.get("Access times", "").strip(),
            "libwrap": s.get("Libwrap", ""),
            "only_from": "all" if s.get("Only from") == "All sites" else
            "only " + expanded(w.rsplit("(", 1)[0] for w in s.get("Only from", "").split()),
            "no_access": "none" if s.get("No access") == "No blocked sites" else
            "not " + expanded(w.rsplit("(", 1)[0] for w in s.get("No access", "").split()),
            "log_type": logs, "log_on_success": in_order(s.get("Log_on_success flags", "")) if logs else "",
            "log_on_failure": in_order(s.get("Log_on_failure flags", "")) if logs else "",
            "passenv": in_order(s["Passenv"]) if "Passenv" in s else "all", "env": " ".join(s["env"]),
        })
    return result


def dump_lines(side, text, names, name):
    dump = dump_of(text)
    lines = []
    for who in sorted(dump):
        if names is not None and owner(who, names) != name:
            continue
        lines.append("%s is there" % who)
        for attribute, value in sorted(dump[who].items()):
            if attribute == "flags":
                # xinetd writes the family that it has inferred.
                value = " ".join(f for f in value.split() if f not in ("IPv6", "IPv4", "REUSE"))
            lines.append("%s: %s = %s" % (who, attribute, value))
    return lines


# --- everything of a scenario -----------------------------------------------------------------------------------


def in_shape(scenario, side, seen, names):
    """Aspect -> lines, of one scenario on one side. @names: of all scenarios that share the daemon, or None."""
    wire = []
    for line in seen["wire"]:
        line = re.sub(r"\bparent %d\b" % seen["pid"], "parent the daemon", line)
        if line.startswith("env ") and re.match(r"env \w+SAN_OPTIONS=", line):
            continue
        if not scenario.raw and line.startswith("env REMOTE_PORT="):
            continue
        line = re.sub(r"^(env REMOTE_PORT=)\d+", r"\1N", line)
        wire.append(line if scenario.raw else plain(line))
    logs = log_lines(seen["log_text"], names, scenario.name, scenario.raw or side == "usherd")
    shape = {
        "wire": wire,
        "log": logs if scenario.raw else [plain(line) for line in logs],
        "messages": [m if scenario.raw else plain(m) for m in messages(seen["messages_text"], names, scenario.name)],
        "listens": seen["listens"],
        "dump": dump_lines(side, seen["dump_text"], names, scenario.name),
        "status": [] if scenario.shared else seen["status"],
    }
    return shape


def compare(scenario, theirs, ours):
    """Sentences about what is not as it should be."""
    wrong = []
    expected = {}
    for difference in scenario.differs:
        for aspect, patterns in difference.aspects.items():
            expected[aspect] = (difference, patterns)
    for aspect in scenario.aspects():
        x, u = theirs[aspect], ours[aspect]
        if aspect == "dump":
            # Of a service that only one of them has, that it is there is enough.
            both = {line for line in x if line.endswith(" is there")} & set(u)
            x, u = ([line for line in lines if line.endswith(" is there") or line.split(":")[0] + " is there" in both]
                    for lines in (x, u))
        if aspect not in expected:
            if x != u:
                wrong.append("%s differs:\n%s" % (aspect, side_by_side(x, u)))
            continue
        difference, patterns = expected[aspect]
        if x == u:
            wrong.append("%s is the same, but %s (%s) should show:\n%s" % (
                aspect, difference.ref, difference.why, side_by_side(x, u)))
        for who, lines, pattern in (("xinetd", x, patterns[0]), ("usherd", u, patterns[1])):
            pattern = pattern.replace("$NAME", scenario.name)
            if not re.search(pattern, "\n".join(lines), re.M):
                wrong.append("%s of %s does not match %r (%s):\n%s" % (
                    aspect, who, pattern, difference.ref, side_by_side(x, u)))
    return wrong


def side_by_side(x, u):
    import difflib
    lines = [line for line in difflib.unified_diff(x, u, "xinetd", "usherd", lineterm="", n=1)][2:]
    if not lines:
        lines = ["  " + line for line in x]
    return "\n".join("    " + line for line in lines[:40])
