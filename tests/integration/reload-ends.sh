#!/bin/bash
# Proves: a reload ends the servers of services that are gone, by SIGTERM and 5 s later SIGKILL, and nobody else's.
. "${srcdir:-.}/tests/lib/lib.sh"
# shellcheck source=tests/integration/reload-lib.sh
. "$top_src/tests/integration/reload-lib.sh"

mkdir "$tmp/d"
cat >"$tmp/hold" <<'END'
#!/bin/sh
echo $$
exec sleep 1000
END
cat >"$tmp/stubborn" <<'END'
#!/bin/sh
trap 'echo no' TERM
echo $$
while :; do sleep 0.1 2>/dev/null; done
END
cat >"$tmp/tidy" <<'END'
#!/bin/sh
exec 2>/dev/null
trap 'echo bye; exit 3' TERM
echo $$
while :; do sleep 0.1; done
END
cat >"$tmp/parent" <<'END'
#!/bin/sh
sleep 1000 &
echo $$ $!
wait
END
chmod +x "$tmp"/[hstp]*
{
	open_defaults
	echo "includedir $tmp/d"
} >"$tmp/main.conf"
stanza gone 7001 "$tmp/hold" "" >"$tmp/d/gone"
stanza off 7002 "$tmp/hold" "" >"$tmp/d/off"
stanza stubborn 7003 "$tmp/stubborn" "" >"$tmp/d/stubborn"
stanza tidy 7004 "$tmp/tidy" "" >"$tmp/d/tidy"
stanza parent 7005 "$tmp/parent" "" >"$tmp/d/parent"
stanza stays 7006 "$tmp/hold" "" >"$tmp/d/stays"
stanza moves 7007 "$tmp/hold" "" >"$tmp/d/moves"
stanza echo 7008 "" "" "type = INTERNAL UNLISTED" "user = " >"$tmp/d/echo"
stanza listed 7009 "$tmp/hold" "" >"$tmp/d/listed"
stanza wrong 7010 "$tmp/hold" "" >"$tmp/d/wrong"
start_usherd "$tmp/main.conf"

declare -A pid fd
open_one() {
	exec {new}<>"/dev/tcp/127.0.0.1/$2"
	fd[$1]=$new
	read -r "pid[$1]" child <&"$new"
}
for pair in gone:7001 off:7002 stubborn:7003 tidy:7004 stays:7006 moves:7007 listed:7009 wrong:7010 parent:7005; do
	open_one "${pair%:*}" "${pair#*:}"
done
exec {new}<>/dev/tcp/127.0.0.1/7008
echo hello >&"$new"
read -r line <&"$new"
check "all run" equal "$line" hello
fd[echo]=$new

rm "$tmp/d/gone" "$tmp/d/stubborn" "$tmp/d/tidy" "$tmp/d/parent" "$tmp/d/echo"
stanza off 7002 "$tmp/hold" "" "disable = yes" >"$tmp/d/off"
stanza moves 7107 "$tmp/hold" "" >"$tmp/d/moves"
stanza wrong 7010 "$tmp/hold" "" "socket_type = strim" >"$tmp/d/wrong"
printf 'defaults\n{\n\tdisabled = listed\n}\n' >"$tmp/d/defaults"
start=$(date +%s%N)
reload
check "the ports of those that are gone are shut" refuses 7001
for port in 7002 7003 7004 7005 7008 7009 7007; do
	check "so is port $port" refuses "$port"
done
for id in gone off parent listed; do
	check "$id: its server gets SIGTERM" wait_for 20 has "$tmp/service.log" "EXIT: $id signal=15 pid=${pid[$id]}"
done
check "what a server started goes with it" wait_for 20 gone "$child"
check "a server may end in its own way" wait_for 20 has "$tmp/service.log" "EXIT: tidy status=3 pid=${pid[tidy]}"
read -r line <&"${fd[tidy]}"
check "and say so to its client" equal "$line" bye
check "an internal session is ended and recorded" wait_for 20 has "$tmp/service.log" 'EXIT: echo'
check "its client sees the end" equal "$(timeout 20 cat <&"${fd[echo]}")" ""
check "the signal is in the daemon's log" has "$tmp/daemon.log" "Sending signal 15 to gone server ${pid[gone]}"
# On a slow machine its time may be over by now.
in_time() {
	alive "${pid[stubborn]}" || [ $((($(date +%s%N) - start) / 1000000)) -ge 4900 ]
}
check "a server that does not listen lives on for a while" in_time
for id in stays moves wrong; do
	check "$id: its server runs on" alive "${pid[$id]}"
done
open_one after 7107
check "the moved one answers at its new port" alive "${pid[after]}"
reload
check "another reload does not hurry it" in_time
check "nor signals it again" equal "$(lines 'signal 15 to stubborn server' "$tmp/daemon.log")" 1
check "then it gets SIGKILL" wait_for 20 has "$tmp/service.log" "EXIT: stubborn signal=9 pid=${pid[stubborn]}"
took=$((($(date +%s%N) - start) / 1000000))
check "five seconds after SIGTERM ($took ms)" [ "$took" -ge 4900 -a "$took" -lt 20000 ]
for id in stays moves wrong after; do
	check "$id: its server still runs" alive "${pid[$id]}"
done
check "no EXIT was written for those" lacks "$tmp/service.log" 'EXIT: \(stays\|moves\|wrong\)'
kill -ABRT "$daemon"
check "the books agree" wait_for 20 has "$tmp/daemon.log" 'Consistency check passed'

# Gone and back while its server is being ended.
open_one again 7006
rm "$tmp/d/stays"
reload
stanza stays 7006 "$tmp/hold" "" >"$tmp/d/stays"
reload
check "a service that comes back answers at once" open_one third 7006
check "while the old server's end is recorded" wait_for 20 has "$tmp/service.log" "EXIT: stays signal=15 pid=${pid[again]}"
check "and the new one lives" alive "${pid[third]}"
stop_usherd
for id in third moves wrong after; do
	kill "${pid[$id]}" 2>/dev/null
done
finish
