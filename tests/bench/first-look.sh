#!/bin/bash
# Measures: connections a second for a small server on usherd beside xinetd, in turns on the same machine.
#
# usage: tests/bench/first-look.sh [-r ROUNDS] [-t SECONDS]
# Both host a static server that writes one line, without limits, with a record of each start and end in a
# file. Rounds alternate (usherd, xinetd, usherd …), so that what else the machine does hits both. Prints a line
# a round, then medians and their ratio. Exit status 77 where there is no xinetd (tests/lib/programs.sh fetches it).
. "${srcdir:-.}/tests/lib/lib.sh"
# shellcheck source=tests/integration/reload-lib.sh
. "$top_src/tests/integration/reload-lib.sh"

rounds=5 seconds=2
while getopts r:t: option; do
	case $option in
	r) rounds=$OPTARG ;;
	t) seconds=$OPTARG ;;
	*) die "usage: first-look.sh [-r ROUNDS] [-t SECONDS]" ;;
	esac
done
for xinetd in /usr/sbin/xinetd "${USHERD_PROGRAMS:-$top_src/build/programs}/root/usr/sbin/xinetd" \
	"$top_build/build/programs/root/usr/sbin/xinetd" ''; do
	[ -x "$xinetd" ] && break
done
[ -n "$xinetd" ] || skip "there is no xinetd: tests/lib/programs.sh fetches it"
helper load
load=$helper
command -v "${CC:-cc}" >/dev/null || skip "needs a compiler for a static server"
"${CC:-cc}" -O2 -static -D_GNU_SOURCE -o "$tmp/server" "$top_src/tests/bench/server.c" || die "server.c does not compile"

for who in usherd xinetd; do
	port=$([ $who = usherd ] && echo 7001 || echo 7002)
	open_defaults | sed "s|service.log|$who.records|" >"$tmp/$who.conf"
	stanza small $port "$tmp/server" "hello from a small server" "flags = IPv4" >>"$tmp/$who.conf"
done
start_usherd "$tmp/usherd.conf"
# In the foreground it is our child, so that its end can be waited for.
"$xinetd" -dontfork -stayalive -filelog "$tmp/xinetd.log" -f "$tmp/xinetd.conf" -pidfile "$tmp/xinetd.pid" 2>/dev/null &
xinetd_pid=$!
# shellcheck disable=SC2064 # now
trap "kill -KILL $xinetd_pid 2>/dev/null; clean_up" EXIT
wait_for 10 listens 7002 || die "xinetd did not start: $(cat "$tmp/xinetd.log")"

# round WHO CLIENTS: its rate goes to $rate, errors are added up.
bad=0
round() {
	local port=7001 answer
	[ "$1" = xinetd ] && port=7002
	answer=$("$load" -c "$2" -t "$seconds" "$port=hello from a small server" | tail -n 1)
	rate=${answer##*rate=}
	answer=${answer#*bad=}
	bad=$((bad + ${answer%% *}))
	[ "${answer%% *}" = 0 ] || echo "$1: ${answer%% *} connections failed"
}
median() {
	tr ' ' '\n' <<<"$*" | sort -n | sed -n "$((($# + 1) / 2))p"
}

echo "connections a second, $rounds rounds of $seconds s each, $(nproc) processors, $("$xinetd" -version 2>&1 | head -n 1 | cut -d' ' -f1-3)"
for clients in 1 16; do
	ours='' theirs=''
	round usherd $clients
	round xinetd $clients
	for i in $(seq "$rounds"); do
		round usherd $clients
		a=$rate
		round xinetd $clients
		ours="$ours $a" theirs="$theirs $rate"
		echo "  $clients clients, round $i: usherd $a, xinetd $rate"
	done
	# shellcheck disable=SC2086 # lists of numbers
	a=$(median $ours) b=$(median $theirs)
	echo "$clients clients: usherd $a, xinetd $b, ratio $(awk "BEGIN { printf \"%.2f\", $a / $b }")"
done
check "no connection failed" equal "$bad" 0
even() { [ "$(lines START: "$tmp/usherd.records")" = "$(lines EXIT: "$tmp/usherd.records")" ]; }
check "as many START as EXIT" wait_for 10 even
kill $xinetd_pid
finish
