#!/bin/bash
# Proves: every stanza of the demo set is hosted, and the command beside it shows what it does.
# SPDX-License-Identifier: ISC
. "${srcdir:-.}/tests/lib/lib.sh"
nc -h 2>&1 | grep -q 'OpenBSD netcat' || skip "needs nc of OpenBSD"

chmod 755 "$tmp"
sed -e '/^# try: /!{/^#/b' -e '}' -e "s|@user@|root|g" -e "s|@services@|$top_build/services|g" \
	-e "s|@run@|$tmp|g" -e "s|/dev/stderr|$tmp/log|" "$top_src/conf.d/demo.conf.in" >"$tmp/conf"
check "the demo set has no mistake" equal "$("$usherctl" check "$tmp/conf" 2>&1 | grep -c 'error:\|warning:')" 0
start_usherd "$tmp/conf"

# expected ID: a pattern for what the command beside the stanza shows; of those not named here, anything.
expected() {
	case $1 in
	echo-* | redirected | spawned-echo* | unix-echo* | threaded-echo | event-echo) echo '^hello$' ;;
	discard-stream | refused) echo nothing ;;
	daytime-stream) echo '^[0-9]* [A-Z]* 20[0-9][0-9] [0-9:]* [A-Z]' ;;
	chargen-stream) echo 'ABCDEFGHIJ' ;;
	time-stream) echo '^\( [0-9a-f][0-9a-f]\)\{4\}$' ;;
	spawned-daytime) echo ' for 127.0.0.1' ;;
	whoami) echo '^GREETING=hello$' ;;
	stamp | unix-stamp) echo '^[A-Z].* [0-9:]* 20[0-9]*: two$' ;;
	stamp-dgram | unix-stamp-dgram) echo '^[A-Z].* [0-9:]* 20[0-9]*: hello$' ;;
	greet | greet-dgram) echo '^You come from 127\.0\.0\.1 port [0-9]*\..$' ;;
	unix-greet) echo '^You come from a Unix socket without a name, user root\..$' ;;
	unix-greet-dgram) echo '^You come from the Unix socket /.*\..$' ;;
	linelog) echo '^demo\[[0-9]*\]: line from 127\.0\.0\.1 port [0-9]*: two' ;;
	other-words) echo '^line-logger\[[0-9]*\]: line from 127\.0\.0\.1 port [0-9]*: hello' ;;
	lookup) echo '^http 80/tcp; aliases:' ;;
	chat) echo '^\*\*\* Goodbye, guest[0-9]*\.' ;;
	unix-chat) echo '^\*\*\* Goodbye, root\.' ;;
	*) echo . ;;
	esac
}

# try ID: runs the command; what it shows is in $tmp/shown.
try() {
	case $1 in
	# What somebody types there.
	*chat) printf '/who\n/quit\n' ;;
	esac | timeout 30 bash -c "$(sed -n "s/^$1 //p" "$tmp/tries")" >"$tmp/shown" 2>&1
}

# shows ID PATTERN: a datagram may be lost, or late for nc on a busy machine, so there are three attempts.
shows() {
	local attempt
	for attempt in 1 2 3; do
		try "$1"
		if [ "$2" = nothing ]; then
			[ ! -s "$tmp/shown" ] && return
		elif grep -qa -- "$2" "$tmp/shown"; then
			return
		fi
		sleep "$attempt"
	done
	sed 's/^/  shown: /' "$tmp/shown"
	return 1
}

# ID and command of each stanza.
awk '/^# try: / { try = substr($0, 8) }
	$1 == "service" { id = $2 }
	$1 == "id" { id = $3 }
	$1 == "}" && try != "" { print id, try; try = "" }' "$tmp/conf" >"$tmp/tries"
count=0
while read -r id _ <&3; do
	count=$((count + 1))
	check "$id: the command shows it" shows "$id" "$(expected "$id")"
done 3<"$tmp/tries"
# One command may show two, of which one leads to the other.
check "there are commands for all" [ "$count" -ge $(($(grep -c '^service' "$tmp/conf") * 9 / 10)) ]
finish
