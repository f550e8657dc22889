# SPDX-License-Identifier: ISC
# What the shell tests share: a network of their own, the daemon, waiting, telling.
# shellcheck shell=sh disable=SC2034 # what only some tests use
#
# A test sources this file first:
#	. "${srcdir:-.}/tests/lib/lib.sh"
# and finds itself in an empty network namespace (loopback only) with a
# temporary directory $tmp that goes away at the end. It is skipped where it
# cannot have these. The binaries are those of $USHERD_BUILD (default: where
# make runs the test).

top_build=${USHERD_BUILD:-$(pwd)}
top_src=$(cd "${srcdir:-.}" && pwd)
usherd=$top_build/usherd
usherctl=$top_build/usherctl
daemon=
failures=0

skip() {
	echo "SKIP: $*"
	exit 77
}

# What whoever reads about a failure wants to see next.
show_daemon() {
	for file in daemon.log daemon.err; do
		[ -s "$tmp/$file" ] && tail -n "$1" "$tmp/$file" | sed "s/^/    $file: /"
	done
	return 0
}

# Fails the whole test at once.
die() {
	{
		echo "FAIL: $*"
		show_daemon 40
	} >&2
	exit 1
}

# check SENTENCE COMMAND...: the command must succeed; the test goes on either way and fails at its end.
check() {
	sentence=$1
	shift
	if "$@"; then
		echo "ok - $sentence"
		return
	fi
	echo "not ok - $sentence"
	printf '    failed:'
	printf ' %s' "$@"
	echo
	failures=$((failures + 1))
	[ "$failures" -gt 5 ] || show_daemon 15
}

# equal ACTUAL EXPECTED: for check; shows both where they differ.
equal() {
	[ "$1" = "$2" ] && return 0
	printf '    expected: %s\n    actual:   %s\n' "$2" "$1"
	return 1
}

# wait_for SECONDS COMMAND...: polls every 20 ms until the command succeeds. The last try may say what is wrong.
wait_for() {
	tries=$(($1 * 50))
	shift
	while ! "$@" >/dev/null 2>&1; do
		tries=$((tries - 1))
		[ "$tries" -gt 0 ] || break
		sleep 0.02
	done
	[ "$tries" -gt 0 ] || "$@"
}

# Whether something listens on this TCP port of the namespace.
listens() {
	ss -Hltn "sport = :$1" | grep -q .
}

# start_usherd CONF [OPTION...]: runs the daemon in the foreground of its own and waits until it works.
start_usherd() {
	conf=$1
	shift
	: >"$tmp/daemon.log"
	"$usherd" -dontfork -filelog "$tmp/daemon.log" -f "$conf" "$@" 2>"$tmp/daemon.err" &
	daemon=$!
	wait_for 30 grep -q 'Started working' "$tmp/daemon.log" || die "the daemon did not start"
}

# Ends it and says whether it ended cleanly (also: no sanitizer has spoken).
stop_usherd() {
	[ -n "$daemon" ] || return 0
	kill -TERM "$daemon" 2>/dev/null
	wait "$daemon"
	status=$?
	daemon=
	check "the daemon ends with status 0" equal "$status" 0
	check "it wrote nothing to standard error" equal "$(cat "$tmp/daemon.err")" ""
}

finish() {
	stop_usherd
	[ "$failures" -eq 0 ] || {
		show_daemon 40
		echo "$failures checks failed"
		exit 1
	}
	exit 0
}

clean_up() {
	[ -n "$daemon" ] && kill -KILL "$daemon" 2>/dev/null
	rm -rf "$tmp"
}

[ "$(id -u)" = 0 ] || skip "needs root for a network namespace of its own"
for tool in unshare ip ss; do
	command -v $tool >/dev/null || skip "needs $tool"
done
if [ -z "$USHERD_TEST_NETNS" ]; then
	unshare -n ip link set lo up 2>/dev/null || skip "network namespaces are not allowed here"
	USHERD_TEST_NETNS=1
	export USHERD_TEST_NETNS
	exec unshare -n "${BASH:-/bin/sh}" "$0" "$@"
fi
ip link set lo up
# Whoever runs the tests may have closed or restricted these.
exec </dev/null
umask 022
tmp=$(mktemp -d)
trap clean_up EXIT
trap 'exit 1' INT TERM HUP
