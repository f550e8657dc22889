#!/usr/bin/env python3
# Proves that usherctl lookup tells what the databases of the machine hold: own names, hosts with aliases and all addresses, services, protocols.
# SPDX-License-Identifier: ISC
import json
import os
import sys

sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "tests/lib"))
from harness import *  # noqa: E402,F403
from client import *  # noqa: E402,F403

replace_file("/etc/hosts", "127.0.0.1 localhost\n10.1.2.3 big.example.test big other\n10.1.2.4 big.example.test big\n"
             "2001:db8::5 big.example.test big\n2001:db8::6 six.test sixth\n10.1.2.9 evil\x1b[31m.test\n")
replace_file("/etc/nsswitch.conf", "hosts: files\nservices: files\nprotocols: files\n")
replace_file("/etc/services", "tool 4711/tcp work labour\ntool 4711/udp\nother 4712/udp\n")
replace_file("/etc/protocols", "tcp 6 TCP\nudp 17 UDP\nodd 253 ODD STRANGE\n")


def lookup(*words, **more):
    return usherctl("lookup", *words, **more)


def told(sentence, words, expected):
    """The answer as JSON, and the same in lines."""
    r = lookup("--json", *words)
    equal(sentence, r.status == 0 and json.loads(r.out) or repr(r), expected)
    objects = expected if isinstance(expected, list) else [expected]
    lines = []
    for o in objects:
        for key, value in o.items():
            key = {"aliases": "alias", "addresses": "address"}.get(key, key)
            lines += ["%-10s %s" % (key, x) for x in (value if isinstance(value, list) else [value])]
        lines.append("")
    equal(sentence + ", in lines", lookup(*words).out.decode(), "\n".join(lines[:-1]) + "\n")


def self_of(name):
    return usherctl("lookup", "--json", prefix=("unshare", "-u", "sh", "-c", 'hostname "$1" && shift && exec "$@"',
                                                "sh", name))


if subprocess.run(["unshare", "-u", "sh", "-c", "hostname x"], stderr=subprocess.DEVNULL).returncode == 0:
    r = self_of("big")
    equal("the own name and the full one", r.status == 0 and json.loads(r.out) or repr(r),
          {"name": "big", "full name": "big.example.test"})
    r = self_of("nobody-knows")
    ends("an own name that nobody knows", r, NAME, "nobody-knows cannot be resolved")
    equal("is told all the same", json.loads(r.out), {"name": "nobody-knows", "full name": None})
r = lookup("--json", "host", "big")
answer = json.loads(r.out)
equal("a host by an alias: its name", answer["name"], "big.example.test")
equal("all aliases", sorted(answer["aliases"]), ["big", "other"])
equal("all addresses", sorted(answer["addresses"]), ["10.1.2.3", "10.1.2.4", "2001:db8::5"])
told("a host of IPv6", ["host", "six.test"], {"name": "six.test", "aliases": ["sixth"], "addresses": ["2001:db8::6"]})
told("a host by address", ["address", "10.1.2.3"],
     {"name": "big.example.test", "aliases": ["big", "other"], "addresses": ["10.1.2.3"]})
told("by an IPv6 address", ["address", "2001:db8::6"],
     {"name": "six.test", "aliases": ["sixth"], "addresses": ["2001:db8::6"]})
ends("a host that is not there", lookup("host", "nope"), NAME, "the name nope cannot be resolved")
ends("an address without a name", lookup("address", "10.9.9.9"), NAME, "10.9.9.9 has no name")
ends("what is no address", lookup("address", "10.1.2"), ADDRESS, "10.1.2 is no address")
equal("names of others are escaped", lookup("address", "10.1.2.9").out,
      b"name       evil\\x1b[31m.test\naddress    10.1.2.9\n")
tcp_tool = {"name": "tool", "aliases": ["work", "labour"], "port": 4711, "protocol": "tcp"}
udp_tool = {"name": "tool", "aliases": [], "port": 4711, "protocol": "udp"}
told("a service by name for a protocol", ["service", "tool", "tcp"], [tcp_tool])
told("by alias", ["service", "labour", "tcp"], [tcp_tool])
told("by port for a protocol", ["service", "4711", "udp"], [udp_tool])
told("for all protocols", ["service", "tool"], [tcp_tool, udp_tool])
told("by port for all", ["service", "4712"], [{"name": "other", "aliases": [], "port": 4712, "protocol": "udp"}])
ends("a service that is not there", lookup("service", "other", "tcp"), NAME, "there is no service other for tcp")
ends("a port that is none", lookup("service", "99999"), NAME, "there is no service 99999")
told("a protocol by name", ["protocol", "odd"], {"name": "odd", "aliases": ["ODD", "STRANGE"], "number": 253})
told("by alias", ["protocol", "STRANGE"], {"name": "odd", "aliases": ["ODD", "STRANGE"], "number": 253})
told("by number", ["protocol", "17"], {"name": "udp", "aliases": ["UDP"], "number": 17})
ends("a protocol that is not there", lookup("protocol", "nope"), NAME, "there is no protocol nope")
for words in (["hosts", "x"], ["host"], ["host", "a", "b"], ["protocol"], ["service", "a", "b", "c"], ["--nope"]):
    ends(" ".join(words) + " is a mistake of the caller", lookup(*words), USAGE, "usherctl --help")
with open("/dev/full", "wb") as full:
    equal("an output that is full is an error", lookup("protocol", "tcp", stdout=full).status, LOCAL)
finish()
