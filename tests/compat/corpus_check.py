# SPDX-License-Identifier: ISC
"""Runs every file of the corpus through usherctl, and through xinetd where there is one, and compares.

usage: corpus_check.py CORPUS USHERCTL ROOT [XINETD]

ROOT becomes a small root directory holding the programs, their libraries and, for each file in turn, the users,
groups, services and executables that it names: the environment its author had. Run by corpus.sh as root in
namespaces of its own.
"""

import collections
import csv
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import time

CORPUS, USHERCTL, ROOT = sys.argv[1:4]
XINETD = sys.argv[4] if len(sys.argv) > 4 else None

failures = []


def fail(where, what):
    failures.append((where, what))
    print(f"not ok - {where}: {what}")


# --- the root directory ---------------------------------------------------------------------


def inside(path):
    return ROOT + "/" + path.lstrip("/")


def write(path, text, mode=0o644):
    path = inside(path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as out:
        out.write(text if isinstance(text, bytes) else text.encode())
    os.chmod(path, mode)


def install(program, target):
    """Copies a program and the libraries that it loads."""
    os.makedirs(os.path.dirname(inside(target)), exist_ok=True)
    shutil.copy(program, inside(target))
    listing = subprocess.run(["ldd", program], capture_output=True, text=True, check=False).stdout
    for library in re.findall(r"(/\S+) \(0x", listing):
        if not os.path.exists(inside(library)):
            os.makedirs(os.path.dirname(inside(library)), exist_ok=True)
            shutil.copy(library, inside(library))


def make_root():
    for directory in ("dev", "proc", "tmp", "var/run", "var/log", "etc"):
        os.makedirs(inside(directory), exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "none", inside("dev")], check=True)
    for name, minor in (("null", 3), ("zero", 5), ("urandom", 9)):
        os.mknod(inside("dev/" + name), 0o20666, os.makedev(1, minor))
    subprocess.run(["mount", "--bind", "/proc", inside("proc")], check=True)
    install(USHERCTL, "/bin/usherctl")
    if XINETD:
        install(XINETD, "/bin/xinetd")
    for name in ("protocols", "rpc"):
        if os.path.exists("/etc/" + name):
            shutil.copy("/etc/" + name, inside("etc/" + name))
    databases = ("passwd", "group", "hosts", "services", "protocols", "rpc", "networks")
    write("/etc/nsswitch.conf", "".join(f"{name}: files\n" for name in databases))


def enter():
    os.chroot(ROOT)
    os.chdir("/")


def run(*command):
    """Runs a command in the root. Returns status, output and messages."""
    done = subprocess.run(
        command, preexec_fn=enter, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=60
    )
    messages = done.stderr.decode(errors="replace")
    if done.returncode < 0 or "Sanitizer" in messages or "runtime error" in messages:
        fail(" ".join(command), f"crashed with status {done.returncode}: {messages[-2000:]}")
    return done.returncode, done.stdout.decode(errors="replace"), messages


# --- what a file names ------------------------------------------------------------------------

Stanza = collections.namedtuple("Stanza", "name line attributes")  # attributes: lower-case name -> list of words


def stanzas_of(text):
    """The service stanzas of a file, read leniently."""
    found, stanza = [], None
    for number, line in enumerate(text.split("\n"), 1):
        words = line.replace("\r", "").split()
        if not words or words[0].startswith("#"):
            continue
        if words[0].lower() in ("service", "defaults") and "=" not in words[1:2]:
            stanza = Stanza(words[1] if len(words) > 1 and words[0].lower() == "service" else "", number, {})
            found.append(stanza)
            continue
        match = re.match(r"\s*(\S+)\s+([+-]?=)\s*(.*)", line.rstrip("\r"))
        if match and stanza:
            stanza.attributes.setdefault(match[1].lower(), []).extend(match[3].split())
        if match is None and words[0] == "}":
            stanza = None
    return found


def first(stanza, *names):
    for name in names:
        if stanza.attributes.get(name):
            return stanza.attributes[name][0]
    return None


BASE_SERVICES = {}
for row in open("/etc/services", encoding="utf-8", errors="replace") if os.path.exists("/etc/services") else ():
    fields = row.split("#")[0].split()
    if len(fields) >= 2 and "/" in fields[1]:
        for alias in [fields[0]] + fields[2:]:
            BASE_SERVICES.setdefault((alias, fields[1].split("/")[1]), int(fields[1].split("/")[0]))

# Ports of standard internal services and others, should the machine have no services database.
for known, port in (("echo", 7), ("discard", 9), ("daytime", 13), ("chargen", 19), ("time", 37)):
    for kind in ("tcp", "udp"):
        BASE_SERVICES.setdefault((known, kind), port)


def supply(users, groups, services, hosts, programs, directories):
    """Makes the environment that a file needs."""
    services = {**BASE_SERVICES, **services}
    users = {name: 2000 + i for i, name in enumerate(sorted(users)) if not name.isdigit()}
    groups = {name: 3000 + i for i, name in enumerate(sorted(groups)) if not name.isdigit()}
    users.update(root=0)
    groups.update(root=0)
    write("/etc/passwd", "".join(f"{name}:x:{uid}:{uid}::/:/bin/sh\n" for name, uid in users.items()))
    write("/etc/group", "".join(f"{name}:x:{gid}:\n" for name, gid in groups.items()))
    write("/etc/services", "".join(f"{name} {port}/{proto}\n" for (name, proto), port in services.items()))
    write("/etc/hosts", "127.0.0.1 localhost\n::1 localhost\n" + "".join(f"127.0.0.1 {name}\n" for name in hosts))
    for directory in directories:
        os.makedirs(inside(directory), exist_ok=True)
    for program in programs:
        if not os.path.exists(inside(program)):
            write(program, "#!/bin/sh\n", 0o755)


def supply_for(text):
    """The environment of a file in xinetd's syntax."""
    users, groups, hosts, programs, directories = {"nobody"}, {"nobody"}, set(), set(), set()
    services, port = {}, 40000
    for stanza in stanzas_of(text):
        users.add(first(stanza, "user") or "root")
        groups.add(first(stanza, "group") or "root")
        server = first(stanza, "server") or ""
        if server.startswith("/"):
            programs.add(server)
        for name in ("bind", "interface", "redirect"):
            word = first(stanza, name) or "localhost"
            if re.fullmatch(r"[A-Za-z][\w.-]*", word):
                hosts.add(word)
        log = stanza.attributes.get("log_type", [])
        if len(log) > 1 and log[0].upper() == "FILE" and log[1].startswith("/"):
            directories.add(os.path.dirname(log[1]))
        kinds = {word.upper() for word in stanza.attributes.get("type", [])}
        if stanza.name and not kinds & {"UNLISTED", "TCPMUX", "TCPMUXPLUS", "RPC"}:
            protocol = first(stanza, "protocol") or {"dgram": "udp"}.get(first(stanza, "socket_type"), "tcp")
            given = first(stanza, "port") or ""
            port += 1
            if given.isdigit():
                services[stanza.name, protocol] = int(given)
            elif (stanza.name, protocol) not in BASE_SERVICES:
                services[stanza.name, protocol] = port
    for line in text.split("\n"):
        words = line.split()
        if len(words) > 1 and words[0] == "includedir" and words[1].startswith("/"):
            directories.add(words[1])
    supply(users, groups, services, hosts, programs, directories)


def enabled(text):
    """The text with every disabled service switched on."""
    return re.sub(r"(?im)^(\s*disable\s+=\s*)yes\b", r"\1no", text)


# --- what the two make of it ------------------------------------------------------------------


def usherd_services(dump):
    """Services of a dump, by the line their stanza stands on: attribute -> words."""
    services, current = {}, None
    for line in dump.split("\n"):
        match = re.match(r"# .*:(\d+)$", line)
        if match:
            current = services.setdefault(int(match[1]), {})
        elif line.startswith("service "):
            current["name"] = line.split()[1:]
        elif line.startswith("\t"):
            name, words = line.strip().split("=", 1)
            current[name.strip()] = words.split()
    return services


def xinetd_dump(path):
    """xinetd's own account of its services."""
    for stale in ("/var/run/xinetd.dump", "/log"):
        if os.path.exists(inside(stale)):
            os.unlink(inside(stale))

    def prepare():
        enter()
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))

    process = subprocess.Popen(
        ["/bin/xinetd", "-dontfork", "-filelog", "/log", "-f", path],
        preexec_fn=prepare,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    text, asked, deadline = "", False, time.monotonic() + 20
    while time.monotonic() < deadline and process.poll() is None:
        if not asked and os.path.exists(inside("/log")):
            with open(inside("/log"), encoding="utf-8", errors="replace") as log:
                asked = "Started working" in log.read()
            if asked:
                process.send_signal(signal.SIGUSR1)
        if asked and os.path.exists(inside("/var/run/xinetd.dump")):
            with open(inside("/var/run/xinetd.dump"), encoding="utf-8", errors="replace") as dump:
                text = dump.read()
            if "END OF DUMP" in text:
                break
        time.sleep(0.002)
    process.kill()
    process.wait()
    return text if "END OF DUMP" in text else None


def xinetd_services(dump):
    """Services of xinetd's dump in order, and its defaults: attribute as xinetd writes it -> text."""
    services, defaults, current, environment = [], {}, None, False
    for line in dump.split("\n"):
        if line == "Service defaults":
            current = defaults
        elif line.startswith("Service = "):
            current = {"additions": []}
            services.append(current)
        elif line.startswith("Server table dump"):
            break
        elif current is not None and line.startswith("\t"):
            text = line.strip()
            if text in ("Environment additions:", "Environment strings:"):
                environment = text == "Environment additions:"
            elif line.startswith("\t\t\t"):
                if environment:
                    current["additions"].append(text)
            elif text.startswith("Logging to") or text == "No logging":
                current["log"] = text
            elif "=" in text and not text.startswith(("Only from", "No access")):
                name, value = text.split("=", 1)
                current[name.strip()] = value.strip()
            elif ":" in text:
                name, value = text.split(":", 1)
                current[name] = value.strip()
    return services, defaults


# --- comparing --------------------------------------------------------------------------------

# Stanzas that xinetd runs and usherd refuses, and why that is right.
REFUSED = {
    ("sourcemage__grimoire__talk-1", 1): "dgram with wait = no: xinetd accepts it and then loops for ever (D30)",
    ("sourcemage__grimoire__vsftpd-1", 2): 'says "disabled = yes", which xinetd ignores: its author wanted it off',
}

# Stanzas that xinetd refuses and usherd reads (the RPC ones would need a portmapper to run in xinetd), and why.
READ = {
    ("karlcchen__etc__servers-1", 4): "the internal service servers is part of usherd again",
    ("openSUSE__xinetd__servers-1", 4): "the internal service servers is part of usherd again",
    ("openSUSE__xinetd__sample.conf-1", 276): "RPC",
    ("openSUSE__xinetd__sample.conf-1", 288): "RPC",
    ("openSUSE__xinetd__sample.conf-1", 299): "RPC",
    ("openSUSE__xinetd__sample.conf-1", 310): "RPC",
    ("openSUSE__xinetd__sample.conf-1", 321): "RPC",
    ("sourcemage__grimoire__fam-1", 1): "RPC",
    ("pataquets__docker-xinetd-tls__tls-redirect-1", 1): "a redirect's host is resolved when it is used",
}

# Attributes whose value differs from xinetd's: (file, line, attribute) -> why.
DIFFERS = {
    ("dtaht__cerofiles-3.3__xmpp-client-1", 1, "only_from"): "xinetd garbles the mask of ::1/128 (D6)",
}

BYTES = {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30}


def number(word):
    """A size as bytes, as text; other words as they are."""
    match = re.fullmatch(r"(\d+)([kKmMgG]?)", word)
    return str(int(match[1]) * BYTES.get(match[2].lower(), 1)) if match else word.upper()


def prefix(word):
    """An address-list word as ADDRESS/BITS, whichever of the two wrote it; names in lower case."""
    address, _, mask = word.partition("/")
    quad = re.fullmatch(r"(\d+)\.(\d+)\.(\d+)\.(\d+)", address)
    if not quad and ":" not in address:
        return word.lower()
    if not quad:
        return address + "/" + ("128" if not mask else "0" if mask == "::" else mask)
    if not mask:
        significant = re.sub(r"(\.0)*$", "", address)
        return address + "/" + str(0 if significant == "0" else 8 * (significant.count(".") + 1))
    if "." in mask:
        mask = "".join(f"{int(byte):08b}" for byte in mask.split(".")).rstrip("0").count("1")
    return f"{address}/{mask}"


def xinetd_rules(text):
    """'A(NUMERIC) B/MASK(NET) C(HOST)' as prefixes."""
    words = [word.rsplit("(", 1)[0] for word in text.split()]
    return sorted({prefix(word) for word in words})


def usherd_rules(words):
    expanded = []
    for word in words:
        match = re.fullmatch(r"(.*)\{(.*)\}", word)
        for item in match[2].split(",") if match else [None]:
            if item is None:
                expanded.append(word)
            else:
                bits = 8 * (match[1].count(".") + 1)
                expanded.append(match[1] + item + ".0" * (4 - bits // 8) + f"/{bits}")
    return sorted({prefix(word) for word in expanded})


def log_of(text, defaults):
    if text == "Logging to common log file" or (text == "No logging" and "common" in defaults.get("log", "")):
        text = defaults.get("log", "")
    match = re.match(r"Logging to file: (\S+) \((?:soft=(\d+) hard=(\d+)|no limits)\)", text)
    if match:
        return ["FILE", match[1]] + ([match[2], match[3]] if match[2] else [])
    match = re.match(r"Logging to syslog. Facility = (\w+), level = (\w+)", text)
    return ["SYSLOG", match[1], match[2]] if match else []


def database(name):
    with open(inside("/etc/" + name), encoding="utf-8") as entries:
        return {row.split(":")[0]: row.split(":")[2] for row in entries}


def values_of_xinetd(service, defaults):
    """What xinetd's dump says, in usherd's words; None = it does not say."""
    merged = {**{name: defaults[name] for name in ("Instances", "umask", "CPS", "Groups") if name in defaults}}
    merged.update(service)
    values = {
        "id": [service["id"]],
        "flags": sorted(service.get("flags", "").split()),
        "type": sorted(service.get("type", "").split()),
        "socket_type": [service["socket_type"]],
        "protocol": [service["Protocol (name,number)"].strip("()").split(",")[0]],
        "port": [service["port"]],
        "wait": [service["wait"]],
        "user": [service["user"]] if "user" in service else [],
        "group": [service["group"]] if "group" in service else [],
        "groups": [merged.get("Groups", "no")],
        "umask": [f"{int(merged['umask'], 8):03o}"] if "umask" in merged else [],
        "nice": [service["Nice"]] if "Nice" in service else [],
        "cps": re.findall(r"\d+", merged["CPS"]) if "CPS" in merged else ["50", "10"],
        "instances": [merged.get("Instances", "UNLIMITED")],
        "per_source": [service["PER_SOURCE"].replace("-1", "UNLIMITED")],
        "bind": [] if service["Bind"].startswith("All") else [service["Bind"].replace("localhost", "127.0.0.1")],
        "argv": service.get("Server argv", "").split(),
        "server": service.get("Server", "").split(),
        "redirect port": [service["Redirect"].rsplit(":", 1)[1]] if "Redirect" in service else [],
        "access_times": service.get("Access times", "").split(),
        "only_from": None if service["Only from"] == "All sites" else xinetd_rules(service["Only from"]),
        "no_access": None if service["No access"] == "No blocked sites" else xinetd_rules(service["No access"]),
        "log_type": log_of(service["log"], defaults),
        "log_on_success": sorted(service.get("Log_on_success flags", "").split()),
        "log_on_failure": sorted(service.get("Log_on_failure flags", "").split()),
        "passenv": service["Passenv"].split() if "Passenv" in service else None,
        "env": [word.strip() for word in service["additions"]],
    }
    if not values["log_type"]:
        values["log_on_success"] = values["log_on_failure"] = []
    return values


def values_of_usherd(service, users, groups):
    """The same attributes of usherd's dump, in the same words."""

    def get(name, default=()):
        return list(service.get(name, default))

    named = "NAMEINARGS" in service.get("flags", [])
    values = {
        name: get(name)
        for name in ("id", "socket_type", "protocol", "port", "wait", "groups", "umask", "nice", "cps", "instances")
        + ("per_source", "bind", "server", "access_times", "log_type", "env")
    }
    values.update(
        flags=sorted(get("flags")),
        type=sorted(get("type")),
        user=[users.get(word, word) for word in get("user")],
        group=[groups.get(word, word) for word in get("group")],
        argv=get("server_args") if named else [word.rsplit("/", 1)[-1] for word in get("server")] + get("server_args"),
        only_from=usherd_rules(service["only_from"]) if "only_from" in service else None,
        no_access=usherd_rules(service["no_access"]) if service.get("no_access") else None,
        log_on_success=sorted(get("log_on_success")) if "log_type" in service else [],
        log_on_failure=sorted(get("log_on_failure")) if "log_type" in service else [],
        passenv=service.get("passenv"),
    )
    values["bind"] = [word.replace("localhost", "127.0.0.1") for word in values["bind"]]
    values["redirect port"] = get("redirect")[1:]
    if values["redirect port"]:
        values["server"], values["argv"] = [], []
    return values


def compare(where, theirs, ours, lost):
    """Both value by value; what is systematic is taken out first. @lost: attributes whose line xinetd dropped."""
    # xinetd shows the family that it takes by default, also where both are named.
    if {"IPv4", "IPv6"} & set(ours["flags"]) in (set(), {"IPv4", "IPv6"}):
        for flags in (theirs["flags"], ours["flags"]):
            flags[:] = [flag for flag in flags if flag not in ("IPv4", "IPv6")]
    for name, value in theirs.items():
        if value == ours[name]:
            continue
        # What xinetd lost, check_lost() has looked at.
        if name in lost or (*where, name) in DIFFERS:
            continue
        fail(f"{where[0]}:{where[1]}", f"{name}: xinetd has {value}, usherd has {ours[name]}")


def check_file(name, verdicts):
    """Everything about one file. Returns how many services were compared with xinetd's."""
    with open(f"{CORPUS}/xinetd/{name}", "rb") as file:
        text = enabled(file.read().decode("utf-8", errors="surrogateescape"))
    path = "/c/" + name
    write(path, text.encode("utf-8", errors="surrogateescape"))
    supply_for(text)
    _, dump, messages = run("/bin/usherctl", "dump", path)
    ours = usherd_services(dump)
    for row in verdicts:
        line = int(row["line"])
        errors = [m for m in messages.split("\n") if ": error:" in m]
        if row["env_supplied"] == "accepted" and line not in ours and (name, line) not in REFUSED:
            fail(f"{name}:{line}", f"xinetd accepts {row['service']}, usherd does not: {errors}")
        if row["env_supplied"] != "accepted" and line in ours and (name, line) not in READ:
            fail(f"{name}:{line}", f"xinetd refuses {row['service']} ({row['messages']}), usherd does not")
        check_lost(name, row, ours.get(line), messages)
    for line, service in ours.items():
        check_limits(name, line, service, text)
    if dump:
        write("/c/again", dump)
        _, again, _ = run("/bin/usherctl", "dump", "/c/again")
        if re.sub(r"(?m)^# .*", "", again) != re.sub(r"(?m)^# .*", "", dump):
            fail(name, "its dump does not read back as it was written")
    return check_values(name, ours, verdicts) if XINETD else 0


def lost_by_xinetd(row):
    """Attributes with the lines on which xinetd dropped them."""
    return re.findall(r"WARNING: attribute (\w+) expects [^\[]*\[line=(\d+)\]", row["messages"])


def check_lost(name, row, service, messages):
    """A setting that xinetd reports and drops is applied, reported or ends its service; never lost."""
    for attribute, line in lost_by_xinetd(row):
        with open(f"{CORPUS}/xinetd/{name}", encoding="utf-8", errors="replace") as file:
            words = file.read().split("\n")[int(line) - 1].split()[2:]
        if service is None:
            continue
        if not words or words[0].startswith("#"):
            fail(f"{name}:{line}", f"{attribute} has no value, and its service runs")
        elif number(words[0]) != number(service.get(attribute, ["missing"])[0]):
            fail(f"{name}:{line}", f"{attribute} = {words[0]} is lost: {service.get(attribute)}")
    for attribute, line in re.findall(r"WARNING: bad service attribute: (\S+) *\[line=(\d+)\]", row["messages"]):
        if not re.search(rf":{line}: (warning|error): .*{re.escape(attribute)}", messages):
            fail(f"{name}:{line}", f"nothing is said of {attribute}")


def check_limits(name, line, service, text):
    """Resource limits, which xinetd's dump does not show, are as the stanza says."""
    for stanza in stanzas_of(text):
        if stanza.line != line:
            continue
        for attribute, words in stanza.attributes.items():
            if attribute.startswith("rlimit_") and words and number(words[0]) != "0":
                if number(words[0]) != service.get(attribute, ["missing"])[0]:
                    fail(f"{name}:{line}", f"{attribute} = {words[0]} became {service.get(attribute)}")


def check_values(name, ours, verdicts):
    dump = xinetd_dump("/c/" + name)
    if dump is None:
        return 0
    services, defaults = xinetd_services(dump)
    users, groups = database("passwd"), database("group")
    rest = [(line, values_of_usherd(service, users, groups)) for line, service in ours.items()]
    compared = 0
    for service in services:
        theirs = values_of_xinetd(service, defaults)
        key = ("id", "socket_type", "protocol", "port")
        same = [item for item in rest if all(item[1][k] == theirs[k] for k in key)]
        if not same:
            if not any(where[0] == name for where in REFUSED):
                fail(name, f"xinetd runs {theirs['id'][0]} ({theirs['protocol'][0]}), usherd has no such service")
            continue
        rest.remove(same[0])
        lost = {a for row in verdicts if int(row["line"]) == same[0][0] for a, _ in lost_by_xinetd(row)}
        compare((name, same[0][0]), theirs, same[0][1], lost)
        compared += 1
    return compared


# --- inetd.conf -------------------------------------------------------------------------------

# Entries of inetd.conf files that usherd does not take, and why.
INETD_REFUSED = {}


def check_inetd(name, template):
    """All active entries of an inetd.conf are taken when what they name exists."""
    with open(f"{CORPUS}/inetd/{name}", encoding="utf-8", errors="surrogateescape") as file:
        text = file.read()
    users, groups, services, programs, port, active = {"nobody"}, {"nobody"}, {}, set(), 41000, set()
    for line, row in enumerate(text.split("\n"), 1):
        words = row.split()
        if not words or words[0].startswith("#"):
            continue
        active.add(line)
        if len(words) < 6:
            continue
        user = re.split("[:.]", words[4])
        users.add(user[0])
        groups.update(user[1:])
        if words[5].startswith("/"):
            programs.add(words[5])
        elif words[5] != "internal":
            programs.add("/usr/sbin/" + words[5])
        port += 1
        for protocol in ("tcp", "udp"):
            bare = words[0].split("/")[0]
            if not bare.isdigit() and (bare, protocol) not in BASE_SERVICES:
                services[bare, protocol] = port
    supply(users, groups, services, set(), programs, set())
    write("/etc/inetd.conf", text.encode("utf-8", errors="surrogateescape"))
    write("/c/empty", "defaults\n{\n\tlog_on_failure = HOST\n}\n")
    _, dump, messages = run("/bin/usherctl", "dump", "--inetd", "/c/empty")
    if template:
        return 0
    taken = usherd_services(dump)
    for line in sorted(active - set(taken)):
        if (name, line) not in INETD_REFUSED:
            said = [m for m in messages.split("\n") if f":{line}: " in m]
            fail(f"{name}:{line}", f"{text.split(chr(10))[line - 1]!r} is not taken: {said}")
    return len(taken)


def table(name):
    with open(f"{CORPUS}/{name}", encoding="utf-8", errors="replace") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def main():
    begin = time.monotonic()
    make_root()
    verdicts = collections.defaultdict(list)
    for row in table("stanzas.tsv"):
        verdicts[row["corpus_file"]].append(row)
    names = sorted(os.listdir(CORPUS + "/xinetd"))
    compared = sum(check_file(name, verdicts[name]) for name in names)
    stanzas = sum(len(rows) for rows in verdicts.values())
    print(f"{len(names)} files, {stanzas} stanzas, {compared} services compared with xinetd's values")
    if len(names) < 200 or stanzas < 200 or (XINETD and compared < 200):
        fail("the corpus", "most of it was not compared")
    rows = [row for row in table("inetd-files.tsv") if row["corpus_file"]]
    entries = sum(check_inetd(row["corpus_file"], row["template"] == "yes") for row in rows)
    print(f"{len(rows)} inetd.conf files, {entries} entries taken")
    if entries < 60:
        fail("the inetd.conf files", "most entries were not taken")
    print(f"{len(failures)} failures in {time.monotonic() - begin:.1f} s")
    subprocess.run(["umount", inside("proc"), inside("dev")], check=False)
    return 1 if failures else 0


sys.exit(main())
