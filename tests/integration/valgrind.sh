#!/bin/bash
# Proves: a life with traffic, reloads, refusals and an end leaves no memory error and no leak (valgrind).
# SPDX-License-Identifier: ISC
. "${srcdir:-.}/tests/lib/lib.sh"

command -v valgrind >/dev/null || skip "needs valgrind"
grep -qa __asan_init "$usherd" && skip "valgrind and the address sanitizer do not go together"

write_conf() {
	cat >"$tmp/conf" <<-END
		defaults
		{
			log_type = FILE $tmp/log
			log_on_success = PID HOST EXIT DURATION
			log_on_failure = HOST
			cps = 0 1
		}
		service spawned
		{
			type = UNLISTED
			port = 7001
			wait = no
			socket_type = stream
			user = root
			server = /bin/echo
			server_args = $1
		}
		service echo
		{
			id = internal
			type = INTERNAL UNLISTED
			port = $2
			wait = no
			socket_type = stream
			only_from = 127.0.0.0/8 ::1
		}
		service refusing
		{
			type = UNLISTED
			port = 7003
			wait = no
			socket_type = stream
			user = root
			server = /bin/true
			only_from = 192.0.2.1
			banner = /dev/null
		}
		service tcpmux
		{
			type = INTERNAL UNLISTED
			port = 7004
			wait = no
			socket_type = stream
		}
		service named-$1
		{
			type = TCPMUXPLUS UNLISTED
			wait = no
			socket_type = stream
			user = root
			server = /bin/echo
			server_args = $1
		}
		service broken
		{
			port = none
			only_from = 1.2
		}
	END
}

cr=$(printf '\r')
nl='
'
write_conf one 7002
USHERD_SPAWN=fork valgrind -q --leak-check=full --show-leak-kinds=definite,indirect,possible \
	--error-exitcode=9 --log-file="$tmp/valgrind" "$usherd" -dontfork -filelog "$tmp/daemon.log" \
	-f "$tmp/conf" 2>"$tmp/daemon.err" &
daemon=$!
wait_for 60 listens 7002 || die "the daemon did not start"

for _ in 1 2 3 4 5; do
	check "a server answers" equal "$(timeout 60 nc -N 127.0.0.1 7001 </dev/null)" one
	check "the worker answers" equal "$(echo x | timeout 60 nc -N ::1 7002)" x
	timeout 60 nc -N 127.0.0.1 7003 </dev/null
	check "tcpmux leads to a server" equal "$(printf 'named-one\r\n' | nc -w 20 127.0.0.1 7004)" "+Go${cr}${nl}one"
	check "tcpmux knows no other name" equal "$(printf 'spawned\r\n' | nc -w 20 127.0.0.1 7004)" "-Service name not found${cr}"
	check "tcpmux helps" equal "$(printf 'help\r\n' | nc -w 20 127.0.0.1 7004)" "named-one${cr}"
done
kill -HUP "$daemon"
write_conf two 7012
kill -HUP "$daemon"
wait_for 60 listens 7012 || die "the reload did not come"
wait_for 60 sh -c "timeout 60 nc -N 127.0.0.1 7001 </dev/null | grep -q two"
check "a changed server answers" equal "$(timeout 60 nc -N 127.0.0.1 7001 </dev/null)" two
exec {client}<>/dev/tcp/127.0.0.1/7012
wait_for 60 sh -c "grep -c 'START: internal' $tmp/log | grep -q 6"
sed -i '/^service spawned/,/^}/d' "$tmp/conf"
kill -HUP "$daemon"
wait_for 60 sh -c "! ss -Hltn 'sport = :7001' | grep -q ." || die "the service was not removed"
kill -USR1 "$daemon"
kill -ABRT "$daemon"
wait_for 60 grep -q 'Consistency check passed' "$tmp/daemon.log" || die "the books do not agree"
stop_usherd
exec {client}>&-
check "valgrind has nothing to say" equal "$(cat "$tmp/valgrind")" ""
check "every START has its EXIT" equal "$(grep -c START: "$tmp/log")" "$(grep -c EXIT: "$tmp/log")"
check "refusals are recorded" equal "$(grep -c 'FAIL: refusing address from=127.0.0.1' "$tmp/log")" 5
finish
