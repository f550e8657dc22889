#!/bin/bash
# Proves: reloads in odd moments: renamed with the socket lent, ids exchanged, Unix sockets, equal ids, rests, internal to external.
. "${srcdir:-.}/tests/lib/lib.sh"
# shellcheck source=tests/integration/reload-lib.sh
. "$top_src/tests/integration/reload-lib.sh"
command -v python3 >/dev/null || skip "needs python3"

mkdir "$tmp/d"
chmod 755 "$tmp"
cat >"$tmp/tell" <<'END'
#!/bin/sh
echo "$*"
END
cat >"$tmp/lent" <<'END'
import os, socket, sys
listener = socket.socket(fileno=0)
client, _ = listener.accept()
client.sendall(b"%d %s\n" % (os.getpid(), sys.argv[1].encode()))
client.recv(1)
END
chmod +x "$tmp/tell"
python=$(command -v python3)
{
	open_defaults
	echo "includedir $tmp/d"
} >"$tmp/main.conf"
stanza other 7000 "$tmp/tell" other >"$tmp/d/other"
start_usherd "$tmp/main.conf"
sane() {
	check "$1: the daemon goes on" says 7000 other
}

# A service with wait = yes gets another name while its server has the socket.
stanza before 7001 "$python" "$tmp/lent before" "wait = yes" "flags = IPv4" >"$tmp/d/lent"
reload
inode=$(inode_of 7001)
exec {fd}<>/dev/tcp/127.0.0.1/7001
read -r pid words <&$fd
stanza after 7001 "$python" "$tmp/lent after" "wait = yes" "flags = IPv4" >"$tmp/d/lent"
reload
check "renamed while lent: the old server is ended" wait_for 20 has "$tmp/service.log" "EXIT: before signal=15 pid=$pid"
check "renamed while lent: the socket is the same" equal "$(inode_of 7001)" "$inode"
exec {fd}<>/dev/tcp/127.0.0.1/7001
read -r -t 20 pid words <&$fd
check "renamed while lent: the new server serves" equal "$words" after
# Removed and back while the server has it.
rm "$tmp/d/lent"
reload
stanza after 7001 "$python" "$tmp/lent back" "wait = yes" "flags = IPv4" >"$tmp/d/lent"
reload
back() {
	exec {fd}<>/dev/tcp/127.0.0.1/7001 || return
	read -r -t 20 _ words <&$fd && [ "$words" = back ]
} 2>/dev/null
check "removed and back while lent: it serves again" wait_for 20 back
rm "$tmp/d/lent"
reload
sane "lent sockets"

# Internal, then external, then internal, with a session open.
stanza echo 7002 "" "" "type = INTERNAL UNLISTED" "user = " >"$tmp/d/echo"
reload
inode=$(inode_of 7002)
exec {fd}<>/dev/tcp/127.0.0.1/7002
echo one >&$fd
read -r -t 20 line <&$fd
check "an internal session is open" equal "$line" one
stanza echo 7002 "$tmp/tell" "no echo" >"$tmp/d/echo"
reload
check "internal, then external: the same socket" equal "$(inode_of 7002)" "$inode"
check "it has its new form" says 7002 "no echo"
echo two >&$fd
read -r -t 20 line <&$fd
check "the open session goes on" equal "$line" two
stanza echo 7002 "" "" "type = INTERNAL UNLISTED" "user = " "wait = yes" >"$tmp/d/echo"
reload
exec {fd2}<>/dev/tcp/127.0.0.1/7002
echo three >&$fd2
read -r -t 20 line <&$fd2
check "and internal again, with wait = yes" equal "$line" three
exec {fd3}<>/dev/tcp/127.0.0.1/7002
stanza echo 7002 "$tmp/tell" "all can come" >"$tmp/d/echo"
reload
exec {fd2}>&-
check "external while an internal session has its turn" wait_for 20 says 7002 "all can come"
exec {fd}>&- {fd3}>&-
ended() { [ "$(lines 'START: echo' "$tmp/service.log")" -eq "$(lines 'EXIT: echo' "$tmp/service.log")" ]; }
check "all have their EXIT" wait_for 20 ended
sane "internal and external"

# Ids exchanged; equal ids on several ports.
stanza x 7003 "$tmp/tell" x >"$tmp/d/xy"
stanza y 7004 "$tmp/tell" y >>"$tmp/d/xy"
reload
ix=$(inode_of 7003) iy=$(inode_of 7004)
stanza y 7003 "$tmp/tell" x >"$tmp/d/xy"
stanza x 7004 "$tmp/tell" y >>"$tmp/d/xy"
reload
check "exchanged ids: the sockets stay" equal "$(inode_of 7003) $(inode_of 7004)" "$ix $iy"
ask 7003 >/dev/null
check "exchanged ids: recorded under the new one" wait_for 20 has "$tmp/service.log" 'START: y '
for port in 7005 7006 7007; do
	stanza same $port "$tmp/tell" "at $port"
done >"$tmp/d/same"
reload
inode=$(inode_of 7006)
for port in 7008 7006 7007; do
	stanza same $port "$tmp/tell" "at $port"
done >"$tmp/d/same"
reload
check "equal ids: one moves" says 7008 "at 7008"
check "equal ids: the old port is shut" refuses 7005
check "equal ids: the others stay" equal "$(inode_of 7006)" "$inode"

# Unix sockets.
unix() {
	python3 -c '
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.settimeout(20)
s.connect(sys.argv[1].replace("@", "\0"))
print(s.makefile().read(), end="")' "$1" 2>/dev/null
}
socket_stanza() {
	stanza unix "" "$tmp/tell" "$1" "protocol = " "bind = $2" "socket_mode = $3" "type = UNLISTED"
}
socket_stanza one "$tmp/sock" 0600 >"$tmp/d/unix"
reload
check "a Unix socket" equal "$(unix "$tmp/sock")" one
inode=$(stat -c %i "$tmp/sock")
socket_stanza two "$tmp/sock" 0666 >"$tmp/d/unix"
reload
check "it stays over a reload" equal "$(stat -c %i "$tmp/sock")" "$inode"
check "with its new words" equal "$(unix "$tmp/sock")" two
check "and its new mode" equal "$(stat -c %a "$tmp/sock")" 666
socket_stanza three "$tmp/sock2 @usherd-test" 0600 >"$tmp/d/unix"
reload
check "it moves" equal "$(unix "$tmp/sock2")" three
check "the old file is gone" [ ! -e "$tmp/sock" ]
check "an abstract one, too" equal "$(unix @usherd-test)" three
rm "$tmp/d/unix"
reload
check "a service that is gone takes its file along" [ ! -e "$tmp/sock2" ]
sane "Unix sockets"

# A rest: it goes on over reloads, ends in time, and the service that then opens is the new one.
stanza rest 7010 "$tmp/tell" old "cps = 2 4" >"$tmp/d/rest"
reload
rests() {
	begin=$(date +%s%N)
	rests_after 6 7010
}
# On a slow machine it may be over by now.
rests_on() {
	refuses "$1" || [ $((($(date +%s%N) - begin) / 1000000)) -ge 3900 ]
}
check "it rests" wait_for 20 rests
stanza rest 7011 "$tmp/tell" new "cps = 1000 1" >"$tmp/d/rest"
reload
check "it rests at its new port, too" rests_on 7011
check "and when that is over answers there" wait_for 20 says 7011 new
check "not at the old one" refuses 7010

# session_timeout set by a reload is for new servers; one that runs keeps its own.
cat >"$tmp/hold" <<'END'
#!/bin/sh
echo $$
exec sleep 1000
END
chmod +x "$tmp/hold"
stanza timed 7012 "$tmp/hold" "" "session_timeout = 2" >"$tmp/d/timed"
reload
exec {fd}<>/dev/tcp/127.0.0.1/7012
read -r pid <&$fd
stanza timed 7012 "$tmp/hold" "" "session_timeout = 600" >"$tmp/d/timed"
reload
check "a running server keeps its time limit" wait_for 20 has "$tmp/service.log" "EXIT: timed signal=15 pid=$pid"

kill -ABRT "$daemon"
check "the books agree" wait_for 20 has "$tmp/daemon.log" 'Consistency check passed'
sane "all"
finish
