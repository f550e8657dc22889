#!/bin/bash
# Proves: a reload every 50 ms costs no connection of a service that stays, and the records agree with the clients.
#
# 20,000 connections (USHERD_TEST_CONNECTIONS) are made while services are added, changed, broken and
# removed; beside them others go to services that come and go, which may be refused but must be recorded.
. "${srcdir:-.}/tests/lib/lib.sh"
# shellcheck source=tests/integration/reload-lib.sh
. "$top_src/tests/integration/reload-lib.sh"

connections=${USHERD_TEST_CONNECTIONS:-20000}
helper load
load=$helper
helper server
# Where nobody finds it, too, wherever the build lies.
chmod 755 "$tmp"
server=$tmp/server
cp "$helper" "$server"

# Twelve states of the folder, taken in turn through a link that changes at once.
for state in 0 1 2 3 4 5 6 7 8 9 10 11; do
	dir=$tmp/state.$state
	mkdir "$dir"
	stanza steady 7001 "$server" "steady" >"$dir/steady"
	stanza echo 7002 "" "" "id = steady-echo" "type = INTERNAL UNLISTED" "user = " >"$dir/steady-echo"
	stanza args 7003 "$server" "form $((state % 4))" >"$dir/args"
	stanza limits 7004 "$server" "limits" "instances = $((500 + state))" "nice = $((state % 3))" \
		"umask = 02$((state % 3))" "backlog = $((256 + state))" >"$dir/limits"
	stanza log 7005 "$server" "log" "log_type = FILE $tmp/log.$((state % 3))" >"$dir/log"
	stanza user 7006 "$server" "user" "user = $([ $((state % 2)) = 0 ] && echo root || echo nobody)" >"$dir/user"
	case $state in
	1 | 5) stanza breaks 7007 "$server" "breaks" "wait = perhaps" ;;
	3) echo 'service breaks {{' ;;
	*) stanza breaks 7007 "$server" "breaks" ;;
	esac >"$dir/breaks"
	[ $((state % 2)) = 0 ] || stanza comes 7010 "$server" "comes" >"$dir/comes"
	[ $((state % 3)) = 0 ] || stanza moves $((7011 + state % 3)) "$server" "moves" >"$dir/moves"
	for i in $(seq $((state * 3))); do
		stanza "crowd-$i" $((7100 + i)) "$server" "crowd"
	done >"$dir/crowd"
	case $state in
	7) printf 'defaults\n{\n\tmax_load = many\n}\n' >"$dir/broken-defaults" ;;
	9) echo "include $tmp/absent" >"$dir/absent-include" ;;
	esac
done
ln -s state.0 "$tmp/now"
{
	open_defaults
	echo "includedir $tmp/now"
} >"$tmp/main.conf"

start_usherd "$tmp/main.conf"

churn() {
	local state=0
	while :; do
		state=$(((state + 1) % 12))
		ln -sfn "state.$state" "$tmp/next" && mv -T "$tmp/next" "$tmp/now"
		kill -HUP "$daemon" || return
		sleep 0.05
	done
}
churn &
churn=$!
"$load" -c 32 -n "$connections" -w 30 7001=steady 7002:echo \
	"7003=form 0|form 1|form 2|form 3" 7004=limits 7005=log 7006=user 7007=breaks >"$tmp/kept.out" 2>&1 &
kept=$!
"$load" -c 2 -t 600 -o 2 7010=comes 7012=moves 7013=moves >"$tmp/volatile.out" 2>&1 &
volatile=$!
wait $kept
status=$?
seconds=$(sed -n 's/.*seconds=\([0-9.]*\).*/\1/p' "$tmp/kept.out")
kill $churn
wait $churn 2>/dev/null
rm -rf "$tmp/now"
ln -s state.0 "$tmp/now"
kill $volatile
wait $volatile 2>/dev/null
reload

sed 's/^/# /' "$tmp/kept.out"
echo "# $(lines 'Reconfigured:' "$tmp/daemon.log") reloads done and" \
	"$(lines 'reconfiguration failed' "$tmp/daemon.log") refused in $seconds seconds"
check "no connection to a service that stays is refused, reset, late or wrong" equal "$status" 0
check "there were many reloads" [ "$(lines 'Reconfigured:' "$tmp/daemon.log")" -ge 20 ]
check "some were refused for broken defaults" [ "$(lines 'reconfiguration failed' "$tmp/daemon.log")" -ge 1 ]
check "services came and went" [ "$(lines 'service comes deactivated' "$tmp/daemon.log")" -ge 5 ]
check "and one kept its old form" has "$tmp/daemon.log" 'goes on in its old form'

count() {
	starts=$(lines "START: $1 " "$tmp/service.log" "$tmp"/log.[0-9])
	exits=$(lines "EXIT: $1 " "$tmp/service.log" "$tmp"/log.[0-9])
}
settled() {
	count "$1"
	[ "$starts" = "$exits" ]
}
for pair in 7001:steady 7002:steady-echo 7003:args 7004:limits 7005:log 7006:user 7007:breaks; do
	id=${pair#*:}
	served=$(sed -n "s/^port=${pair%:*} ok=\([0-9]*\).*/\1/p" "$tmp/kept.out")
	wait_for 20 settled "$id"
	count "$id"
	check "$id: $served served, $starts START, $exits EXIT" equal "$served $served" "$starts $exits"
done
for id in comes moves; do
	wait_for 20 settled "$id"
	count "$id"
	check "$id, which comes and goes: as many START ($starts) as EXIT" equal "$starts" "$exits"
done
all() { cat "$tmp/service.log" "$tmp"/log.[0-9]; }
all >"$tmp/all.log"
check "no FAIL was recorded" lacks "$tmp/all.log" 'FAIL:'
check "every server of a service that stays ended well" equal \
	"$(grep 'EXIT:' "$tmp/all.log" | grep -v -e ' comes ' -e ' moves ' | grep -cv 'status=0')" 0
kill -ABRT "$daemon"
check "the books agree" wait_for 20 has "$tmp/daemon.log" 'Consistency check passed'
finish
