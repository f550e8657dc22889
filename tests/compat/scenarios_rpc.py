# SPDX-License-Identifier: ISC
"""Scenarios: RPC services, with a rpcbind of their own (compat 1.4, 1.8, 2.1, 3.2, 4, 4.1)."""

import time

from scenarios_life import MORE, WHO, inetd
from table import alone, ask, ended, hup, send, stanza, udp

USUAL = {"type": "RPC UNLISTED", "rpc_number": "536870912", "rpc_version": "1", "protocol": "tcp"}


def program(name="$NAME", **attributes):
    """A stanza of an RPC service; None takes an attribute away."""
    lines = {**USUAL, **attributes}
    return stanza("".join("%s = %s\n" % item for item in lines.items() if item[1] is not None) + (
        "" if "port" in lines else "-port"), name)


def rpc(name, do, conf=None, **attributes):
    skip = attributes.pop("skip", ())
    alone("rpc-" + name, "2.1", conf or program(**attributes), do, rpcbind=True, skip=skip)


def registered(n, netids=("tcp", "udp")):
    """What rpcbind has, once that are so many."""

    def rows(run):
        return [row for row in run.registered() if row[2] in netids]

    def step(run):
        deadline = time.monotonic() + 5
        while len(rows(run)) != n and time.monotonic() < deadline:
            time.sleep(0.05)
        return "registered: " + ", ".join("%d version %d %s by %s" % (r[0], r[1], r[2], r[4]) for r in rows(run))

    return step


def found(netid="tcp", **how):
    """Asks where rpcbind says that the program is."""

    def step(run):
        ports = [row[3] for row in run.registered() if row[2] == netid]
        if not ports:
            return "client: not found"
        return (ask if netid == "tcp" else udp)(port=ports[0], **how)(run)

    return step


rpc("stream", [registered(2), found()], rpc_version="1-2")
rpc("stream-wait", [registered(1), found()], wait="yes", server_args="accept 1 500")
rpc("dgram", [registered(1), found("udp")], socket_type="dgram", protocol="udp", wait="yes", server_args="dgram 1 500")
rpc("families", [registered(2, ("tcp", "tcp6"))])
rpc("port", [registered(1), ask()], port="$PORT")
rpc("refused", [registered(1), found(), found(src="10.1.2.3")], only_from="10.1.2.3")
rpc("unknown", [registered(0)], type="RPC", rpc_number=None)
rpc("no-version", [registered(0)], rpc_version=None)
rpc("no-number", [registered(0)], rpc_number=None)
rpc("no-protocol", [registered(1)], protocol=None)
rpc("listed", [registered(2), found()], program("rstatd", id="$NAME", type="RPC", rpc_number=None, rpc_version="2-3"))
rpc("same-program", [registered(1), found()], program() + program("$NAME-2", server_args="exit 5"))
rpc("reload", [registered(1), hup(), registered(1), found()])
rpc("reload-versions", [registered(2), hup(program(rpc_version="2-3")), registered(2), found()], rpc_version="1-2")
rpc("reload-gone", [registered(1), hup(MORE), registered(0), ask(port=2)])
rpc("term", [registered(1), send("TERM"), ended(4), registered(0)], skip="dump")
rpc("quit", [registered(1), send("QUIT"), ended(4), registered(0)], skip="dump")
inetd("rpc-dgram", "rstatd/2-4 dgram rpc/udp wait root $W witness dgram 1 500", [registered(3), found("udp")], rpcbind=True)
inetd("rpc-stream", "rstatd/2 stream rpc/tcp nowait root " + WHO, [registered(1), found()], rpcbind=True)
