#!/bin/bash
# Proves: many reloads leak neither descriptors nor memory, and a storm of SIGHUP ends in the newest files.
. "${srcdir:-.}/tests/lib/lib.sh"
# shellcheck source=tests/integration/reload-lib.sh
. "$top_src/tests/integration/reload-lib.sh"

mkdir "$tmp/d"
cat >"$tmp/tell" <<'END'
#!/bin/sh
echo "$*"
END
chmod +x "$tmp/tell"
{
	open_defaults
	echo "includedir $tmp/d"
} >"$tmp/main.conf"
round() {
	local i
	for i in $(seq 20); do
		stanza "s$i" $((7000 + i)) "$tmp/tell" "$i $1" "bind = 127.0.0.$((1 + ($1 + i) % 2))"
	done >"$tmp/next"
	for i in $(seq 21 30); do
		stanza "s$i-$1" $((7000 + i)) "$tmp/tell" "$i $1" "log_type = FILE $tmp/log.$(($1 % 3))"
	done >>"$tmp/next"
	stanza echo 7100 "" "" "type = INTERNAL UNLISTED" "user = " >>"$tmp/next"
	stanza broken 7101 "$tmp/tell" "" "wait = $([ $(($1 % 2)) = 0 ] && echo no || echo often)" >>"$tmp/next"
	mv "$tmp/next" "$tmp/d/all"
}
descriptors() {
	# shellcheck disable=SC2012 # numbers
	ls "/proc/$daemon/fd" | wc -l
}
resident() {
	sed -n 's/^VmRSS:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$daemon/status"
}

round 0
start_usherd "$tmp/main.conf"
check "it answers" says 7020 "20 0" 127.0.0.1
# The first rounds fill caches; one that counts is like each after it.
for i in $(seq 10); do
	round "$i"
	reload
done
fds=$(descriptors) rss=$(resident)
for i in $(seq 11 110); do
	round "$i"
	reload
	[ $((i % 10)) = 0 ] && check "after $i reloads it answers" says 7025 "25 $i"
done
same_descriptors() {
	equal "$(descriptors)" "$fds"
}
check "100 reloads leave no descriptor behind" wait_for 20 same_descriptors
grown=$(($(resident) - rss))
# With the address sanitizer, which keeps what was freed, the leak check at the end tells.
if grep -q libasan "/proc/$daemon/maps"; then
	echo "# memory is left to the sanitizer ($grown kB)"
else
	check "and no memory to speak of ($grown kB)" [ "$grown" -lt 1024 ]
fi

before=$(lines 'Starting reconfiguration' "$tmp/daemon.log")
for i in $(seq 200); do
	kill -HUP "$daemon"
	[ "$i" = 100 ] && round 111
done
round 112
kill -HUP "$daemon"
check "after 200 SIGHUP at once the newest files are in force" wait_for 20 says 7025 "25 112"
done_all() {
	[ "$(lines 'Starting reconfiguration' "$tmp/daemon.log")" = "$(reloads)" ]
}
check "every reload that was begun is done" wait_for 20 done_all
check "and there were not more than signals" [ "$(lines 'Starting reconfiguration' "$tmp/daemon.log")" -le $((before + 201)) ]
check "the descriptors are the same" wait_for 20 same_descriptors
kill -ABRT "$daemon"
check "the books agree" wait_for 20 has "$tmp/daemon.log" 'Consistency check passed'
# SIGTERM in the middle of a reload ends it as at any time.
round 113
kill -HUP "$daemon"
kill -TERM "$daemon"
finish
