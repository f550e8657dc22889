#!/bin/bash
# Proves: in.tftpd (dgram, wait) works through usherd with a stanza as found in use.
. "${srcdir:-.}/tests/lib/lib.sh"
# shellcheck source=tests/integration/reload-lib.sh
. "$top_src/tests/integration/reload-lib.sh"
# shellcheck source=tests/integration/programs-lib.sh
. "$top_src/tests/integration/programs-lib.sh"
find_server in.tftpd
command -v python3 >/dev/null || skip "needs python3"

chmod 755 "$tmp"
a_tree "$tmp/tftpboot"
chown -R nobody "$tmp/tftpboot"
# The server stays for a while after its last client; -t says how long (seconds), 900 of its own.
{
	one_defaults
	cat <<END
service tftp
{
	socket_type	= dgram
	protocol	= udp
	wait		= yes
	user		= root
	server		= $found
	server_args	= -c -t 2 -s $tmp/tftpboot
	per_source	= 8
	log_type	= FILE $tmp/service.log
	log_on_success	= PID HOST USERID EXIT DURATION
	log_on_failure	= USERID ATTEMPT
	disable = no
}
END
} >"$tmp/main.conf"
cat >"$tmp/tftp.py" <<'END'
# get|put LOCAL REMOTE: RFC 1350 in octet mode; what is lost is sent again.
import socket, struct, sys
what, local, remote = sys.argv[1:]
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(10)
peer = ("127.0.0.1", 69)
def turn(packet, code, block):
    global peer
    for _ in range(3):
        s.sendto(packet, peer)
        try:
            while True:
                data, sender = s.recvfrom(2000)
                if peer[1] == 69:
                    peer = sender
                got = struct.unpack("!HH", data[:4])
                if got[0] == 5:
                    sys.exit("refused: %r" % data)
                if sender == peer and got == (code, block):
                    return data[4:]
        except socket.timeout:
            pass
    sys.exit("%s %s: no answer to block %d" % (what, remote, block))
name = remote.encode() + b"\0octet\0"
if what == "get":
    out, block = b"", 1
    data = turn(struct.pack("!H", 1) + name, 3, block & 0xffff)
    while True:
        out += data
        if len(data) < 512:
            break
        block += 1
        data = turn(struct.pack("!HH", 4, (block - 1) & 0xffff), 3, block & 0xffff)
    s.sendto(struct.pack("!HH", 4, block & 0xffff), peer)
    open(local, "wb").write(out)
else:
    data = open(local, "rb").read()
    turn(struct.pack("!H", 2) + name, 4, 0)
    for i in range(len(data) // 512 + 1):
        turn(struct.pack("!HH", 3, (i + 1) & 0xffff) + data[i * 512:i * 512 + 512], 4, (i + 1) & 0xffff)
END
start_usherd "$tmp/main.conf"

use() {
	local sizes=(0 1 511 512 513 4096 65536) size
	size=${sizes[$1 % 7]}
	if [ $(($1 % 3)) = 0 ]; then
		python3 "$tmp/tftp.py" put "$tmp/tftpboot/file.$size" "up.$1" || return
		# The server writes the last block out after it has acknowledged it.
		for _ in $(seq 200); do
			cmp -s "$tmp/tftpboot/file.$size" "$tmp/tftpboot/up.$1" && return
			sleep 0.1
		done
		return 1
	fi
	python3 "$tmp/tftp.py" get "$tmp/got.$1" "file.$size" && cmp "$tmp/tftpboot/file.$size" "$tmp/got.$1"
}
many "tftp fetches and brings files"
pid=$(sed -n 's/.*START: tftp pid=\([0-9]*\).*/\1/p' "$tmp/service.log" | tail -n 1)
# It goes when nobody has come for two seconds, which on a slow machine is soon.
check "one server took many while it was there" [ "$(lines 'START: tftp' "$tmp/service.log")" -le $((uses / 5)) ]
check "it ends by itself and is recorded" wait_for 20 has "$tmp/service.log" "EXIT: tftp status=0 pid=$pid"
check "and the next packet starts another" use 2
check "which is recorded" wait_for 20 eval '[ "$(lines "EXIT: tftp status=0" "$tmp/service.log")" -eq "$(lines "START: tftp" "$tmp/service.log")" ]'
check "no datagram server ended without having read" lacks "$tmp/daemon.log" 'without reading'
finish
