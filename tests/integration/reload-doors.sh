#!/bin/bash
# Proves: a reload moves ports and addresses, switches families and wait, and gives lent sockets back rightly.
. "${srcdir:-.}/tests/lib/lib.sh"
# shellcheck source=tests/integration/reload-lib.sh
. "$top_src/tests/integration/reload-lib.sh"
command -v python3 >/dev/null || skip "needs python3"

mkdir "$tmp/d"
cat >"$tmp/tell" <<'END'
#!/bin/sh
echo "$*"
END
# A server with wait = yes: takes one connection, answers and ends; it says on $tmp/lent that it has the socket.
cat >"$tmp/lent" <<'END'
#!/usr/bin/env python3
import os, socket, sys
listener = socket.socket(fileno=0)
client, _ = listener.accept()
client.sendall(b"%d\n" % os.getpid())
client.recv(1)
END
cat >"$tmp/udp" <<'END'
#!/usr/bin/env python3
import os, socket, sys, time
s = socket.socket(fileno=0)
data, peer = s.recvfrom(100)
s.sendto(b"%d " % os.getpid() + " ".join(sys.argv[1:]).encode(), peer)
while True:
    data, peer = s.recvfrom(100)
    if data == b"end":
        break
    s.sendto(b"%d again" % os.getpid(), peer)
END
chmod +x "$tmp/tell" "$tmp/lent" "$tmp/udp"
sed -i "1s|.*|#!$(command -v python3)|" "$tmp/lent" "$tmp/udp"
{
	open_defaults
	echo "includedir $tmp/d"
} >"$tmp/main.conf"
put() { stanza one 7001 "$tmp/tell" "$@" >"$tmp/d/one"; }
put 1
start_usherd "$tmp/main.conf"
check "everywhere by default" says 7001 1 ::1

put 2 "bind = 127.0.0.1"
reload
check "bind = 127.0.0.1: there" says 7001 2
check "bind = 127.0.0.1: not at ::1" refuses 7001 ::1
check "bind = 127.0.0.1: not at 127.0.0.2" refuses 7001 127.0.0.2
put 3 "flags = IPv4"
reload
check "all of IPv4: at 127.0.0.2" says 7001 3 127.0.0.2
check "all of IPv4: not at ::1" refuses 7001 ::1
put 4 "flags = IPv6"
reload
check "flags = IPv6: at ::1" says 7001 4 ::1
put 5 "bind = ::1"
reload
check "bind = ::1: at ::1" says 7001 5 ::1
check "bind = ::1: not at 127.0.0.1" refuses 7001
put 6 "bind = 127.0.0.1 127.0.0.2"
reload
inode=$(ss -Hltne 'src 127.0.0.2:7001' | sed 's/.* ino:\([0-9]*\).*/\1/')
check "two addresses: the second" says 7001 6 127.0.0.2
put 7 "bind = 127.0.0.2 127.0.0.3"
reload
check "one of two changed: the other keeps its socket" equal \
	"$(ss -Hltne 'src 127.0.0.2:7001' | sed 's/.* ino:\([0-9]*\).*/\1/')" "$inode"
check "one of two changed: the new one answers" says 7001 7 127.0.0.3
check "one of two changed: the old one is shut" refuses 7001 127.0.0.1
put 8 "bind = "
sed -i 's/= 7001$/= 7101/' "$tmp/d/one"
reload
check "the port moves" says 7101 8
check "the old port is shut" refuses 7001 127.0.0.2

# Two services change ports with each other; neither is ever shut.
stanza x 7201 "$tmp/tell" x >"$tmp/d/x"
stanza y 7202 "$tmp/tell" y >"$tmp/d/y"
reload
ix=$(inode_of 7201) iy=$(inode_of 7202)
stanza x 7202 "$tmp/tell" x >"$tmp/d/x"
stanza y 7201 "$tmp/tell" y >"$tmp/d/y"
reload
check "swapped ports: x has y's" says 7202 x
check "swapped ports: y has x's" says 7201 y
check "swapped ports: the sockets stay" equal "$(inode_of 7201) $(inode_of 7202)" "$ix $iy"

# A port that another service of ours had, taken over once that one goes.
stanza x 7202 "$tmp/tell" x >"$tmp/d/x"
stanza z 7202 "$tmp/tell" z "bind = 127.0.0.1" >"$tmp/d/z"
reload
rm "$tmp/d/x"
reload
check "an address that was taken is had in the same reload that frees it" says 7202 z

# Taken by a stranger: reported once, tried again, the rest goes on.
python3 -c '
import socket, sys
s = socket.socket()
s.bind(("0.0.0.0", 7301))
s.listen()
print("here", flush=True)
sys.stdin.read()' <&0 >"$tmp/stranger" 2>/dev/null < <(sleep 60) &
stranger=$!
wait_for 20 has "$tmp/stranger" here
stanza taken 7301 "$tmp/tell" taken >"$tmp/d/taken"
reload
check "a port that is taken is reported" has "$tmp/daemon.log" 'bind failed (.*). service = taken'
check "the others go on" says 7101 8
reload
kill $stranger
check "it is had when it is free" wait_for 20 says 7301 taken

# wait = yes: the server has the socket over a reload, and gives it back.
stanza lent 7401 "$tmp/lent" "" "wait = yes" "bind = 127.0.0.1" >"$tmp/d/lent"
reload
inode=$(inode_of 7401)
exec {first}<>/dev/tcp/127.0.0.1/7401
read -r pid <&$first
stanza lent 7401 "$tmp/lent" "" "wait = yes" "bind = 127.0.0.1" "nice = 3" >"$tmp/d/lent"
reload
check "a server with the socket lives over a reload" alive "$pid"
check "the socket is the same" equal "$(inode_of 7401)" "$inode"
exec {second}<>/dev/tcp/127.0.0.1/7401
wait_for 20 has "$tmp/service.log" 'START: lent'
sleep 0.1
check "no second one is started meanwhile" equal "$(lines 'START: lent' "$tmp/service.log")" 1
echo >&$first
read -r pid2 <&$second
check "once it has ended the next is started" [ "$pid2" != "$pid" ]
nice=$(($(nice) + 3))
check "in its new form" equal "$(ps -o ni= -p "$pid2" | tr -d ' ')" "$((nice < 19 ? nice : 19))"
check "with its record" wait_for 20 has "$tmp/service.log" "EXIT: lent status=0 pid=$pid"
# And with wait = no while the server has it: the daemon accepts by itself as soon as it is back, and never blocks.
stanza lent 7401 "$tmp/tell" "told" "wait = no" "bind = 127.0.0.1" >"$tmp/d/lent"
reload
echo >&$second
check "wait = yes, then no: it answers in its new form" wait_for 20 says 7401 told
check "and the daemon is not stuck" says 7101 8
check "twice" says 7401 told
check "and again is not stuck" says 7101 8
stanza lent 7401 "$tmp/lent" "" "wait = yes" "bind = 127.0.0.1" >"$tmp/d/lent"
reload
exec {first}<>/dev/tcp/127.0.0.1/7401
read -r -t 20 pid <&$first
check "and with wait = yes again its server accepts by itself" alive "$pid"
rm "$tmp/d/lent"
reload
check "gone while its server has the socket: the server is ended" wait_for 20 has "$tmp/service.log" "EXIT: lent signal=15 pid=$pid"
check "and the port is shut" refuses 7401

# The same with datagrams.
udp() {
	python3 -c '
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(20)
s.sendto(sys.argv[1].encode(), ("127.0.0.1", 7501))
if sys.argv[1] != "end":
    print(s.recv(100).decode())' "$1"
}
dgram() {
	stanza udp 7501 "$tmp/udp" "$1" "socket_type = dgram" "protocol = udp" "wait = yes" "flags = IPv4" >"$tmp/d/udp"
}
dgram old
reload
read -r pid words < <(udp hello)
check "a datagram server answers" equal "$words" old
dgram new
reload
check "and has the socket over a reload" equal "$(udp hello)" "$pid again"
udp end
check "until it ends" wait_for 20 has "$tmp/service.log" "EXIT: udp status=0 pid=$pid"
read -r pid2 words < <(udp hello)
check "the next is of the new form" equal "$words" new
udp end
kill -ABRT "$daemon"
check "the books agree" wait_for 20 has "$tmp/daemon.log" 'Consistency check passed'
finish
