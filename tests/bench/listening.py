# SPDX-License-Identifier: ISC
"""Whether somebody is there for the clients of a port, found out without being one."""

import errno
import socket
import struct

SOCK_DIAG = 4  # NETLINK_SOCK_DIAG of linux/netlink.h, SOCK_DIAG_BY_FAMILY of linux/sock_diag.h
SOCK_DIAG_BY_FAMILY = 20
NLMSG_ERROR = 2
NLM_F_REQUEST = 1
STATE_LISTEN = 10
HEADER = struct.Struct("=IHHII")  # struct nlmsghdr


def ask_kernel(port):
    """Whether a stream socket listens for those who come by 127.0.0.1. To ask for the one, with struct inet_diag_req_v2,
    takes microseconds; the list of thousands takes as long as their host to start."""
    request = struct.pack("=BBBBI", socket.AF_INET, socket.IPPROTO_TCP, 0, 0, 1 << STATE_LISTEN)
    request += struct.pack("!HH4s28xI8s", port, 0, socket.inet_aton("127.0.0.1"), 0, b"\xff" * 8)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, SOCK_DIAG) as kernel:
        kernel.send(HEADER.pack(HEADER.size + len(request), SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST, 1, 0) + request)
        answer = kernel.recv(8192)
    if HEADER.unpack_from(answer)[1] == SOCK_DIAG_BY_FAMILY:
        return True
    error = -struct.unpack_from("=i", answer, HEADER.size)[0]
    if error != errno.ENOENT:
        raise OSError(error, "sock_diag")
    return False


def is_listed(port, datagram):
    """The same by the lists of all sockets, which every kernel has."""
    for family in ("udp", "udp6") if datagram else ("tcp", "tcp6"):
        with open(f"/proc/net/{family}", encoding="ascii") as file:
            for line in file:
                fields = line.split(None, 4)
                if fields[1].endswith(f":{port:04X}") and (datagram or fields[3] == f"{STATE_LISTEN:02X}"):
                    return True
    return False


def listens(port, datagram):
    # Of datagram sockets there are few.
    if datagram:
        return is_listed(port, True)
    try:
        return ask_kernel(port)
    except OSError:
        return is_listed(port, False)
